"""The same comes out live, while recording and on replay, and in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from client_reads import READS, Target, lacks
from upstream_server import PIECES, running, sse

from harness.events import Item
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMED = ("chunked", "length", "close", "gzip-chunked")


def _mark(item: Any) -> None:
    tape = current()
    assert tape is not None
    tape.log.add(Item, text=str(item), type=type(item).__name__)


@pytest.mark.parametrize("route", [*STREAMED, "gzip"])
@pytest.mark.parametrize("name", READS)
def test_items_and_their_order_are_those_of_the_wire(
    name: str, route: str, deck: Any, paced_recording: Any, steps: Callable[[Any], list[bool]]
) -> None:
    """
    A read gives the same items live, recording and replayed, and keeps step where it does so live.
    """
    if why := lacks(name):
        pytest.skip(why)
    read = READS[name]
    packed = route.startswith("gzip")
    with running() as upstream:
        target = Target(f"{upstream.url}/{route}")
        upstream.restart(in_step=route in STREAMED and not read.whole)
        live = read.items(target, lambda _: upstream.note_item())
        kept_step = upstream.in_step or []
        with paced_recording(upstream), deck.recording():
            recorded = read.items(target)
    with deck.replaying() as tape:
        replayed = read.items(target, _mark)

    assert recorded == replayed
    if read.decodes or not packed:
        assert live == replayed
        expected = not read.whole and False not in kept_step[: PIECES - 1]
        if route in STREAMED:
            assert (False not in steps(tape)[: PIECES - 1]) == expected


@pytest.mark.parametrize("name", READS)
def test_nothing_is_lost_on_replay(name: str, deck: Any) -> None:
    """
    The whole text is there, whatever the pieces.
    """
    if why := lacks(name):
        pytest.skip(why)
    with running() as upstream:
        target = Target(f"{upstream.url}/chunked")
        with deck.recording():
            READS[name].items(target)
    with deck.replaying():
        body = READS[name].body(target)
    whole = b"".join(map(sse, range(PIECES)))
    assert body.replace(b"\n", b"") == whole.replace(b"\n", b"")

"""
The player: one recorded answer, arrival by arrival, on the recording's clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.events import Answered, Arrival, Closed, Ended
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.player import AnswerCut, Player, RecordedAnswer
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = st.lists(st.integers(1, 9), max_size=12)


def _player(sizes: Sequence[int], *, base: float = 0.0, step: float = 0.1, **options: Any) -> tuple[Player, Log]:
    log = Log()
    body = bytes(index % 256 for index in range(sum(sizes)))
    pieces = [(step * (index + 1), size) for index, size in enumerate(sizes)]
    answer = RecordedAnswer(200, "OK", options.pop("headers", []), "chunked", body, pieces, options.pop("cut", None))
    return Player(answer, log=log, gate=Gate(Capability.INVOKE), request=0, base=base, **options), log


def _read(player: Player, *, asynchronous: bool) -> list[bytes]:
    async def read() -> list[bytes]:
        found = []
        while (piece := await player.anext()) is not None:
            found.append(piece)
        return found

    return asyncio.run(read()) if asynchronous else list(iter(player.next, None))


@given(SIZES, st.booleans())
def test_each_pull_gives_one_arrival(sizes: list[int], asynchronous: bool) -> None:
    """
    The pieces come as they were cut, they join to the body, and after the last there is nothing, however often asked.
    """
    player, log = _player(sizes)
    pieces = _read(player, asynchronous=asynchronous)
    assert [len(piece) for piece in pieces] == sizes
    assert b"".join(pieces) == bytes(range(sum(sizes)))
    assert player.next() is None
    hook = "async" if asynchronous else "sync"
    arrivals = [event for event in log.events if isinstance(event, Arrival)]
    assert [(event.index, event.size, event.hook) for event in arrivals] == [
        (index, size, hook) for index, size in enumerate(sizes)
    ]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.floats(0, 100))
def test_the_log_is_on_the_recordings_clock(sizes: list[int], base: float) -> None:
    """
    Each arrival stands where it came in the recording, and the end where the last one came.
    """
    player, log = _player(sizes, base=base)
    _read(player, asynchronous=False)
    first, *arrivals, last = log.events
    assert isinstance(first, Answered)
    assert [event.at for event in arrivals] == pytest.approx([base + 0.1 * (index + 1) for index in range(len(sizes))])
    assert isinstance(last, Ended)
    assert (last.at, log.ended) == (arrivals[-1].at, arrivals[-1].at)


def test_an_answer_without_a_body_has_ended() -> None:
    """
    It is answered and ended without being read, and closing it is no closing early.
    """
    player, log = _player([])
    assert player.next() is None
    player.close()
    assert [type(event) for event in log.events] == [Answered, Ended]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("sizes", [[], [3, 4]])
def test_a_cut_answer_breaks_off_where_the_recording_did(sizes: list[int], asynchronous: bool) -> None:
    """
    What came is handed out, then each pull raises; the cut is logged once.
    """
    player, log = _player(sizes, cut="connection reset")
    found: list[bytes] = []

    async def pull() -> bytes | None:
        return await player.anext() if asynchronous else player.next()

    for _ in sizes:
        found.append(asyncio.run(pull()) or b"")  # noqa: PERF401 - one pull at a time
    for _ in range(2):
        with pytest.raises(AnswerCut, match="connection reset"):
            asyncio.run(pull())
    assert [len(piece) for piece in found] == sizes
    ended = [event for event in log.events if isinstance(event, Ended)]
    assert [event.cut for event in ended] == ["connection reset"]


@pytest.mark.parametrize(("pulls", "closed"), [(0, 1), (1, 1), (3, 0)])
def test_closing_before_the_end_is_noted_once(pulls: int, closed: int) -> None:
    """
    Giving an answer up is told of; closing it after its last arrival is what everybody does.
    """
    player, log = _player([1, 2, 3])
    for _ in range(pulls):
        player.next()
    player.close()
    player.close()
    assert sum(isinstance(event, Closed) for event in log.events) == closed
    assert sum(isinstance(event, Ended) for event in log.events) == 1 - closed


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("pace", [1.0, 2.5])
def test_at_a_pace_no_arrival_is_early(pace: float, asynchronous: bool) -> None:
    """
    Each arrival comes at its time since the request, scaled, or later.
    """
    player, log = _player([1] * 5, step=0.02, pace=pace)
    begun = time.perf_counter()
    _read(player, asynchronous=asynchronous)
    assert time.perf_counter() - begun < 20
    arrivals = [event for event in log.events if isinstance(event, Arrival)]
    # the log's own clock starts a moment before the player's
    assert all(event.real >= 0.02 * pace * (event.index + 1) for event in arrivals)


def test_a_slow_reader_is_not_made_to_wait_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Time that the reader has spent is not waited for: what was due meanwhile comes at once.
    """
    player, _ = _player([1] * 4, step=0.05, pace=1.0)
    time.sleep(0.25)
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert len(_read(player, asynchronous=False)) == 4
    assert slept == []


def test_headers_are_found_in_any_case() -> None:
    """
    The first value of a header is found whatever case it was recorded in; one that is not there is empty.
    """
    player, log = _player([1], headers=[("Content-Type", "text/plain"), ("content-type", "other")])
    assert (player.header("content-type"), player.header("etag")) == ("text/plain", "")
    answered = log.events[0]
    assert isinstance(answered, Answered)
    assert (answered.content_type, answered.arrivals, answered.body) == ("text/plain", 1, b"\0")

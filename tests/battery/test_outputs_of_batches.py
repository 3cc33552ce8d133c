"""What counts as several outputs, and where a turn of the loop ends in a replay that takes no time."""

from __future__ import annotations

import asyncio
import threading
from collections import UserDict, UserList, deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from toy_adapters import burn

from harness.battery.calls import MOST_ITEMS, Call
from harness.battery.loop import new_loop
from harness.battery.prompts import PROMPTS
from harness.events import Raised, Returned
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEXTS = ("one", "two", "three")


class Message:
    def __init__(self, content: object) -> None:
        self.content = content

    def __iter__(self) -> Iterator[tuple[str, object]]:
        yield "content", self.content


class Row:
    """
    Be a row of things, as an array is, without saying so.
    """

    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, place: int) -> str:
        return TEXTS[place]

    def __iter__(self) -> Iterator[str]:
        return iter(TEXTS)


def _returned(make: Callable[[], object], capability: Capability) -> Any:
    def batch(_self: object, _prompts: list[str]) -> object:
        return make()

    async def abatch(_self: object, _prompts: list[str]) -> object:
        return make()

    log = Log()
    method = abatch if capability.is_async else batch
    call = Call(type("Toy", (), {capability.value: method})(), capability, PROMPTS, log, Gate(capability))
    if capability.is_async:
        asyncio.run(call.arun())
    else:
        call.run()
    return log.events[-1]


@pytest.mark.parametrize("capability", [Capability.BATCH, Capability.ABATCH])
@pytest.mark.parametrize(
    "make",
    [
        lambda: list(TEXTS),
        lambda: TEXTS,
        lambda: iter(TEXTS),
        lambda: (text for text in TEXTS),
        lambda: map(str, TEXTS),
        lambda: deque(TEXTS),
        lambda: UserList(TEXTS),
        Row,
        lambda: [Message(text) for text in TEXTS],
    ],
)
def test_outputs_may_come_in_any_sequence_or_one_by_one(make: Callable[[], object], capability: Capability) -> None:
    """
    Whoever iterates over them gets three texts in order.
    """
    returned = _returned(make, capability)

    assert (returned.texts, returned.plural) == (TEXTS, True)


class TellsItself(Exception):  # noqa: N818 - as some libraries' are
    """
    Be an exception with a text, such as those of the OpenAI SDK.
    """

    message = "no"


def test_an_exception_among_outputs_is_noted_as_one() -> None:
    """
    It has no text, also where it says something.
    """
    returned = _returned(lambda: [TEXTS[0], TellsItself(), TEXTS[2]], Capability.BATCH)

    assert (returned.texts, returned.errors) == ((TEXTS[0], None, TEXTS[2]), (1,))


@pytest.mark.parametrize(
    "make",
    [
        lambda: "three",
        lambda: b"one",
        lambda: {"a": "b"},
        lambda: UserDict(a="b"),
        lambda: Message("one"),
        lambda: 3,
        lambda: None,
        set,
    ],
)
def test_what_is_one_value_is_not_several_outputs(make: Callable[[], object]) -> None:
    """
    Strings, messages and mappings can be iterated over as well, and sets have no order.
    """
    returned = _returned(make, Capability.BATCH)

    assert (len(returned.texts), returned.plural) == (1, False)


def test_a_generator_that_raises_or_never_ends_is_the_adapters() -> None:
    """
    What it raises is logged, and it is not followed for ever.
    """

    def fails() -> Iterator[str]:
        yield "one"
        raise ValueError

    def repeats() -> Iterator[str]:
        while True:
            yield "one"

    assert isinstance(_returned(fails, Capability.BATCH), Raised)
    endless = _returned(repeats, Capability.BATCH)
    assert isinstance(endless, Returned)
    assert len(endless.texts) == MOST_ITEMS


@pytest.mark.parametrize(("laps", "most"), [(True, 0.15), (False, 10.0)])
def test_a_lap_ends_a_turn_as_the_upstreams_pace_would(laps: bool, most: float) -> None:
    """
    What is computed between two arrivals counts by itself; without laps the whole turn does.
    """
    loop, heartbeat = new_loop()
    turns: list[float] = []
    heartbeat.on_turn = turns.append

    async def work() -> None:
        await asyncio.sleep(0)
        for _ in range(4):
            burn(0.05)
            if laps:
                heartbeat.lap()
        await asyncio.sleep(0)

    with closing(loop):
        loop.run_until_complete(work())

    assert 0.05 <= max(turns) < most
    assert (max(turns) >= 0.2) is not laps


def test_laps_of_other_threads_do_not_count() -> None:
    """
    An arrival in a worker thread is no turn of the caller's loop.
    """
    loop, heartbeat = new_loop()
    turns: list[float] = []
    heartbeat.on_turn = turns.append

    async def work() -> None:
        await asyncio.sleep(0)
        for _ in range(4):
            burn(0.05)
            thread = threading.Thread(target=heartbeat.lap)
            thread.start()
            thread.join()
        await asyncio.sleep(0)

    with closing(loop):
        loop.run_until_complete(work())

    assert max(turns) >= 0.2

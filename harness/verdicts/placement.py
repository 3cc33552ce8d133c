"""Where an awaited call did its input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.events import Computed, Event, Hook, Stalled, Where, home_of
from harness.verdicts.exchanges import CALL
from harness.words import AsyncIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.verdicts.exchanges import Exchange, Traffic

COMPUTING: Final = 0.1
"""
Processor seconds of one turn of the loop, warm, that count as computing on it: the default of
asyncio's own `slow_callback_duration`, on the thread's processor clock instead of the wall's.
"""
_WORST_FIRST: Final = (AsyncIO.BLOCKS_LOOP, AsyncIO.WORKER_THREAD, AsyncIO.OTHER_LOOP, AsyncIO.EVENT_LOOP)


def classify_place(home: Where, where: Where, hook: Hook) -> AsyncIO:
    """
    Classify one piece of input or output by where it happened, as seen from the caller.

    Args:
        home: where the caller awaits.
        where: where the bytes travelled.
        hook: whether synchronous or asynchronous code moved them.
    """
    if where.thread != home.thread:
        # asynchronous code runs on some event loop, be it one that is not asyncio's
        return AsyncIO.WORKER_THREAD if where.loop is None and hook == "sync" else AsyncIO.OTHER_LOOP
    on_loop = hook == "async" and where.loop == home.loop
    return AsyncIO.EVENT_LOOP if on_loop else AsyncIO.BLOCKS_LOOP


def worst_place(home: Where, exchange: Exchange) -> AsyncIO:
    """
    Classify one exchange: the worst of the places where its request and its arrivals travelled.
    """
    places = {classify_place(home, exchange.sent.where, exchange.sent.hook)}
    places |= {classify_place(home, arrival.where, arrival.hook) for arrival in exchange.arrivals}
    return next(one for one in _WORST_FIRST if one in places)


def classify_async_io(events: Sequence[Event], traffic: Traffic) -> tuple[AsyncIO | None, str]:
    """
    Classify where an awaited call did its input and output, and say why in a clause (docs/verdicts.md, Async I/O).

    The inference request and its answer decide; beside them only what holds the caller's
    loop up counts: synchronous input or output, a synchronous wait, or computing.
    """
    home = home_of(events)
    if home is None:
        return None, ""
    deciding = [*traffic.inference, *(one for group in traffic.answers.values() for one in group)]
    places = {worst_place(home, one) for one in deciding}
    blocking = [one for one in traffic.calls if worst_place(home, one) is AsyncIO.BLOCKS_LOOP]
    if blocking:
        return AsyncIO.BLOCKS_LOOP, _blocked_by(blocking, deciding)
    held = held_up(events)
    if held:
        return AsyncIO.BLOCKS_LOOP, held
    worst = next((one for one in _WORST_FIRST if one in places), None)
    return worst, _CLAUSES.get(worst, "") if worst else ""


def _blocked_by(blocking: Sequence[Exchange], deciding: Sequence[Exchange]) -> str:
    """
    Say what was done on the loop's own thread: the answer's own traffic, an engine's work, or a request beside it.
    """
    own = [one for one in blocking if one in deciding]
    if not own and deciding:
        beside = blocking[0].sent
        what = f"{beside.method} {beside.uri.partition('?')[0]}"
        return f"a request beside the answer's ({what}) was synchronous, on the event loop's thread"
    if own and all(one.sent.method == CALL for one in own):
        return "the engine was called, and worked, on the event loop's thread"
    return "synchronous code moved the bytes on the event loop's thread"


def held_up(events: Iterable[Event]) -> str:
    """
    Say what held the caller's loop up, other than input and output; empty where nothing did.
    """
    for event in events:
        if isinstance(event, Stalled):
            return event.what
        if isinstance(event, Computed) and event.warm and event.seconds >= COMPUTING:
            return f"one turn of the event loop computed for {event.seconds:.1f} s of processor time"
    return ""


_CLAUSES: Final = {
    AsyncIO.EVENT_LOOP: "the bytes travelled on the caller's event loop",
    AsyncIO.WORKER_THREAD: "the bytes travelled in a worker thread",
    AsyncIO.OTHER_LOOP: "the bytes travelled on another event loop",
}

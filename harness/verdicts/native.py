"""Native or emulated: what a call that works, and tells the truth, did to get its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.verdicts.delivery import Delivered, classify_delivery
from harness.verdicts.faithful import fidelity
from harness.verdicts.fanout import measure_spread
from harness.verdicts.placement import classify_async_io
from harness.words import FEWEST_ARRIVALS, AsyncIO, Capability, Delivery, FanOut, Mechanism, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.events import Event
    from harness.verdicts.exchanges import Exchange, Traffic

Decision = tuple[Verdict, Mechanism | None, str]

_MECHANISMS = {
    AsyncIO.BLOCKS_LOOP: Mechanism.BLOCKS_LOOP,
    AsyncIO.WORKER_THREAD: Mechanism.WORKER_THREAD,
    AsyncIO.OTHER_LOOP: Mechanism.OTHER_LOOP,
    Delivery.WHOLE: Mechanism.SINGLE_ITEM,
    Delivery.BUFFERED: Mechanism.BUFFERED,
    FanOut.CONCURRENT: Mechanism.CONCURRENT,
    FanOut.SEQUENTIAL: Mechanism.SEQUENTIAL,
}


def decide(capability: Capability, events: Sequence[Event], found: Traffic, outputs: Sequence[str]) -> Decision:
    """
    Decide a call that came back with the upstream's answer.

    Where several mechanisms apply, the one that hurts the caller most is named: the order is
    that of `Mechanism`.
    """
    clauses: list[tuple[Mechanism | None, str]] = []
    if capability.streams:
        delivered = delivery_of(events, found, outputs)
        if delivered.delivery is None:
            return Verdict.UNKNOWN, None, _too_few(delivered)
        clauses.append((_MECHANISMS.get(delivered.delivery), _how_delivered(delivered)))
    if capability.batches:
        spreading = measure_spread(found)
        if spreading.fan_out is None:
            return Verdict.UNKNOWN, None, "no request could be told to be the one that brought the answers"
        clauses.append(
            (_MECHANISMS.get(spreading.fan_out), _how_spread(spreading.fan_out, spreading.most_inputs, found))
        )
    if capability.is_async:
        where, clause = classify_async_io(events, found)
        if where is not None:
            clauses.append((_MECHANISMS.get(where), clause))
    return _worst(clauses, found)


def answer_of(found: Traffic) -> tuple[Exchange, ...]:
    """
    Return the exchanges that brought the (first) answer of a call, in the order of sending.
    """
    brought = found.brought[0] if found.brought else ()
    return tuple(sorted(brought, key=lambda one: one.order)) or found.inference or found.calls[:1]


def delivery_of(events: Sequence[Event], found: Traffic, outputs: Sequence[str]) -> Delivered:
    """
    Classify how a stream's items came, from a call's traffic and what its caller got.
    """
    genuine = [flag for one in fidelity(outputs, (), found) for flag in one.genuine]
    return classify_delivery(events, answer_of(found), genuine, [one for one in found.calls if one.trouble])


def _worst(clauses: Sequence[tuple[Mechanism | None, str]], found: Traffic) -> Decision:
    emulated = [(mechanism, clause) for mechanism, clause in clauses if mechanism is not None]
    if not emulated:
        reason = "; ".join(clause for _, clause in clauses) or _answered(found)
        return Verdict.NATIVE, None, reason
    order = list(Mechanism)
    emulated.sort(key=lambda one: order.index(one[0]))
    return Verdict.FALLBACK, emulated[0][0], "; ".join(clause for _, clause in emulated)


def _answered(found: Traffic) -> str:
    return f"the answer is the upstream's, from {counted(len(found.inference), 'inference request')}"


def _too_few(delivered: Delivered) -> str:
    return (
        f"the answer came in {counted(delivered.arrivals, 'arrival')}; "
        f"fewer than {FEWEST_ARRIVALS} cannot show streaming"
    )


def _how_delivered(delivered: Delivered) -> str:
    counting = delivered.counting
    if delivered.delivery is Delivery.WHOLE:
        return f"the caller got the whole answer as one item after {_after(delivered)}"
    if delivered.delivery is Delivery.INCREMENTAL:
        return (
            f"the caller had {delivered.before_middle} of {len(counting)} items before the middle "
            f"of the answer's {delivered.arrivals} arrivals, the first after {counting[0].after}"
        )
    return f"the first of {len(counting)} items came after {_after(delivered)}"


def _after(delivered: Delivered) -> str:
    first = delivered.counting[0].after if delivered.counting else 0
    return f"{first} of {counted(delivered.arrivals, 'arrival')}"


def _how_spread(fan_out: FanOut, most: int, found: Traffic) -> str:
    requests = counted(len(found.inference), "inference request")
    match fan_out:
        case FanOut.BATCHED:
            return f"{requests} for {len(found.bringers)} inputs, one of them with {most}"
        case FanOut.CONCURRENT:
            return f"{requests} for {len(found.bringers)} inputs, at the same time"
        case _:
            return f"{requests} for {len(found.bringers)} inputs, one after the other"

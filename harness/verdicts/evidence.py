"""The figures and the timeline that a cell keeps, whatever its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.cells import Evidence, ItemLine, RequestLine, Timeline
from harness.events import Arrival, Event, Returned, Where, first, home_of, inputs_of
from harness.verdicts.fanout import measure_spread
from harness.verdicts.native import delivery_of
from harness.verdicts.placement import classify_async_io, worst_place
from harness.words import Capability, Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.delivery import Delivered, Handed
    from harness.verdicts.exchanges import Exchange, Traffic

_DIGITS: Final = 6
_EXCERPT: Final = 60


def gather_evidence(
    capability: Capability, events: Sequence[Event], found: Traffic, outputs: Sequence[str]
) -> Evidence:
    """
    Collect what was seen of a call.

    Times lie on the recording's clock. For an incremental answer an item's time is that of the
    last arrival handed out before it.

    Args:
        capability: the call.
        events: its log.
        found: the exchanges of that log, by the part that each plays.
        outputs: what the caller got, one text for each input.
    """
    inputs = inputs_of(events)
    delivered = delivery_of(events, found, outputs) if capability.streams else None
    spreading = measure_spread(found)
    items = _items(capability, events, delivered)
    ends = [end for one in found.calls if (end := _ends(one)) is not None]
    return Evidence(
        delivery=delivered.delivery if delivered and delivered.counting else None,
        async_io=classify_async_io(events, found)[0] if capability.is_async and found.calls else None,
        fan_out=spreading.fan_out if capability.batches else None,
        items=len(items),
        arrivals=_arrivals(found, delivered),
        requests=len(found.calls),
        inference_requests=len(found.inference),
        inputs=max(len(inputs), 1),
        most_inputs_in_a_request=spreading.most_inputs,
        peak_in_flight=spreading.peak,
        first_item_at=items[0].at if items else None,
        last_item_at=items[-1].at if items else None,
        answer_ends_at=max(ends) if ends else None,
        timeline=Timeline(requests=_requests(capability, events, found), items=items),
    )


def _arrivals(found: Traffic, delivered: Delivered | None) -> int:
    if delivered is not None:
        return delivered.arrivals
    return sum(len(one.arrivals) for one in dict.fromkeys(one for group in found.answers.values() for one in group))


def _items(capability: Capability, events: Sequence[Event], delivered: Delivered | None) -> tuple[ItemLine, ...]:
    if delivered is not None:
        return tuple(_line(one, delivered) for one in delivered.handed)
    returned = first(events, Returned)
    if returned is None or capability.streams:
        return ()
    arrived = sum(1 for event in events if isinstance(event, Arrival))
    return tuple(
        ItemLine(at=round(returned.at, _DIGITS), text=_excerpt(text), counts=bool(text), after=arrived)
        for text in returned.texts
    )


def _line(one: Handed, delivered: Delivered) -> ItemLine:
    at = one.told_at if delivered.delivery is Delivery.INCREMENTAL else one.item.at
    return ItemLine(
        at=round(at, _DIGITS), text=_excerpt(one.item.text or one.item.thoughts), counts=one.counts, after=one.after
    )


def _excerpt(text: str | None) -> str:
    if text is None:
        return ""
    # half a character, which a piece may end with, cannot be written to a file
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"


def _ends(exchange: Exchange) -> float | None:
    if exchange.ended is not None:
        return round(exchange.ended.at, _DIGITS)
    return round(exchange.arrivals[-1].at, _DIGITS) if exchange.arrivals else None


def _requests(capability: Capability, events: Sequence[Event], found: Traffic) -> tuple[RequestLine, ...]:
    home = home_of(events)
    inference = {one.sent.request for one in found.inference}
    polled = {one.sent.request for group in found.answers.values() for one in group} - inference
    lines = [
        RequestLine(
            method=one.sent.method,
            uri=one.sent.uri,
            role=_role(one, inference, polled),
            # the recording knows when it was sent; before the match it is whenever a thread came to it
            sent_at=round((one.answered or one.sent).at, _DIGITS),
            arrivals=tuple(round(arrival.at, _DIGITS) for arrival in one.arrivals),
            ends_at=_ends(one),
            inputs=one.sent.carries,
            where=_where(capability, home, one),
            status=one.status or None,
        )
        for one in (*found.construction, *found.calls)
    ]
    return tuple(sorted(lines, key=lambda line: (line.sent_at, line.inputs)))


def _where(capability: Capability, home: Where | None, exchange: Exchange) -> str | None:
    if home is None or not capability.is_async or exchange.sent.phase == "construction":
        return None
    return worst_place(home, exchange).value


def _role(exchange: Exchange, inference: set[int], polled: set[int]) -> str:
    if exchange.sent.phase == "construction":
        return "construction"
    if exchange.sent.request in inference:
        return "inference"
    return "poll" if exchange.sent.request in polled else "other"

"""How several inputs travelled: together, side by side or one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.words import FanOut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.exchanges import Exchange, Traffic


@dataclass(frozen=True, slots=True)
class Spread:
    """
    Hold how several inputs travelled.

    Attributes:
        fan_out: None where no inference request was seen.
        most_inputs: the most inputs that one request carried and led to the answers of.
        peak: the most inference requests in flight at one moment.
    """

    fan_out: FanOut | None
    most_inputs: int
    peak: int


def measure_spread(traffic: Traffic) -> Spread:
    """
    Measure how the inputs of a batch travelled (docs/verdicts.md, Fan-out).

    What a request carries is not enough: a chat that sends its history along carries earlier
    inputs without asking for their answers again. It must also have led to several answers.
    """
    most = max((_served(one, traffic) for one in traffic.inference), default=0)
    peak = _most_at_once(traffic)
    if not traffic.inference:
        return Spread(None, 0, 0)
    if most > 1:
        return Spread(FanOut.BATCHED, most, peak)
    return Spread(FanOut.CONCURRENT if peak > 1 else FanOut.SEQUENTIAL, most, peak)


def _served(exchange: Exchange, traffic: Traffic) -> int:
    outputs = traffic.serves.get(exchange.sent.request, ())
    carried = exchange.sent.carries
    return len([one for one in outputs if one in carried]) if carried else len(outputs)


def _most_at_once(traffic: Traffic) -> int:
    """
    Count the inference requests that were in flight together, in the order of events and on the recording's clock.

    The order alone would call requests overlapping that were sent at intervals longer than an answer took, or that
    waited for the client's only connection; the clock alone, those of an adapter that now waits for each answer.
    """
    groups = [(one, (one, *traffic.answers.get(one.sent.request, ()))) for one in traffic.inference]
    in_order = _peak([(one.order, max((one.order, *map(_last_place, group)))) for one, group in groups])
    by_clock = _peak([(_sent_at(one), max((_sent_at(one), *map(_ends_at, group)))) for one, group in groups])
    return min(in_order, by_clock)


def _last_place(exchange: Exchange) -> int:
    return max((exchange.order, *exchange.places, *([] if exchange.over is None else [exchange.over])))


def _sent_at(exchange: Exchange) -> float:
    # the recording knows when it was sent; before the match it is whenever a thread came to it
    return (exchange.answered or exchange.sent).at


def _ends_at(exchange: Exchange) -> float:
    ended = [] if exchange.ended is None else [exchange.ended.at]
    return max((_sent_at(exchange), *ended, *(arrival.at for arrival in exchange.arrivals)))


def _peak(spans: Sequence[tuple[float, float]]) -> int:
    changes = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    peak = now = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak

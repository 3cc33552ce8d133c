"""How several inputs travelled: together, side by side or one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.words import FanOut

if TYPE_CHECKING:
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


def spread(traffic: Traffic) -> Spread:
    """
    Tell how a batch travelled.

    What a request carries is not enough: a chat that sends its history along carries earlier
    inputs without asking for their answers again. It must also have led to several answers.
    """
    most = max((_served(one, traffic) for one in traffic.inference), default=0)
    peak = _peak([_span(one, traffic) for one in traffic.inference])
    if not traffic.inference:
        return Spread(None, 0, 0)
    if most > 1:
        return Spread(FanOut.BATCHED, most, peak)
    return Spread(FanOut.CONCURRENT if peak > 1 else FanOut.SEQUENTIAL, most, peak)


def _served(exchange: Exchange, traffic: Traffic) -> int:
    outputs = traffic.serves.get(exchange.sent.request, ())
    carried = exchange.sent.carries
    return len([one for one in outputs if one in carried]) if carried else len(outputs)


def _span(exchange: Exchange, traffic: Traffic) -> tuple[int, int]:
    """
    Return the places of an inference request's sending and of its answer's end in the log.
    """
    ends = [one.over for one in (exchange, *traffic.answers.get(exchange.sent.request, ())) if one.over is not None]
    last_arrivals = [one.places[-1] for one in traffic.answers.get(exchange.sent.request, ()) if one.places]
    return exchange.order, max((*ends, *last_arrivals), default=exchange.order)


def _peak(spans: list[tuple[int, int]]) -> int:
    changes = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    peak = now = 0
    for _, change in changes:
        now += change
        peak = max(peak, now)
    return peak

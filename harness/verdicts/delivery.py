"""How an answer reached the caller: whole, piece by piece while it came, or piece by piece afterwards."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.events import Arrival, Event, Item
from harness.idle import comments, idle_pieces, is_commented, pieces_of
from harness.verdicts.fidelity import Agreement, carries, compare
from harness.verdicts.texts import squeeze, texts
from harness.words import FEWEST_ARRIVALS, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.verdicts.exchanges import Exchange


_MOST_GUESSES: Final = 16
"""Early items that are looked at more closely; whoever guessed so many has guessed all."""


@dataclass(frozen=True, slots=True)
class Handed:
    """
    Hold one item that the caller got.

    Attributes:
        item: the event.
        counts: it carries part of the upstream's answer.
        place: its place in the log.
        after: how many of the answer's arrivals had been handed out before; keep-alives are none.
        told_at: seconds on the recording's clock at which the answer had said this much.
    """

    item: Item
    counts: bool
    place: int
    after: int
    told_at: float


@dataclass(frozen=True, slots=True)
class Delivered:
    """
    Hold how the items of a stream lie among the arrivals of its answer.

    Attributes:
        delivery: None where too few arrivals or items can tell.
        handed: the items.
        arrivals: how many arrivals the answer has, handed out or not.
        before_middle: how many items counted before the middle arrival was released; none where they were guessed.
        streamed: a stream was asked for or served.
    """

    delivery: Delivery | None
    handed: tuple[Handed, ...]
    arrivals: int
    before_middle: int
    streamed: bool

    @property
    def counting(self) -> tuple[Handed, ...]:
        """
        Return the items that carry part of the answer.
        """
        return tuple(one for one in self.handed if one.counts)


def classify_delivery(
    events: Sequence[Event], answer: Sequence[Exchange], genuine: Sequence[bool], given_up: Sequence[Exchange] = ()
) -> Delivered:
    """
    Classify how a stream's items came, by their place among the arrivals (docs/verdicts.md, Delivery).

    Args:
        events: the log.
        answer: the exchanges that brought the answer; several where it was polled for.
        genuine: for each character of the joined, squeezed items, whether it is the upstream's.
        given_up: exchanges that failed before; what they had said was not guessed, and is a part of what was streamed
            where the caller got it before anything else was asked for.
    """
    answer = (*_begun(events, answer, given_up), *answer)
    times, idle = _times(answer)
    arrivals = _expected(answer) - idle
    handed = _handed(events, times, genuine, [one.body for one in (*answer, *given_up)])
    counting = [one for one in handed if one.counts]
    before = _early(handed, arrivals // 2, (*answer, *given_up))
    streamed = any(one.streamed for one in answer) or _bringing(answer, handed) > 1
    return Delivered(_delivery(len(counting), before, arrivals, streamed), handed, arrivals, before, streamed)


def _bringing(answer: Sequence[Exchange], handed: Sequence[Handed]) -> int:
    """
    Count the polls that brought some of what the caller got: those that only say that there is no answer stream none.
    """
    given = squeeze("".join(one.item.text or "" for one in handed))
    return sum(any(len(text) > 1 and text in given for text in one.texts) for one in answer)


def _begun(events: Sequence[Event], answer: Sequence[Exchange], given_up: Sequence[Exchange]) -> list[Exchange]:
    """
    Return the exchanges that broke off when the caller had got something of them, and whose rest was asked for anew.
    """
    items = [place for place, event in enumerate(events) if isinstance(event, Item) and squeeze(event.text or "")]
    asked = sorted(one.order for one in (*answer, *given_up))
    return [
        one
        for one in given_up
        if one not in answer
        and one.places
        and not one.refused
        and (after := asked[bisect_right(asked, one.order) :])
        and any(one.places[0] < place < after[0] for place in items)
    ]


def _delivery(counting: int, before: int, arrivals: int, streamed: bool) -> Delivery | None:  # noqa: FBT001 - one fact of four
    if arrivals < FEWEST_ARRIVALS and streamed:
        return None
    if arrivals >= FEWEST_ARRIVALS and before:
        return Delivery.INCREMENTAL
    return Delivery.WHOLE if counting <= 1 else Delivery.BUFFERED


def _early(handed: Sequence[Handed], middle: int, answer: Sequence[Exchange]) -> int:
    """
    Count the items before the middle, from the first one on that the answer had said by then.

    Who says a word of the answer before it came has guessed it.
    """
    early = [number for number, one in enumerate(handed) if one.counts and one.after <= middle]
    for place, number in enumerate(early[:_MOST_GUESSES]):
        if _said(handed[: number + 1], answer):
            return len(early) - place
    return 0


def _said(handed: Sequence[Handed], answer: Sequence[Exchange]) -> bool:
    """
    Tell whether the last of these items stands in what of the answer had come, or all of them are just that.
    """
    last = handed[-1]
    if not any(one.texts for one in answer):
        return last.after > 0
    come = [(one, body) for one in answer if (body := one.come(last.place))]
    bodies, worded = [body for _, body in come], [body for one, body in come if one.worded]
    if not worded and not any(texts(body) for body in bodies):
        return False
    joined = "".join(one.item.text or "" for one in handed)
    return (
        carries(last.item.text or last.item.thoughts, bodies, worded)
        or compare(joined, bodies).agreement is Agreement.SAME
    )


def _expected(answer: Sequence[Exchange]) -> int:
    return sum(one.answered.arrivals for one in answer if one.answered is not None)


def _handed(
    events: Sequence[Event], times: Sequence[tuple[int, float]], genuine: Sequence[bool], answers: Sequence[bytes]
) -> tuple[Handed, ...]:
    found: list[Handed] = []
    offset = 0
    places = [place for place, _ in times]
    for order, event in enumerate(events):
        if not isinstance(event, Item):
            continue
        size = len(squeeze(event.text or ""))
        # the caller who gets thoughts apart from the text has got some of what is said, too
        counts = sum(genuine[offset : offset + size]) * 2 >= size if size else carries(event.thoughts, answers)
        offset += size
        after = bisect_left(places, order)
        told_at = times[after - 1][1] if after else event.at
        found.append(Handed(event, counts, order, after, told_at))
    return tuple(found)


def _times(answer: Sequence[Exchange]) -> tuple[list[tuple[int, float]], int]:
    """
    Return place and moment of each arrival that brought something, and how many there are that do not, read or not.
    """
    found = sorted(one for exchange in answer for one in _pieces(exchange))
    heads = [one.answered for one in answer if one.answered is not None]
    commented = any(is_commented(head.content_type) for head in heads)
    idle = idle_pieces((piece for *_, piece in found), commented=commented)
    unread = sum(head.comments for head in heads) - comments(piece for *_, piece in found)
    times = [(place, at) for (place, at, _), silent in zip(found, idle, strict=True) if not silent]
    return times, sum(idle) + max(unread, 0)


def _pieces(exchange: Exchange) -> Iterator[tuple[int, float, bytes]]:
    pieces = pieces_of(exchange.body, (each.size for each in exchange.arrivals))
    for (place, arrival), piece in zip(_placed(exchange), pieces, strict=True):
        yield place, arrival.at, piece


def _placed(exchange: Exchange) -> Iterator[tuple[int, Arrival]]:
    return zip(exchange.places, exchange.arrivals, strict=True)

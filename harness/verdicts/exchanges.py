"""The exchanges of a call, and the part that each plays in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from harness.events import Answered, Arrival, Ended, Event, Item, Returned, Sent, UpstreamFailed
from harness.verdicts.documents import documents, is_one_value, is_plain_type, is_stream_type, plain
from harness.verdicts.fidelity import assembled, carries
from harness.verdicts.links import linked
from harness.verdicts.polls import told_in_turns
from harness.verdicts.texts import squeeze, texts
from harness.words import REFUSED

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CALL: Final = "CALL"
"""The method of a request that is a call, within the process, of an engine."""
_CONVERSATIONS: Final = ("ws://", "wss://")
_CLEARLY: Final = 0.8
"""Share of the best answer's words; an exchange that brings so many may have brought the answer."""
_EXACTLY: Final = 2.0
_MOST_WORDS: Final = 400
"""Words of an output that are looked for; more tell no more."""
_SHORTEST_OWN: Final = 16
"""Characters of an output; a shorter one may stand in a request without having been answered before."""
_MOST_ITEMS: Final = 16
"""Items of a stream that are held against each of several equal answers; who is ahead of one is so from the start."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    Hold one request and its answer, as places in the order of events.

    Attributes:
        sent: the request.
        order: the place of `sent` in the log.
        answered: the answer's head, if one came.
        arrivals: the pieces that were handed out.
        places: the place of each arrival in the log.
        ended: the end, if it was reached.
        over: the place of `ended` in the log.
        failed: why there was no answer at all.
    """

    sent: Sent
    order: int
    answered: Answered | None = None
    arrivals: tuple[Arrival, ...] = ()
    places: tuple[int, ...] = ()
    ended: Ended | None = None
    over: int | None = None
    failed: str | None = None

    @property
    def body(self) -> bytes:
        """
        Return all that the upstream answered, whether the adapter read it or not.
        """
        return b"" if self.answered is None else self.answered.body

    @property
    def status(self) -> int:
        """
        Return the answer's HTTP status; 0 where there was none.
        """
        return 0 if self.answered is None else self.answered.status

    @property
    def refused(self) -> bool:
        """
        Tell whether the upstream refused, failed or could not be reached.
        """
        return self.failed is not None or self.status >= REFUSED

    @property
    def trouble(self) -> str | None:
        """
        Say how the upstream failed in this exchange; None where it did not.
        """
        if self.failed is not None:
            return self.failed
        if self.status >= REFUSED:
            return self._refusal
        if self.ended is not None and self.ended.cut is not None:
            return f"it broke the answer off ({self.ended.cut})"
        return "it reported an error in the middle of the answer" if _tells_error(self.body) else None

    @property
    def _refusal(self) -> str:
        if self.sent.method == CALL:
            return "it raised an exception"
        stands = ", which stands for its gRPC status" if self.sent.uri.startswith("grpc://") else ""
        return f"it answered with HTTP status {self.status}{stands}"

    @property
    def streamed(self) -> bool:
        """
        Tell whether a stream was asked for, or served.
        """
        served = self.answered is not None and is_stream_type(self.answered.content_type)
        if self.answered is not None and self.answered.untimed and not is_one_value(self.body):
            # words that may have come in any pieces: nothing shows that they came at once
            return True
        return bool(self.sent.asks_stream) or served or (len(documents(self.body)) > 1 and not is_one_value(self.body))

    @property
    def worded(self) -> bool:
        """
        Tell whether the answer is plain text by its type, so that it means what it says, whatever it looks like.
        """
        return self.answered is not None and is_plain_type(self.answered.content_type)

    @property
    def mute(self) -> bool:
        """
        Tell whether the answer cannot have said anything, such as `{"ok": true}`: no text, and no numbers for one.
        """
        found = documents(self.body)
        return self.trouble is None and not any(_may_speak(document.value) for document in found)

    @property
    def texts(self) -> tuple[str, ...]:
        """
        Return every text that the answer may be saying, squeezed.
        """
        return (*texts(self.body), *([squeeze(plain(self.body))] if self.worded else []))

    def come(self, place: int) -> bytes:
        """
        Return what of the answer had been handed out before a place in the log.
        """
        return self.body[: sum(one.size for at, one in zip(self.places, self.arrivals, strict=True) if at < place)]

    @property
    def address(self) -> tuple[str, str]:
        """
        Return method and address without its query: what polls have in common.
        """
        return self.sent.method, self.sent.uri.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Traffic:
    """
    Hold the exchanges of a call by the part that each plays.

    Attributes:
        calls: all exchanges of the call itself, in the order of sending.
        construction: those of the constructor.
        inference: the requests that carry a prompt and led to an answer.
        bringers: for each output, the exchange whose answer brought it, or most of it.
        brought: for each output, all exchanges that brought it: polls, or several answers put together.
        answers: for each inference request (by number), the exchanges that brought its answer.
        serves: for each inference request (by number), the outputs that it led to.
    """

    calls: tuple[Exchange, ...]
    construction: tuple[Exchange, ...]
    inference: tuple[Exchange, ...]
    bringers: tuple[Exchange | None, ...]
    brought: tuple[tuple[Exchange, ...], ...] = ()
    answers: dict[int, tuple[Exchange, ...]] = field(default_factory=dict)
    serves: dict[int, tuple[int, ...]] = field(default_factory=dict)


def exchanges(events: Sequence[Event]) -> tuple[Exchange, ...]:
    """
    Return every exchange of a log, in the order of sending.
    """
    return tuple(_exchange(event, order, events) for order, event in enumerate(events) if isinstance(event, Sent))


def traffic(events: Sequence[Event], outputs: Sequence[str]) -> Traffic:
    """
    Tell the exchanges of a call apart, by what they carry and by what came of them.

    A request that carries a prompt but brings no answer (a log, a moderation) is no
    inference request; an answer brought by a poll or a download belongs to the request that
    carried the prompt there.

    Args:
        events: the log.
        outputs: what the caller got, one text for each input.
    """
    everything = exchanges(events)
    calls = tuple(one for one in everything if one.sent.phase == "call")
    construction = tuple(one for one in everything if one.sent.phase == "construction")
    before = tuple(one for one in calls if one.order < _place_of_return(events) and not one.refused)
    said = [(_says(one, before), one) for one in before] if any(outputs) else []
    parts = tuple(_bringers(number, text, said, _first_items(events)) for number, text in enumerate(outputs))
    brought: list[tuple[Exchange, ...]] = []
    answers: dict[int, tuple[Exchange, ...]] = {}
    serves: dict[int, tuple[int, ...]] = {}
    found: dict[int, Exchange] = {}
    for output, bringers in enumerate(parts):
        elsewhere = {one.sent.request for part in parts if part is not bringers for one in part if one not in bringers}
        groups = [(_source(one, calls, output), _polls(one, calls, elsewhere)) for one in bringers]
        for source, group in groups:
            number = source.sent.request
            found[number] = source
            answers[number] = tuple(dict.fromkeys((*answers.get(number, ()), *group)))
            serves[number] = tuple(dict.fromkeys((*serves.get(number, ()), output)))
        brought.append(tuple(dict.fromkeys(one for _, group in groups for one in group)))
    inference = tuple(found[number] for number in sorted(found)) or tuple(
        one for one in calls if one.sent.carries and not one.refused
    )
    return Traffic(
        calls=calls,
        construction=construction,
        inference=inference,
        bringers=tuple(one[0] if one else None for one in parts),
        brought=tuple(brought),
        answers=answers,
        serves=serves,
    )


def _exchange(sent: Sent, order: int, events: Sequence[Event]) -> Exchange:
    answered: Answered | None = None
    arrivals: list[Arrival] = []
    places: list[int] = []
    ended: Ended | None = None
    over: int | None = None
    failed: str | None = None
    for place, event in enumerate(events):
        if getattr(event, "request", None) != sent.request:
            continue
        match event:
            case Answered():
                answered = event
            case Arrival():
                arrivals.append(event)
                places.append(place)
            case Ended():
                ended, over = event, place
            case UpstreamFailed():
                failed = event.why
    return Exchange(sent, order, answered, tuple(arrivals), tuple(places), ended, over, failed)


def _place_of_return(events: Sequence[Event]) -> int:
    return next((place for place, event in enumerate(events) if isinstance(event, Returned)), len(events))


def _first_items(events: Sequence[Event]) -> list[tuple[int, str]]:
    told = ((place, event.text or "") for place, event in enumerate(events) if isinstance(event, Item))
    return [*islice(((place, text) for place, text in told if text.strip()), _MOST_ITEMS)]


def _bringers(
    number: int, output: str, said: Sequence[tuple[Sequence[str], Exchange]], items: Sequence[tuple[int, str]]
) -> tuple[Exchange, ...]:
    """
    Return the exchanges whose answers an output is made of, the one that most of it comes from first.

    Of several that say the same it is the one that had said most of a stream's first `items` when they were handed out;
    of these one that was still coming then, and the last one that was sent before them. Others may be asked for at the
    same time, and be slower, or bring at once what the items are compared with.
    """
    before = items[0][0] if items else -1
    words = set(_words(output))
    squeezed = squeeze(output)
    calls = [one for _, one in said]
    scores = [(_score(squeezed, words, told), one) for told, one in said] if words else []
    best = max((score for score, _ in scores), default=0.0)
    if not best:
        return ()
    if best < _EXACTLY:
        whole = [one for one in calls if not _told_before(squeezed, one) and not _told_again(one, calls)]
        parts = assembled(squeezed, {one.sent.request: one.texts for one in whole})
        if parts:
            shares = Counter({key: 0 for key, _ in parts})
            for key, text in parts:
                shares[key] += len(text)
            by_number = {one.sent.request: one for one in calls}
            return tuple(by_number[key] for key, _ in shares.most_common())

    def unlikely(one: Exchange) -> tuple[bool, bool, bool, int]:
        alone = best < _EXACTLY or squeezed in one.texts
        return one.trouble is not None, _told_before(squeezed, one), not alone, _distance(number, one, calls)

    def unfit(one: Exchange) -> tuple[bool, int, bool, int]:
        silent, over = min(one.places, default=before) >= before, max(one.places, default=before) < before
        unsaid = sum(not _had_said(one, place, text) for place, text in items)
        return silent, unsaid, over, one.order if one.order > before else -one.order

    good = {one.order: unlikely(one) for score, one in scores if score >= best * _CLEARLY}
    least = min(good.values())
    alike = [one for one in calls if good.get(one.order) == least]
    return (min(alike, key=unfit) if len(alike) > 1 else alike[0],)


def _had_said(exchange: Exchange, place: int, text: str) -> bool:
    """
    Tell whether an answer had said an item's text before the caller got it; else it came from elsewhere.
    """
    come = exchange.come(place)
    worded = [come] if come and exchange.worded else []
    return bool(worded or texts(come)) and carries(text, [come], worded)


def _told_before(squeezed: str, exchange: Exchange) -> bool:
    """
    Tell whether a request already holds the output, as that of a log does: then its answer did not bring it.
    """
    return len(squeezed) >= _SHORTEST_OWN and squeezed in squeeze(exchange.sent.text)


def _told_again(exchange: Exchange, calls: Sequence[Exchange]) -> bool:
    """
    Tell whether an answer broke off and a later one began anew: who gives both has given its beginning twice.
    """
    if exchange.trouble is None:
        return False
    begun = max(exchange.texts, key=len, default="")
    return any(text.startswith(begun) for one in calls if one.order > exchange.order for text in one.texts)


def _distance(number: int, exchange: Exchange, calls: Sequence[Exchange]) -> int:
    """
    Say how far a request is from asking for one input's answer: what carries it alone comes first.

    A poll or a download counts as what created its job.
    """
    asked = exchange if exchange.sent.carries else _asked(exchange, calls)
    carries = () if asked is None else asked.sent.carries
    if number in carries:
        return min(len(carries), 2)
    return 4 if carries else 3


def _says(exchange: Exchange, calls: Sequence[Exchange]) -> tuple[str, ...]:
    polls = _polls(exchange, calls)
    return (*exchange.texts, *texts(told_in_turns(polls))) if len(polls) > 1 else exchange.texts


def _score(squeezed: str, words: set[str], said: Sequence[str]) -> float:
    if squeezed in said:
        return _EXACTLY
    # of a stream, most texts are single pieces
    least = min(map(len, words))
    long_enough = (text for text in said if len(text) >= least)
    return max((sum(word in text for word in words) / len(words) for text in long_enough), default=0.0)


def _words(text: str) -> list[str]:
    # longer words only: short ones stand in any text
    words = list(dict.fromkeys(squeeze(word) for word in text.split()))
    telling = [word for word in words if len(word) > 3] or [word for word in words if word]  # noqa: PLR2004 - see above
    return telling[:: max(len(telling) // _MOST_WORDS, 1)]


def _source(bringer: Exchange, calls: Sequence[Exchange], output: int) -> Exchange:
    if bringer.sent.carries:
        return bringer if output in bringer.sent.carries else _said_before(bringer, calls, output) or bringer
    asked = _asked(bringer, calls)
    if asked is not None:
        return asked
    earlier = [one for one in calls if one.order < bringer.order and one.sent.carries and not one.refused]
    return earlier[-1] if earlier else _opaque(bringer, calls)


def _said_before(bringer: Exchange, calls: Sequence[Exchange], output: int) -> Exchange | None:
    """
    Find the message that asked for an output on the same connection and got no answer before the next one was sent.

    What a websocket brings is noted as the answer to the message that was sent last, whichever it answers.
    """
    if not bringer.sent.uri.startswith(_CONVERSATIONS):
        return None
    alike = [one for one in calls if one.address == bringer.address and one.order < bringer.order]
    return next((one for one in alike if output in one.sent.carries and not one.body), None)


def _asked(bringer: Exchange, calls: Sequence[Exchange]) -> Exchange | None:
    """
    Find the request whose job an answer is that of, by the identifiers that both name.
    """
    found = [one for one in linked(bringer, calls) if one.sent.carries and not one.refused]
    return max(found, key=lambda one: one.order, default=None)


def _opaque(bringer: Exchange, calls: Sequence[Exchange]) -> Exchange:
    """
    Find the request whose prompt cannot be read: the bringer, or what was posted before it was polled.
    """
    if bringer.sent.method != "GET":
        return bringer
    posted = [one for one in calls if one.order < bringer.order and one.sent.method != "GET" and not one.refused]
    return posted[-1] if posted else bringer


def _polls(
    bringer: Exchange, calls: Sequence[Exchange], elsewhere: Collection[int] = frozenset()
) -> tuple[Exchange, ...]:
    """
    Return the exchanges that asked for one job's answer, a cursor's place aside.

    Where some of those that look alike brought other outputs, `elsewhere`, they asked for more than one.
    """
    alike = [one for one in calls if one.address == bringer.address and not one.sent.carries and not one.refused]
    if bringer.sent.carries or any(one.sent.request in elsewhere for one in alike):
        return (bringer,)
    same = [one for one in alike if _question(one) == _question(bringer)]
    if len(same) == len(alike) or len([one for one in calls if one.sent.carries and not one.refused]) == 1:
        return tuple(alike)
    asked = _asked(bringer, calls)
    if asked is None:
        return tuple(alike) if bringer.sent.method in {"GET", "HEAD"} else (bringer,)
    return tuple(one for one in alike if _asked(one, calls) is asked)


def _question(exchange: Exchange) -> tuple[str, str]:
    return exchange.sent.uri, exchange.sent.text


def _may_speak(value: object) -> bool:
    """
    Tell whether a value may be a text, also one in the numbers of a list.
    """
    if isinstance(value, dict):
        return any(map(_may_speak, value.values()))
    if isinstance(value, list):
        return any((isinstance(one, int | float) and not isinstance(one, bool)) or _may_speak(one) for one in value)
    return isinstance(value, str) and bool(value.strip())


def _tells_error(body: bytes) -> bool:
    for document in documents(body):
        value = document.value if isinstance(document.value, dict) else {}
        inner = value.get("response")
        if document.label.startswith("error") or value.get("type") == "error" or value.get("error"):
            return True
        if isinstance(inner, dict) and inner.get("error"):
            return True
    return False

"""What hands an answer out, piece by piece; and the player, which does so with a recorded one."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, NamedTuple

from harness.events import Answered, Closed, Ended, Hook
from harness.idle import comments, idle_pieces, is_commented, pieces_of
from harness.places import place
from harness.tape.gate import pause
from harness.words import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import EllipsisType

    from harness.tape.gate import Gate
    from harness.tape.log import Log

Framing = Literal["chunked", "length", "close"]


class AnswerCut(Exception):  # noqa: N818 - names what happened to the answer; clients raise their own errors from it
    """
    Say that the recorded upstream broke its answer off here.
    """


class Answer(ABC):
    """
    Hand out one answer, wherever it comes from: its head, and then a pull, a piece.

    Args:
        log: the cell's log.
        request: the request's number in it.

    Attributes:
        status: its HTTP status; 0 until the head is there.
        reason: the words of its status line.
        headers: name and value pairs, in their order.
        framing: how the body is delimited on the wire.
        body_length: bytes of the whole body, as far as they are known.
        cut: how it was broken off; None where it was not.
    """

    def __init__(self, log: Log, request: int) -> None:
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self.framing: Framing = "chunked"
        self.body_length = 0
        self.cut: str | None = None
        self._log = log
        self._request = request
        self._done = False

    @property
    def request(self) -> int:
        """
        Return the number that the request has in the log.
        """
        return self._request

    def header(self, name: str) -> str:
        """
        Return a header's first value, or an empty string.
        """
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return ""

    @property
    @abstractmethod
    def exhausted(self) -> bool:
        """
        Tell whether every piece was handed out.
        """

    @property
    @abstractmethod
    def coming(self) -> bytes | None:
        """
        Return the next piece without handing it out; None at the end, and where it is not known.
        """

    @abstractmethod
    def reckon_from(self, sent: float) -> None:
        """
        Reckon the pace from an earlier moment than now, on the machine's clock: the one at which the request came.
        """

    @abstractmethod
    def next(self, hook: Hook = "sync") -> bytes | None:
        """
        Return the next piece, or None at the end.

        Raises:
            AnswerCut: the answer was broken off here.
        """

    @abstractmethod
    def at_once(self, hook: Hook, *, waited: bool = False) -> bytes | EllipsisType | None:
        """
        Do what `next` does where that takes no waiting; otherwise return `...`.
        """

    @abstractmethod
    async def anext(self) -> bytes | None:
        """
        Do the same as `next` on an event loop, without blocking it.
        """

    @abstractmethod
    def close(self) -> None:
        """
        Note that the client gave the answer up; harmless after its end.
        """


class RecordedAnswer(NamedTuple):
    """
    Hold one answer as a cassette keeps it.

    Attributes:
        status: its HTTP status.
        reason: the words of its status line.
        headers: name and value pairs, in their order.
        framing: how the body was delimited on the wire.
        body: the whole stored body, decoded.
        pieces: for each arrival, seconds since the request was sent, and bytes of the body.
        cut: how the upstream broke it off; None where it came to its end.
        made_up: the recording has no arrivals, and these were made from the body's wire format.
    """

    status: int
    reason: str
    headers: list[tuple[str, str]]
    framing: Framing
    body: bytes
    pieces: Sequence[tuple[float, int]]
    cut: str | None = None
    made_up: bool = False


class Player(Answer):
    """
    Hand out one recorded answer: a pull, one arrival.

    Args:
        answer: what is handed out.
        log: the cell's log.
        gate: decides when an arrival may go.
        request: the request's number in the log.
        base: when the request was sent, in seconds on the recording's clock.
        pace: 0 hands out at once, 1 at the recorded pace, other factors scale it.
        position: the answer's place among the polls of one address, and their number.
        address: method and address of the request.
    """

    def __init__(  # noqa: PLR0913 - who is told and asked, and where the answer stands in its call
        self,
        answer: RecordedAnswer,
        *,
        log: Log,
        gate: Gate,
        request: int,
        base: float,
        pace: float = 0.0,
        position: tuple[int, int] | None = None,
        address: str = "",
    ) -> None:
        super().__init__(log, request)
        self.status, self.reason, self.headers, self.framing, body, pieces, self.cut, made_up = answer
        self.body_length = len(body)
        self._gate = gate
        self._lets_pass = gate.lets_pass
        self._arrived = log.arrived
        self._base = base
        self._body = body
        self._pieces = pieces
        self._count = len(pieces)
        self._pace = pace
        self._position = position
        self._address = address
        # what is refused is sent again, and who waited for it would not see the others overlap
        self._refused = self.status >= REFUSED
        self._index = 0
        self._offset = 0
        self._said: list[int] | None = None
        self._sent = time.perf_counter()
        self._begin(untimed=made_up and self.framing != "length")

    def _begin(self, *, untimed: bool) -> None:
        if self._pieces:
            self._gate.expects(self._request, self._base + self._pieces[-1][0])
        kind = self.header("content-type")
        self._log.note(
            Answered,
            at=self._base,
            request=self._request,
            status=self.status,
            content_type=kind,
            arrivals=self._count,
            body=self._body,
            untimed=untimed,
            comments=comments(self._all()) if is_commented(kind) and _may_comment(self._body) else 0,
        )
        if not self._pieces and self.cut is None:
            self._end("sync")

    def reckon_from(self, sent: float) -> None:
        """
        Reckon the pace from an earlier moment than now, on the machine's clock: the one at which the request came.
        """
        self._sent = sent

    @property
    def exhausted(self) -> bool:
        """
        Tell whether every arrival was handed out.
        """
        return self._index == self._count

    def unheard(self, answered: float) -> float:
        """
        Return the seconds that the rest of the answer took, of which the head came at that moment.
        """
        if self._index == self._count:
            return 0.0
        heard = self._pieces[self._index - 1][0] if self._index else answered
        return max(self._pieces[-1][0] - heard, 0.0)

    @property
    def coming(self) -> bytes | None:
        """
        Return the next arrival without handing it out; None at the end.
        """
        if self._index == self._count:
            return None
        return self._body[self._offset : self._offset + self._pieces[self._index][1]]

    def next(self, hook: Hook = "sync") -> bytes | None:
        """
        Return the next arrival, or None at the end.

        Raises:
            AnswerCut: the recording was cut here.
        """
        piece = self.at_once(hook)
        if piece is not ...:
            return piece
        last = self._index == self._count - 1
        if not self._gate.lets_pass(place(), last=last):
            position, of = self._place(self._index)
            self._gate.hold(position, of, last=last and not self._refused, address=self._address, request=self._request)
        if self._pace and (delay := self._delay()) > 0:
            time.sleep(delay)
        return self._released(hook)

    def at_once(self, hook: Hook, *, waited: bool = False) -> bytes | EllipsisType | None:
        """
        Do what `next` does where that takes no waiting, which is the common case; otherwise return `...`.

        Args:
            hook: whether synchronous or asynchronous code pulls.
            waited: neither the gate nor the pace is to be asked any more.

        Raises:
            AnswerCut: the recording was cut here.
        """
        index = self._index
        following = index + 1
        if index == self._count:
            self._finish(hook)
            return None
        spot, last = place(), following == self._count
        if not waited and (self._pace or not self._lets_pass(spot, last=last)):
            return ...
        at, size = self._pieces[index]
        offset = self._offset
        self._index = following
        self._offset = end = offset + size
        self._arrived(self._base + at, spot, self._request, index, size, hook)
        if last and self.cut is None:
            self._end(hook)
        return self._body[offset:end]

    async def anext(self) -> bytes | None:
        """
        Do the same as `next` on an event loop, without blocking it.
        """
        piece = self.at_once("async")
        if piece is not ...:
            return piece
        last = self._index == self._count - 1
        if not self._gate.lets_pass(place(), last=last):
            position, of = self._place(self._index)
            await self._gate.ahold(
                position, of, last=last and not self._refused, address=self._address, request=self._request
            )
        if self._pace and (delay := self._delay()) > 0:
            await pause(delay)
        return self._released("async")

    def close(self) -> None:
        """
        Note that the client gave the answer up; harmless after its end.
        """
        if not self._done:
            self._done = True
            self._gate.ended(self._request, self._address)
            self._log.add(Closed, request=self._request)

    def _place(self, index: int) -> tuple[int, int]:
        if self._position is not None and index == 0:
            return self._position
        # who waits for the middle waits for that of the answer, and not of its keep-alives
        if self._said is None:
            idle = idle_pieces(self._all(), commented=is_commented(self.header("content-type")))
            self._said = [0, *accumulate(not one for one in idle)]
        return self._said[index], self._said[-1]

    def _all(self) -> Iterator[bytes]:
        return pieces_of(self._body, (size for _, size in self._pieces))

    def _delay(self) -> float:
        due = self._sent + self._pieces[self._index][0] * self._pace
        return due - time.perf_counter()

    def _released(self, hook: Hook) -> bytes | None:
        piece = self.at_once(hook, waited=True)
        return None if piece is ... else piece

    def _end(self, hook: Hook) -> None:
        self._done = True
        self._gate.ended(self._request, self._address)
        at = self._base + self._pieces[-1][0] if self._pieces else None
        self._log.note(Ended, at=at, request=self._request, hook=hook)

    def _finish(self, hook: Hook) -> None:
        if self.cut is None:
            return
        if not self._done:
            self._done = True
            self._gate.ended(self._request, self._address)
            self._log.add(Ended, request=self._request, hook=hook, cut=self.cut)
        raise AnswerCut(self.cut)


@lru_cache(maxsize=64)
def _may_comment(body: bytes) -> bool:
    # kept, as it takes 20 microseconds for 17 KB, and a whole replay of them takes 200
    return body[:1] == b":" or b"\n:" in body or (b"\r" in body and b"\r:" in body)

"""The tape: what an adapter's client libraries talk to while a cell runs."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from harness.events import Hook, Phase, Refused, Sent, UpstreamFailed
from harness.tape import cassette as files
from harness.tape.ahead import Ahead
from harness.tape.callers import callers
from harness.tape.coding import decoder
from harness.tape.foreign.asked import shape
from harness.tape.matching import REPEATABLE, agree, agree_but_for_stage, nearest, polls
from harness.tape.player import Answer, Framing, Player, RecordedAnswer
from harness.tape.reading import asks_stream, readable
from harness.tape.scrub import scrub_request
from harness.words import REFUSED, Upstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from vcr.cassette import Cassette
    from vcr.request import Request

    from harness.tape.dialling import Dial
    from harness.tape.gate import Gate
    from harness.tape.log import Log

MOST_ARRIVALS: Final = 20_000
MOST_BYTES: Final = 64 * 1024 * 1024
MOST_SECONDS: Final = 120.0


class ReplayMiss(Exception):  # noqa: N818 - names what happened; every client library sees it
    """
    Say that no recording answers a request, and which one comes nearest.
    """


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    Hold one request's answer (replay), or what is to be fed with it (recording).

    Attributes:
        player: hands out the answer; None while recording.
        recorder: is given the real upstream's answer; None in replay.
        opening: an asynchronous client awaits it before it asks the player for the answer's head; None where the head
            is there at once.
    """

    player: Answer | None
    recorder: Recorder | None
    opening: Callable[[], Awaitable[None]] | None = None


class Tape:
    """
    Answer requests from a cassette, or record the answers of the real upstream.

    Args:
        log: where the events go.
        gate: decides when arrivals may be handed out.
        cassette: a loaded cassette to replay; None records.
        marks: tells which inputs (by index) a readable request carries.
        pace: 0 for instant replay, otherwise the factor of the recorded pace.
        dial: where to connect while recording, when not to the real host.
        missing: what a miss says when there is no cassette at all.
        on_miss: is called after a refused request was logged.
        on_interaction: is given every complete interaction while recording.
    """

    def __init__(  # noqa: PLR0913 - each is one independent decision of the battery
        self,
        log: Log,
        gate: Gate,
        *,
        cassette: Cassette | None = None,
        marks: Callable[[str], tuple[int, ...]] = lambda _: (),
        pace: float = 0.0,
        dial: Dial | None = None,
        missing: str | None = None,
        on_miss: Callable[[], None] = lambda: None,
        on_interaction: Callable[[Request, dict[str, Any]], None] = lambda *_: None,
    ) -> None:
        self.log = log
        self.gate = gate
        self._cassette = cassette
        self._recording = cassette is None and missing is None
        self.marks = marks
        self._pace = pace
        self._dial = dial
        self._missing = missing
        self._on_miss = on_miss
        self._on_interaction = on_interaction
        self._lock = threading.Lock()
        self._requests = 0
        self._addresses: dict[int, str] = {}
        self._first_sent: float | None = None
        self._polls = polls(cassette) if cassette is not None else {}
        self._begun: set[int] = set()
        self.ahead = Ahead()

    @property
    def recording(self) -> bool:
        """
        Tell whether requests go to the real upstream.
        """
        return self._recording

    @contextmanager
    def insert(self) -> Iterator[Tape]:
        """
        Make this the process's current tape; the one before comes back at the end.
        """
        global _current  # noqa: PLW0603 - one tape serves all threads and loops of a process, so no context variable fits
        before, _current = _current, self
        try:
            yield self
        finally:
            _current = before

    def dial(self, scheme: str, host: str, port: int) -> tuple[str, int] | None:
        """
        Return where to connect instead of a host, in plain HTTP; None for the host itself.
        """
        return None if self._dial is None else self._dial(scheme, host, port)

    def recorded(self) -> list[tuple[Request, dict[str, Any]]]:
        """
        Return what the cassette holds; nothing while recording.
        """
        return [] if self._cassette is None else list(self._cassette.data)

    def rewind(self) -> None:
        """
        Let every recorded answer be played once more, for another pass over the same call.
        """
        if self._cassette is not None:
            self._cassette.rewind()
            self._begun.clear()

    def send(self, request: Request, hook: Hook) -> Exchange:
        """
        Log a request and find its answer.

        Raises:
            ReplayMiss: in replay, when no recording answers it.
        """
        number, carries = self._log_sent(request, hook)
        if self._recording:
            self.gate.sent(number, carries, self._addresses[number])
            return Exchange(None, Recorder(self, number, request, self._sent_at()))
        return Exchange(self._play(number, request, carries), None)

    def _log_sent(self, request: Request, hook: Hook) -> tuple[int, tuple[int, ...]]:
        text = readable(request)
        carries = self.marks(text)
        method, uri = str(request.method).upper(), str(scrub_request(request).uri)
        address = f"{method} {uri}"
        with self._lock:
            number = self._requests
            self._requests += 1
            self._addresses[number] = address
        self.log.note(
            Sent,
            request=number,
            method=method,
            uri=uri,
            carries=carries,
            hook=hook,
            asks_stream=asks_stream(request),
            phase=self._phase(),
            text=text,
            through=callers(),
        )
        return number, carries

    def _phase(self) -> Phase:
        return "call" if self.log.constructed else "construction"

    def _sent_at(self) -> float:
        now = time.perf_counter() - self.ahead.seconds()
        with self._lock:
            if self._first_sent is None:
                self._first_sent = now
            return now - self._first_sent

    def _play(self, number: int, request: Request, carries: tuple[int, ...]) -> Player:
        with self._lock:
            found = self._match(request)
        if found is None:
            self.refuse(request, nearest(self._cassette, request))
        index, response = found
        player = self.player(number, response, self._base(index, response), self._polls.get(index))
        if int(response["status"]["code"]) < REFUSED:
            self.gate.sent(number, carries, self._addresses[number])
        return player

    def refuse(self, request: Request, why: str) -> NoReturn:
        """
        Log that no recording answers a request, and raise.

        Raises:
            ReplayMiss: always.
        """
        why = self._missing or why
        self.log.add(Refused, method=str(request.method), uri=str(scrub_request(request).uri), why=why)
        self._on_miss()
        raise ReplayMiss(why)

    def _match(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        cassette = self._cassette
        if cassette is None or not cassette.data:
            return None
        # vcrpy's own look-up hides which interaction it found, and compares what can no longer be played as well
        asked = cassette._before_record_request(request)  # noqa: SLF001 - see above
        imported = files.read_timing(cassette.data[0][1]).upstream == Upstream.IMPORTED
        # how often a poll is repeated depends on time; and who recorded one question did not know of a batch of three
        again = str(asked.method).upper() in REPEATABLE or (imported and self.gate.batches)
        found = self._among(asked, cassette, agree, again=again)
        if found is None and imported:
            found = self._among(asked, cassette, agree_but_for_stage, again=again)
        return found

    def _among(
        self, asked: Request, cassette: Cassette, agrees: Callable[..., bool], *, again: bool
    ) -> tuple[int, dict[str, Any]] | None:
        matchers = cassette._match_on  # noqa: SLF001 - see above
        by_body = any(getattr(matcher, "reads", None) == "body" for matcher in matchers)
        fresh: list[tuple[int, dict[str, Any]]] = []
        played: list[tuple[int, dict[str, Any]]] = []
        for index, (recorded, response) in enumerate(cassette.data):
            count = cassette.play_counts[index]
            if (count and not again) or not agrees(asked, recorded, matchers):
                continue
            (played if count else fresh).append((index, response))
            if by_body and fresh:
                break
        # what is played again is the last answer
        found = fresh or played[::-1]
        if not found:
            return None
        index, response = found[0] if len(found) == 1 else self._closest(asked, found, cassette)
        cassette.play_counts[index] += 1
        return index, response

    def _closest(
        self, asked: Request, fresh: list[tuple[int, dict[str, Any]]], cassette: Cassette
    ) -> tuple[int, dict[str, Any]]:
        """
        Choose among recordings that match alike: one with the same inputs, or one of the same shape, or the first.

        Where bodies are not matched on, threads would get each other's answers, and a batch that of one input.
        """
        carries = self.marks(readable(asked))
        same = (one for one in fresh if carries and self.marks(readable(cassette.data[one[0]][0])) == carries)
        alike = (one for one in fresh if shape(cassette.data[one[0]][0]) == shape(asked))
        return next(same, None) or next(alike, fresh[0])

    def _base(self, index: int, response: dict[str, Any]) -> float:
        timing = files.read_timing(response)
        if timing.made_up or index in self._begun:
            return self.log.ended
        self._begun.add(index)
        return timing.sent

    def player(
        self, number: int, response: dict[str, Any], base: float, position: tuple[int, int] | None = None
    ) -> Player:
        """
        Return the player of one stored response.
        """
        timing = files.read_timing(response)
        answer = RecordedAnswer(
            status=int(response["status"]["code"]),
            reason=response["status"].get("message") or "",
            headers=[(name, value) for name, values in response["headers"].items() for value in values],
            framing=timing.framing,
            body=response["body"].get("string") or b"",
            pieces=timing.arrivals,
            cut=timing.cut,
            made_up=timing.made_up,
        )
        return Player(
            answer,
            log=self.log,
            gate=self.gate,
            request=number,
            base=base,
            pace=0.0 if self._recording else self._pace,
            position=position,
            address=self._addresses.get(number, ""),
        )

    def keep(self, request: Request, response: dict[str, Any]) -> None:
        """
        Hand a complete recorded interaction over.
        """
        with self._lock:
            self._on_interaction(request, response)


class Recorder:
    """
    Take down one answer while a client library reads it; its clock starts when it is made.

    Args:
        tape: the tape that the answer belongs to.
        number: the request's number in the log.
        request: the request, for the cassette.
        sent: seconds since the first request of the cell was sent.
    """

    def __init__(self, tape: Tape, number: int, request: Request, sent: float) -> None:
        self._tape = tape
        self.number = number
        self._request = request
        self.sent = sent
        self._began = time.perf_counter()
        self._status = 0
        self._answered = 0.0
        self._reason = ""
        self._headers: list[tuple[str, str]] = []
        self._framing: Framing = "chunked"
        self._decoder = decoder("")
        self._decoded = False
        self._body = bytearray()
        self._pieces: list[files.Piece] = []

    @property
    def elapsed(self) -> float:
        """
        Return the moment on the recording's clock.
        """
        return self.sent + time.perf_counter() - self._began

    def leaves(self) -> None:
        """
        Note that the request leaves only now, after a wait for a connection; the cell's first waits for none.
        """
        if not self.sent:
            return
        now = time.perf_counter()
        self.sent += now - self._began
        self._began = now

    def head(self, status: int, reason: str, headers: Sequence[tuple[str, str]], framing: Framing) -> None:
        """
        Note the answer's head, as it came.

        Args:
            status: its HTTP status.
            reason: the words of its status line.
            headers: name and value pairs; a content coding among them is taken off the body.
            framing: how the body is delimited on the wire.

        Raises:
            CassetteError: the content coding is unknown, or its library is not installed.
        """
        self._status, self._reason, self._framing = status, reason, framing
        self._answered = time.perf_counter() - self._began
        encoding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
        self._decoder = decoder(encoding)
        self._decoded = bool(encoding)
        self._headers = [(name, value) for name, value in headers if name.lower() != "content-encoding"]

    def arrived(self, data: bytes, at: float | None = None) -> bool:
        """
        Note one piece of the body; return False when no more is wanted, because the answer is too long or too slow.

        Args:
            data: the piece, still content-encoded.
            at: when it came, in seconds since the request was sent; None for now.

        Raises:
            BrokenCodingError: the body is not what its content coding says.
        """
        at = time.perf_counter() - self._began if at is None else at
        self._take(self._decoder.decode(data), at)
        return len(self._pieces) < MOST_ARRIVALS and len(self._body) < MOST_BYTES and at < MOST_SECONDS

    def end(self) -> Player:
        """
        Keep the complete answer and return what serves the client.
        """
        self._take(self._decoder.flush(), time.perf_counter() - self._began)
        return self._close(None)

    def cut(self, error: str) -> Player:
        """
        Keep an answer that the upstream broke off; it is served as such.
        """
        return self._close(error)

    def failed(self, error: str) -> None:
        """
        Note that there was no answer at all.
        """
        self._tape.log.add(UpstreamFailed, request=self.number, why=error)

    def _take(self, data: bytes, at: float) -> None:
        if data:
            self._body += data
            self._pieces.append(files.Piece(at=at, size=len(data)))

    def _close(self, cut: str | None) -> Player:
        headers: dict[str, list[str]] = {}
        # decoding changes the length; of a cut answer it says how much was promised
        true_length = self._body and (self._decoded or cut is None)
        for name, value in self._headers:
            is_length = name.lower() == "content-length" and true_length
            headers.setdefault(name, []).append(str(len(self._body)) if is_length else value)
        response: dict[str, Any] = {
            "status": {"code": self._status, "message": self._reason},
            "headers": headers,
            "body": {"string": bytes(self._body)},
        }
        timing = files.Timing(arrivals=tuple(self._pieces), framing=self._framing, sent=self.sent, cut=cut)
        files.write_timing(response, timing)
        self._tape.keep(self._request, response)
        player = self._tape.player(self.number, response, self.sent)
        self._tape.ahead.note(player, self._answered)
        return player


_current: Tape | None = None


def eject() -> None:
    """
    Take the current tape out: client libraries talk to the network again, if there is one.
    """
    global _current  # noqa: PLW0603 - see `Tape.insert`
    _current = None


def current() -> Tape | None:
    """
    Return the process's current tape.
    """
    return _current

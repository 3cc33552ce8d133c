"""
Conversations over a websocket, as exchanges: each message that the client sends is a request.

Its answer is what the server sends until the client speaks again; every message of it is an arrival. The handshake is
a request too, and its answer is what a server says before it is spoken to. Nobody knows where an answer ends before
the next message, so it is handed on while it is recorded, and not after.

Where all messages of an answer are texts of one line, its body is these lines. Otherwise it is the frames themselves.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from harness import frames
from harness.events import Ended
from harness.frames import Frame
from harness.places import place
from harness.tape.clients.message import new_request
from harness.tape.player import AnswerCut

if TYPE_CHECKING:
    from harness.events import Hook
    from harness.tape.player import Answer
    from harness.tape.tape import Recorder, Tape

CONTENT_TYPE: Final = "application/websocket"
CLOSE_HEADER: Final = "websocket-close"
_SWITCHING: Final = 101
_JUST_OVER: Final = 1000
"""The close code of a connection that has done its work (RFC 6455, 7.4.1)."""


class Closed(Exception):  # noqa: N818 - names what happened; each library raises its own error for it
    """
    Say that the server closed the connection.

    Attributes:
        code: the close code.
        reason: its words.
        lost: the connection broke instead, and how.
    """

    def __init__(self, code: int, reason: str = "", lost: str | None = None) -> None:
        super().__init__(lost or f"{code} {reason}".strip())
        self.code = code
        self.reason = reason
        self.lost = lost


class Replayed:
    """
    Be a conversation that was recorded.

    Args:
        tape: the tape.
        uri: the address.
        hook: whether synchronous or asynchronous code asks.

    Attributes:
        status: of the handshake.
        headers: of its answer.
    """

    def __init__(self, tape: Tape, uri: str, hook: Hook) -> None:
        self._tape = tape
        self._uri = uri
        self._hook: Hook = hook
        self._changed = threading.Condition()
        self._over = False
        self._waiters: list[asyncio.Future[None]] = []
        player = tape.send(new_request("GET", uri, b"", []), hook).player
        assert player is not None  # noqa: S101 - a tape that replays has one, or raises
        self.status = player.status
        self.headers = player.headers
        self._answers: deque[Answer] = deque([player])

    def say(self, message: Frame) -> None:
        """
        Send a message.
        """
        player = self._tape.send(said(self._uri, message), self._hook).player
        with self._changed:
            if player is not None:
                self._answers.append(player)
            self._wake()

    def hear(self, timeout: float | None = None) -> Frame | None:
        """
        Return the next message of the server, or None when it is over on this side; wait if there is none yet.

        Raises:
            Closed: the server closed the connection, or lost it.
            TimeoutError: nothing came in time.
        """
        while not self._over:
            player = self._current()
            if player is None:
                self._wait(timeout)
                continue
            try:
                piece = player.next(self._hook)
            except AnswerCut as cut:
                raise Closed(0, lost=str(cut)) from cut
            if piece is not None:
                return self._frame(player, piece)
            self._turn_over(player)
        return None

    async def ahear(self) -> Frame | None:
        """
        Do the same as `hear` on an event loop, without blocking it.
        """
        while not self._over:
            player = self._current()
            if player is None:
                await self._await()
                continue
            try:
                piece = await player.anext()
            except AnswerCut as cut:
                raise Closed(0, lost=str(cut)) from cut
            if piece is not None:
                return self._frame(player, piece)
            self._turn_over(player)
        return None

    def readable(self) -> bool:
        """
        Tell whether `hear` would not wait.
        """
        return self._over or self._current() is not None

    def close(self) -> None:
        """
        End the conversation on this side.
        """
        with self._changed:
            self._over = True
            answers = list(self._answers)
            self._wake()
        for player in answers:
            player.close()

    def _current(self) -> Answer | None:
        with self._changed:
            while self._answers and self._answers[0].exhausted and not _ends(self._answers[0]):
                self._answers.popleft()
            return self._answers[0] if self._answers else None

    def _turn_over(self, player: Answer) -> None:
        code, _, reason = player.header(CLOSE_HEADER).partition(" ")
        if code:
            raise Closed(int(code), reason)
        with self._changed:
            if self._answers and self._answers[0] is player:
                self._answers.popleft()

    def _wait(self, timeout: float | None) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._over or self._answers, timeout):
                raise TimeoutError

    async def _await(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            if not self._over and self._current() is None:
                await waiter
        finally:
            self._waiters.remove(waiter)

    def _wake(self) -> None:
        self._changed.notify_all()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _frame(self, player: Answer, piece: bytes) -> Frame:
        if player.header("content-type") == CONTENT_TYPE and (found := frames.decode(piece)):
            return found[0]
        return Frame(piece.removesuffix(b"\n"))


class Recorded:
    """
    Be a conversation that is recorded while it goes on.

    Args:
        tape: the tape.
        uri: the address.
        hook: whether synchronous or asynchronous code asks.
    """

    def __init__(self, tape: Tape, uri: str, hook: Hook) -> None:
        self._tape = tape
        self._uri = uri
        self._hook: Hook = hook
        self._lock = threading.Lock()
        recorder = tape.send(new_request("GET", uri, b"", []), hook).recorder
        assert recorder is not None  # noqa: S101 - a tape that records has one
        self._turn: _Turn | None = _Turn(tape, recorder, hook)

    def opened(self, headers: list[tuple[str, str]]) -> None:
        """
        Note that the server took the connection.
        """
        if self._turn is not None:
            self._turn.status, self._turn.reason, self._turn.headers = _SWITCHING, "Switching Protocols", headers

    def refused(self, status: int, reason: str, headers: list[tuple[str, str]]) -> None:
        """
        Note that the server answered the handshake with a refusal.
        """
        if self._turn is not None:
            self._turn.status, self._turn.reason, self._turn.headers = status, reason, headers
        self.over()

    def failed(self, error: str) -> None:
        """
        Note that nobody answered.
        """
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.recorder.failed(error)

    def say(self, message: Frame) -> None:
        """
        Note a message of the client: the answer to the one before is complete.
        """
        self.over()
        recorder = self._tape.send(said(self._uri, message), self._hook).recorder
        if recorder is not None:
            with self._lock:
                self._turn = _Turn(self._tape, recorder, self._hook)

    def heard(self, message: Frame) -> None:
        """
        Note a message of the server.
        """
        with self._lock:
            if self._turn is not None:
                self._turn.heard(message)

    def unheard(self, message: Frame) -> None:
        """
        Note a message that came when the client had stopped listening.
        """
        with self._lock:
            if self._turn is not None:
                self._turn.keep(message)

    def closed(self, closed: Closed) -> None:
        """
        Note that the server closed the connection, or lost it.
        """
        with self._lock:
            turn = self._turn
        if turn is not None and closed.lost is None:
            turn.headers.append((CLOSE_HEADER, f"{closed.code or _JUST_OVER} {closed.reason}".strip()))
        self.over(closed.lost)

    def over(self, lost: str | None = None) -> None:
        """
        Keep the answer that is under way, if there is one.
        """
        with self._lock:
            turn, self._turn = self._turn, None
        if turn is not None:
            turn.end(lost)


class _Turn:
    """
    Take down the answer to one message.
    """

    def __init__(self, tape: Tape, recorder: Recorder, hook: Hook) -> None:
        self.recorder = recorder
        self.status, self.reason = 200, "OK"
        self.headers: list[tuple[str, str]] = []
        self._tape = tape
        self._hook: Hook = hook
        self._began = time.perf_counter()
        self._heard: list[tuple[float, Frame]] = []

    def heard(self, message: Frame) -> None:
        at, number, index = time.perf_counter() - self._began, self.recorder.number, len(self._heard)
        # as much as it takes in the body, where all of the answer's messages are of one kind
        size = len(_written(message, plain=_is_line(message)))
        self._tape.log.arrived(self.recorder.sent + at, place(), number, index, size, self._hook)
        self.keep(message)

    def keep(self, message: Frame) -> None:
        self._heard.append((time.perf_counter() - self._began, message))

    def end(self, lost: str | None) -> None:
        plain = all(_is_line(one) for _, one in self._heard)
        headers = [(name, value) for name, value in self.headers if name.lower() not in _HOP]
        if self._heard and not plain:
            headers.append(("Content-Type", CONTENT_TYPE))
        self.recorder.head(self.status, self.reason, headers, "chunked")
        for at, message in self._heard:
            self.recorder.arrived(_written(message, plain=plain), at)
        if lost is not None:
            self.recorder.cut(lost)
        else:
            self.recorder.end()
        if self._heard:
            at = self.recorder.sent + self._heard[-1][0]
            self._tape.log.note(Ended, at=at, request=self.recorder.number, hook=self._hook, cut=lost)


_HOP: Final = frozenset({"content-length", "content-encoding", "transfer-encoding", "content-type"})


def _is_line(message: Frame) -> bool:
    return message.is_text and bool(message.data) and b"\n" not in message.data


def _written(message: Frame, *, plain: bool) -> bytes:
    return message.data + b"\n" if plain else frames.encode(message)


def said(uri: str, message: Frame) -> Any:  # noqa: ANN401 - vcrpy's request
    """
    Return a client's message as the request of a cassette.
    """
    kind = "text/plain" if message.is_text else "application/octet-stream"
    return new_request("POST", uri, message.data, [("Content-Type", kind)])


def _ends(player: Answer) -> bool:
    return player.cut is not None or bool(player.header(CLOSE_HEADER))

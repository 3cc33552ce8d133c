"""
The passage: how an adapter's request reaches a program that runs beside it, while everything else stays cut off.

A cell has no network in replay, and needs none here: what its client libraries ask of the program goes through a Unix
socket to the harness, which asks the program. So the taps stay the only way out, and see in which thread and on which
loop each byte travels.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from harness.events import Asked, Heard, Replied
from harness.tape.callers import callers
from harness.tape.gate import Gate
from harness.tape.player import Answer, AnswerCut
from harness.tape.reading import readable
from harness.tape.seen import Seen
from harness.tape.tape import Exchange, Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import EllipsisType

    from vcr.request import Request

    from harness.events import Hook
    from harness.tape.faults import Faults
    from harness.tape.log import Log
    from harness.words import Capability

HEAD: Final = struct.Struct(">cI")
"""What stands before each message between a cell and the harness: its kind, and the length of its payload."""
HELLO, READY, BEGIN, ITEM, FINISH = b"C", b"R", b"B", b"I", b"F"
TELL, TOLD = b"T", b"S"
ASK, BODY = b"A", b"D"
ANSWER, PIECE, END, FAILED = b"H", b"P", b"E", b"X"
_SIZE: Final = 1 << 16
_NAMES_OF_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def message(kind: bytes, payload: bytes = b"") -> bytes:
    """
    Return a message as it travels.
    """
    return HEAD.pack(kind, len(payload)) + payload


@dataclass(frozen=True, slots=True)
class Door:
    """
    Say where the program is, and where the harness listens.

    Attributes:
        socket: path of the harness's Unix socket.
        url: the program's address.
    """

    socket: str
    url: str

    def leads_to(self, uri: str) -> bool:
        """
        Tell whether an address is the program's, and nobody else's.
        """
        asked, own = urlsplit(uri), urlsplit(self.url)
        return asked.scheme == own.scheme and asked.port == own.port and asked.hostname in _NAMES_OF_LOOPBACK


class Messages:
    """
    Cut what comes from a socket into messages.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """
        Take what came.
        """
        self._buffer += data

    def next(self) -> tuple[bytes, bytes] | None:
        """
        Return kind and payload of the next message, if all of it came.
        """
        if len(self._buffer) < HEAD.size:
            return None
        kind, length = HEAD.unpack_from(self._buffer)
        end = HEAD.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEAD.size : end])
        del self._buffer[:end]
        return kind, payload


class Control(Gate):
    """
    Tell the harness how the call goes, which decides there when the upstream's next arrival may go.

    Args:
        door: where the harness listens.
        capability: the call.
        log: what the cell's events go into.
        faults: what is to go wrong with the upstream's answers, where a check is tried; None where the call is judged.
    """

    def __init__(self, door: Door, capability: Capability, log: Log, faults: Faults | None = None) -> None:
        super().__init__(capability)
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(door.socket)
        asked = None if faults is None else faults.as_dict()
        hello = {"capability": capability.value, "began": log.began, "process": os.getpid(), "faults": asked}
        self._socket.sendall(message(HELLO, json.dumps(hello).encode()))
        if self._socket.recv(HEAD.size)[:1] != READY:
            raise ConnectionResetError(errno.ECONNRESET, "the harness does not expect this call")

    def begin(self) -> None:
        """
        Tell that the call starts.
        """
        self._tell(BEGIN)

    def item(self, text: str) -> None:
        """
        Tell that the caller has got an item.
        """
        self._tell(ITEM, text.encode("utf-8", "surrogatepass"))

    def finish(self) -> None:
        """
        Tell that the call is over.
        """
        self._tell(FINISH)

    def seen(self) -> Seen:
        """
        Return what the program's upstream has seen of the call so far.

        Raises:
            ConnectionResetError: the harness is gone.
        """
        messages = Messages()
        with self._lock:
            self._socket.sendall(message(TELL))
            while (found := messages.next()) is None:
                data = self._socket.recv(_SIZE)
                if not data:
                    raise ConnectionResetError(errno.ECONNRESET, "the harness broke off")
                messages.feed(data)
        return Seen.decode(found[1])

    def close(self) -> None:
        """
        Tell that nobody waits for anything any more.
        """
        self._socket.close()

    def _tell(self, kind: bytes, payload: bytes = b"") -> None:
        # whoever listened may have been stopped, and will end this process next
        with self._lock, suppress(OSError):
            self._socket.sendall(message(kind, payload))


class ThroughTape(Tape):
    """
    Let requests for the program through, and refuse all others.

    Args:
        log: where the events go.
        control: tells the harness how the call goes.
        door: where the program is.
        marks: tells which inputs (by index) a readable request carries.
        on_miss: is called after a refused request was logged.
    """

    def __init__(
        self,
        log: Log,
        control: Control,
        door: Door,
        *,
        marks: Callable[[str], tuple[int, ...]],
        on_miss: Callable[[], None],
    ) -> None:
        refusal = f"it asks another server than the program that it is registered with ({{program.url}}, {door.url})"
        super().__init__(log, control, marks=marks, missing=refusal, on_miss=on_miss)
        self._door = door
        self._passages = 0

    def send(self, request: Request, hook: Hook) -> Exchange:
        """
        Ask the program; who asks asynchronously awaits `opening` before the answer is looked at.

        Raises:
            ReplayMiss: the request is for somebody else.
            OSError: the program cannot be reached, or broke off before it answered.
        """
        if not self._door.leads_to(str(request.uri)):
            return super().send(request, hook)
        with self._lock:
            number = self._passages
            self._passages += 1
        self.log.add(
            Asked,
            passage=number,
            method=str(request.method).upper(),
            uri=str(request.uri),
            carries=self.marks(readable(request)),
            hook=hook,
            phase=self._phase(),
            through=callers(),
        )
        passage = Passage(self.log, number, self._door, request)
        if hook == "async":
            return Exchange(passage, None, passage.aopen)
        passage.open()
        return Exchange(passage, None)


class Passage(Answer):
    """
    Hand out the program's answer, piece by piece as it comes.

    Args:
        log: the cell's log.
        number: the passage's number in it.
        door: where to ask.
        request: what is asked.
    """

    def __init__(self, log: Log, number: int, door: Door, request: Request) -> None:
        super().__init__(log, number)
        self._door = door
        self._asked = _asking(request, number)
        self._socket = socket.socket(socket.AF_UNIX)
        self._messages = Messages()

    def open(self) -> None:
        """
        Ask, and wait for the answer's head.
        """
        self._socket.connect(self._door.socket)
        self._socket.sendall(self._asked)
        self._head(*self._receive())

    async def aopen(self) -> None:
        """
        Do the same on an event loop, without blocking it.
        """
        loop = asyncio.get_running_loop()
        self._socket.settimeout(0)
        await loop.sock_connect(self._socket, self._door.socket)
        await loop.sock_sendall(self._socket, self._asked)
        self._head(*await self._areceive())

    def next(self, hook: Hook = "sync") -> bytes | None:
        """
        Return the next piece, or None at the end.

        Raises:
            AnswerCut: the program broke its answer off here.
        """
        if self._done:
            return None
        self._socket.settimeout(None)
        return self._piece(*self._receive(), hook)

    async def anext(self) -> bytes | None:
        """
        Do the same as `next` on an event loop, without blocking it.
        """
        if self._done:
            return None
        self._socket.settimeout(0)
        return self._piece(*await self._areceive(), "async")

    def at_once(self, hook: Hook, *, waited: bool = False) -> bytes | EllipsisType | None:  # noqa: ARG002 - what every answer takes
        """
        Say that a piece has to be waited for, unless there is none any more.
        """
        return None if self._done else ...

    @property
    def exhausted(self) -> bool:
        """
        Tell whether the answer came to its end.
        """
        return self._done

    @property
    def coming(self) -> None:
        """
        Say that what comes next is not known.
        """

    def reckon_from(self, sent: float) -> None:
        """
        Take no notice: the program has a pace of its own.
        """

    def close(self) -> None:
        """
        Let the program know that no more is wanted; harmless after the end.
        """
        self._done = True
        self._socket.close()

    def _receive(self) -> tuple[bytes, bytes]:
        while (found := self._messages.next()) is None:
            data = self._socket.recv(_SIZE)
            if not data:
                return FAILED, b"the harness broke off"
            self._messages.feed(data)
        return found

    async def _areceive(self) -> tuple[bytes, bytes]:
        loop = asyncio.get_running_loop()
        while (found := self._messages.next()) is None:
            data = await loop.sock_recv(self._socket, _SIZE)
            if not data:
                return FAILED, b"the harness broke off"
            self._messages.feed(data)
        return found

    def _head(self, kind: bytes, payload: bytes) -> None:
        if kind == FAILED:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, payload.decode())
        head = json.loads(payload)
        self.status, self.reason, self.framing = head["status"], head["reason"], head["framing"]
        self.headers = [(name, value) for name, value in head["headers"]]
        length = self.header("content-length")
        self.body_length = int(length) if length.isdecimal() else 0
        self._log.add(Replied, passage=self._request, status=self.status)

    def _piece(self, kind: bytes, payload: bytes, hook: Hook) -> bytes | None:
        if kind == PIECE:
            self._log.add(Heard, passage=self._request, size=len(payload), hook=hook)
            return payload
        self.close()
        if kind == FAILED:
            self.cut = payload.decode()
            raise AnswerCut(self.cut)
        return None


def _asking(request: Request, number: int) -> bytes:
    parts = urlsplit(str(request.uri))
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers: Mapping[str, Any] = request.headers
    asked = {
        "method": str(request.method),
        "target": target,
        "headers": [(name, str(value)) for name, value in headers.items()],
        "passage": number,
    }
    body = request.body or b""
    return message(ASK, json.dumps(asked).encode()) + message(BODY, body if isinstance(body, bytes) else body.encode())

"""The tap on the threading client of `websockets` (14 and later), which does what that on the asyncio client does."""

from __future__ import annotations

import importlib
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from harness.errors import described
from harness.frames import Frame
from harness.tape.clients.websockets_client import Server, closed_by, framed, led, shown
from harness.tape.conversation import Closed, Recorded, Replayed
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FunctionType, ModuleType

    from harness.tape.clients.patching import Patches
    from harness.tape.tape import Tape

_TICKET = "_harness"
_SIZE = 1 << 16


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap how a connection is made, sends, receives and is closed.
    """
    base = next(cls for cls in library.ClientConnection.__mro__ if "recv" in vars(cls))
    _connecting[:] = [_tapped_connect(patches.forward(library.connect, cast("FunctionType", _forward)))]
    patches.replace(base, "send", _tapped_send)
    patches.replace(base, "recv", _tapped_recv)
    patches.replace(base, "recv_streaming", _tapped_streaming)
    patches.replace(base, "close", _tapped_close)


_connecting: list[Callable[..., Any]] = []
"""What stands in for the library's function; it is a function of a module, so there is no class to keep it in."""


def connecting(uri: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's own
    """
    Connect to the tape, or through it.
    """
    return _connecting[0](uri, *arguments, **options)


def _forward(uri, *arguments, **options):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN003, ANN202 - its code runs in another module
    from harness.tape.clients.websockets_sync import connecting  # noqa: PLC0415 - as above

    return connecting(uri, *arguments, **options)


class _End(socket.socket):
    """
    Be a local socket for a client that sets the options of one that is connected over TCP.
    """

    def setsockopt(self, *arguments: Any) -> None:  # noqa: ANN401 - the standard library has three forms
        """
        Set an option, or leave it.
        """
        with suppress(OSError):
            super().setsockopt(*arguments)


class _Other(threading.Thread):
    """
    Serve the other end of a replayed connection.
    """

    def __init__(self, talk: Replayed, end: socket.socket) -> None:
        super().__init__(name="replayed websocket", daemon=True)
        self._end = end
        self._lock = threading.Lock()
        self._server = Server(talk)

    def run(self) -> None:
        """
        Answer until the client has gone.
        """
        with suppress(OSError):
            while data := self._end.recv(_SIZE):
                with self._lock:
                    self._write(self._server.answer(data))
        self._end.close()

    def goodbye(self, closed: Closed) -> None:
        """
        End the connection as the recorded server did.
        """
        with self._lock, suppress(OSError):
            if closed.lost is not None:
                self._end.shutdown(socket.SHUT_RDWR)
            else:
                self._write(self._server.goodbye(closed))

    def _write(self, parts: list[bytes]) -> None:
        for data in parts:
            if data:
                self._end.sendall(data)
            else:
                self._end.shutdown(socket.SHUT_WR)


def _tapped_connect(original: Callable[..., Any]) -> Callable[..., Any]:
    parse = importlib.import_module("websockets.uri").parse_uri

    def connect(uri: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's own
        tape = current()
        if tape is None:
            return original(uri, *arguments, **options)
        parse(uri)  # an address that the library refuses is no request
        if tape.recording:
            return _record(original, tape, uri, *arguments, **options)
        talk = Replayed(tape, uri, "sync")
        address, kept = led(tape, uri, options)
        pair, end = socket.socketpair()
        ours = _End(fileno=pair.detach())
        other = _Other(talk, end)
        other.start()
        try:
            connection = original(address, *arguments, **{**kept, "sock": ours, **_quiet(original)})
        except BaseException:
            end.close()
            raise
        setattr(connection, _TICKET, (talk, other))
        return connection

    return connect


def _quiet(connect: Callable[..., Any]) -> dict[str, None]:
    # pings keep a connection open that cannot break; older releases send none
    has = "ping_interval" in (getattr(connect, "__kwdefaults__", None) or {})
    return {"ping_interval": None} if has else {}


def _record(original: Callable[..., Any], tape: Tape, uri: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's own
    talk = Recorded(tape, uri, "sync")
    address, kept = led(tape, uri, options)
    if "host" in kept:
        where = kept.pop("host"), kept.pop("port")
        kept["sock"] = socket.create_connection(where)
    try:
        connection = original(address, *arguments, **kept)
    except Exception as error:
        response: Any = getattr(error, "response", None)
        if response is None:
            talk.failed(described(error))
        else:
            talk.refused(response.status_code, response.reason_phrase, list(response.headers.raw_items()))
        raise
    talk.opened(list(connection.response.headers.raw_items()))
    setattr(connection, _TICKET, (talk, None))
    return connection


def _of(connection: Any) -> tuple[Recorded | Replayed | None, Any]:  # noqa: ANN401 - the library's own
    found: tuple[Recorded | Replayed | None, Any] = getattr(connection, _TICKET, (None, None))
    return found


def _tapped_send(original: Callable[..., None]) -> Callable[..., None]:
    def send(self: Any, message: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        talk, _ = _of(self)
        if talk is not None:
            if not isinstance(message, str | bytes | bytearray | memoryview | dict):
                parts = list(message)
                message = "".join(parts) if parts and isinstance(parts[0], str) else b"".join(parts)
            text = options.get("text", arguments[0] if arguments else None)
            if not isinstance(message, dict):
                is_text = isinstance(message, str) if text is None else bool(text)
                talk.say(Frame(message.encode() if isinstance(message, str) else bytes(message), is_text))
        original(self, message, *arguments, **options)

    return send


def _tapped_recv(original: Callable[..., Any]) -> Callable[..., Any]:
    def recv(self: Any, timeout: float | None = None, decode: bool | None = None) -> Any:  # noqa: ANN401, FBT001 - the library's own
        talk, other = _of(self)
        if isinstance(talk, Replayed):
            message = _heard(talk, other, timeout)
            return original(self, timeout, decode) if message is None else shown(message, decode=decode)
        try:
            data = original(self, timeout, decode)
        except Exception as error:
            if talk is not None and hasattr(error, "rcvd"):
                talk.closed(closed_by(error))
            raise
        if talk is not None:
            talk.heard(framed(data, decode=decode))
        return data

    return recv


def _heard(talk: Replayed, other: _Other, timeout: float | None) -> Frame | None:
    """
    Return the next message; None where the library itself has something to say of the connection.
    """
    try:
        return talk.hear(timeout)
    except Closed as closed:
        other.goodbye(closed)
        return None


def _tapped_streaming(original: Callable[..., Any]) -> Callable[..., Any]:
    """
    Hand a message out in one fragment in replay, and keep it as one message while recording.
    """

    def recv_streaming(self: Any, decode: bool | None = None) -> Iterator[Any]:  # noqa: ANN401, FBT001 - the library's own
        talk, _ = _of(self)
        if isinstance(talk, Replayed):
            yield self.recv(None, decode)
            return
        parts = []
        for part in original(self, decode):
            parts.append(part)
            yield part
        if talk is not None and parts:
            talk.heard(framed("".join(parts) if isinstance(parts[0], str) else b"".join(parts), decode=decode))

    return recv_streaming


def _tapped_close(original: Callable[..., None]) -> Callable[..., None]:
    def close(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        talk, _ = _of(self)
        if isinstance(talk, Replayed):
            talk.close()
        original(self, *arguments, **options)
        if isinstance(talk, Recorded):
            talk.over()

    return close

"""
The tap on the asyncio client of `websockets` (14 and later): at its connection's `send` and `recv`.

In replay the library connects to one end of a local pair, at whose other end the library's own server protocol shakes
hands and says goodbye. Messages do not travel there: they are pulled from the tape by whoever receives them.
"""

from __future__ import annotations

import asyncio
import importlib
import socket
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from harness.errors import described
from harness.frames import Frame
from harness.tape.conversation import Closed, Recorded, Replayed
from harness.tape.tape import current
from harness.words import REFUSED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator
    from types import ModuleType

    from harness.tape.clients.patching import Patches
    from harness.tape.tape import Tape

_PORTS: Final = {"ws": 80, "wss": 443}
_TICKET: Final = "_harness"
"""Where a connection keeps what the tap knows of it."""
_NO_STATUS: Final = 1005
_TLS: Final = ("ssl", "server_hostname")


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap how a connection is asked for, shakes hands, sends, receives and is closed.
    """
    connection = library.ClientConnection
    patches.replace(library.connect, "__init__", _tapped_init)
    patches.replace(library.connect, "__await__", _tapped_await)
    patches.replace(connection, "handshake", _tapped_handshake)
    base = next(cls for cls in connection.__mro__ if "recv" in vars(cls))
    patches.replace(base, "send", _tapped_send)
    patches.replace(base, "recv", _tapped_recv)
    patches.replace(base, "recv_streaming", _tapped_streaming)
    patches.replace(base, "close", _tapped_close)


class _Ticket:
    """
    Hold what the tap knows of a connection.
    """

    def __init__(self, tape: Tape, uri: str, other: socket.socket | None) -> None:
        self.tape = tape
        self.uri = uri
        self.other = other
        self.talk: Recorded | Replayed | None = None
        self.server: _Other | None = None


class Server:
    """
    Be the other end of a replayed connection: shake hands, and say goodbye.

    Args:
        talk: the conversation, which knows how its handshake ended.
    """

    def __init__(self, talk: Replayed) -> None:
        protocols = [value for name, value in talk.headers if name.lower() == "sec-websocket-protocol"]
        server = importlib.import_module("websockets.server")
        self._talk = talk
        self._protocol: Any = server.ServerProtocol(subprotocols=protocols or None)

    def answer(self, data: bytes) -> list[bytes]:
        """
        Return what answers the handshake as it was recorded, or a goodbye; messages come by another way.

        Empty bytes stand for the end of sending.
        """
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if hasattr(event, "path"):
                self._protocol.send_response(self._shaken(event))
        return list(self._protocol.data_to_send())

    def goodbye(self, closed: Closed) -> list[bytes]:
        """
        Return what ends the connection as the recorded server did.
        """
        self._protocol.send_close(*([] if closed.code == _NO_STATUS else [closed.code, closed.reason]))
        return list(self._protocol.data_to_send())

    def _shaken(self, request: Any) -> Any:  # noqa: ANN401 - the library's own
        status = self._talk.status
        return self._protocol.reject(HTTPStatus(status), "") if status >= REFUSED else self._protocol.accept(request)


class _Other(asyncio.Protocol):
    """
    Serve the other end of a replayed connection on its loop.
    """

    def __init__(self, talk: Replayed) -> None:
        self._server = Server(talk)
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Keep the way back.
        """
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """
        Answer.
        """
        self._write(self._server.answer(data))

    def close(self, closed: Closed) -> None:
        """
        End the connection as the recorded server did.
        """
        if closed.lost is not None:
            self._transport.abort()
        else:
            self._write(self._server.goodbye(closed))

    def _write(self, parts: list[bytes]) -> None:
        for data in parts:
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()


def _tapped_init(original: Callable[..., None]) -> Callable[..., None]:
    """
    Lead the connection to the tape, or to whoever answers in the upstream's place while recording.
    """

    def __init__(self: Any, uri: str, *arguments: Any, **options: Any) -> None:  # noqa: ANN401, N807 - the library's own
        tape = current()
        setattr(self, _TICKET, None)
        if tape is None:
            original(self, uri, *arguments, **options)
            return
        original(self, uri, *arguments, **options)
        importlib.import_module("websockets.uri").parse_uri(uri)  # an address that the library refuses is no request
        ticket = _Ticket(tape, uri, None)
        setattr(self, _TICKET, ticket)
        kept = {name: value for name, value in options.items() if name != "create_connection"}
        address, kept = led(tape, uri, kept)
        if not tape.recording:
            ours, ticket.other = socket.socketpair()
            for end in (ours, ticket.other):
                end.setblocking(False)  # noqa: FBT003 - it takes no keyword
            kept = {**kept, "sock": ours, "ping_interval": None}  # pings keep a connection open that cannot break
        made = options.get("create_connection") or importlib.import_module("websockets.asyncio.client").ClientConnection
        original(self, address, *arguments, **kept, create_connection=partial(_made, made, ticket))

    return __init__


def _made(make: Callable[..., Any], ticket: _Ticket, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the library's own
    connection = make(*arguments, **options)
    setattr(connection, _TICKET, ticket)
    return connection


def led(tape: Tape, uri: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """
    Return the address and the options for whoever answers in the upstream's place, in plain text; in replay the tape.
    """
    parts = urlsplit(uri)
    plain = parts._replace(scheme="ws", netloc=parts.netloc.removesuffix(f":{_PORTS[parts.scheme]}")).geturl()
    without = {name: value for name, value in options.items() if name not in _TLS}
    if not tape.recording:
        return plain, without
    address = tape.dial(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])
    return (uri, options) if address is None else (plain, {**without, "host": address[0], "port": address[1]})


def _tapped_await(original: Callable[[Any], Generator[Any, None, Any]]) -> Callable[[Any], Generator[Any, None, Any]]:
    """
    Tell of a server that cannot be reached.
    """

    def __await__(self: Any) -> Generator[Any, None, Any]:  # noqa: ANN401, N807 - the library's own
        ticket = getattr(self, _TICKET, None)
        try:
            connection = yield from original(self)
        except (OSError, TimeoutError) as error:
            if ticket is not None and ticket.talk is None and ticket.tape.recording:
                Recorded(ticket.tape, ticket.uri, "async").failed(described(error))
            raise
        finally:
            if ticket is not None and ticket.other is not None and ticket.server is None:
                ticket.other.close()
        return connection

    return __await__


def _tapped_handshake(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def handshake(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        ticket = getattr(self, _TICKET, None)
        if ticket is None:
            await original(self, *arguments, **options)
        elif ticket.other is not None:
            ticket.talk = Replayed(ticket.tape, ticket.uri, "async")
            ticket.server = _Other(ticket.talk)
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(lambda: ticket.server, ticket.other)
            await original(self, *arguments, **options)
        else:
            await _shake(ticket, self, lambda: original(self, *arguments, **options))

    return handshake


async def _shake(ticket: _Ticket, connection: Any, original: Callable[[], Awaitable[None]]) -> None:  # noqa: ANN401 - the library's own
    talk = ticket.talk = Recorded(ticket.tape, ticket.uri, "async")
    try:
        await original()
    except Exception as error:
        response: Any = getattr(error, "response", None)
        if response is None:
            talk.failed(described(error))
        else:
            talk.refused(response.status_code, response.reason_phrase, list(response.headers.raw_items()))
        raise
    talk.opened(list(connection.response.headers.raw_items()))


def _talk(connection: Any) -> Recorded | Replayed | None:  # noqa: ANN401 - the library's own
    ticket = getattr(connection, _TICKET, None)
    return None if ticket is None else ticket.talk


def _tapped_send(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def send(self: Any, message: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        talk = _talk(self)
        if talk is not None:
            if not isinstance(message, str | bytes | bytearray | memoryview):
                message = await _joined(message)
            text = options.get("text", arguments[0] if arguments else None)
            is_text = isinstance(message, str) if text is None else bool(text)
            talk.say(Frame(message.encode() if isinstance(message, str) else bytes(message), is_text))
        await original(self, message, *arguments, **options)

    return send


async def _joined(parts: Any) -> Any:  # noqa: ANN401 - texts or bytes, from any kind of iterable
    if isinstance(parts, dict):
        msg = "data is a dict-like object"
        raise TypeError(msg)
    found = [part async for part in parts] if hasattr(parts, "__aiter__") else list(parts)
    return "".join(found) if found and isinstance(found[0], str) else b"".join(found)


def _tapped_recv(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def recv(self: Any, decode: bool | None = None) -> Any:  # noqa: ANN401, FBT001 - the library's own
        talk = _talk(self)
        if isinstance(talk, Replayed):
            message = await _heard(self, talk)
            return await original(self, decode) if message is None else shown(message, decode=decode)
        try:
            data = await original(self, decode)
        except Exception as error:
            if talk is not None and hasattr(error, "rcvd"):
                talk.closed(closed_by(error))
            raise
        if talk is not None:
            talk.heard(framed(data, decode=decode))
        return data

    return recv


async def _heard(connection: Any, talk: Replayed) -> Frame | None:  # noqa: ANN401 - the library's own
    """
    Return the next message; None where the library itself has something to say of the connection.
    """
    try:
        return await talk.ahear()
    except Closed as closed:
        getattr(connection, _TICKET).server.close(closed)
        return None


def _tapped_streaming(original: Callable[..., Any]) -> Callable[..., Any]:
    """
    Hand a message out in one fragment in replay, and keep it as one message while recording.
    """

    async def recv_streaming(self: Any, decode: bool | None = None) -> AsyncIterator[Any]:  # noqa: ANN401, FBT001 - the library's own
        talk = _talk(self)
        if isinstance(talk, Replayed):
            yield await self.recv(decode)
            return
        parts = []
        async for part in original(self, decode):
            parts.append(part)
            yield part
        if talk is not None and parts:
            talk.heard(framed("".join(parts) if isinstance(parts[0], str) else b"".join(parts), decode=decode))

    return recv_streaming


def _tapped_close(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def close(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - the library's own
        talk = _talk(self)
        if isinstance(talk, Replayed):
            talk.close()
        await original(self, *arguments, **options)
        if isinstance(talk, Recorded):
            talk.over()

    return close


def framed(data: Any, *, decode: bool | None) -> Frame:  # noqa: ANN401 - text or bytes
    """
    Return a message as it was received; one whose text was asked for undecoded is taken for a text.
    """
    if isinstance(data, str):
        return Frame(data.encode())
    return Frame(bytes(data), is_text=decode is False and _is_utf8(bytes(data)))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def shown(message: Frame, *, decode: bool | None) -> str | bytes:
    """
    Return a message in the form that was asked for.
    """
    return message.data.decode() if (message.is_text if decode is None else decode) else message.data


def closed_by(error: Any) -> Closed:  # noqa: ANN401 - the library's ConnectionClosed
    """
    Return how the server closed a connection.
    """
    if error.rcvd is None:
        return Closed(0, lost=described(error))
    return Closed(error.rcvd.code, error.rcvd.reason)

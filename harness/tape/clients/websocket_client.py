"""
The tap on websocket-client: at its connection, below everything that assembles and checks messages.

In replay the connection's socket is one end of a local pair, readable while there is a message to receive: programs
ask a socket that before they read.
"""

from __future__ import annotations

import importlib
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from harness.errors import described
from harness.frames import BINARY, TEXT, Frame
from harness.tape.conversation import Closed, Recorded, Replayed
from harness.tape.tape import current
from harness.words import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from harness.tape.clients.patching import Patches
    from harness.tape.tape import Tape

_PORTS: Final = {"ws": 80, "wss": 443}
_CONTINUED, _CLOSE = 0, 8
_ATTRIBUTE: Final = "_harness"
"""Where a connection keeps its conversation."""


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap how a connection is made, how frames leave it and arrive, and how it ends.
    """
    shape = _Shape(library)
    cls = library.WebSocket
    patches.replace(cls, "connect", shape.tapped_connect)
    patches.replace(cls, "send_frame", shape.tapped_send)
    patches.replace(cls, "recv_frame", shape.tapped_frame)
    patches.replace(cls, "recv_data_frame", shape.tapped_message)
    patches.replace(cls, "shutdown", _tapped_shutdown)
    patches.replace(cls, "abort", _tapped_shutdown)


class _Sock(socket.socket):
    """
    Be readable while there is something to receive.
    """

    _other: socket.socket
    _told = False

    @classmethod
    def made(cls) -> _Sock:
        """
        Return one end of a pair that keeps the other.
        """
        ours, other = socket.socketpair()
        kept = cls(fileno=ours.detach())
        kept._other = other
        return kept

    def tell(self, *, readable: bool) -> None:
        """
        Become readable, or stop being so.
        """
        if readable and not self._told:
            self._other.send(b"!")
        elif self._told and not readable:
            self.recv(1)
        self._told = readable

    def pending(self) -> int:
        """
        Return nothing: there is no TLS whose buffer could hold anything.
        """
        return 0

    def close(self) -> None:
        """
        Close both ends.
        """
        self._other.close()
        super().close()


class _Sending:
    """
    Put a message together that is sent in fragments.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._opcode = TEXT

    def add(self, frame: Any) -> Frame | None:  # noqa: ANN401 - websocket-client's own
        """
        Take one frame; return the message that it completes.
        """
        if frame.opcode not in {_CONTINUED, TEXT, BINARY}:
            return None
        if frame.opcode != _CONTINUED:
            self._opcode = frame.opcode
        data = frame.data
        self._parts.append(data.encode() if isinstance(data, str) else bytes(data))
        if not frame.fin:
            return None
        whole, self._parts = b"".join(self._parts), []
        return Frame(whole, self._opcode == TEXT)


class _Shape:
    """
    Hold the library's classes and what the tap does with them.
    """

    def __init__(self, library: Any) -> None:  # noqa: ANN401 - a module
        self._library = library
        self._parse: Callable[[str], object] = importlib.import_module("websocket._url").parse_url

    def tapped_connect(self, original: Callable[..., None]) -> Callable[..., None]:
        """
        Return what stands in for the making of a connection.
        """

        def connect(self_: Any, url: str, **options: Any) -> None:  # noqa: ANN401 - websocket-client's own
            tape = current()
            setattr(self_, _ATTRIBUTE, None)
            if tape is None:
                original(self_, url, **options)
                return
            self._parse(url)  # an address that the library refuses is no request
            if tape.recording:
                self._record(original, self_, url, options, tape)
            else:
                self._replay(self_, url, tape)

        return connect

    def _record(
        self,
        original: Callable[..., None],
        connection: Any,  # noqa: ANN401 - websocket-client's own
        url: str,
        options: dict[str, Any],
        tape: Tape,
    ) -> None:
        talk = Recorded(tape, url, "sync")
        address, led = _led(tape, url, options)
        try:
            original(connection, address, **led)
        except self._library.WebSocketBadStatusException as error:
            headers = [(name, str(value)) for name, value in (getattr(error, "resp_headers", None) or {}).items()]
            talk.refused(int(error.status_code), str(getattr(error, "status_message", "") or ""), headers)
            raise
        except Exception as error:
            talk.failed(described(error))
            raise
        talk.opened(list((connection.getheaders() or {}).items()))
        setattr(connection, _ATTRIBUTE, (talk, _Sending()))

    def _replay(self, connection: Any, url: str, tape: Tape) -> None:  # noqa: ANN401 - websocket-client's own
        talk = Replayed(tape, url, "sync")
        headers = {name.lower(): value for name, value in talk.headers}
        if talk.status >= REFUSED:
            message = f"Handshake status {talk.status} (recorded)"
            raise self._library.WebSocketBadStatusException(message, talk.status, "", headers, b"")
        connection.sock = _Sock.made()
        connection.sock.settimeout(connection.gettimeout())
        connection.handshake_response = _Handshake(headers)
        connection.connected = True
        setattr(connection, _ATTRIBUTE, (talk, _Sending()))
        connection.sock.tell(readable=talk.readable())

    def tapped_send(self, original: Callable[[Any, Any], int]) -> Callable[[Any, Any], int]:
        """
        Return what stands in for the sending of a frame.
        """

        def send_frame(self_: Any, frame: Any) -> int:  # noqa: ANN401 - websocket-client's own
            talk, sending = _of(self_)
            if talk is None:
                return original(self_, frame)
            message = sending.add(frame)
            if message is not None:
                talk.say(message)
            if isinstance(talk, Recorded):
                return original(self_, frame)
            if self_.sock is None:
                msg = "socket is already closed."
                raise self._library.WebSocketConnectionClosedException(msg)
            self_.sock.tell(readable=talk.readable())
            return len(frame.format())

        return send_frame

    def tapped_frame(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """
        Return what stands in for the receiving of a frame.
        """

        def recv_frame(self_: Any) -> Any:  # noqa: ANN401 - websocket-client's own
            talk, _ = _of(self_)
            if isinstance(talk, Replayed):
                return self._heard(self_, talk)
            frame = original(self_)
            if isinstance(talk, Recorded) and not self_.connected and frame.opcode in {TEXT, BINARY} and frame.fin:
                talk.unheard(
                    Frame(bytes(frame.data), frame.opcode == TEXT)
                )  # it is closing, and drops what still comes
            return frame

        return recv_frame

    def _heard(self, connection: Any, talk: Replayed) -> Any:  # noqa: ANN401 - websocket-client's own
        if not connection.connected:
            return self._frame(_CLOSE, (1000).to_bytes(2))  # it is closing, and waits for the other side to agree
        try:
            message = talk.hear(connection.gettimeout())
        except Closed as closed:
            if closed.lost is not None:
                connection.shutdown()
                raise self._library.WebSocketConnectionClosedException(closed.lost) from closed
            return self._frame(_CLOSE, closed.code.to_bytes(2) + closed.reason.encode())
        except TimeoutError as error:
            msg = "Connection timed out"
            raise self._library.WebSocketTimeoutException(msg) from error
        if message is None:
            msg = "Connection to remote host was lost."
            raise self._library.WebSocketConnectionClosedException(msg)
        if connection.sock is not None:
            connection.sock.tell(readable=talk.readable())
        return self._frame(TEXT if message.is_text else BINARY, message.data)

    def _frame(self, opcode: int, data: bytes) -> Any:  # noqa: ANN401 - websocket-client's own
        return self._library.ABNF(1, 0, 0, 0, opcode, 0, data)

    def tapped_message(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """
        Return what stands in for the receiving of a message, which is where one is recorded.
        """

        def recv_data_frame(self_: Any, control_frame: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - the library's own signature
            talk, _ = _of(self_)
            if not isinstance(talk, Recorded):
                return original(self_, control_frame)
            try:
                opcode, frame = original(self_, control_frame)
            except self._library.WebSocketTimeoutException:
                raise
            except Exception as error:
                talk.closed(Closed(0, lost=described(error)))
                raise
            if opcode in {TEXT, BINARY}:
                talk.heard(Frame(bytes(frame.data), opcode == TEXT))
            elif opcode == _CLOSE:
                code = int.from_bytes(frame.data[:2]) if frame.data else 0
                talk.closed(Closed(code, bytes(frame.data[2:]).decode("utf-8", "replace")))
            return opcode, frame

        return recv_data_frame


class _Handshake:
    """
    Be the answer to a handshake.
    """

    def __init__(self, headers: dict[str, str]) -> None:
        self.status = 101
        self.headers = headers
        self.subprotocol = headers.get("sec-websocket-protocol")


def _tapped_shutdown(original: Callable[[Any], None]) -> Callable[[Any], None]:
    """
    End the conversation, too, when a connection ends.
    """

    def shutdown(self_: Any) -> None:  # noqa: ANN401 - websocket-client's own
        talk, _ = _of(self_)
        if isinstance(talk, Recorded):
            talk.over()
        elif talk is not None:
            talk.close()
        original(self_)

    return shutdown


def _of(connection: Any) -> tuple[Recorded | Replayed | None, Any]:  # noqa: ANN401 - websocket-client's own
    return getattr(connection, _ATTRIBUTE, None) or (None, None)


def _led(tape: Tape, url: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """
    Return the address and the options for whoever answers in the upstream's place.
    """
    parts = urlsplit(url)
    usual = _PORTS.get(parts.scheme, 0)
    led = tape.dial(parts.scheme, parts.hostname or "", parts.port or usual)
    if led is None:
        return url, options
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{usual}")
    address = parts._replace(scheme="ws", netloc="{}:{}".format(*led)).geturl()
    return address, {"host": host, **options, "http_proxy_host": None}

"""
The tap on `http.client`, and with it on urllib, urllib3, requests, botocore and httplib2.

It sits below the client's own parser: what the client sends is collected, and what it reads
are HTTP/1.1 bytes, one frame a read, so that everything above the socket (buffering, chunks,
line splitting, length checks) behaves as it does live.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import re
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

from harness.errors import described
from harness.tape.clients.message import END_OF_CHUNKS, answer_head, has_body, origin, parse_request
from harness.tape.player import AnswerCut
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from vcr.request import Request

    from harness.tape.clients.patching import Patches
    from harness.tape.player import Answer, Framing
    from harness.tape.tape import Exchange, Recorder, Tape

_READ_SIZE: Final = 65_536
_HTTPS_PORT: Final = 443
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_CHUNKED: Final = re.compile(rb"(?im)^transfer-encoding:")


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap the base class, and `connect` of every class that derives from it, now or later.
    """
    # an open vcrpy cassette puts its own class under the public name
    base: Any = getattr(sys.modules.get("vcr.patch"), "_HTTPConnection", library.HTTPConnection)
    patches.replace(base, "send", _tapped_send)
    patches.replace(base, "getresponse", _tapped_getresponse)

    def adopt(cls: type) -> None:
        if "connect" in vars(cls):
            patches.replace(cls, "connect", _tapped_connect)

    def adopt_new(cls: Any, /, **options: object) -> None:  # noqa: ANN401 - a class of the family
        super(base, cls).__init_subclass__(**options)
        adopt(cls)

    for cls in _family(base):
        adopt(cls)
    patches.add(base, "__init_subclass__", classmethod(adopt_new))


def _family(base: type) -> Iterator[type]:
    seen: dict[type, None] = {base: None}
    todo: list[type] = [base]
    while todo:
        found: list[type] = todo.pop().__subclasses__()
        for cls in found:
            if cls not in seen:
                seen[cls] = None
                todo.append(cls)
    yield from seen


class _Wire:
    """
    Remember what a connection has sent since its last answer, and the exchange that began when it had sent all.
    """

    __slots__ = ("connecting", "exchange", "sent")

    def __init__(self) -> None:
        self.sent = bytearray()
        self.exchange: Exchange | BaseException | None = None
        self.connecting = False

    def clear(self) -> None:
        """
        Begin anew.
        """
        self.sent.clear()
        self.exchange = None

    def leave(self, tape: Tape, base: str) -> None:
        """
        Begin the exchange; what keeps it from one is told to whoever waits for the answer.
        """
        try:
            self.exchange = tape.send(parse_request(bytes(self.sent), base), "sync")
        except BaseException as error:  # noqa: BLE001 - raised where the answer is asked for
            self.exchange = error

    def is_whole(self) -> bool:
        """
        Tell whether a request has left, by its own word; of one in chunks only who asks for its answer says so.
        """
        end = self.sent.find(_END_OF_HEAD)
        if end < 0 or _CHUNKED.search(self.sent, 0, end):
            return False
        length = _LENGTH.search(self.sent, 0, end)
        return len(self.sent) - end - len(_END_OF_HEAD) >= (int(length[1]) if length else 0)


class _Frames(io.RawIOBase):
    """
    Hand out an answer's bytes as a socket would: the head, then one frame an arrival.
    """

    def __init__(self, player: Answer, method: str) -> None:
        super().__init__()
        body = has_body(method, player.status)
        self._frame = answer_head(player, body=body)
        self._player = player
        self._pull = player.at_once
        self._chunked = body and player.framing == "chunked"
        self._ended = not body

    def readable(self) -> bool:
        """
        Say that it can be read.
        """
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - typeshed has no name for a writable buffer in 3.11
        """
        Fill a buffer with at most one frame; 0 is the end of the connection.
        """
        frame = self._frame
        if frame:
            self._frame = b""
        else:
            frame = self._next_frame()
        size = len(frame)
        if size <= len(buffer):
            buffer[:size] = frame
            return size
        size = len(buffer)
        buffer[:] = frame[:size]
        self._frame = frame[size:]
        return size

    def close(self) -> None:
        """
        Tell the player that no more is wanted.
        """
        if not self.closed:
            self._player.close()
        super().close()

    def _next_frame(self) -> bytes:
        if self._ended:
            return b""
        try:
            piece = self._pull("sync")
            if piece is ...:
                piece = self._player.next("sync")
        except AnswerCut as cut:
            self._ended = True
            if self._player.framing == "close":
                # the only way in which a close-delimited answer can be seen to be cut
                raise ConnectionResetError(errno.ECONNRESET, str(cut)) from cut
            return b""
        if piece is None:
            self._ended = True
            return END_OF_CHUNKS if self._chunked else b""
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else piece


class _FakeSocket:
    """
    Stand where a connection expects its socket; it leads nowhere.
    """

    def __init__(self, frames: _Frames | None = None) -> None:
        self._frames = frames

    def makefile(self, mode: str = "rb", buffering: int = -1) -> io.IOBase:  # noqa: ARG002 - the signature of socket.makefile
        """
        Return the answer; before there is one, leave to send the body of a request that expects it.
        """
        raw: Any = self._frames if self._frames is not None else io.BytesIO(_CONTINUE)
        return raw if buffering == 0 or self._frames is None else io.BufferedReader(raw)

    def fileno(self) -> int:
        """
        Return a descriptor that is always ready, for clients that poll before they read.
        """
        return _ready_descriptor()

    def settimeout(self, value: float | None) -> None:
        """
        Accept a time-out; nothing here takes time.
        """

    def gettimeout(self) -> None:
        """
        Say that there is no time-out.
        """

    def setsockopt(self, *_: object) -> None:
        """
        Accept an option.
        """

    def shutdown(self, how: int) -> None:
        """
        Accept a shutdown.
        """

    def close(self) -> None:
        """
        Accept being closed; the answer's reader lives on, as it does over a real socket.
        """


_ready: list[int] = []


def _ready_descriptor() -> int:
    if not _ready:
        _ready.append(os.open(os.devnull, os.O_RDONLY))
    return _ready[0]


def _wire(connection: Any) -> _Wire:  # noqa: ANN401 - any class of the family
    found: _Wire | None = connection.__dict__.get("_tape_wire")
    if found is None:
        found = connection.__dict__["_tape_wire"] = _Wire()
    return found


def _tapped_connect(original: Callable[..., None]) -> Callable[..., None]:
    def connect(self: Any, *args: Any, **options: Any) -> None:  # noqa: ANN401 - any class of the family
        tape = current()
        if tape is None:
            original(self, *args, **options)
        elif not tape.recording:
            _plug_in_fake(self)
        elif _wire(self).connecting:
            # the connect of an outer class calls that of its base
            original(self, *args, **options)
        else:
            _connect_to_upstream(self, tape, lambda: original(self, *args, **options))

    return connect


def _tapped_send(original: Callable[..., None]) -> Callable[..., None]:
    def send(self: Any, data: Any) -> None:  # noqa: ANN401 - any class of the family, anything that http.client sends
        tape = current()
        wire = None if tape is None else _wire(self)
        if tape is None or wire is None or wire.connecting:
            original(self, data)
            return
        if self.sock is None:
            wire.clear()
        if not tape.recording and type(self.sock) is not _FakeSocket:
            _plug_in_fake(self)
        for piece in (data,) if type(data) is bytes else _pieces(data, self.blocksize):
            wire.sent += piece
            if tape.recording:
                original(self, piece)
        if wire.exchange is None and wire.is_whole():
            # and not only when the answer is asked for: who sends all its requests first has them under way at once
            wire.leave(tape, _origin(self))

    return send


def _tapped_getresponse(original: Callable[..., Any]) -> Callable[..., Any]:
    def getresponse(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any class of the family
        tape = current()
        wire = self.__dict__.get("_tape_wire")
        if tape is None or wire is None or not wire.sent:
            return original(self, *args, **options)
        if wire.exchange is None:
            wire.leave(tape, _origin(self))
        exchange = wire.exchange
        wire.clear()
        if isinstance(exchange, BaseException):
            self.close()
            raise exchange
        assert exchange is not None  # noqa: S101 - it has begun
        if exchange.recorder is None:
            assert exchange.player is not None  # noqa: S101 - an exchange has one of the two
            return _serve(self, exchange.player, original)
        return _serve_recorded(self, _record(self, exchange.recorder, original), original)

    return getresponse


def _serve(connection: Any, player: Answer, original: Callable[..., Any]) -> Any:  # noqa: ANN401 - the client's own classes
    connection.sock = _FakeSocket(_Frames(player, connection._method))  # noqa: SLF001 - what http.client itself hands on
    try:
        return original(connection)
    finally:
        connection.sock = None


def _serve_recorded(connection: Any, player: Answer, original: Callable[..., Any]) -> Any:  # noqa: ANN401 - as above
    kept = connection.sock
    # the real answer has been read; the state before it comes back for the served one
    connection._HTTPConnection__state = "Request-sent"  # noqa: SLF001 - http.client keeps no public state
    connection._HTTPConnection__response = None  # noqa: SLF001 - as above
    # an early answer to "Expect: 100-continue" makes botocore parse the next one without its status line
    early = connection.__dict__.get("_original_response_cls")
    if early is not None:
        connection.response_class = early
    response = _serve(connection, player, original)
    connection.sock = kept
    return response


def _record(connection: Any, recorder: Recorder, original: Callable[..., Any]) -> Answer:  # noqa: ANN401 - as above
    try:
        response = original(connection)
    except Exception as error:
        recorder.failed(described(error))
        raise
    recorder.head(response.status, response.reason, response.headers.items(), _framing(response))
    try:
        whole = _read(response, recorder)
    except (http.client.HTTPException, OSError) as error:
        connection.close()
        return recorder.cut(described(error))
    if not whole:
        connection.close()
    if whole and response.length:
        connection.close()
        return recorder.cut(f"IncompleteRead: {response.length} more bytes expected")
    response.close()
    return recorder.end()


def _read(response: http.client.HTTPResponse, recorder: Recorder) -> bool:
    while data := response.read1(_READ_SIZE):
        if not recorder.arrived(data):
            return False
    return True


def _framing(response: http.client.HTTPResponse) -> Framing:
    if response.chunked:
        return "chunked"
    return "close" if response.length is None else "length"


def _connect_to_upstream(connection: Any, tape: Tape, connect: Callable[[], None]) -> None:  # noqa: ANN401 - as above
    wire = _wire(connection)
    wire.connecting = True
    try:
        address = tape.dial(*_place(connection))
        if address is None:
            connect()
        else:
            connection.sock = socket.create_connection(address, connection.timeout)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _call_verified(connection)
    except Exception as error:
        _note_no_connection(connection, tape, error)
        raise
    finally:
        wire.connecting = False


def _note_no_connection(connection: Any, tape: Tape, error: Exception) -> None:  # noqa: ANN401 - as above
    exchange = tape.send(_unsent(connection), "sync")
    if exchange.recorder is not None:
        exchange.recorder.failed(described(error))


def _unsent(connection: Any) -> Request:  # noqa: ANN401 - as above
    sent, base = bytes(_wire(connection).sent), _origin(connection)
    # urllib3 opens a TLS connection before it says what it wants
    return parse_request(sent or b"CONNECT / HTTP/1.1\r\n\r\n", base)


def _plug_in_fake(connection: Any) -> None:  # noqa: ANN401 - as above
    if connection.sock is not None:
        connection.sock.close()
    connection.sock = _FakeSocket()
    _call_verified(connection)


def _call_verified(connection: Any) -> None:  # noqa: ANN401 - as above
    # urllib3 would otherwise warn about a TLS connection that was never made
    if hasattr(connection, "is_verified"):
        connection.is_verified = True
    if getattr(connection, "proxy", None):
        connection.proxy_is_verified = True
        connection._has_connected_to_proxy = True  # noqa: SLF001 - urllib3 sets it in its own connect


def _place(connection: Any) -> tuple[str, str, int]:  # noqa: ANN401 - as above
    scheme = "https" if connection.default_port == _HTTPS_PORT else "http"
    if connection._tunnel_host:  # noqa: SLF001 - http.client has no public name for it
        return scheme, connection._tunnel_host, connection._tunnel_port  # noqa: SLF001 - as above
    return scheme, connection.host, connection.port


def _origin(connection: Any) -> str:  # noqa: ANN401 - as above
    return origin(*_place(connection))


def _pieces(data: Any, blocksize: int) -> Iterator[bytes]:  # noqa: ANN401 - whatever http.client sends
    if hasattr(data, "read"):
        while block := data.read(blocksize):
            yield block.encode("iso-8859-1") if isinstance(block, str) else bytes(block)
    elif isinstance(data, str):
        yield data.encode("iso-8859-1")
    elif isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
    else:
        for part in data:
            yield bytes(part)

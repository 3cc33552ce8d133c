"""
The tap on aiohttp: between its requests and its connections.

Everything that a session does (addresses, redirects, cookies, authorisation, middlewares, time
keeping) and everything that a response does is aiohttp's own. Only the connection is not: it
hands out the head at once and the body arrival by arrival, to whoever pulls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiohttp import ClientError, ClientPayloadError, ClientRequest, HttpVersion11, hdrs, http_exceptions
from aiohttp.connector import BaseConnector
from aiohttp.streams import StreamReader
from multidict import CIMultiDict, CIMultiDictProxy

from harness.errors import described
from harness.tape.clients.aiohttp_bodies import collect, put_body
from harness.tape.clients.message import has_body, new_request
from harness.tape.clients.openings import Openings
from harness.tape.clients.patching import accepted
from harness.tape.clients.unhurried import to_the_end
from harness.tape.player import AnswerCut
from harness.tape.tape import current

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from types import ModuleType

    from aiohttp import ClientResponse
    from vcr.request import Request
    from yarl import URL

    from harness.tape.clients.patching import Patches
    from harness.tape.player import Answer, Framing
    from harness.tape.tape import Recorder, Tape

_LINE_LIMIT: Final = 2**16
"""Bytes; aiohttp's own default for `read_bufsize` before 3.14."""


def tap(patches: Patches, library: ModuleType) -> None:  # noqa: ARG001 - the taps share one signature
    """
    Tap how a connector connects and closes, and how a request is sent over what it returns.
    """
    patches.replace(BaseConnector, "connect", _tapped_connect)
    patches.replace(BaseConnector, "_close", _tapped_close)
    patches.replace(ClientRequest, "send", _tapped_send)


class _Head(NamedTuple):
    version: Any
    code: int
    reason: str
    headers: CIMultiDictProxy[str]
    raw_headers: tuple[tuple[bytes, bytes], ...]


class _Connection:
    """
    Be the connection and its protocol for one request.

    Attributes:
        real: the connection to the upstream while recording, otherwise None.
    """

    upgraded = False
    should_close = False
    writing_paused = False
    _reading_paused = False

    def __init__(self, tape: Tape, loop: asyncio.AbstractEventLoop, real: Any = None) -> None:  # noqa: ANN401 - aiohttp's Connection
        self.tape = tape
        self.real = real
        self.loop = loop
        self.options: dict[str, Any] = {}
        self.connected = True
        self._answer: tuple[_Head, StreamReader] | None = None
        self._player: Answer | None = None
        self._callbacks: list[Callable[[], None]] = []

    @property
    def protocol(self) -> _Connection:
        """
        Return itself: nothing is gained by two objects.
        """
        return self

    @property
    def transport(self) -> _Connection:
        """
        Return something that is not None, which is all that is asked.
        """
        return self

    @property
    def closed(self) -> bool:
        """
        Tell whether the connection was given back.
        """
        return not self.connected

    def set_response_params(self, **options: Any) -> None:  # noqa: ANN401 - they differ between releases
        """
        Keep how the answer is to be read.
        """
        self.options = options

    def answer(self, method: str, player: Answer) -> None:
        """
        Take the answer that `read` will return.
        """
        self._player = player
        body = has_body(method, player.status)
        pairs = player.headers
        headers = CIMultiDictProxy(CIMultiDict(pairs))
        raw = tuple([(name.encode(), value.encode()) for name, value in pairs])
        head = _Head(HttpVersion11, player.status, player.reason, headers, raw)
        limit = self.options.get("read_bufsize") or _LINE_LIMIT
        self._answer = head, _TapeStream(self, player, limit=limit, body=body)

    async def read(self) -> tuple[_Head, StreamReader]:
        """
        Return head and body of the answer.
        """
        assert self._answer is not None  # noqa: S101 - the request was sent before
        return self._answer

    def add_callback(self, callback: Callable[[], None]) -> None:
        """
        Call this when the connection is given back.
        """
        self._callbacks.append(callback)

    def release(self) -> None:
        """
        Take the connection back.
        """
        self.connected = False
        if self._player is not None:
            self._player.close()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def lose(self) -> None:
        """
        Lose what has not come yet, since the connector closes.
        """
        self.connected = False
        if self._player is not None:
            self._player.close()

    def close(self) -> None:
        """
        Take the connection back; with the upstream's, where no answer has come yet.
        """
        if self.real is not None and self._answer is None:
            self.real.close()
        self.release()

    def is_connected(self) -> bool:
        """
        Tell whether the connection is in use.
        """
        return self.connected

    def start_timeout(self) -> None:
        """
        Accept that time is running; here it does not.
        """

    def pause_reading(self) -> None:
        """
        Accept a pause; nothing is read ahead.
        """

    def resume_reading(self, *_: object, **__: object) -> None:
        """
        Accept the end of a pause.
        """


_open: Final = Openings[_Connection]()
"""The connections that a connector takes with it when it closes."""


class _TapeStream(StreamReader):
    """
    Be a body that is pulled from the player by the task that waits for it.
    """

    def __init__(self, connection: _Connection, player: Answer, *, limit: int, body: bool) -> None:
        super().__init__(connection, limit, loop=connection.loop)  # type: ignore[arg-type]  # it stands in for a protocol
        self._connection = connection
        self._player = player
        self._at_once = player.at_once
        self._chunked = player.framing == "chunked"
        self._left = player.body_length if player.framing == "length" and player.cut is None else -1
        if self._chunked:
            self.begin_http_chunk_receiving()
        if not body or not self._left:
            self.feed_eof()

    async def _wait(self, func_name: str) -> None:  # noqa: ARG002 - the signature of the base
        piece = await self._pull()
        if piece is None:
            return
        self.feed_data(piece)
        if self._chunked:
            self.end_http_chunk_receiving()
        self._note_received(len(piece))

    async def _pull(self) -> bytes | None:
        if not self._connection.connected:
            # what aiohttp says itself
            raise RuntimeError("Connection closed.")
        try:
            piece = self._at_once("async")
            if piece is ...:
                piece = await self._player.anext()
        except AnswerCut as cut:
            raise self._broken(cut) from cut
        if piece is None:
            self.feed_eof()
        return piece

    def _broken(self, cut: AnswerCut) -> ClientPayloadError:
        error = ClientPayloadError(f"Response payload is not completed: {self._missing()!r}")
        error.__cause__ = cut  # also for those who ask the stream for it
        self.set_exception(error)
        return error

    def _note_received(self, size: int) -> None:
        if self._left > 0:
            self._left -= size
            if not self._left:
                # of a body whose length is known the parser sees the end with the last byte
                self.feed_eof()

    async def readany(self) -> bytes:
        """
        Return what has arrived, or pull; an arrival that is asked for on its own need not go through the buffer.
        """
        if self._buffer or self._eof or self._exception is not None:
            return await super().readany()
        if not self._connection.connected:
            return await super().readany()
        try:
            piece = self._at_once("async")
        except AnswerCut as cut:
            raise self._broken(cut) from cut
        if piece is ...:
            piece = await self._pull()
        if piece is None:
            self.feed_eof()
            return b""
        size = len(piece)
        self.total_bytes += size
        self._cursor += size
        if self._chunked:
            # as after the buffer was emptied: only the end of the last chunk is still to be told
            splits: Any = self._http_chunk_splits
            splits.clear()
            splits.append(self.total_bytes)
        if self._left > 0:
            self._note_received(size)
        return piece

    async def wait_eof(self) -> None:
        """
        Pull until the end, since nobody else does.
        """
        while not self._eof:
            await self._wait("wait_eof")

    def _missing(self) -> http_exceptions.HttpProcessingError:
        if self._chunked:
            return http_exceptions.TransferEncodingError("Not enough data to satisfy transfer length header.")
        return http_exceptions.ContentLengthError("Not enough data to satisfy content length header.")


class _Sent:
    """
    Stand for the writer of a request that has been sent.
    """

    output_size = 0


def _tapped_connect(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def connect(self: Any, req: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - aiohttp's own classes
        tape = current()
        if tape is None or (tape.recording and hdrs.UPGRADE in req.headers):
            # a websocket is no exchange that a tape could keep
            return await original(self, req, *args, **options)
        if hdrs.UPGRADE in req.headers:
            tape.refuse(_request(req, b""), "aiohttp's websockets are not recorded: no recording answers them")
        if not tape.recording:
            return _open.add(self, _Connection(tape, req.loop))
        own = _redirect(tape, req)
        try:
            real = await original(self, req, *args, **options)
        except Exception as error:
            req.url = own
            exchange = tape.send(_request(req, await collect(req)), "async")
            if exchange.recorder is not None:
                exchange.recorder.failed(described(error))
            raise
        finally:
            req.url = own
        return _open.add(self, _Connection(tape, req.loop, real))

    return connect


def _tapped_close(original: Callable[..., Any]) -> Callable[..., Any]:
    def close(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - aiohttp's own classes
        _open.lose(self)
        return original(self, *args, **options)

    return close


def _tapped_send(original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def send(self: Any, conn: Any) -> Any:  # noqa: ANN401 - aiohttp's own classes
        if type(conn) is not _Connection:
            return await original(self, conn)
        body = await collect(self)
        exchange = conn.tape.send(_request(self, body), "async")
        player: Any = exchange.player
        if exchange.opening is not None:
            await exchange.opening()
        if exchange.recorder is not None:
            put_body(self, body)
            taking = _record(exchange.recorder, conn, lambda: original(self, conn.real))
            player = await to_the_end(taking)
        conn.answer(self.method, player)
        self.response = _response(self)
        return self.response

    return send


async def _record(recorder: Recorder, connection: _Connection, send: Callable[[], Awaitable[Any]]) -> Answer:
    real = connection.real
    real.protocol.set_response_params(**connection.options)
    try:
        response = await send()
        await response.start(real)
    except Exception as error:
        recorder.failed(described(error))
        raise
    recorder.head(*_head(response, decoded=bool(connection.options.get("auto_decompress", True))))
    try:
        whole = await _read(response, recorder)
    except (ClientError, OSError, TimeoutError) as error:
        response.close()
        return recorder.cut(described(error))
    if not whole:
        response.close()
    response.release()
    return recorder.end()


async def _read(response: ClientResponse, recorder: Recorder) -> bool:
    while data := await response.content.readany():
        if not recorder.arrived(data):
            return False
    return True


def _head(response: ClientResponse, *, decoded: bool) -> tuple[int, str, list[tuple[str, str]], Framing]:
    headers = list(response.headers.items())
    framing: Framing = "close"
    if hdrs.TRANSFER_ENCODING in response.headers:
        framing = "chunked"
    elif hdrs.CONTENT_LENGTH in response.headers:
        framing = "length"
    if decoded:
        # aiohttp's parser has undone it, below everything that can be tapped
        headers = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
    return response.status, response.reason or "", headers, framing


def _response(request: Any) -> Any:  # noqa: ANN401 - aiohttp's own classes, or classes derived from them
    offered = {
        "writer": None,
        "continue100": None,
        "timer": request._timer,  # noqa: SLF001 - what aiohttp itself hands on
        "request_info": request.request_info,
        "traces": request._traces,  # noqa: SLF001 - as above
        "loop": request.loop,
        "session": request._session,  # noqa: SLF001 - as above
        "stream_writer": _Sent,
    }
    return request.response_class(request.method, request.original_url, **accepted(request.response_class, offered))


def _request(request: Any, body: bytes) -> Request:  # noqa: ANN401 - as above
    return new_request(request.method, str(request.url), body, request.headers.items())


def _redirect(tape: Tape, request: Any) -> URL:  # noqa: ANN401 - as above
    url: URL = request.url
    address = tape.dial(url.scheme, url.host or "", url.port or 0)
    if address is not None:
        request.url = url.with_scheme("http").with_host(address[0]).with_port(address[1])
    return url

"""
The tap on httpx and httpx2, which share one shape: at their transports, with a stream object.

Nothing above the transport is bypassed, so items come out as they do live; below it there is
only the wire format, whose pieces the tape has kept.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from harness.errors import described
from harness.tape.clients.message import declared_length, has_body, new_request
from harness.tape.clients.openings import Openings
from harness.tape.clients.unhurried import to_the_end
from harness.tape.player import AnswerCut
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from types import ModuleType

    from vcr.request import Request

    from harness.tape.clients.patching import Patches
    from harness.tape.player import Answer, Framing
    from harness.tape.tape import Recorder, Tape

_IMPORTED_LATE: Final = {
    "httpx": ("httpcore", "anyio._backends._asyncio"),
    "httpx2": ("httpcore2", "anyio._backends._asyncio"),
}
"""
What the first requests import: 55 ms of each cell, and two loops in two threads can meet a backend half-imported.
"""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LEAVES: Final = ".send_request_headers.started"
_TOO_SHORT: Final = "peer closed connection without sending complete message body"


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap both transports of one of the two libraries, and import what it would import late.
    """
    for name in _IMPORTED_LATE[library.__name__]:
        with suppress(ImportError):
            import_module(name)
    shape = _Shape(library)
    patches.replace(library.HTTPTransport, "handle_request", shape.tapped)
    patches.replace(library.AsyncHTTPTransport, "handle_async_request", shape.tapped_async)
    for name in ("close", "__exit__"):
        patches.replace(library.HTTPTransport, name, shape.closing)
    for name in ("aclose", "__aexit__"):
        patches.replace(library.AsyncHTTPTransport, name, shape.aclosing)


class _Shape:
    """
    Hold one library's classes and what the tap does with them.
    """

    def __init__(self, library: ModuleType) -> None:
        self._library: Any = library
        self._open: Openings[_Stream] = Openings()
        self._sync_stream: Any = type("TapeStream", (_Pull, library.SyncByteStream), {"_library": library})
        self._async_stream: Any = type("AsyncTapeStream", (_AsyncPull, library.AsyncByteStream), {"_library": library})

    def tapped(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """
        Return what stands in for the synchronous transport's method.
        """

        def handle_request(transport: Any, request: Any) -> Any:  # noqa: ANN401 - the library's own classes
            tape = current()
            if tape is None:
                return original(transport, request)
            body = b"".join(request.stream)
            request.stream = self._library.ByteStream(body)
            exchange = tape.send(_request(request, body), "sync")
            player = exchange.player
            if exchange.recorder is not None:
                player = self._record(exchange.recorder, tape, request, lambda: original(transport, request))
            return self._response(transport, request, player, self._sync_stream)

        return handle_request

    def tapped_async(self, original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """
        Return what stands in for the asynchronous transport's method.
        """

        async def handle_async_request(transport: Any, request: Any) -> Any:  # noqa: ANN401 - as above
            tape = current()
            if tape is None:
                return await original(transport, request)
            body = b"".join([part async for part in request.stream])
            request.stream = self._library.ByteStream(body)
            exchange = tape.send(_request(request, body), "async")
            player = exchange.player
            if exchange.opening is not None:
                await exchange.opening()
            if exchange.recorder is not None:
                taking = self._arecord(exchange.recorder, tape, request, lambda: original(transport, request))
                player = await to_the_end(taking)
            return self._response(transport, request, player, self._async_stream)

        return handle_async_request

    def closing(self, original: Callable[..., None]) -> Callable[..., None]:
        """
        Return what stands in for a way to close the synchronous transport, with the connections that are in use.
        """

        def close(transport: Any, *reason: object) -> None:  # noqa: ANN401 - as above
            self._open.lose(transport)
            original(transport, *reason)

        return close

    def aclosing(self, original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """
        Return what stands in for a way to close the asynchronous transport.
        """

        async def aclose(transport: Any, *reason: object) -> None:  # noqa: ANN401 - as above
            self._open.lose(transport)
            await original(transport, *reason)

        return aclose

    def _response(self, transport: Any, request: Any, player: Any, stream: Any) -> Any:  # noqa: ANN401 - as above
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": player.reason.encode("ascii", "replace")}
        body = has_body(request.method, player.status)
        made = self._open.add(transport, stream(player, body=body))
        return self._library.Response(player.status, headers=_headers(player), stream=made, extensions=extensions)

    def _record(self, recorder: Recorder, tape: Tape, request: Any, send: Callable[[], Any]) -> Answer:  # noqa: ANN401 - as above
        own, extensions = _redirect(tape, request), request.extensions
        request.extensions = {**extensions, "trace": _noting(recorder, extensions.get("trace"))}
        try:
            response = send()
        except Exception as error:
            recorder.failed(described(error))
            raise
        finally:
            request.url, request.extensions = own, extensions
        recorder.head(*_head(response))
        try:
            for part in response.stream:
                if not recorder.arrived(part):
                    break
        except self._library.TransportError as error:
            return recorder.cut(described(error))
        finally:
            response.stream.close()
        return recorder.end()

    async def _arecord(self, recorder: Recorder, tape: Tape, request: Any, send: Callable[[], Any]) -> Answer:  # noqa: ANN401 - as above
        own, extensions = _redirect(tape, request), request.extensions
        request.extensions = {**extensions, "trace": _anoting(recorder, extensions.get("trace"))}
        try:
            response = await send()
        except Exception as error:
            recorder.failed(described(error))
            raise
        finally:
            request.url, request.extensions = own, extensions
        recorder.head(*_head(response))
        try:
            async for part in response.stream:
                if not recorder.arrived(part):
                    break
        except self._library.TransportError as error:
            return recorder.cut(described(error))
        finally:
            await response.stream.aclose()
        return recorder.end()


class _Stream:
    """
    Hold what both kinds of stream need.
    """

    _library: Any

    def __init__(self, player: Answer, *, body: bool) -> None:
        self._player = player
        self._body = body
        self._lost = False

    def lose(self) -> None:
        """
        Lose what has not come yet, since the connection was closed together with its client.
        """
        self._lost = not self._player.exhausted
        self._player.close()

    def _require_open(self) -> None:
        if self._lost:
            raise self._library.ReadError("the client was closed before the answer was read")

    def _error(self, cut: AnswerCut) -> Exception:
        player = self._player
        if player.framing == "close":
            error: Exception = self._library.ReadError(str(cut))
        elif player.framing == "length":
            missing = f"(received {player.body_length} bytes, expected {declared_length(player)})"
            error = self._library.RemoteProtocolError(f"{_TOO_SHORT} {missing}")
        else:
            error = self._library.RemoteProtocolError(f"{_TOO_SHORT} (incomplete chunked read)")
        return error


class _Pull(_Stream):
    """
    Pull one arrival an iteration from the player.
    """

    def __iter__(self) -> Iterator[bytes]:
        """
        Yield the arrivals.
        """
        if not self._body:
            return
        pull = self._player.next
        try:
            self._require_open()
            while (piece := pull("sync")) is not None:
                yield piece
                self._require_open()
        except AnswerCut as cut:
            raise self._error(cut) from cut
        except BaseException:
            # the real stream closes itself when its reader is dropped or fails
            self._player.close()
            raise

    def close(self) -> None:
        """
        Tell the player that no more is wanted.
        """
        self._player.close()


class _AsyncPull(_Stream):
    """
    Pull one arrival an iteration from the player, on the loop of the puller.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """
        Yield the arrivals.
        """
        if not self._body:
            return
        player = self._player
        try:
            self._require_open()
            while (piece := player.at_once("async")) is not None:
                if piece is ...:
                    piece = await player.anext()
                    if piece is None:
                        return
                yield piece
                self._require_open()
        except AnswerCut as cut:
            raise self._error(cut) from cut
        except BaseException:
            # as above
            player.close()
            raise

    async def aclose(self) -> None:
        """
        Tell the player that no more is wanted.
        """
        self._player.close()


def _request(request: Any, body: bytes) -> Request:  # noqa: ANN401 - either library's request
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return new_request(request.method, str(request.url), body, headers)


def _headers(player: Answer) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in player.headers]


def _redirect(tape: Tape, request: Any) -> Any:  # noqa: ANN401 - either library's URL
    url = request.url
    address = tape.dial(url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme, 0))
    if address is not None:
        request.url = url.copy_with(scheme="http", host=address[0], port=address[1])
    return url


def _noting(recorder: Recorder, trace: Callable[[str, Any], None] | None) -> Callable[[str, Any], None]:
    """
    Return a trace that notes when the request leaves: before that, it may wait for one of few connections.
    """

    def note(name: str, info: Any) -> None:  # noqa: ANN401 - the library's own
        if name.endswith(_LEAVES):
            recorder.leaves()
        if trace is not None:
            trace(name, info)

    return note


def _anoting(
    recorder: Recorder, trace: Callable[[str, Any], Awaitable[None]] | None
) -> Callable[[str, Any], Awaitable[None]]:
    note = _noting(recorder, None)

    async def anote(name: str, info: Any) -> None:  # noqa: ANN401 - the library's own
        note(name, info)
        if trace is not None:
            await trace(name, info)

    return anote


def _head(response: Any) -> tuple[int, str, list[tuple[str, str]], Framing]:  # noqa: ANN401 - either library's response
    headers = response.headers
    framing: Framing = "close"
    if "transfer-encoding" in headers or response.http_version == "HTTP/2":
        framing = "chunked"
    elif "content-length" in headers:
        framing = "length"
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw]
    return response.status_code, response.reason_phrase, pairs, framing

"""A program's upstream: what it asks is answered from the cassette of the call under way, or is recorded into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from harness.errors import described
from harness.serve.log import clock
from harness.serve.playback import LARGEST_REQUEST, Playback, missed, read, told
from harness.tape.tape import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.programs.visit import Visit
    from harness.tape.player import Answer, Framing
    from harness.tape.tape import Recorder, Tape

_OWN: Final = frozenset(
    "connection content-length host keep-alive proxy-authorization te transfer-encoding upgrade".split()
)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Upstream:
    """
    Answer a program.

    Args:
        origin: scheme and host of what it believes to ask.
        visit: returns the call under way, if there is one.
        session: asks the real upstream, or its simulator, while recording.
    """

    def __init__(self, origin: str, visit: Callable[[], Visit | None], session: aiohttp.ClientSession) -> None:
        self._origin = origin
        self._visit = visit
        self._session = session
        self._playback = Playback(frozenset({origin}))

    def application(self) -> web.Application:
        """
        Return what aiohttp serves.
        """
        application = web.Application(client_max_size=LARGEST_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        visit = self._visit()
        if visit is None or visit.over:
            # what a program asks at its start, or after a call, is its own affair
            return told("no call is under way", 404)
        came = clock()
        asked = await read(request, self._origin)
        try:
            exchange = visit.tape.send(asked, "async")
        except ReplayMiss as miss:
            return missed(str(miss))
        player = exchange.player
        if exchange.recorder is not None:
            player = await self._record(exchange.recorder, visit.tape, request)
        if player is None:
            return told("the upstream cannot be reached", 502)
        player.reckon_from(came)
        try:
            return await self._playback.play(player, request)
        finally:
            player.close()

    async def _record(self, recorder: Recorder, tape: Tape, request: web.Request) -> Answer | None:
        """
        Ask the real upstream and read all of its answer; None where there is none.
        """
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _OWN]
        headers.append(("Host", urlsplit(self._origin).netloc))
        body, method = await request.read(), request.method
        url = URL(f"{self._led(tape)}{request.raw_path}", encoded=True)
        try:
            response = await self._session.request(method, url, data=body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            recorder.failed(described(error))
            return None
        async with response:
            recorder.head(response.status, response.reason or "", list(response.headers.items()), _framing(response))
            try:
                async for piece in response.content.iter_any():
                    if not recorder.arrived(piece):
                        break
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                return recorder.cut(described(error))
        return recorder.end()

    def _led(self, tape: Tape) -> str:
        parts = urlsplit(self._origin)
        address = tape.dial(parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme])
        return self._origin if address is None else f"http://{address[0]}:{address[1]}"


def new_session() -> aiohttp.ClientSession:
    """
    Return what asks: patient, and without a connection that is kept.
    """
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=None)
    return aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)


def _framing(response: aiohttp.ClientResponse) -> Framing:
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return "chunked"
    return "length" if "Content-Length" in response.headers else "close"

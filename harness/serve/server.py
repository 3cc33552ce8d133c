"""The server: aiohttp's, which plays recordings as they were sent, piece by piece."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import struct
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web
from vcr.request import Request

from harness.serve.gates import Lockstep
from harness.serve.log import clock
from harness.serve.tape import ServedTape
from harness.tape.player import AnswerCut
from harness.tape.scrub import scrub_request
from harness.tape.tape import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.serve.log import ServerLog
    from harness.serve.recordings import Recordings
    from harness.tape.player import Player

CONTROL: Final = "/__harness__"
MISS: Final = 599
_MISDIRECTED: Final = 421
_LARGEST_REQUEST: Final = 64 * 2**20
_PATIENCE: Final = 30.0
"""Seconds that `next` waits for an arrival that it can release, where it is not told how long."""
_LINGER: Final = "hh" if os.name == "nt" else "ii"
_OF_THE_CONNECTION: Final = frozenset(
    "connection keep-alive proxy-authenticate proxy-connection te trailer transfer-encoding upgrade".split()
)
_ADDRESSES: Final = frozenset({"location", "operation-location"})


class Replayer:
    """
    Answer requests from recordings.

    Args:
        recordings: what is played.
        log: where the events go.
        pace: 0 for at once, otherwise the factor of the recorded pace.
        lockstep: hold each arrival until it is asked for.
        repeat: play a recording again when it is asked for again.
        any_host: answer whatever the Host header says.

    Attributes:
        missed: why no recording answers what was asked, and how often it was.
    """

    def __init__(  # noqa: PLR0913 - each is one option of the command
        self,
        recordings: Recordings,
        log: ServerLog,
        *,
        pace: float = 1.0,
        lockstep: bool = False,
        repeat: bool = False,
        any_host: bool = False,
    ) -> None:
        self._recordings = recordings
        self._gate = Lockstep() if lockstep else None
        self._tape = ServedTape(log, recordings, pace=pace, lockstep=self._gate, repeat=repeat)
        self._any_host = any_host
        self._log = log
        self._origins = recordings.origins
        self.missed: Counter[str] = Counter()

    def application(self) -> web.Application:
        """
        Return what aiohttp serves.
        """
        application = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[self._guarded])
        application.router.add_post(f"{CONTROL}/next", self._next)
        application.router.add_post(f"{CONTROL}/rewind", self._rewind)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """
        Refuse what a page of somebody else's may send by letting its own name lead to this machine.
        """
        host = request.headers.get("Host", "localhost")
        if self._any_host or is_loopback(host):
            return await handler(request)
        return _told(f"{host} is not the name of this server; ask 127.0.0.1 or localhost", _MISDIRECTED)

    async def _next(self, request: web.Request) -> web.Response:
        if self._gate is None:
            return _told("arrivals go at their own pace here; start the server with --lockstep", 409)
        try:
            wanted = int(request.query["request"]) if "request" in request.query else None
            patience = float(request.query.get("wait", _PATIENCE))
            fewest = int(request.query.get("held", 1))
        except ValueError:
            return _told("request is a number of the log, held a number of answers, and wait are seconds", 400)
        released = await self._gate.release(wanted, patience, fewest)
        if released is None:
            return _told(f"no arrival waits to be released, not within {patience:g} s", 409)
        return web.json_response(asdict(released))

    async def _rewind(self, _: web.Request) -> web.Response:
        self._tape.rewind()
        return web.json_response({"recordings": len(self._recordings.places)})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        came = clock()
        # of many that come at once, each is to have its moment before the first of them is looked up
        await asyncio.sleep(0)
        asked = await _read(request)
        self._log.came = came
        try:
            player = self._tape.send(asked, "async").player
        except ReplayMiss as miss:
            self.missed[str(miss)] += 1
            return _missed(str(miss))
        if player is None:  # pragma: no cover - a tape with a cassette always plays
            return _missed("this server only replays")
        player.reckon_from(came)
        try:
            return await self._played(player, request)
        finally:
            player.close()
            if self._gate is not None:
                self._gate.left(player.request)

    async def _played(self, player: Player, request: web.Request) -> web.StreamResponse:
        response = self._head(player, request)
        try:
            await response.prepare(request)
            while (piece := await player.anext()) is not None:
                await response.write(piece)
                if self._gate is not None:
                    self._gate.went(player.request)
            await response.write_eof()
        except AnswerCut:
            _cut(request, harshly=player.framing == "close")
        except ConnectionError:
            # the client has what it wanted and went away
            pass
        return response

    def _head(self, player: Player, request: web.Request) -> web.StreamResponse:
        kind = _ToTheEnd if player.framing == "close" else web.StreamResponse
        response = kind(status=player.status, reason=player.reason or None)
        for name, value in player.headers:
            if name.lower() not in _OF_THE_CONNECTION:
                response.headers.add(name, self._here(value, request) if name.lower() in _ADDRESSES else value)
        response.headers.setdefault("Server", "capability-harness")
        if player.framing == "close":
            response.force_close()
        elif player.framing == "chunked" and request.version >= (1, 1):
            response.enable_chunked_encoding()
        return response

    def _here(self, address: str, request: web.Request) -> str:
        """
        Return an address that was recorded, on this server: whoever follows it must not leave the machine.
        """
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            return address
        return urlunsplit(parts._replace(scheme="http", netloc=request.host))


class _ToTheEnd(web.StreamResponse):
    """
    A body that ends with its connection; aiohttp would cut it into chunks.
    """

    _length_check = False


def is_loopback(host: str) -> bool:
    """
    Tell whether a Host header names this machine, as seen from itself.
    """
    name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _read(request: web.Request) -> Request:
    uri = f"http://{request.host}{request.raw_path}"
    body = await request.read()
    # what a client authenticates itself with is gone before anything is kept of the request
    return scrub_request(Request(request.method, uri, body or None, dict(request.headers)))


def _cut(request: web.Request, *, harshly: bool) -> None:
    """
    Break the connection off in the middle of an answer, after what was written of it.

    Where only the connection's end tells the answer's, a plain one would look like it: such a connection is reset.
    """
    transport = request.transport
    if transport is None:
        return
    if harshly:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
    transport.close()


def _missed(why: str) -> web.Response:
    # the SDKs of OpenAI and Anthropic ask again and again otherwise
    return _told(why, MISS, {"x-should-retry": "false"}, kind="no_recording")


def _told(why: str, status: int, headers: dict[str, str] | None = None, *, kind: str = "harness") -> web.Response:
    error = {"message": why, "type": kind, "code": str(status)}
    reason = "No Recording" if status == MISS else None
    return web.json_response({"error": error}, status=status, reason=reason, headers=headers)

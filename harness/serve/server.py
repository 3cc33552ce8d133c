"""The server: aiohttp's, which plays recordings as they were sent, piece by piece."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

from harness.serve.gates import Lockstep
from harness.serve.log import clock
from harness.serve.playback import LARGEST_REQUEST, Playback, missed, read, told
from harness.serve.tape import ServedTape
from harness.tape.tape import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from harness.serve.log import ServerLog
    from harness.serve.recordings import Recordings

CONTROL: Final = "/__harness__"
_MISDIRECTED: Final = 421
_PATIENCE: Final = 30.0
"""Seconds that `next` waits for an arrival that it can release, where it is not told how long."""


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
        self._playback = Playback(recordings.origins, self._went)
        self.missed: Counter[str] = Counter()

    def application(self) -> web.Application:
        """
        Return what aiohttp serves.
        """
        application = web.Application(client_max_size=LARGEST_REQUEST, middlewares=[self._guarded])
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
        return told(f"{host} is not the name of this server; ask 127.0.0.1 or localhost", _MISDIRECTED)

    async def _next(self, request: web.Request) -> web.Response:
        if self._gate is None:
            return told("arrivals go at their own pace here; start the server with --lockstep", 409)
        try:
            wanted = int(request.query["request"]) if "request" in request.query else None
            patience = float(request.query.get("wait", _PATIENCE))
            fewest = int(request.query.get("held", 1))
        except ValueError:
            return told("request is a number of the log, held a number of answers, and wait are seconds", 400)
        released = await self._gate.release(wanted, patience, fewest)
        if released is None:
            return told(f"no arrival waits to be released, not within {patience:g} s", 409)
        return web.json_response(asdict(released))

    async def _rewind(self, _: web.Request) -> web.Response:
        self._tape.rewind()
        return web.json_response({"recordings": len(self._recordings.places)})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        came = clock()
        # of many that come at once, each is to have its moment before the first of them is looked up
        await asyncio.sleep(0)
        asked = await read(request, f"http://{request.host}")
        self._log.came = came
        try:
            player = self._tape.send(asked, "async").player
        except ReplayMiss as miss:
            self.missed[str(miss)] += 1
            return missed(str(miss))
        if player is None:  # pragma: no cover - a tape with a cassette always plays
            return missed("this server only replays")
        player.reckon_from(came)
        try:
            return await self._playback.play(player, request)
        finally:
            player.close()
            if self._gate is not None:
                self._gate.left(player.request)

    def _went(self, request: int) -> None:
        if self._gate is not None:
            self._gate.went(request)


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

"""Recorded answers on the wire: as they were sent, piece by piece, by aiohttp's server."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web
from vcr.request import Request

from harness.tape.player import AnswerCut
from harness.tape.scrub import scrub_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tape.player import Answer

MISS: Final = 599
LARGEST_REQUEST: Final = 64 * 2**20
_LINGER: Final = "hh" if os.name == "nt" else "ii"
_OF_THE_CONNECTION: Final = frozenset(
    "connection keep-alive proxy-authenticate proxy-connection te trailer transfer-encoding upgrade".split()
)
_ADDRESSES: Final = frozenset({"location", "operation-location"})


class Playback:
    """
    Write recorded answers to their clients.

    Args:
        origins: scheme and host of what was recorded: an address there is led here.
        went: is told the request's number when an arrival was written.
    """

    def __init__(self, origins: frozenset[str], went: Callable[[int], None] = lambda _: None) -> None:
        self._origins = origins
        self._went = went

    async def play(self, player: Answer, request: web.Request) -> web.StreamResponse:
        """
        Answer a request with a recording.
        """
        response = self._head(player, request)
        try:
            await response.prepare(request)
            while (piece := await player.anext()) is not None:
                await response.write(piece)
                self._went(player.request)
            await response.write_eof()
        except AnswerCut:
            _cut(request, harshly=player.framing == "close")
        except ConnectionError:
            # the client has what it wanted and went away
            pass
        return response

    def _head(self, player: Answer, request: web.Request) -> web.StreamResponse:
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


async def read(request: web.Request, origin: str) -> Request:
    """
    Return a request as the tape knows it, without what its client authenticates itself with.

    Args:
        request: as it came.
        origin: scheme and host that it stands for.
    """
    uri = f"{origin}{request.raw_path}"
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


def missed(why: str) -> web.Response:
    """
    Answer what no recording answers.
    """
    # the SDKs of OpenAI and Anthropic ask again and again otherwise
    return told(why, MISS, {"x-should-retry": "false"}, kind="no_recording")


def told(why: str, status: int, headers: dict[str, str] | None = None, *, kind: str = "harness") -> web.Response:
    """
    Answer with an error, in the shape that OpenAI's SDK reads the message from.
    """
    error = {"message": why, "type": kind, "code": str(status)}
    reason = "No Recording" if status == MISS else None
    return web.json_response({"error": error}, status=status, reason=reason, headers=headers)

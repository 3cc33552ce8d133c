"""
A proxy in one of the ways in which proxies treat a stream: `zoo_program.py KIND PORT UPSTREAM KEY`.

It asks the upstream what it is asked, and takes its own key only.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


async def honest(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """
    Pass on what comes, when it comes.
    """
    async for piece in response.content.iter_any():
        yield piece


async def collects(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """
    Read everything, and then pass it on event by event.
    """
    for event in (await response.read()).split(b"\n\n"):
        if event:
            yield event + b"\n\n"


async def joins(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """
    Read everything, and pass on one event with all of the text.
    """
    events = [one.removeprefix(b"data: ") for one in (await response.read()).split(b"\n\n") if one]
    found = [json.loads(one) for one in events if one != b"[DONE]"]
    text = "".join(one["choices"][0]["text"] for one in found)
    found[0]["choices"][0]["text"] = text
    yield b"data: " + json.dumps(found[0]).encode() + b"\n\ndata: [DONE]\n\n"


async def dies(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """
    Pass on the first piece, and be killed.
    """
    async for piece in response.content.iter_any():
        yield piece
        os.kill(os.getpid(), 9)


async def hushes(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """
    Pass on what comes, and end the answer as if it were whole where the upstream breaks off.
    """
    with suppress(aiohttp.ClientError):
        async for piece in honest(response):
            yield piece


KINDS: dict[str, Callable[[aiohttp.ClientResponse], AsyncIterator[bytes]]] = {
    "honest": honest,
    "collects": collects,
    "joins": joins,
    "dies": dies,
    "hushes": hushes,
}


class Proxy:
    """
    Pass requests on, and answers back.
    """

    def __init__(self, kind: str, upstream: str, key: str) -> None:
        self._passes = KINDS[kind]
        self._upstream = upstream
        self._key = key

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """
        Answer one request.
        """
        if request.path == "/up":
            return web.Response(text="up")
        if self._key and request.headers.get("Authorization") != f"Bearer {self._key}":
            return web.json_response({"error": "no such key"}, status=int(os.environ.get("ZOO_REFUSES", "401")))
        body = await request.read()
        kept = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.request(
                request.method, self._upstream + request.raw_path, data=body or None, headers=kept
            ) as found,
        ):
            return await self._pass_on(found, request)

    async def _pass_on(self, found: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
        kind = found.headers.get("Content-Type", "")
        if found.headers.get("Transfer-Encoding") != "chunked":
            return web.Response(status=found.status, body=await found.read(), headers={"Content-Type": kind})
        response = web.StreamResponse(status=found.status, headers={"Content-Type": kind})
        response.enable_chunked_encoding()
        await response.prepare(request)
        async for piece in self._passes(found):
            await response.write(piece)
        await response.write_eof()
        return response


def main(kind: str, port: int, upstream: str, key: str = "") -> None:
    """
    Serve.
    """
    proxy = Proxy(kind, upstream, key)
    application: Any = web.Application()
    application.router.add_route("*", "/{path:.*}", proxy.answer)
    web.run_app(application, host="127.0.0.1", port=port, print=None, handle_signals=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], *sys.argv[4:])

"""
HTTP servers of this project: aiohttp's, which answer a request that says twice what may be said once.

A sender must not repeat a field such as Content-Type or User-Agent (RFC 9110, 5.3), and some do, LiteLLM among them.
What a recipient does then is left to it: 8.3 tells of those that take the last value, the servers of Go and Node take
the first. aiohttp's refuses, before anybody sees the request, so that nothing could be learned of who asks like that.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

BACKLOG: Final = 128
_GRACE: Final = 0.2
"""Seconds that unfinished answers may still take when a server ends."""
_NEVER_JOINED: Final = frozenset({b"content-length", b"cookie", b"host", b"transfer-encoding"})
"""Fields that say where a request ends and whom it is for, which is not guessed; and one that is joined otherwise."""


@contextlib.asynccontextmanager
async def listening(
    application: web.Application, listener: socket.socket, *, backlog: int = BACKLOG
) -> AsyncIterator[None]:
    """
    Serve an application at a socket, while the `async with` block lasts.

    Args:
        application: what answers.
        listener: where; it is closed at the end.
        backlog: how many connections may wait.
    """
    # an answer whose client went away, or whose server ends, has nobody to wait for
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_GRACE, handler_cancellation=True)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101 - it was set up
        factory = _patient(runner.server)
        server = await asyncio.get_running_loop().create_server(factory, sock=listener, backlog=backlog)
        try:
            yield
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _patient(server: Callable[[], web.RequestHandler]) -> Callable[[], web.RequestHandler]:
    """
    Return what makes the handler of a connection, with a parser that joins what is repeated.
    """

    def connected() -> web.RequestHandler:
        handler = server()
        for slot in _slots(handler):
            if isinstance(getattr(handler, slot, None), HttpRequestParser):
                setattr(handler, slot, _Joining(handler, asyncio.get_running_loop()))
        return handler

    return connected


def _slots(handler: web.RequestHandler) -> Iterator[str]:
    # it has another name in each of aiohttp's releases
    return (name for kind in type(handler).__mro__ for name in getattr(kind, "__slots__", ()))


class _Joining(HttpRequestParserPy):
    """
    Parse requests by aiohttp's parser in Python: the one in C cannot be told to be lenient.

    The head of an ordinary request takes it 42 us instead of 7.
    """

    def __init__(self, handler: web.RequestHandler, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(handler, loop, payload_exception=web.RequestPayloadError)

    def parse_headers(self, lines: Sequence[bytes]) -> Any:  # noqa: ANN401 - a tuple that differs between releases
        """
        Parse the lines of a head, those of one field as a single one.
        """
        return super().parse_headers(joined(lines))


def joined(lines: Sequence[bytes]) -> list[bytes]:
    """
    Join the lines of one field in their order, as RFC 9110, 5.3 lets a recipient do, and as the tape keeps them.
    """
    kept: list[bytes] = []
    places: dict[bytes, int] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        place = places.setdefault(name.lower(), len(kept))
        if place == len(kept) or name.lower() in _NEVER_JOINED or not name:
            kept.append(line)
        else:
            kept[place] += b", " + value.strip(b" \t")
    return kept

"""A simulator: the server in a thread of its own, and the way there for a tape that records."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from harness.errors import LibraryMissingError
from harness.simulators.answers import CODE_WORD, compose
from harness.simulators.shapes import Shape, usual_netloc
from harness.simulators.tables import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from harness.simulators.answers import Answer
    from harness.simulators.grpc_server import GrpcServer
    from harness.simulators.server import Provider

_TURNS = 6
"""Turns of the loop in which a connection is surely accepted."""


class Simulator:
    """
    Answer for providers on loopback, while the `with` block lasts.

    Args:
        shapes: the wire formats by name.
        pace: what the providers' times are multiplied by; 1 is realistic, 0 waits for nothing.
        any_host: the name of the shape that also answers for hosts that no shape stands for.
        code_word: the regular expression that code words match.
        words: how many words an answer has at least, where that is not the usual number.

    Raises:
        ShapeError: two shapes claim the same route.
        LibraryMissingError: the server's library is not installed.
    """

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        *,
        pace: float = 1.0,
        any_host: str | None = None,
        code_word: str = CODE_WORD,
        words: int | None = None,
    ) -> None:
        _refuse_rivals(shapes)
        if any_host is not None and any_host not in shapes:
            raise ShapeError(f"there is no shape {any_host!r}", hint=f"one of {', '.join(sorted(shapes))}")
        self._shapes = shapes
        self._provider = _provider(shapes, pace, any_host, partial(compose, code_word=code_word, words=words))
        self._address: tuple[str, int] | None = None
        self._grpc_address: tuple[str, int] | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._loop and self._stop:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def address(self) -> tuple[str, int]:
        """
        Return the address and the port that it listens at.

        Raises:
            RuntimeError: outside of the `with` block.
        """
        if self._address is None:
            msg = "the simulator is not running; use it in a with statement"
            raise RuntimeError(msg)
        return self._address

    @property
    def way(self) -> str:
        """
        Return where a recording's tape is to connect: the server's address, and that of the one for gRPC.
        """
        web = "{}:{}".format(*self.address)
        return web if self._grpc_address is None else "{} grpc={}:{}".format(web, *self._grpc_address)

    @property
    def url(self) -> str:
        """
        Return the address as a URL without a slash at the end.
        """
        return f"http://{self.address[0]}:{self.address[1]}"

    def dial(self, scheme: str, host: str, port: int) -> tuple[str, int] | None:
        """
        Return where to connect, in plain HTTP, instead of to a provider; None for a host that no shape stands for.
        """
        netloc = usual_netloc(scheme, f"{host}:{port}")
        origins = {shape.origin_for(netloc) for shape in self._shapes.values()}
        if f"{scheme}://{netloc}" not in origins:
            return None
        return self._grpc_address if scheme == "grpc" else self.address

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the address
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        from harness.listening import listening  # noqa: PLC0415 - its library is an extra

        with socket.create_server(("127.0.0.1", 0)) as listener:
            try:
                async with listening(self._provider.application(), listener):
                    await self._until_stopped(listener)
            finally:
                self._address = None

    async def _until_stopped(self, listener: socket.socket) -> None:
        grpc = _grpc_server(self._provider, self._shapes)
        self._grpc_address = await grpc.start() if grpc else None
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._address = listener.getsockname()[:2]
        self._ready.set()
        await self._stop.wait()
        await _refuse_more(listener)
        if grpc:
            await grpc.stop()


async def _refuse_more(listener: socket.socket) -> None:
    """
    Accept no more, and let what is half accepted become a connection that can be closed.

    asyncio accepts over several turns of its loop, and leaks the socket where the server is closed between them.
    """
    with contextlib.suppress(NotImplementedError):  # Windows, where accepting is one step
        asyncio.get_running_loop().remove_reader(listener)
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _grpc_server(provider: Provider, shapes: Mapping[str, Shape]) -> GrpcServer | None:
    from harness.simulators.grpc_server import GrpcServer, grpc_routes  # noqa: PLC0415 - imports the server's library

    wanted = [shape for shape in shapes.values() if grpc_routes(shape)]
    return GrpcServer(provider, wanted) if wanted else None


def _provider(
    shapes: Mapping[str, Shape], pace: float, any_host: str | None, composer: Callable[..., Answer]
) -> Provider:
    try:
        from harness.simulators.server import Provider  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError as error:
        raise LibraryMissingError(
            "the simulators' server needs aiohttp, which is not installed",
            hint='install it: pip install "capability-harness[simulators]"',
        ) from error
    return Provider(list(shapes.values()), pace, shapes[any_host] if any_host else None, composer)


def _refuse_rivals(shapes: Mapping[str, Shape]) -> None:
    claims = Counter(
        (host, route.method, route.path) for shape in shapes.values() for host in shape.hosts for route in shape.routes
    )
    for (host, method, path), count in claims.items():
        if count > 1:
            names = [name for name, shape in shapes.items() if host in shape.hosts]
            raise ShapeError(
                f"{method} {urlsplit(host).netloc}{path} is answered twice",
                where=", ".join(names),
                hint="start the simulator with one of these shapes only",
            )

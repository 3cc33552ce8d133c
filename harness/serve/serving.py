"""A server from its first connection to its end, by a signal or by whoever started it in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from harness.errors import LibraryMissingError, PortTakenError
from harness.serve.errors import AddressRefusedError, LogUnwritableError
from harness.serve.log import ServerLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.serve.recordings import Place, Recordings
    from harness.serve.server import Replayer

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    Say how recordings are served.

    Attributes:
        host: the address that is listened at.
        port: 0 for one that is free.
        pace: 0 for at once, otherwise the factor of the recorded pace.
        lockstep: hold each arrival until it is asked for.
        repeat: play a recording again when it is asked for again.
        log: the file that the events go to.
    """

    host: str = LOOPBACK
    port: int = 0
    pace: float = 1.0
    lockstep: bool = False
    repeat: bool = False
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """
    Say what was served.

    Attributes:
        played: recordings, and how often each was played.
        never: recordings that nobody asked for.
        missed: why requests were refused, and how often.
    """

    played: tuple[tuple[Place, int], ...]
    never: tuple[Place, ...]
    missed: tuple[tuple[str, int], ...]


def serve(recordings: Recordings, options: Options, ready: Callable[[str], None]) -> Summary:
    """
    Serve recordings until SIGINT or SIGTERM.

    Args:
        recordings: what is played.
        options: how.
        ready: is given the server's address.

    Raises:
        PortTakenError: somebody else listens at the port.
        AddressRefusedError: the address is not this machine's.
        LogUnwritableError: the log cannot be written.
        LibraryMissingError: the server's library is not installed.
    """
    # a look at all recordings for garbage would hold up every stream
    gc.collect()
    gc.freeze()
    return asyncio.run(_until_stopped(recordings, options, ready, by_signal=True))


class Serving:
    """
    Serve recordings in a thread, while the `with` block lasts.

    Args:
        recordings: what is played.
        options: how.

    Attributes:
        url: the server's address, without a slash at the end.
        summary: what was served; None until the end.
    """

    def __init__(self, recordings: Recordings, options: Options | None = None) -> None:
        self._recordings = recordings
        self._options = options or Options()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="harness-serve", daemon=True)
        self.url = ""
        self.summary: Summary | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            self.summary = asyncio.run(
                _until_stopped(self._recordings, self._options, self._began, by_signal=False, stopper=self._takes)
            )
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the address
            self._failure = error
        finally:
            self._ready.set()

    def _began(self, url: str) -> None:
        self.url = url
        self._ready.set()

    def _takes(self, stop: Callable[[], object]) -> None:
        self._stop = stop


async def _until_stopped(
    recordings: Recordings,
    options: Options,
    ready: Callable[[str], None],
    *,
    by_signal: bool,
    stopper: Callable[[Callable[[], object]], None] = lambda _: None,
) -> Summary:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    stopper(lambda: loop.call_soon_threadsafe(stop.set))
    with _listening(options) as listener, _logged(options.log) as file:
        replayer = _replayer(recordings, ServerLog(file), options)
        with _signals(loop, stop) if by_signal else contextlib.nullcontext():
            await _run(replayer, listener, stop, ready)
    return summary_of(recordings, replayer.missed)


async def _run(replayer: Replayer, listener: socket.socket, stop: asyncio.Event, ready: Callable[[str], None]) -> None:
    from harness.listening import listening  # noqa: PLC0415 - its library is an extra

    async with listening(replayer.application(), listener, backlog=_BACKLOG):
        ready(url_of(listener))
        await stop.wait()


def _replayer(recordings: Recordings, log: ServerLog, options: Options) -> Replayer:
    try:
        from harness.serve.server import Replayer, is_loopback  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError as error:
        raise LibraryMissingError(
            "the server needs aiohttp, which is not installed",
            hint='install it: pip install "capability-harness[serve]"',
        ) from error
    return Replayer(
        recordings,
        log,
        pace=options.pace,
        lockstep=options.lockstep,
        repeat=options.repeat,
        any_host=not is_loopback(_bracketed(options.host)),
    )


@contextlib.contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        listener = socket.create_server((options.host, options.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{_bracketed(options.host)}:{options.port}"
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                "another program listens at this port", where=where, hint="name another one, or --port 0 for any"
            ) from error
        raise AddressRefusedError(
            f"it cannot be listened there: {error.strerror or error}",
            where=where,
            hint="name an address of this machine; without --host it is 127.0.0.1",
        ) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _logged(path: Path | None) -> Iterator[BinaryIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("wb")
    except OSError as error:
        raise LogUnwritableError(
            f"the log cannot be written: {error.strerror or error}", where=str(path), hint="name another file"
        ) from error
    with file:
        yield file


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> Iterator[None]:
    """
    End in order at SIGINT and SIGTERM.
    """
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    for one in before:
        # not by the loop's own handlers, which Windows does not have; the loop wakes up for any
        signal.signal(one, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def url_of(listener: socket.socket) -> str:
    """
    Return the address of a listening socket as a URL.
    """
    host, port = listener.getsockname()[:2]
    return f"http://{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def summary_of(recordings: Recordings, missed: Mapping[str, int]) -> Summary:
    """
    Tell which recordings were played, and which never.
    """
    numbered = list(enumerate(recordings.places))
    plays = recordings.plays
    return Summary(
        played=tuple((place, plays[index]) for index, place in numbered if plays[index]),
        never=tuple(place for index, place in numbered if not plays[index]),
        missed=tuple(missed.items()),
    )

"""The station: the thread between cells and a program, with what the program takes for its upstream."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final, Self

from harness.listening import listening
from harness.programs.errors import SocketRefusedError
from harness.programs.gate import AtWork
from harness.programs.relay import Relay
from harness.programs.running import LOOPBACK
from harness.programs.upstream import Upstream, new_session
from harness.programs.visit import visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from harness.programs.visit import Caller, Guest, Visit
    from harness.words import Capability

_BACKLOG: Final = 512


class Station:
    """
    Serve a program and its cells, one call at a time, while the `with` block lasts.

    Args:
        origin: scheme and host of what the program believes to ask.
        folder: for the Unix socket; the caller's to remove.

    Attributes:
        upstream: the address that the program is to ask.
        socket: path of the Unix socket that cells ask through.
        program: returns the program's process, once it is known.
    """

    def __init__(self, origin: str, folder: Path) -> None:
        self.upstream = ""
        self.socket = str(folder / "cells")
        self.program: Callable[[], int | None] = lambda: None
        self._origin = origin
        self._guest: Guest | None = None
        self._visit: Visit | None = None
        self._visits: dict[Capability, Visit] = {}
        self._relay: Relay | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="harness-station", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):
            # the loop may have ended by itself
            self._stop()
        self._thread.join()

    def lead_to(self, url: str, key: str) -> None:
        """
        Say where the program is, and what its clients' requests carry.
        """
        assert self._relay is not None  # noqa: S101 - there is one once the block is entered
        self._relay.url, self._relay.key = url, key

    def expect(self, guest: Guest) -> None:
        """
        Say whose calls come next.
        """
        self._guest, self._visit, self._visits = guest, None, {}

    def collect(self) -> dict[Capability, Visit]:
        """
        Return what the upstream saw of the calls since `expect`; none is expected any more.
        """
        found, self._visits = self._visits, {}
        self._guest = self._visit = None
        return found

    def _enter(self, caller: Caller) -> Visit:
        if self._guest is None:
            raise ConnectionResetError
        made = visit(caller, self._guest, AtWork(self._processes, self._moves))
        self._visit = self._visits[caller.capability] = made
        return made

    def _current(self) -> Visit | None:
        return self._visit

    def _moves(self) -> int:
        return 0 if self._relay is None else self._relay.moves

    def _processes(self) -> Iterable[int]:
        # asked by the station's own thread, while another may say that no call is expected any more
        current = self._visit
        if current is not None:
            yield current.caller.process
        program = self.program()
        if program is not None:
            yield program

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            hint = "set TMPDIR to a folder with a shorter path, if that is what is wrong"
            message = f"the harness cannot listen for its cells: {error.strerror or error}"
            self._failure = SocketRefusedError(message, where=self.socket, hint=hint)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        async with new_session() as session, self._upstream(session):
            self._relay = Relay(self._enter, self._current, session)
            async with await asyncio.start_unix_server(self._relay.serve, self.socket, backlog=_BACKLOG):
                self._ready.set()
                await stop.wait()

    @contextlib.asynccontextmanager
    async def _upstream(self, session: object) -> AsyncIterator[None]:
        upstream = Upstream(self._origin, self._current, session)  # type: ignore[arg-type]  # aiohttp's, from `new_session`
        listener = socket.create_server((LOOPBACK, 0), backlog=_BACKLOG)
        async with listening(upstream.application(), listener, backlog=_BACKLOG):
            self.upstream = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
            yield

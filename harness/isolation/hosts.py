"""
The fleet: what a session asks to run an adapter's cells, and the only part of isolation that it needs to know.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from harness.errors import IsolationError
from harness.isolation import processes
from harness.isolation.early import taken
from harness.isolation.launch import Files, Host, fork_host, spawn_host
from harness.isolation.protocol import Frame, Order, read_frame, zygote_command
from harness.isolation.surroundings import steady, unwatched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from harness.battery.job import Job
    from harness.isolation.outcome import Outcome
    from harness.isolation.watch import OnEvent
    from harness.words import Capability

PRELOAD: Final = (
    # before anything takes `sleep` out of its module
    "harness.battery.loop:wait_watch",
    "vcr",
    "harness.battery.cell",
    "harness.tape.clients:install",
    "harness.tape.cassette:recorder",
    "asyncio",
    "encodings.idna",
    "http.client",
    "urllib.request",
)
"""What every cell needs."""
_CLIENTS: Final = ("urllib3", "requests", "httpx", "httpx2", "aiohttp")
"""What many adapters import, sooner or later; what is not installed is passed over."""
_WARM: Final = "harness.adapters.distributions:warm"
_MANY: Final = 4
"""
Hosts from which on it pays to import the client libraries for all of them (0.3 s), and to look at everything that is
installed (0.18 s at once, or 0.06 s for most of them).
"""
_GOODBYE: Final = 5.0


class Fleet:
    """
    Run cells in processes of their own; use it as a context manager, from any number of threads.

    Leaving the block, or calling `close` from anywhere, ends every process that it started. When the program itself is
    killed, they end too.

    Args:
        preload: modules ("module", or "module:function" to call) that the zygote imports before `PRELOAD`'s; one that
            fails is reported in `preload_failures`, and the run goes on.
        env: environment variables that the processes start with, beside what they have of this one's.
        jobs: how many hosts may run at a time.
        hosts: how many there will be, as far as that is known.
        spawn: start an interpreter for each host instead of forking it; None: where forking is missing or unsafe.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        jobs: int = 1,
        hosts: int | None = None,
        spawn: bool | None = None,
    ) -> None:
        self.preload_failures: dict[str, str] = {}
        self._preload = tuple(preload)
        self._shared = PRELOAD if hosts is not None and hosts < _MANY else (*PRELOAD, *_CLIENTS, _WARM)
        self._env = {**steady(unwatched(os.environ)), **(env or {})}
        self._spawn = not processes.can_fork() if spawn is None else spawn
        self._turns = threading.BoundedSemaphore(jobs)
        self._lock = threading.Lock()
        self._names = itertools.count(1)
        self._hosts: set[Host] = set()
        self._closed = False
        self._directory = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        self._zygote: _Zygote | None = None

    def __enter__(self) -> Self:
        """
        Start the zygote, unless that was done; it preloads while the caller goes on.
        """
        if not self._spawn and self._zygote is None:
            self._zygote = _Zygote(self._preload, self._shared, self._env, Path(self._directory.name) / "zygote.out")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        End every process.
        """
        self.close()

    def measure(
        self,
        job: Job,
        capabilities: Sequence[Capability],
        on_event: OnEvent | None = None,
        *,
        together: bool = False,
    ) -> dict[Capability, Outcome]:
        """
        Run one adapter's cells and return what each left behind; blocks until all have ended.

        Where they run together and one of them ends their process, those after it are not in the result.

        Args:
            job: the adapter and how to run it.
            capabilities: the cells, in the order in which they are run.
            on_event: called on this thread with each event when it comes.
            together: run them in one process, one after the other.

        Raises:
            IsolationError: no process can be had, or the fleet was closed meanwhile.
        """
        outcomes: dict[Capability, Outcome] = {}
        with self._turns:
            if together:
                return self._visit(job, tuple(capabilities), on_event, together=True)
            while missing := tuple(wanted for wanted in capabilities if wanted not in outcomes):
                outcomes |= self._visit(job, missing, on_event)
        return outcomes

    @property
    def forks(self) -> bool:
        """
        Tell whether hosts and cells are forks; where they are not, an adapter's cells share a process in any case.
        """
        return not self._spawn

    def close(self) -> None:
        """
        End every process, also while other threads measure: these get an `IsolationError`.
        """
        with self._lock:
            self._closed = True
            hosts = list(self._hosts)
        for host in hosts:
            host.kill()
        if self._zygote is not None:
            self._zygote.close()
        self._directory.cleanup()

    def _visit(
        self, job: Job, capabilities: tuple[Capability, ...], on_event: OnEvent | None, *, together: bool = False
    ) -> dict[Capability, Outcome]:
        # imports asyncio, for which the start of the fork server need not wait
        from harness.isolation.watch import Watch  # noqa: PLC0415 - see above

        host = self._launch()
        try:
            host.start(self._order(job, capabilities, host.files, together=together))
            outcomes = Watch(host, job, capabilities, on_event).run()
            self._require_open()
            if not outcomes:
                raise IsolationError("a host ended before any of its cells began", hint=host.files.tail() or None)
            return outcomes
        finally:
            with self._lock:
                self._hosts.discard(host)
            host.close()

    def _launch(self) -> Host:
        # Under the lock, so that `close` either sees the host or keeps it from being started.
        with self._lock:
            self._require_open()
            files = Files(Path(self._directory.name), str(next(self._names)))
            host = spawn_host(files, self._env) if self._zygote is None else self._zygote.fork(files)
            if self._zygote is not None:
                self.preload_failures = self._zygote.failures
            self._hosts.add(host)
            return host

    def _require_open(self) -> None:
        if self._closed:
            raise IsolationError("the run was stopped")

    @staticmethod
    def _order(job: Job, capabilities: tuple[Capability, ...], files: Files, *, together: bool) -> Order:
        return Order(
            job=job,
            capabilities=tuple(capability.value for capability in capabilities),
            together=together,
            output=str(files.output),
            stacks=str(files.stacks),
            directory=os.getcwd(),  # noqa: PTH109 - a text is wanted
        )


class _Process(Protocol):
    @property
    def pid(self) -> int: ...

    def wait(self, timeout: float | None = None) -> int: ...


class _Zygote:
    def __init__(self, preload: Sequence[str], shared: Sequence[str], env: Mapping[str, str], output: Path) -> None:
        self.failures: dict[str, str] = {}
        self._requested = frozenset(preload)
        self._output = output
        self._ready = False
        self._process: _Process
        entries = tuple(dict.fromkeys((*preload, *shared)))
        early = taken()
        if early is not None:
            output.touch()
            told = {"entries": entries, "env": dict(env), "output": str(output)}
            self._process, self._control = early, early.control
            # what became of one that has ended by now is told by who waits for it
            with suppress(OSError):
                self._control.sendall(Frame(kind="preload", payload=json.dumps(told).encode()).encode())
            return
        self._control, theirs = socket.socketpair()
        with theirs, output.open("wb") as printed:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs us
                zygote_command(theirs.fileno(), entries, {}),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def fork(self, files: Files) -> Host:
        try:
            self._wait()
            return fork_host(self._control, files)
        except OSError as error:
            printed = self._output.read_text(errors="replace").strip().splitlines()
            raise IsolationError(f"the fork server is gone ({error})", hint=printed[-1] if printed else None) from error

    def _wait(self) -> None:
        if self._ready:
            return
        frame = read_frame(self._control.fileno())
        if frame is None:
            raise ConnectionResetError("it ended while it preloaded")
        self._ready = True
        failures: dict[str, str] = json.loads(frame.payload)
        self.failures = {entry: why for entry, why in failures.items() if entry in self._requested}

    def close(self) -> None:
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        if not self._ready:
            # it would look up from its imports once a second
            processes.kill_group(self._process.pid)
        try:
            self._process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            processes.kill_group(self._process.pid)
            self._process.wait()
        self._control.close()

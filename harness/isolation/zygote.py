"""
The zygote: a fork server that has imported what every host needs, so that a hundred adapters pay for it once.

It has one thread, imports no adapter and runs nothing of theirs. Its parent talks to it over a Unix socket; when that
ends, for whatever reason, everything below the zygote ends with it.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from harness.adapters.distributions import distributions
from harness.isolation import processes
from harness.isolation.host import Cells, redirect, serve
from harness.isolation.protocol import REQUEST, Frame, Order, read_frame, zygote_command
from harness.tape import guard

if TYPE_CHECKING:
    from collections.abc import Iterable

_DESCRIPTORS: Final = 2
_EVERYBODYS: Final = ("vcr", "harness.battery.cell", "harness.tape.clients", "harness.tape.cassette")
"""What every host needs, whatever is preloaded."""
# Seconds between looks for the parent while a preload keeps the zygote from its socket.
_LOOK_EVERY: Final = 1.0


class Zygote:
    """
    Fork hosts on request and report how they ended.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._statuses: dict[int, int] = {}
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)

    def run(self) -> NoReturn:
        """
        Serve until the parent is gone.
        """
        processes.adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken in ready:
                self._reap()
            if self._control.fileno() in ready:
                self._answer()

    def _answer(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, len(REQUEST), _DESCRIPTORS)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._end()
        self._fork(*descriptors)

    def _end(self) -> NoReturn:
        for host in self._statuses:
            with suppress(OSError):
                os.killpg(host, signal.SIGKILL)
        processes.kill_strays()
        os._exit(0)

    def _fork(self, channel: int, status: int) -> None:
        parent = os.getpid()
        try:
            host = processes.fork()
        except OSError as error:
            os.write(status, f"the process could not be forked: {error}".encode())
            os.close(channel)
            os.close(status)
            return
        if host == 0:
            self._become_host(channel, status, parent)
        os.close(channel)
        self._statuses[host] = status

    def _become_host(self, channel: int, status: int, parent: int) -> NoReturn:
        try:
            os.setsid()
            processes.die_with_parent(parent)
            processes.adopt_orphans()
            signal.set_wakeup_fd(-1)
            for descriptor in (self._control.detach(), self._woken, self._wake, status, *self._statuses.values()):
                os.close(descriptor)
            host_main(channel, channel, Cells.FORKED)
        finally:
            os._exit(1)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, 1 << 12)
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._report(*ended)
        processes.kill_strays(keep=frozenset(self._statuses))

    def _report(self, process: int, status: int) -> None:
        pipe = self._statuses.pop(process, None)
        if pipe is None:
            return
        with suppress(OSError):
            os.write(pipe, str(os.waitstatus_to_exitcode(status)).encode())
        os.close(pipe)


def host_main(inbound: int, outbound: int, cells: Cells) -> None:
    """
    Announce this process as a host, take its order and serve it.
    """
    os.write(outbound, Frame(kind="host", payload=str(os.getpid()).encode()).encode())
    frame = read_frame(inbound)
    if frame is not None:
        serve(inbound, outbound, Order.decode(frame.payload), cells)


def preload(entries: Iterable[str]) -> tuple[dict[str, str], str | None]:
    """
    Import each "module", or call each "module:function"; return what failed, and which one started a thread.

    A fork takes only the calling thread along, so the import stops at the first entry that leaves another one running.
    Nothing leaves the machine meanwhile: what cannot be imported without is left to the hosts.
    """
    with guard.closed():
        return _preload(entries)


def _preload(entries: Iterable[str]) -> tuple[dict[str, str], str | None]:
    failed = {}
    for entry in entries:
        module, _, function = entry.partition(":")
        try:
            found = importlib.import_module(module)
            if function:
                getattr(found, function)()
        except BaseException as error:  # noqa: BLE001 - the user's modules may do anything; the run goes on without them
            failed[entry] = f"{type(error).__name__}: {error}"
        if threading.active_count() > 1:
            return failed, entry
    return failed, None


def look_up(entries: Iterable[str]) -> None:
    """
    Find out who distributes what was imported: 1 to 20 ms each, which every host would need anew.
    """
    for entry in entries:
        # a package without metadata, or with broken one, is the cells' to tell of
        with suppress(Exception):
            distributions(entry, ())


def _watch_parent() -> None:
    parent = os.getppid()

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY, _LOOK_EVERY)


def _stop_watching() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def main(arguments: list[str]) -> NoReturn:
    """
    Preload, say so, and serve.
    """
    _watch_parent()
    gc.disable()
    _serve(int(arguments[0]), json.loads(arguments[1]), json.loads(arguments[2]))


def wait(control: int) -> NoReturn:
    """
    Import what every host needs, and wait to be told the rest: what to preload, in which environment.

    Args:
        control: the socket's descriptor; where it ends, nobody needs a zygote.
    """
    _watch_parent()
    gc.disable()
    for module in _EVERYBODYS:
        importlib.import_module(module)
    frame = read_frame(control)
    if frame is None:
        os._exit(0)
    told = json.loads(frame.payload)
    os.environ.clear()
    os.environ.update(told["env"])
    redirect(told["output"])
    os.set_inheritable(control, True)  # noqa: FBT003 - it takes no keyword
    _serve(control, told["entries"], {})


def _serve(control: int, entries: list[str], failed: dict[str, str]) -> NoReturn:
    newly_failed, threaded = preload(entries)
    failed |= newly_failed
    if threaded is not None:
        failed[threaded] = "it started a thread, and a fork server must have none"
        remaining = [entry for entry in entries if entry != threaded]
        # the timer would go on in the new program, which has no handler yet: it would be killed while it starts
        _stop_watching()
        os.execv(sys.executable, zygote_command(control, remaining, failed))  # noqa: S606 - itself again
    look_up(entries)
    _stop_watching()
    # collecting first finds next to nothing (970 objects, no memory) in 0.1 s
    gc.freeze()
    gc.enable()
    os.set_inheritable(control, False)  # noqa: FBT003 - it takes no keyword
    with socket.socket(fileno=control) as connection:
        connection.sendall(Frame(kind="ready", payload=json.dumps(failed).encode()).encode())
        Zygote(connection).run()

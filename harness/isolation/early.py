"""
A zygote that is forked from the command, before this has imported what is its own.

Half of what a zygote imports the command imports as well. Who forks one first pays for that once (0.07 s of processor
time, of the second that one adapter takes), and the zygote goes on with the rest while the command still reads its
registrations. From then on it is like one that has an interpreter of its own: the same main module and search path, no
terminal, nothing open, a session of its own.
"""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Final, NoReturn

from harness.isolation import processes

_SHARED: Final = (
    "concurrent.futures",
    "hashlib",
    "harness.adapters.build",
    "harness.adapters.distributions",
    "harness.battery.job",
    "harness.battery.prompts",
    "harness.events",
    "harness.isolation.protocol",
    "harness.isolation.surroundings",
    "harness.isolation.traces",
    "harness.tape.matchers",
    "harness.tape.secrets",
    "harness.verdicts.fidelity",
)
"""What the command and the zygote both need."""
_STANDARD: Final = 3
"""Descriptors of every process: input, output and errors."""
_LOOK_EVERY: Final = 0.002


class Early:
    """
    Hold a zygote that waits to be told what to preload.

    Args:
        pid: its process.
        control: the socket that it listens to; it ends when this is closed.
    """

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self.control = control
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """
        Wait until it has ended, and return its status, as `subprocess.Popen.wait` does.

        Args:
            timeout: seconds.

        Raises:
            subprocess.TimeoutExpired: it runs on.
        """
        given_up = None if timeout is None else time.monotonic() + timeout
        while self._status is None:
            ended, status = os.waitpid(self.pid, 0 if given_up is None else os.WNOHANG)
            if ended:
                self._status = os.waitstatus_to_exitcode(status)
            elif given_up is not None and time.monotonic() > given_up:
                raise subprocess.TimeoutExpired("the fork server", timeout or 0.0)
            else:
                time.sleep(_LOOK_EVERY)
        return self._status


_waiting: list[tuple[int, int]] = []
"""Process and descriptor: a socket that nobody closes would be told of as a leak where nobody takes it."""


def begin() -> None:
    """
    Fork a zygote where this process has one thread; whoever needs one takes it from `taken`.

    The caller has made sure that this platform may fork (`processes.can_fork`).
    """
    # who was started without a standard stream has none to redirect
    if threading.active_count() > 1 or None in {sys.stdin, sys.stdout, sys.stderr}:
        return
    for module in _SHARED:
        importlib.import_module(module)
    control, theirs = socket.socketpair()
    try:
        pid = processes.fork()
    except OSError:
        # whoever starts one later on tells of it
        control.close()
        theirs.close()
        return
    if pid == 0:
        _become(theirs.detach())
    theirs.close()
    _waiting.append((pid, control.detach()))


def taken() -> Early | None:
    """
    Return the zygote that `begin` forked, once.
    """
    if not _waiting:
        return None
    pid, control = _waiting.pop()
    return Early(pid, socket.socket(fileno=control))


def _become(control: int) -> NoReturn:
    try:
        os.setsid()
        _close_all_but(control)
        if not sys.flags.safe_path:
            # the working directory, or where the command's script is: no place to import from
            del sys.path[0]
        main = importlib.import_module("harness.isolation.__main__")
        sys.modules["__main__"] = main
        sys.argv = [str(main.__file__)]
        importlib.import_module("harness.isolation.zygote").wait(control)
    finally:
        os._exit(1)


def _close_all_but(control: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(_STANDARD):
        os.dup2(nothing, standard)
    os.closerange(_STANDARD, control)
    os.closerange(control + 1, os.sysconf("SC_OPEN_MAX"))

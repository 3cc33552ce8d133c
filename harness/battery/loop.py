"""The event loop that the battery awaits on, and what it notices about its turns."""

from __future__ import annotations

import asyncio
import select
import selectors
import socket
import subprocess
import sys
import threading
import time
from functools import partial, wraps
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from harness.tape import guard

if TYPE_CHECKING:
    from collections.abc import Callable

_NOTICED = 0.02
"""Processor seconds of one turn below which nothing is noted; every loop does that much now and then."""


class Heartbeat(selectors.DefaultSelector):
    """
    Watch a loop from where it waits: what one turn costs, and whether it waits now.

    Attributes:
        waiting: the loop has nothing to do and waits for input, a timer or another thread.
        waiting_forever: it waits, and no timer will wake it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.waiting = False
        self.waiting_forever = False
        self.on_turn: Callable[[float], None] | None = None
        self._resumed: float | None = None
        self._longest = 0.0
        self._thread = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """
        Wait as the platform's selector does, noting the processor time since the last wait.
        """
        used = 0.0 if self._resumed is None else max(self._longest, time.thread_time() - self._resumed)
        if used >= _NOTICED and self.on_turn is not None:
            self.on_turn(used)
        self._longest = 0.0
        self.waiting = timeout is None or timeout > 0
        self.waiting_forever = timeout is None
        try:
            found: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
            return found
        finally:
            self.waiting = self.waiting_forever = False
            self._thread = threading.get_ident()
            self._resumed = time.thread_time()

    def lap(self) -> None:
        """
        Begin to count anew: here a turn would end, were the upstream as slow as it was when it was recorded.

        In an instant replay one turn of the loop may hold a whole call, which took many when it was recorded.
        """
        if self._resumed is None or threading.get_ident() != self._thread:
            return
        now = time.thread_time()
        self._longest = max(self._longest, now - self._resumed)
        self._resumed = now


def new_loop() -> tuple[asyncio.AbstractEventLoop, Heartbeat]:
    """
    Return a loop and its heartbeat.
    """
    heartbeat = Heartbeat()
    return asyncio.SelectorEventLoop(heartbeat), heartbeat


class WaitWatch:
    """
    Tell when something waits synchronously on a thread whose event loop is running.

    Watched are `time.sleep`, which is replaced once per process, before adapters are imported, because modules keep
    references to it, waits for events, queues, threads and `select` that came to their time-out, so that they were
    sleeps, and look-ups of names, which wait for another machine. Waits that a thread ends show in its traffic, if it
    has any. A wait for a child process does not count: client libraries ask `uname` and its like what machine this is
    when they send their first request (the OpenAI and Anthropic SDKs do).
    """

    def __init__(self) -> None:
        self.on_wait: Callable[[str], None] | None = None
        self._sleep = time.sleep
        self._wait = threading.Condition.wait
        self._thread: int | None = None
        time.sleep = _in_place_of(time.sleep, self._slept)
        threading.Condition.wait = _in_place_of(threading.Condition.wait, self._waited)  # type: ignore[method-assign]  # the point of it
        self._join = threading.Thread.join
        threading.Thread.join = _in_place_of(threading.Thread.join, self._joined)  # type: ignore[method-assign]  # as above
        self._wait_for_child = subprocess.Popen.wait
        self._child = False
        subprocess.Popen.wait = _in_place_of(subprocess.Popen.wait, self._waited_for_child)  # type: ignore[method-assign]  # as above
        self._select = select.select
        if sys.platform != "win32":
            # there, the loop itself waits by it
            select.select = _in_place_of(select.select, self._selected)
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            look_up = getattr(socket, name)
            setattr(socket, name, _in_place_of(look_up, partial(self._looked_up, look_up)))

    def watch(self, on_wait: Callable[[str], None] | None) -> None:
        """
        Report waits on the calling thread from now on, or stop with None.
        """
        self._thread = threading.get_ident() if on_wait is not None else None
        self.on_wait = on_wait

    def _report(self, what: str) -> None:
        if self.on_wait is not None and threading.get_ident() == self._thread and not self._child:
            self.on_wait(f"it {what} on the event loop's thread")

    def _slept(self, seconds: float, /) -> None:
        if seconds > 0:
            self._report(f"slept synchronously for {seconds:g} s")
        self._sleep(seconds)

    def _waited(self, condition: threading.Condition, timeout: float | None = None) -> bool:
        came = self._wait(condition, timeout)
        if timeout is not None and timeout > 0 and not came:
            self._report(f"waited synchronously for {timeout:g} s")
        return came

    def _joined(self, thread: threading.Thread, timeout: float | None = None) -> None:
        self._join(thread, timeout)
        if timeout is not None and timeout > 0 and thread.is_alive():
            self._report(f"waited synchronously for {timeout:g} s")

    def _waited_for_child(self, child: subprocess.Popen[Any], timeout: float | None = None) -> int:
        if threading.get_ident() != self._thread or self._child:
            return self._wait_for_child(child, timeout)
        # with a time-out it asks for the end again and again, and sleeps for less than a millisecond between
        self._child = True
        try:
            return self._wait_for_child(child, timeout)
        finally:
            self._child = False

    def _selected(self, *watched: Any) -> Any:  # noqa: ANN401 - three lists, and perhaps a time-out
        ready = self._select(*watched)
        timeout = watched[3] if len(watched) > 3 else None  # noqa: PLR2004 - see above
        if timeout and not any(ready):
            self._report(f"waited synchronously for {timeout:g} s")
        return ready

    def _looked_up(self, look_up: Callable[..., Any], *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as it is
        host = args[0] if args else options.get("host")
        if threading.get_ident() == self._thread and _is_elsewhere(host):
            self._report(f"looked the name {host} up synchronously")
        return look_up(*args, **options)


def _is_elsewhere(host: object) -> bool:
    """
    Tell whether somebody else has to be asked for the address of a name.
    """
    if not isinstance(host, str) or host in {"", "localhost", "<broadcast>", socket.gethostname()}:
        return False
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False


def _in_place_of(original: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return a plain function under the original's name: it is bound to instances, and can be pickled, as that one is.
    """

    @wraps(original)
    def named(*args: object, **options: object) -> Any:  # noqa: ANN401 - what the function returns
        return function(*args, **options)

    return named


_watch: WaitWatch | None = None


def wait_watch() -> WaitWatch:
    """
    Return the process's watch, installing it at the first call.
    """
    global _watch  # noqa: PLW0603 - there is one `time.sleep` in a process
    if _watch is None:
        # what the guard answers look-ups with goes below what watches them, in whichever process
        with guard.closed():
            _watch = WaitWatch()
    return _watch

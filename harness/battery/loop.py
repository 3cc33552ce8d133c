"""The event loop that the battery awaits on, and what it notices about its turns."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from typing import TYPE_CHECKING

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


class SleepWatch:
    """
    Tell when something sleeps synchronously on a thread whose event loop is running.

    `time.sleep` is replaced once per process, before adapters are imported, because modules
    keep references to it.
    """

    def __init__(self) -> None:
        self.on_sleep: Callable[[float], None] | None = None
        self._sleep = time.sleep
        self._thread: int | None = None
        time.sleep = self._watched  # type: ignore[assignment]  # typeshed lets it take what float() would

    def watch(self, on_sleep: Callable[[float], None] | None) -> None:
        """
        Report sleeps on the calling thread from now on, or stop with None.
        """
        self._thread = threading.get_ident() if on_sleep is not None else None
        self.on_sleep = on_sleep

    def _watched(self, seconds: float, /) -> None:
        if self.on_sleep is not None and seconds > 0 and threading.get_ident() == self._thread:
            self.on_sleep(seconds)
        self._sleep(seconds)


_watch: SleepWatch | None = None


def sleep_watch() -> SleepWatch:
    """
    Return the process's sleep watch, installing it at the first call.
    """
    global _watch  # noqa: PLW0603 - there is one `time.sleep` in a process
    if _watch is None:
        _watch = SleepWatch()
    return _watch

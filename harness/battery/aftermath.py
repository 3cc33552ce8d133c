"""
What an adapter still asks for when its call is over: prices, models, logs.

Such requests come from threads and tasks that it left at work. In replay they may come a little sooner, before the call
has returned, and would then be missed in the recording. So a recording waits for them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAUSE: Final = 0.5
"""Seconds without a further request after which nothing more is waited for."""
MOST_PAUSES: Final = 4


class Aftermath:
    """
    Wait until those who were left at work ask for nothing more; made before the adapter is.

    Args:
        asked: tells how many requests were kept so far.
    """

    def __init__(self, asked: Callable[[], int]) -> None:
        self._asked = asked
        self._threads = frozenset(threading.enumerate())

    def wait(self) -> None:
        """
        Wait for threads.
        """
        if self._at_work():
            for _ in self._pauses():
                time.sleep(PAUSE)

    async def await_quiet(self) -> None:
        """
        Wait for threads and tasks, on their loop.
        """
        if self._at_work() or len(asyncio.all_tasks()) > 1:
            for _ in self._pauses():
                await asyncio.sleep(PAUSE)

    def _at_work(self) -> bool:
        return not self._threads.issuperset(threading.enumerate())

    def _pauses(self) -> Iterator[None]:
        for _ in range(MOST_PAUSES):
            before = self._asked()
            yield
            if self._asked() == before:
                return

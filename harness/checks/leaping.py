"""Time that passes at once: pauses between tries cost nothing while nobody else is at work."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_real_sleep: Final = time.sleep


class _Leaping(selectors.DefaultSelector):
    """
    Leap over a wait for a timer, where no other thread could end it.

    Attributes:
        leapt: seconds that were leapt over.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or threading.active_count() > 1:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.leapt += timeout
        return ready


class _LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _Leaping) -> None:
        self._leaping = selector
        super().__init__(selector)

    def time(self) -> float:
        return super().time() + self._leaping.leapt


def leaping_loop() -> asyncio.AbstractEventLoop:
    """
    Return an event loop whose timers come due at once where nothing else goes on.
    """
    return _LeapingLoop(_Leaping())


@contextmanager
def skipped_sleeps() -> Iterator[None]:
    """
    Let `time.sleep` return at once in this process.
    """

    def leap(seconds: float, /) -> None:  # noqa: ARG001 - the signature is time.sleep's
        _real_sleep(0)

    before: Any = time.sleep
    replacement: Any = leap
    time.sleep = replacement
    try:
        yield
    finally:
        time.sleep = before

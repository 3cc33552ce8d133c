"""Gates for checks: one that holds every answer back, and one that lets later answers go first."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from harness.checks.bench import NEVER, SLICE
from harness.events import here
from harness.tape.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.events import Spot
    from harness.words import Capability

_SETTLE: Final = 10
"""Slices that a worker has to hand on what it has read, once the answers that go first were read."""


class Held(Gate):
    """
    Hold every answer back until it is opened, as an upstream does that does not answer.

    Attributes:
        reached: somebody waits for an answer.
        blocked: somebody waited synchronously on the thread of the event loop, which would never turn again.
    """

    def __init__(self, capability: Capability) -> None:
        super().__init__(capability)
        self.reached = False
        self.blocked = False
        self._home_thread = threading.get_ident()
        self._opened = threading.Event()

    def lets_pass(self, spot: Spot, *, last: bool) -> bool:  # noqa: ARG002 - the gate's interface
        """
        Let nothing pass before it is opened.
        """
        return self._opened.is_set()

    def hold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - the gate's interface
        """
        Wait until it is opened; on the event loop's own thread, note that and go on.
        """
        self.reached = True
        if here().thread == self._home_thread:
            self.blocked = True
            return
        self._opened.wait(NEVER * SLICE * 10)

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - the gate's interface
        """
        Wait until it is opened, without blocking the loop.
        """
        self.reached = True
        while not self._opened.is_set():  # noqa: ASYNC110 - it is opened from other threads and loops as well
            await asyncio.sleep(SLICE)

    def open(self) -> None:
        """
        Let everything pass.
        """
        self._opened.set()


class LaterFirst(Gate):
    """
    Hold one answer back until those to later inputs have been read, or never come.

    Args:
        capability: the call under test.
        done: tells whether they have been read.
    """

    def __init__(self, capability: Capability, done: Callable[[], bool]) -> None:
        super().__init__(capability)
        self._done = done
        self._passed = False

    def lets_pass(self, spot: Spot, *, last: bool) -> bool:  # noqa: ARG002 - the gate's interface
        """
        Let an answer pass once its turn has come.
        """
        return self._passed

    def hold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - as above
        """
        Wait, in a thread, for the turn of this answer.
        """
        waiting = threading.Event()
        for _ in range(NEVER):
            if self._done():
                break
            waiting.wait(SLICE)
        waiting.wait(SLICE * _SETTLE)
        self._passed = True

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - as above
        """
        Wait, on an event loop, for the turn of this answer.
        """
        for _ in range(NEVER):
            if self._done():
                break
            await asyncio.sleep(SLICE)
        await asyncio.sleep(SLICE * _SETTLE)
        self._passed = True

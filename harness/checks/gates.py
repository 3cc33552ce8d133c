"""Gates for checks: one that holds every answer back, and one that lets answers go in an order of its own."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

from harness.checks.waits import NEVER, SLICE
from harness.places import here
from harness.tape.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.events import Spot
    from harness.words import Capability

_SETTLE: Final = 15
"""Slices that a worker has to hand on what it has read, once the answers that go first were read."""


class Held(Gate):
    """
    Hold every answer back until it is opened, as an upstream does that does not answer.

    Args:
        capability: the call under test.

    Attributes:
        loop: the event loop of the call.
        reached: somebody waits for an answer.
        blocked: the event loop does not turn while somebody waits.
    """

    def __init__(self, capability: Capability) -> None:
        super().__init__(capability)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.reached = False
        self.blocked = False
        self._home_thread = threading.get_ident()
        self._opened = threading.Event()
        self._turned = threading.Event()

    def lets_pass(self, spot: Spot, *, last: bool) -> bool:  # noqa: ARG002 - the gate's interface
        """
        Let nothing pass before it is opened.
        """
        return self._opened.is_set()

    def hold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - the gate's interface
        """
        Wait until it is opened; where that keeps the event loop from turning, note it and go on.
        """
        self.reached = True
        if here().thread == self._home_thread:
            self.blocked = True
            return
        self._ask_for_a_turn()
        for _ in range(NEVER):
            if self._turned.wait(SLICE):
                self._opened.wait()
                return
        self.blocked = True

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - the gate's interface
        """
        Wait until it is opened, without blocking the loop; another loop does so like a thread.
        """
        self.reached = True
        at_home = here().thread == self._home_thread
        self._ask_for_a_turn()
        for _ in range(NEVER):
            if at_home or self._turned.is_set():
                await self._open_at_last()
                return
            await asyncio.sleep(SLICE)
        self.blocked = True

    async def _open_at_last(self) -> None:
        while not self._opened.is_set():  # noqa: ASYNC110 - it is opened from other threads and loops as well
            await asyncio.sleep(SLICE)

    def _ask_for_a_turn(self) -> None:
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._turned.set)

    def open(self) -> None:
        """
        Let everything pass.
        """
        self._opened.set()


class InTurn(Gate):
    """
    Hold one answer back until those that go first have been read, or never come.

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
        for _ in range(_SETTLE):
            waiting.wait(SLICE)
        self._passed = True

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - as above
        """
        Wait, on an event loop, for the turn of this answer.
        """
        for _ in range(NEVER):
            if self._done():
                break
            await asyncio.sleep(SLICE)
        for _ in range(_SETTLE):
            await asyncio.sleep(SLICE)
        self._passed = True

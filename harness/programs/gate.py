"""
The gate of a program's upstream: the cell's own, one process further away.

What it waits for is the same as in process: the caller's item, or proof that there will be none. But a slice of
waiting counts only where neither the program nor the cell had anything to do: what is starved of the processor, or
still at work on the last arrival, may yet hand something on. For the same reason the next arrival waits, once the item
has come, until both are at rest: the items that follow it come of what has arrived, and not of what is about to.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.isolation.processes import descendants, names_in
from harness.tape.gate import GRACE, SLICE, Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.words import Capability

MOST: Final = 30
"""Times the slices of a wait after which it is given up although somebody is always at work: some never rest."""
_TURNS: Final = 3
"""Turns of the loop in which what has come to its sockets is handed on."""
_LOOKS: Final = 2
_SHORT: Final = 0.001
"""Seconds between looks for rest, of which there are at most `GRACE`: some programs never rest."""
_ALIVE_AGAIN: Final = 25
"""Looks after which the processes are looked for anew."""
_AT_WORK: Final = frozenset({"R", "D"})


class UpstreamGate(Gate):
    """
    Decide when an arrival may go to the program.

    Args:
        capability: the call under test.
        inputs: how many inputs it was given.
        counts: tells whether an item's text carries part of the upstream's answer.
        at_work: tells whether the program or the cell has something to do now.
    """

    def __init__(
        self, capability: Capability, *, inputs: int, counts: Callable[[str], bool], at_work: Callable[[], bool]
    ) -> None:
        super().__init__(capability, inputs=inputs, counts=counts)
        self._at_work = at_work
        self._news = asyncio.Event()

    def item(self, text: str) -> None:
        """
        Note that the caller has got an item, and wake who waits for it.
        """
        super().item(text)
        self._news.set()

    def sent(self, request: int, carries: tuple[int, ...], address: str) -> None:
        """
        Note that a request has come, and wake who waits for it.
        """
        super().sent(request, carries, address)
        self._news.set()

    def finish(self) -> None:
        """
        Let everything through: the call is over.
        """
        super().finish()
        self._news.set()

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:
        """
        Wait until arrival `position` of `of` may go.
        """
        for wait in self._waits(position, of, last=last, address=address, request=request, sync=False):
            turn = idle = 0
            while not (wait.over() or self._open):
                if await self._told():
                    continue
                turn += 1
                idle += not self._at_work()
                if idle >= wait.slices or turn > MOST * wait.slices:
                    wait.give_up()
                    break
        if self._streams:
            await self._rest()
        self._note_arrival()

    async def _rest(self) -> None:
        """
        Wait until neither the program nor the cell has anything to do.

        It takes two looks: between those at the cell and at the program, one may have handed something to the other.
        """
        resting = 0
        for _ in range(GRACE):
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            resting = 0 if self._at_work() else resting + 1
            if self._open or resting == _LOOKS:
                return
            await asyncio.sleep(_SHORT if resting == 0 else 0)

    async def _told(self) -> bool:
        """
        Wait for a slice; tell whether there was news before it was over.
        """
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), SLICE)
        except TimeoutError:
            return False
        return True

    def _others_could_send(self, *, sync: bool) -> bool:  # noqa: ARG002 - the base's interface
        """
        Say yes: the callers are in another process.
        """
        return True


class AtWork:
    """
    Tell whether any of some processes, or of those below them, has something to do (Linux; elsewhere it is not known).

    Args:
        roots: returns the processes.
        moves: returns how many pieces went between them so far; they are at work where there are more than before.
    """

    def __init__(self, roots: Callable[[], Iterable[int]], moves: Callable[[], int]) -> None:
        self._roots = roots
        self._moves = moves
        self._moved = 0
        self._known: list[int] = []
        self._looks = 0

    def __call__(self) -> bool:
        """
        Look at each thread: one that runs or waits for the processor or the disk is at work.
        """
        moved, self._moved = self._moved, self._moves()
        if self._moved != moved:
            return True
        if sys.platform != "linux":
            return False
        if self._looks % _ALIVE_AGAIN == 0:
            roots = list(self._roots())
            self._known = [*roots, *(one for root in roots for one in descendants(root))]
        self._looks += 1
        return any(_is_at_work(process) for process in self._known)


def _is_at_work(process: int) -> bool:
    for thread in names_in(f"/proc/{process}/task"):
        try:
            stat = Path(f"/proc/{process}/task/{thread}/stat")
            # the name in brackets may hold anything; the state follows the last one
            state = stat.read_text(errors="replace").rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if state in _AT_WORK:
            return True
    return False

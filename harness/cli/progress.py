"""How far a run is: a bar on a terminal, a line for each finished adapter elsewhere."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.cli.screen import is_terminal, note
from harness.session.starts import told_start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich import progress as bars

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell
    from harness.session import Progress
    from harness.words import Capability


@contextmanager
def progress(calls: Mapping[str, int]) -> Iterator[Progress]:
    """
    Show how far a run is, on standard error.

    Args:
        calls: how many calls each adapter makes, by its id.
    """
    if is_terminal(sys.stderr):
        with _bar() as shown:
            yield _Bar(shown, sum(calls.values()))
    else:
        yield _Lines(calls)


def _bar() -> bars.Progress:
    from rich.console import Console  # noqa: PLC0415 - rich is needed on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above

    at_work = TextColumn("{task.description}", markup=False)
    return Progress(
        BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), at_work, console=Console(stderr=True), transient=True
    )


class _Bar:
    """
    Name the adapters and the calls at work beside a bar that counts cells.
    """

    def __init__(self, shown: bars.Progress, cells: int) -> None:
        self._shown = shown
        self._task = shown.add_task("starting", total=cells)
        self._working: dict[str, str] = {}
        self._begun: dict[str, int] = {}
        self._judged = 0
        self._beside: dict[str, str] = {}
        self._lock = threading.Lock()

    def beside(self, program: str, seconds: float, *, up: bool) -> None:
        with self._lock:
            self._beside[program] = f"{program} starting, {seconds:.0f} s"
            if up:
                del self._beside[program]
            self._update()

    def started(self, adapter: Adapter) -> None:
        with self._lock:
            self._begun[adapter.id] = 0
            self._show(adapter, "starting")

    def called(self, adapter: Adapter, capability: Capability) -> None:
        with self._lock:
            self._begun[adapter.id] += 1
            self._show(adapter, capability.value)

    def judged(self, adapter: Adapter, cell: Cell) -> None:  # noqa: ARG002 - the bar only counts
        with self._lock:
            self._begun.pop(adapter.id, None)
            self._judged += 1
            self._show(adapter, None)

    def _show(self, adapter: Adapter, doing: str | None) -> None:
        self._working.pop(adapter.id, None)
        if doing is not None:
            self._working[adapter.id] = f"{adapter.name} {doing}"
        self._update()

    def _update(self) -> None:
        # an adapter's cells are judged together, but a call that begins tells that the one before it is over
        done = self._judged + sum(max(begun - 1, 0) for begun in self._begun.values())
        at_work = [*self._beside.values(), *self._working.values()]
        self._shown.update(self._task, completed=done, description=", ".join(at_work))


class _Lines:
    """
    Print a line for each adapter that is done.
    """

    def __init__(self, calls: Mapping[str, int]) -> None:
        self._calls = calls
        self._done = 0
        self._cells: dict[str, list[Cell]] = {}
        self._lock = threading.Lock()

    def beside(self, program: str, seconds: float, *, up: bool) -> None:
        """
        Print how far a program's start is, now and then.
        """
        line = told_start(program, seconds, up=up)
        if line is not None:
            note(line)

    def started(self, adapter: Adapter) -> None:
        self._cells[adapter.id] = []

    def called(self, adapter: Adapter, capability: Capability) -> None:
        """
        Say nothing: a line is an adapter.
        """

    def judged(self, adapter: Adapter, cell: Cell) -> None:
        with self._lock:
            cells = self._cells[adapter.id]
            cells.append(cell)
            if len(cells) < self._calls[adapter.id]:
                return
            self._done += 1
            words = ", ".join(f"{one.capability.value} {(one.mechanism or one.verdict).value}" for one in cells)
            note(f"[{self._done}/{len(self._calls)}] {adapter.id}: {words}")

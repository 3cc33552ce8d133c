"""The desk: measures an adapter when the first of its cells is run, and remembers what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.session import Session, Settings
from harness.session.checks import columns_of
from harness.session.outputs import MATRIX
from harness.session.standing import baseline_of, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell, Checked, Matrix, Measured
    from harness.plugin.asked import Asked
    from harness.plugin.starting import Starting
    from harness.session.columns import Columns
    from harness.session.problems import Problem
    from harness.session.rows import Row
    from harness.session.standing import Fault
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    Hold one measured cell, and what is not as it should be with it.
    """

    cell: Cell
    adapter: Measured
    problem: Problem | None
    faults: tuple[Fault, ...]
    checks: tuple[Checked, ...] = ()


class Desk:
    """
    Measure adapters on demand, each in one go.

    Args:
        asked: the plugin's options.
        starting: is told how long programs have been starting.
    """

    def __init__(self, asked: Asked, starting: Starting) -> None:
        self._asked = asked
        self._starting = starting
        self._planned: dict[Adapter, list[Capability]] = {}
        self._rows: dict[Adapter, Row] = {}
        self._session: Session | None = None
        self._baseline: Matrix | None = None
        self._looked = False
        self._columns: Columns | None = None

    @property
    def file(self) -> Path | None:
        """
        Return the project's configuration.
        """
        return self._asked.project.file

    def prepare(self, adapters: Iterable[Adapter]) -> None:
        """
        Find the checks that are columns of the table.

        Raises:
            UserError: there is no such check, or one cannot be loaded.
        """
        asked = self._asked
        if not asked.record:
            self._columns = columns_of(asked.project, adapters, asked.columns)

    def plan(self, cells: Iterable[tuple[Adapter, Capability]]) -> None:
        """
        Learn which cells are going to be asked for, and begin to preload.
        """
        for adapter, capability in cells:
            self._planned.setdefault(adapter, []).append(capability)
        if self._planned:
            self._open()

    def find(self, adapter: Adapter, capability: Capability) -> Found:
        """
        Return a cell; its adapter is measured if it has not been.

        Raises:
            HarnessError: the processes cannot be had, or the committed matrix cannot be read.
        """
        row = self._rows.get(adapter)
        if row is None:
            row = self._rows[adapter] = self._measure(adapter, capability)
        cell = next(one for one in row.cells if one.capability is capability)
        problem = next((one for one in row.problems if one.capability is capability), None)
        standing = weigh([cell], self._before())
        checks = tuple(one for one in row.checks if one.capability is capability)
        return Found(cell=cell, adapter=row.adapter, problem=problem, faults=standing.faults, checks=checks)

    def close(self) -> None:
        """
        End every process.
        """
        if self._session is not None:
            self._session.__exit__(None, None, None)
            self._session = None

    def _measure(self, adapter: Adapter, capability: Capability) -> Row:
        planned = self._planned.get(adapter, [capability])
        calls = planned if capability in planned else [*planned, capability]
        session = self._open()
        committed = None if self._asked.alone else self._before()
        return session.measure(adapter, calls, session.known(committed))

    def _open(self) -> Session:
        if self._session is None:
            settings = Settings(record=self._asked.record, pace=self._asked.pace, jobs=1)
            self._session = Session(self._asked.project, settings, self._starting, columns=self._columns).__enter__()
        return self._session

    def _before(self) -> Matrix | None:
        if not self._looked:
            self._baseline = baseline_of(self._asked.project.reports / MATRIX)
            self._looked = True
        return self._baseline

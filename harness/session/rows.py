"""Rows: what a run has of each adapter, and the matrix that they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from harness.battery.prompts import VERSION
from harness.cells import Cell, Checked, Matrix, Measured
from harness.session.cells import python_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.session.made import Made
    from harness.session.problems import Problem
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    Hold one adapter's part of a matrix, and what went wrong beside it.

    Attributes:
        adapter: the row's head.
        cells: one for each call that was asked for.
        problems: mistakes, recordings that were not kept, the harness's own faults.
        kept: the calls whose recordings were written.
        made: of each call that was recorded, what it took.
        checks: what came of the checks whose columns are switched on.
    """

    adapter: Measured
    cells: tuple[Cell, ...]
    problems: tuple[Problem, ...] = ()
    kept: tuple[Capability, ...] = ()
    made: Mapping[Capability, Made] = field(default_factory=dict)
    checks: tuple[Checked, ...] = ()


class Interrupted(KeyboardInterrupt):
    """
    Carry the rows that were known when the user stopped the run.
    """

    def __init__(self, rows: list[Row]) -> None:
        super().__init__("stopped by the user")
        self.rows = rows


def matrix_of(rows: Sequence[Row], *, complete: bool) -> Matrix:
    """
    Return the matrix of some rows.
    """
    return Matrix(
        complete=complete,
        harness=version("capability-harness"),
        python=python_version(),
        battery=VERSION,
        adapters=tuple(row.adapter for row in rows),
        cells=tuple(one for row in rows for one in row.cells),
        checks=tuple(one for row in rows for one in row.checks),
    )

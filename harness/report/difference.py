"""Two matrices compared: the cells that changed, the worst first, and the rows that came or went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.report.matrix import adapter_order, sorted_checks
from harness.words import Capability, Mechanism, State, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cells import Cell, Checked, Matrix

    Key = tuple[str, str]

_RANK: Final = {
    Verdict.NATIVE: 0,
    Verdict.FALLBACK: 1,
    Verdict.UNSUPPORTED: 2,
    Verdict.BROKEN: 3,
    Verdict.BLOCKED: 4,
}
"""How bad a verdict is for the caller. `unknown` has no place among them: it is no news about the adapter."""
_FAILS: Final = frozenset({Verdict.BROKEN, Verdict.BLOCKED})
_HURTS: Final = {mechanism: -number for number, mechanism in enumerate(Mechanism)}


class Way(StrEnum):
    """
    Say which way a cell went, the most urgent first.

    `lost` is a cell that worked and is not in the new matrix any more; `other` is a change that is neither better nor
    worse, as from `unknown` to `fallback`.
    """

    WORSE = "worse"
    LOST = "lost"
    OTHER = "other"
    BETTER = "better"
    REMOVED = "removed"
    ADDED = "added"

    @property
    def is_regression(self) -> bool:
        """
        Tell whether somebody who relied on the cell has less than before.
        """
        return self in {Way.WORSE, Way.LOST}


_WAYS: Final = {way: number for number, way in enumerate(Way)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    Hold one cell as it was and as it is; None where one of the matrices lacks it.
    """

    old: Cell | None
    new: Cell | None

    @property
    def cell(self) -> Cell:
        """
        Return the cell as it is, or as it was where it is gone.
        """
        found = self.new or self.old
        assert found is not None  # noqa: S101 - a change has at least one of the two
        return found

    @property
    def way(self) -> Way:
        """
        Return which way the cell went.
        """
        if self.old is None:
            return Way.ADDED
        if self.new is None:
            return Way.LOST if self.old.verdict.works else Way.REMOVED
        return _way(self.old, self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckChange:
    """
    Hold what came of a check on one cell, as it was and as it is: in both matrices its column is switched on.
    """

    old: Checked
    new: Checked

    @property
    def way(self) -> Way:
        """
        Return which way it went; what is not tried any more, or finds another figure, is neither better nor worse.
        """
        if self.old.state is self.new.state:
            return Way.OTHER
        return {State.FAILED: Way.WORSE, State.PASSED: Way.BETTER}.get(self.new.state, Way.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """
    Hold what differs between two matrices.

    Attributes:
        changes: of cells, the worst first.
        checks: of what stands in the columns of checks, the worst first.
        added: family and name of the adapters that only the new matrix has.
        removed: those that only the old one has; none where the new one is the matrix of a part.
        compared: how many cells both have.
        unmeasured: how many cells of the old one the new one lacks because it is the matrix of a part.
        rules: why verdicts may differ although no adapter changed: other versions judged; empty where that is not so.
    """

    changes: tuple[Change, ...]
    checks: tuple[CheckChange, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    compared: int = 0
    unmeasured: int = 0
    rules: tuple[str, ...] = ()

    @property
    def regressions(self) -> int:
        """
        Count the cells, and what stands in columns, that are worse than before.
        """
        return sum(way.is_regression for way in self._ways())

    def count(self, way: Way) -> int:
        """
        Count the cells, and what stands in columns, that went one way.
        """
        return sum(one is way for one in self._ways())

    def _ways(self) -> Iterator[Way]:
        yield from (change.way for change in self.changes)
        yield from (change.way for change in self.checks)


def differ(old: Matrix, new: Matrix) -> Difference:
    """
    Compare two matrices. A cell changed where its verdict or its mechanism did; figures and words alone are no change.
    What stands in a column changed where it ended otherwise, or measured something else.
    """
    before, after = _by_key(old), _by_key(new)
    gone = [key for key in before if key not in after]
    changes = [*_changed(before, after), *(Change(old=None, new=after[key]) for key in after if key not in before)]
    if new.complete:
        changes += [Change(old=before[key], new=None) for key in gone]
    was, now = _adapters(old), _adapters(new)
    return Difference(
        changes=tuple(sorted(changes, key=_order)),
        checks=tuple(sorted(_checks(old, new), key=lambda one: _WAYS[one.way])),
        added=tuple(sorted(now - was, key=lambda key: adapter_order(*key))),
        removed=tuple(sorted(was - now, key=lambda key: adapter_order(*key))) if new.complete else (),
        compared=len(before) - len(gone),
        unmeasured=0 if new.complete else len(gone),
        rules=tuple(_rules(old, new)),
    )


def _by_key(matrix: Matrix) -> dict[tuple[str, str, str], Cell]:
    return {(cell.family, cell.adapter, cell.capability.value): cell for cell in matrix.cells}


def _adapters(matrix: Matrix) -> set[Key]:
    return {(one.family, one.name) for one in matrix.adapters}


def _changed(before: dict[tuple[str, str, str], Cell], after: dict[tuple[str, str, str], Cell]) -> Iterator[Change]:
    for key, old in before.items():
        new = after.get(key)
        if new is not None and (old.verdict, old.mechanism) != (new.verdict, new.mechanism):
            yield Change(old=old, new=new)


def _checks(old: Matrix, new: Matrix) -> Iterator[CheckChange]:
    before = {(one.family, one.adapter, one.check, one.capability): one for one in old.checks}
    for now in sorted_checks(new):
        was = before.get((now.family, now.adapter, now.check, now.capability))
        if was is not None and (was.state, was.figure) != (now.state, now.figure):
            yield CheckChange(old=was, new=now)


def _way(old: Cell, new: Cell) -> Way:
    if new.verdict is Verdict.UNKNOWN:
        return Way.WORSE if old.verdict.works else Way.OTHER
    if old.verdict is Verdict.UNKNOWN:
        if new.verdict in _FAILS:
            return Way.WORSE
        return Way.BETTER if new.verdict is Verdict.NATIVE else Way.OTHER
    return Way.WORSE if _badness(new) > _badness(old) else Way.BETTER


def _badness(cell: Cell) -> tuple[int, int]:
    # of two ways to emulate a call, the one that hurts the caller more is the worse one
    return _RANK.get(cell.verdict, 0), _HURTS[cell.mechanism] if cell.mechanism else -len(_HURTS)


def _order(change: Change) -> tuple[object, ...]:
    cell = change.cell
    fall = _RANK.get(cell.verdict, len(_RANK)) - (_RANK.get(change.old.verdict, 0) if change.old else 0)
    number = list(Capability).index(cell.capability)
    return _WAYS[change.way], -fall, *adapter_order(cell.family, cell.adapter), number


def _rules(old: Matrix, new: Matrix) -> Iterator[str]:
    versions = {
        "battery": (old.battery, new.battery),
        "harness": (old.harness, new.harness),
        "Python": (old.python, new.python),
    }
    for name, (before, after) in versions.items():
        if None not in {before, after} and before != after:
            yield f"{name} {before} before, {after} now"

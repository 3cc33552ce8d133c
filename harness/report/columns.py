"""Columns of checks: what stands in their headings and cells, and below the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.matrix import sorted_checks
from harness.report.text import one_line, without_figures
from harness.words import State, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cells import Checked, Matrix

SYMBOLS: Final = {State.FAILED: "❌", State.FAULT: "?", State.PASSED: "✅", State.SKIPPED: "n/a", State.OFF: "n/a"}
"""The symbol of each state; of several calls, the first of these that any of them has stands for all."""
STATES: Final = {
    State.PASSED: "it is as an application relies on",
    State.FAILED: "it is not so",
    State.SKIPPED: "not applicable: it cannot be tried on this adapter, or over this recording",
    State.OFF: "not applicable: its registration switches it off",
    State.FAULT: "the check failed itself",
}
UNTRIED: Final = "it was not tried there: its column is switched on for others"

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    Hold what stands in one cell of a check's column: what came of its calls.
    """

    results: tuple[Checked, ...]

    @property
    def state(self) -> State | None:
        """
        Return the state that stands for all calls; None where the check was not tried on this adapter.
        """
        states = {one.state for one in self.results}
        return next((state for state in SYMBOLS if state in states), None)

    def mark(self, one: Checked) -> str:
        """
        Return the symbol of one call alone.
        """
        return SYMBOLS[one.state]

    @property
    def symbol(self) -> str:
        """
        Return its symbol.
        """
        return "?" if self.state is None else SYMBOLS[self.state]

    @property
    def figure(self) -> str:
        """
        Return what was measured, in a few words: once where all calls have the same, otherwise by call.
        """
        told = {one.capability.value: one_line(one.figure) for one in self.results if one.figure}
        if len(set(told.values())) == 1 and len(told) == len(self.results):
            return next(iter(told.values()))
        return ", ".join(f"{call}: {figure}" for call, figure in told.items())


def column_names(matrix: Matrix) -> tuple[str, ...]:
    """
    Return the checks that are columns, sorted.
    """
    return tuple(sorted({one.check for one in matrix.checks}))


def column_heading(check: str) -> str:
    """
    Return a check's name as a heading.
    """
    return check.replace("-", " ").capitalize()


def entries(matrix: Matrix) -> dict[Key, Entry]:
    """
    Return the entries by family, adapter and check.
    """
    found: dict[Key, list[Checked]] = {}
    for one in sorted_checks(matrix):
        found.setdefault((one.family, one.adapter, one.check), []).append(one)
    return {key: Entry(results=tuple(results)) for key, results in found.items()}


def untried(matrix: Matrix) -> bool:
    """
    Tell whether a column has adapters on which its check was not tried.
    """
    return len(entries(matrix)) < len(column_names(matrix)) * len(matrix.adapters)


def row_of(found: Mapping[Key, Entry], names: Iterable[str], family: str, adapter: str) -> list[Entry]:
    """
    Return an adapter's entries, one a column.
    """
    nothing = Entry(results=())
    return [found.get((family, adapter, name), nothing) for name in names]


def alike(matrix: Matrix) -> dict[str, list[Sequence[Checked]]]:
    """
    Return what there is to say, by check: a group of results for each state and sentence, whatever their figures.
    """
    found: dict[str, dict[tuple[State, str], list[Checked]]] = {}
    for one in sorted_checks(matrix):
        key = (one.state, without_figures(one.sentence))
        found.setdefault(one.check, {}).setdefault(key, []).append(one)
    order = list(SYMBOLS)
    return {
        check: [groups[key] for key in sorted(groups, key=lambda key: (order.index(key[0]), -len(groups[key]), key[1]))]
        for check, groups in sorted(found.items())
    }


def whose(group: Sequence[Checked]) -> str:
    """
    Return of whom a group's sentence is said: its first, and how many more.
    """
    first = group[0]
    more = f" and {counted(len(group) - 1, 'cell')} more" if len(group) > 1 else ""
    return f"{one_line(first.adapter)}, {first.capability.heading}{more}"

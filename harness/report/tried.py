"""What checks showed of whole families: rows beside a published table of features, and what stands behind each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.report.matrix import sorted_checks
from harness.report.text import one_line
from harness.words import Capability, State, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cells import Checked, Column, Features, Matrix, Promise

_TRIED: Final = frozenset({State.PASSED, State.FAILED})
_NAMED: Final = 3
"""Adapters that are called by their names; of more, the first and a number stand for all."""
_FIGURES: Final = re.compile(r"\d+(?:\.\d+)?")
_SAID: Final = 200
"""Characters of a sentence that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """
    Show what came of a check for one call of a column's family.

    Attributes:
        name: what the page's table calls the check.
        call: the call that it was tried on.
        column: of the table.
        symbol: a check where it holds for at least one adapter, a cross where for none.
        figure: for how many it holds, of how many it could be tried on.
        evidence: what was measured, and of whom.
    """

    name: str
    call: Capability
    column: Column
    symbol: str
    figure: str
    evidence: str


def tried(matrix: Matrix, features: Features) -> tuple[tuple[Tried, ...], ...]:
    """
    Return the rows of the checks that a table names, a call each; a check that no family has as a column has none.
    """
    return tuple(
        tuple(_tried(name, call, column, _of(matrix, check, [column], call)) for column in features.columns)
        for name, check in features.checks.items()
        for call in _calls(matrix, check)
    )


def _calls(matrix: Matrix, check: str) -> list[Capability]:
    calls = {one.capability for one in matrix.checks if one.check == check}
    return [one for one in Capability if one in calls]


def _of(matrix: Matrix, check: str, columns: Iterable[Column], call: Capability | None = None) -> list[Checked]:
    return [
        one
        for one in sorted_checks(matrix)
        if one.check == check
        and call in {None, one.capability}
        and any(stands_behind(column, one.family, one.adapter) for column in columns)
    ]


def stands_behind(column: Column, family: str, adapter: str) -> bool:
    """
    Tell whether an adapter is one of those that a column of a table of features shows.
    """
    return family == column.family and (not column.adapters or adapter in column.adapters)


def _tried(name: str, call: Capability, column: Column, results: Sequence[Checked]) -> Tried:
    known = [one for one in results if one.state in _TRIED]
    good = [one for one in known if one.state is State.PASSED]
    verdict = Verdict.NATIVE if good else Verdict.UNSUPPORTED if known else Verdict.UNKNOWN
    return Tried(
        name=name,
        call=call,
        column=column,
        symbol=verdict.symbol,
        figure=f"{len(good)} of {len(known)}" if known else "not tried",
        evidence="; ".join(_groups(known)) or _why_not(results),
    )


def _groups(results: Sequence[Checked]) -> Iterator[str]:
    """
    Yield what was measured, of whom: what holds first, and then what most have in common.
    """
    found: dict[tuple[bool, str], list[Checked]] = {}
    for one in results:
        bad = one.state is State.FAILED
        # what is wrong is of one kind whatever its figures; what holds is told by them
        kind = _FIGURES.sub("#", one.sentence) if bad else one.figure
        found.setdefault((bad, kind), []).append(one)
    for (bad, _), alike in sorted(found.items(), key=lambda one: (one[0][0], -len(one[1]), one[0][1])):
        first = alike[0]
        said = _cut(one_line(first.sentence)) if bad else one_line(first.figure or "so")
        yield f"{'not so: ' if bad else ''}{said} ({_named([one.adapter for one in alike])})"


def _cut(text: str) -> str:
    return text if len(text) <= _SAID else f"{text[:_SAID]}…"


def _named(adapters: Sequence[str]) -> str:
    names = list(dict.fromkeys(map(one_line, adapters)))
    if len(names) <= _NAMED:
        return ", ".join(names)
    return f"{names[0]} and {len(names) - 1} more"


def _why_not(results: Sequence[Checked]) -> str:
    reasons = list(dict.fromkeys(one_line(one.sentence) for one in results))
    return "; ".join(reasons[:_NAMED]) or "it was not switched on"


def by_check(promise: Promise, matrix: Matrix, features: Features) -> tuple[str, str]:
    """
    Return the symbol of a promise that a check shows, and why: for how many it is so, and what the others do.
    """
    columns = [one for one in features.columns if not promise.columns or one.name in promise.columns]
    told = [_kept(promise, features.checks[promise.check or ""], column, matrix) for column in columns]
    symbols = {symbol for symbol, _ in told}
    worst = next(one.symbol for one in _WORST_FIRST if one.symbol in symbols)
    return worst, "; ".join(f"{column.name}: {why}" for column, (_, why) in zip(columns, told, strict=True))


_WORST_FIRST: Final = (Verdict.UNSUPPORTED, Verdict.UNKNOWN, Verdict.NATIVE)


def _kept(promise: Promise, check: str, column: Column, matrix: Matrix) -> tuple[str, str]:
    known = [one for one in _of(matrix, check, [column]) if one.state in _TRIED]
    if not known:
        return Verdict.UNKNOWN.symbol, "not tried"
    kept = [one for one in known if one.state is State.PASSED and one.figure.startswith(promise.figure or "")]
    others = "; ".join(_groups([one for one in known if one not in kept]))
    figure = f"so for {len(kept)} of {counted(len(known), 'cell')}" if kept else f"for none of {len(known)}"
    symbol = (Verdict.NATIVE if kept else Verdict.UNSUPPORTED).symbol
    return symbol, f"{figure}; otherwise: {others}" if others else figure

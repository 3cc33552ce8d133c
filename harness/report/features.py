"""A published table of features, regenerated from what its families' adapters do, each cell with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.cells import Cell
from harness.report.markdown import escape, table
from harness.report.matrix import sorted_cells
from harness.report.page import render_page
from harness.report.text import one_line, word
from harness.report.tried import by_check, stands_behind, tried
from harness.words import Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.cells import Column, Features, Matrix, Measured, Promise
    from harness.report.tried import Tried

HOW_TO_READ: Final = (
    "A check stands where the call is native for at least one adapter of the column's family, a cross where it is for "
    "none, and a question mark where none was measured. Beside it: for how many of those that were measured."
)
HOW_TO_READ_CHECKS: Final = (
    "In each cell stand for how many adapters it is so, of those on which it could be tried, and what was measured."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    Show one cell of the table.

    Attributes:
        feature: its row.
        column: its column.
        symbol: the published look.
        figure: how many adapters are native, of how many.
        published: the page gives it a check.
        evidence: what one adapter did, and who does it otherwise, in one sentence.
    """

    feature: str
    column: Column
    symbol: str
    figure: str
    published: bool
    evidence: str


def shown(matrix: Matrix, features: Features) -> tuple[tuple[Shown, ...], ...]:
    """
    Return the table, row by row.
    """
    cells = sorted_cells(matrix)
    return tuple(
        tuple(
            _shown(name, column, [one for one in cells if _behind(column, one) and one.capability is call])
            for column in features.columns
        )
        for name, call in features.features.items()
    )


def _behind(column: Column, one: Cell | Measured) -> bool:
    return stands_behind(column, one.family, one.adapter if isinstance(one, Cell) else one.name)


def _shown(feature: str, column: Column, cells: Sequence[Cell]) -> Shown:
    known = [one for one in cells if one.verdict is not Verdict.UNKNOWN]
    native = [one for one in known if one.verdict is Verdict.NATIVE]
    verdict = Verdict.NATIVE if native else Verdict.UNSUPPORTED if known else Verdict.UNKNOWN
    return Shown(
        feature=feature,
        column=column,
        symbol=verdict.symbol,
        figure=f"{len(native)} of {len(known)}" if known else "not measured",
        published=feature in column.published,
        evidence=_evidence(column, cells, native),
    )


def _evidence(column: Column, cells: Sequence[Cell], native: Sequence[Cell]) -> str:
    if not cells:
        return f"no adapter of {column.family} was measured"
    quoted = [one for one in native if one.adapter == column.example] or list(native) or list(cells)
    others = [one for one in cells if one.verdict is not Verdict.NATIVE and one is not quoted[0]]
    sentence = f"{quoted[0].adapter}: {one_line(quoted[0].reason)}"
    return f"{sentence}; otherwise: {_grouped(others)}" if others else sentence


def _grouped(cells: Sequence[Cell]) -> str:
    words: dict[str, list[str]] = {}
    for one in cells:
        words.setdefault(word(one), []).append(one.adapter)
    return "; ".join(f"{name} {', '.join(adapters)}" for name, adapters in sorted(words.items()))


def verdict_of(
    promise: Promise, matrix: Matrix, features: Features, rows: Sequence[Sequence[Shown]]
) -> tuple[str, str]:
    """
    Return the symbol of a promise, and why.
    """
    if promise.check is not None:
        return by_check(promise, matrix, features)
    if promise.cells:
        return _by_cells(promise, matrix)
    if promise.feature is None:
        return Verdict.UNKNOWN.symbol, promise.unjudged or ""
    found = [
        one
        for row in rows
        for one in row
        if one.feature == promise.feature and (not promise.columns or one.column.name in promise.columns)
    ]
    worst = min(found, key=lambda one: _RANKS.index(one.symbol))
    return worst.symbol, "; ".join(f"{one.column.name}: {_native(one)}" for one in found)


def _by_cells(promise: Promise, matrix: Matrix) -> tuple[str, str]:
    known = {f"{one.family}/{one.adapter}::{one.capability.value}": one for one in matrix.cells}
    found = [known[name] for name in promise.cells if name in known]
    if len(found) < len(promise.cells) or any(one.verdict is Verdict.UNKNOWN for one in found):
        return Verdict.UNKNOWN.symbol, "not measured"
    holds = all(one.verdict is promise.verdict for one in found)
    why = "; ".join(f"{one.adapter}, {one.capability.heading}: {_after(one)}{one_line(one.reason)}" for one in found)
    return (Verdict.NATIVE if holds else Verdict.BROKEN).symbol, why


def _after(cell: Cell) -> str:
    return f"after {counted(cell.evidence.items, 'item')} " if cell.evidence.items else ""


def _native(one: Shown) -> str:
    return one.figure if one.symbol == Verdict.UNKNOWN.symbol else f"native for {one.figure}"


_RANKS: Final = (Verdict.UNSUPPORTED.symbol, Verdict.UNKNOWN.symbol, Verdict.NATIVE.symbol)


def render_features(matrix: Matrix, features: Features) -> str:
    """
    Return the table in Markdown, in the published look and with its evidence.
    """
    rows = shown(matrix, features)
    header = ("Feature", *(escape(column.name) for column in features.columns))
    parts = [
        f"# {escape(features.title)}: as measured\n",
        f"Published in {escape(features.source)}; {_families(matrix, features)}.\n",
        table(header, ([escape(row[0].feature), *(f"{one.symbol} {one.figure}" for one in row)] for row in rows)),
        f"{HOW_TO_READ}\n",
        "## The evidence of each cell\n",
        table(("Feature", "Column", "Published", "Measured", "Evidence"), map(_line, _each(rows)), centred=False),
        *_checks(matrix, features),
        *_promises(matrix, features, rows),
    ]
    return "\n".join(parts)


def _each(rows: Sequence[Sequence[Shown]]) -> Iterator[Shown]:
    for row in rows:
        yield from row


def _line(one: Shown) -> list[str]:
    published = Verdict.NATIVE.symbol if one.published else ""
    measured = f"{one.symbol} {one.figure}"
    return [escape(one.feature), escape(one.column.name), published, measured, escape(one.evidence)]


def _checks(matrix: Matrix, features: Features) -> Iterator[str]:
    rows = tried(matrix, features)
    if not rows:
        return
    yield "## What was tried beside the calls\n"
    yield f"{HOW_TO_READ_CHECKS}\n"
    header = ("Check", "Call", *(escape(column.name) for column in features.columns))
    yield table(header, ([escape(row[0].name), row[0].call.heading, *map(_told, row)] for row in rows), centred=False)


def _told(one: Tried) -> str:
    return f"{one.symbol} {one.figure}: {escape(one.evidence)}"


def _promises(matrix: Matrix, features: Features, rows: Sequence[Sequence[Shown]]) -> Iterator[str]:
    if not features.promises:
        return
    yield "## What the page promises beside the table\n"
    lines = ([escape(one.says), *map(escape, verdict_of(one, matrix, features, rows))] for one in features.promises)
    yield table(("Promise", "Holds", "Why"), lines, centred=False)


def _families(matrix: Matrix, features: Features) -> str:
    counts = {column.family: sum(_behind(column, one) for one in matrix.adapters) for column in features.columns}
    return "measured: " + ", ".join(f"{counted(number, 'adapter')} of {family}" for family, number in counts.items())


def render_features_html(matrix: Matrix, features: Features) -> str:
    """
    Return the same as a page. It loads nothing and has no script.
    """
    rows = shown(matrix, features)
    return render_page(
        "features.html.j2",
        matrix,
        script=None,
        features=features,
        rows=rows,
        read=HOW_TO_READ,
        families=_families(matrix, features),
        checks=tried(matrix, features),
        read_checks=HOW_TO_READ_CHECKS,
        promises=[(one.says, *verdict_of(one, matrix, features, rows)) for one in features.promises],
    )

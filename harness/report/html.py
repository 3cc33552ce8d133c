"""The page: one offline file with the table and the evidence behind every cell; of very many adapters, several."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from harness.report.columns import STATES, SYMBOLS, UNTRIED, column_heading, column_names, entries, row_of, untried
from harness.report.figures import figures
from harness.report.matrix import SCHEMA_VERSION, cells_of, generator, sorted_adapters
from harness.report.page import GLYPHS, render_page
from harness.report.text import MECHANISMS, UPSTREAMS, VERDICTS, anchor, meaning, tally, verdict, word
from harness.report.timeline import MARKS, render_svg
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.cells import Cell, Matrix, Measured
    from harness.report.columns import Entry

    Key = tuple[str, str]

INDEX: Final = "index.html"
MOST_ON_ONE_PAGE: Final = 400
"""Adapters whose evidence stands with the table, about 9 kB each; that of more stands on pages of its own."""
ON_A_PART: Final = 100
"""Adapters on a page of evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """
    Hold what the page shows of one cell.

    Attributes:
        figures: the figures that say something about this call, by name.
        claims: what registration, class or published table say otherwise; equal ones together.
        recording: the cassette, relative to the adapter's own folder where it is there.
    """

    capability: Capability
    cell: Cell | None
    anchor: str
    verdict: Verdict
    word: str
    glyph: str
    meaning: str
    figures: tuple[tuple[str, str], ...]
    claims: tuple[tuple[str, Verdict], ...]
    recording: str | None

    @property
    def svg(self) -> Markup:
        """
        Return the timeline's picture; empty where there is none. It is drawn when a page asks, and not kept.
        """
        return Markup() if self.cell is None else render_svg(self.cell.evidence.timeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterView:
    """
    Hold what the page shows of one adapter.

    Attributes:
        page: where its evidence stands, relative to the table's page; empty for that page itself.
        checks: what came of the checks whose columns are switched on, by heading.
    """

    adapter: Measured
    anchor: str
    cells: tuple[CellView, ...]
    native: int
    page: str
    checks: Mapping[str, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyView:
    """
    Hold one family's totals.
    """

    name: str
    adapters: int
    cells: int
    counts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    Name a page of evidence by its first and its last adapter.
    """

    href: str
    first: str
    last: str


def render_html(matrix: Matrix, compared: Mapping[str, str] | None = None) -> str:
    """
    Return the page. It loads nothing, runs no script but its own, and shows all its evidence without any.

    Args:
        matrix: what it shows.
        compared: by family, the page that holds it against its published table.
    """
    return _index(matrix, _rows(matrix, {}), compared or {}, ())


def render_pages(matrix: Matrix, compared: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """
    Yield the page and, where there are too many adapters for one, those with their evidence: path and text.

    Args:
        matrix: what they show.
        compared: by family, the page that holds it against its published table.
    """
    rows = _rows(matrix, evidence_pages(matrix))
    by_page: dict[str, list[AdapterView]] = {}
    for row in rows:
        by_page.setdefault(row.page, []).append(row)
    by_page.pop("", None)
    parts = [Part(href=page, first=own[0].adapter.name, last=own[-1].adapter.name) for page, own in by_page.items()]
    yield INDEX, _index(matrix, rows, compared or {}, parts)
    for page, own in by_page.items():
        yield page, render_page("evidence.html.j2", matrix, script="open.js", rows=own, marks=MARKS)


def evidence_pages(matrix: Matrix) -> dict[Key, str]:
    """
    Return where each adapter's evidence stands, relative to the table's page; empty for that page itself.
    """
    names = [(adapter.family, adapter.name) for adapter in sorted_adapters(matrix)]
    if len(names) <= MOST_ON_ONE_PAGE:
        return dict.fromkeys(names, "")
    return {name: f"evidence/{place // ON_A_PART + 1}.html" for place, name in enumerate(names)}


def _index(matrix: Matrix, rows: list[AdapterView], compared: Mapping[str, str], parts: Sequence[Part]) -> str:
    words = {cell.word for row in rows for cell in row.cells}
    upstreams = {row.adapter.upstream for row in rows}
    return render_page(
        "index.html.j2",
        matrix,
        script="script.js",
        rows=rows,
        whole=not parts,
        parts=parts,
        compared=compared,
        families=_families(rows),
        counts=tally(cell.verdict for row in rows for cell in row.cells),
        upstreams={each: text for each, text in UPSTREAMS.items() if each in upstreams},
        mechanisms={each: text for each, text in MECHANISMS.items() if each in words},
        marks=MARKS,
        columns=[column_heading(name) for name in column_names(matrix)],
        states={each: text for each, text in STATES.items() if each in {one.state for one in matrix.checks}},
        marks_of=SYMBOLS,
        untried=UNTRIED if untried(matrix) else "",
        fallback=Verdict.FALLBACK,
        data=_data(matrix, rows),
    )


def _rows(matrix: Matrix, pages: Mapping[Key, str]) -> list[AdapterView]:
    cells = cells_of(matrix)
    names = [(adapter, (adapter.family, adapter.name)) for adapter in sorted_adapters(matrix)]
    columns, found = column_names(matrix), entries(matrix)
    headings = [column_heading(name) for name in columns]
    checks = [dict(zip(headings, row_of(found, columns, *name), strict=True)) for _, name in names]
    return [
        _adapter(adapter, cells.get(name, {}), pages.get(name, ""), tried)
        for (adapter, name), tried in zip(names, checks, strict=True)
    ]


def _adapter(
    adapter: Measured, cells: Mapping[Capability, Cell], page: str, checks: Mapping[str, Entry]
) -> AdapterView:
    views = tuple(_cell(adapter, capability, cells.get(capability)) for capability in Capability)
    native = sum(view.verdict is Verdict.NATIVE for view in views)
    return AdapterView(
        adapter=adapter,
        anchor=anchor(adapter.family, adapter.name),
        cells=views,
        native=native,
        page=page,
        checks=checks,
    )


def _cell(adapter: Measured, capability: Capability, cell: Cell | None) -> CellView:
    found = verdict(cell)
    return CellView(
        capability=capability,
        cell=cell,
        anchor=anchor(adapter.family, adapter.name, capability),
        verdict=found,
        word=word(cell),
        glyph=GLYPHS[found.symbol],
        meaning=VERDICTS[found] if cell is None else meaning(cell),
        figures=() if cell is None else tuple(_telling(cell)),
        claims=() if cell is None else tuple(_claims(cell)),
        recording=None if cell is None else _recording(adapter, cell),
    )


def _telling(cell: Cell) -> list[tuple[str, str]]:
    """
    Return a cell's figures; none where nothing was sent, for they would all be zero.
    """
    return list(figures(cell)) if cell.evidence.requests or cell.evidence.items else []


def _claims(cell: Cell) -> Iterator[tuple[str, Verdict]]:
    said: dict[Verdict, list[str]] = {}
    for name, claim in (("declared", cell.declared), ("published", cell.published), ("overrides", cell.reflected)):
        if claim and claim is not cell.verdict:
            said.setdefault(claim, []).append(name)
    for claim, names in said.items():
        yield ", ".join(names), claim


def _recording(adapter: Measured, cell: Cell) -> str | None:
    cassette = cell.evidence.cassette
    return None if cassette is None else cassette.path.removeprefix(f"{adapter.family}/{adapter.name}/")


def _families(rows: list[AdapterView]) -> list[FamilyView]:
    by_name: dict[str, list[AdapterView]] = {}
    for row in rows:
        by_name.setdefault(row.adapter.family, []).append(row)
    return [_family(name, own) for name, own in sorted(by_name.items())]


def _family(name: str, rows: Sequence[AdapterView]) -> FamilyView:
    counts = tally(cell.verdict for row in rows for cell in row.cells)
    return FamilyView(name=name, adapters=len(rows), cells=len(rows) * len(Capability), counts=counts)


def _data(matrix: Matrix, rows: list[AdapterView]) -> Markup:
    """
    Return the table as JSON for tools, a word a cell: a fallback's mechanism, the verdict otherwise.

    Figures and timelines stay in matrix.json: they would triple the page.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "complete": matrix.complete,
        "generator": generator(matrix),
        "capabilities": list(Capability),
        "adapters": [_tool_row(row) for row in rows],
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - nothing in it can end the script element


def _tool_row(row: AdapterView) -> dict[str, Any]:
    adapter = row.adapter
    return {
        "name": adapter.name,
        "family": adapter.family,
        "upstream": adapter.upstream,
        "cells": [view.word for view in row.cells],
        **({"checks": {name: one.state for name, one in row.checks.items()}} if row.checks else {}),
    }

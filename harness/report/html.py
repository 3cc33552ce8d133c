"""The page: one offline file with the table and the evidence behind every cell."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup

from harness.report.figures import figures
from harness.report.matrix import SCHEMA_VERSION, cells_of, sorted_adapters
from harness.report.text import (
    MECHANISMS,
    UPSTREAMS,
    VERDICTS,
    anchor,
    counted,
    meaning,
    printable,
    tally,
    verdict,
    word,
)
from harness.report.timeline import MARKS, render_svg
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.cells import Cell, Matrix, Measured

GLYPHS: Final = {"✅": "✓", "❌": "✗", "?": "?"}
"""The published symbols as plain characters, which take the colour of their words."""
SHORT: Final = {each: each.value[:2] for each in Verdict} | {Verdict.UNSUPPORTED: "no"}
"""The verdicts' classes in the page, where they stand six hundred times for fifty adapters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellView:
    """
    Hold what the page shows of one cell.

    Attributes:
        figures: the figures that say something about this call, by name.
        claims: what registration, class or published table say otherwise; equal ones together.
        recording: the cassette, relative to the adapter's own folder where it is there.
        svg: the timeline's picture; empty where there is none.
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
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterView:
    """
    Hold what the page shows of one adapter.
    """

    adapter: Measured
    anchor: str
    cells: tuple[CellView, ...]
    native: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyView:
    """
    Hold one family's totals.
    """

    name: str
    adapters: int
    cells: int
    counts: Mapping[Verdict, int]


def render_html(matrix: Matrix) -> str:
    """
    Return the page. It loads nothing, runs no script but its own, and shows all its evidence without any.
    """
    rows = [_adapter(adapter, cells) for adapter, cells in _with_cells(matrix)]
    words = {cell.word for row in rows for cell in row.cells}
    upstreams = {row.adapter.upstream for row in rows}
    style, script = _source("style.css"), _source("script.js")
    return _environment().get_template("index.html.j2").render(
        matrix=matrix,
        rows=rows,
        families=_families(rows),
        counts=tally(cell.verdict for row in rows for cell in row.cells),
        upstreams={each: text for each, text in UPSTREAMS.items() if each in upstreams},
        mechanisms={each: text for each, text in MECHANISMS.items() if each in words},
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        marks=MARKS,
        fallback=Verdict.FALLBACK,
        policy=_policy(style, script),
        data=_data(matrix, rows),
    )  # fmt: skip


def _with_cells(matrix: Matrix) -> list[tuple[Measured, Mapping[Capability, Cell]]]:
    cells = cells_of(matrix)
    return [(adapter, cells.get((adapter.family, adapter.name), {})) for adapter in sorted_adapters(matrix)]


def _adapter(adapter: Measured, cells: Mapping[Capability, Cell]) -> AdapterView:
    views = tuple(_cell(adapter, capability, cells.get(capability)) for capability in Capability)
    native = sum(view.verdict is Verdict.NATIVE for view in views)
    return AdapterView(adapter=adapter, anchor=anchor(adapter.family, adapter.name), cells=views, native=native)


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
        svg=Markup() if cell is None else render_svg(cell.evidence.timeline),
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
    found = []
    for name in sorted({row.adapter.family for row in rows}):
        own = [row for row in rows if row.adapter.family == name]
        counts = tally(cell.verdict for row in own for cell in row.cells)
        found.append(FamilyView(name=name, adapters=len(own), cells=len(own) * len(Capability), counts=counts))
    return found


def _data(matrix: Matrix, rows: list[AdapterView]) -> Markup:
    """
    Return the table as JSON for tools, a word a cell: a fallback's mechanism, the verdict otherwise.

    Figures and timelines stay in matrix.json: they would triple the page.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "complete": matrix.complete,
        "generator": {"harness": matrix.harness, "python": matrix.python},
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
    }


def _policy(style: str, script: str) -> str:
    """
    Return the content security policy: this style, this script, nothing else from anywhere.
    """
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None  # noqa: S101 - set two functions below
    lines = loader.get_source(_environment(), name)[0].splitlines()
    return "\n".join(line.strip() for line in lines)


def breakable(name: str) -> Markup:
    """
    Return a name, escaped, that a narrow column may break where its words meet.
    """
    return Markup("<wbr>").join(_JOINTS.split(printable(name)))


_JOINTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_./])")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    environment.filters["breakable"] = breakable
    environment.filters["counted"] = counted
    environment.filters["short"] = SHORT.__getitem__
    environment.globals["Capability"] = Capability
    environment.globals["VERDICTS"] = VERDICTS
    environment.globals["GLYPHS"] = GLYPHS
    return environment

"""The comparison as a page: the same words as in Markdown, each measured cell leading to its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report import compare_text as said
from harness.report.compare import compare
from harness.report.compare_markdown import render_regenerated, symbols
from harness.report.html import INDEX, evidence_pages
from harness.report.page import render_page
from harness.report.text import anchor
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.cells import Claims, Matrix
    from harness.report.compare import Compared, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    Show one published cell, and where its evidence is.
    """

    one: Compared
    href: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    Show the cells of one finding.
    """

    heading: str
    meaning: str
    cells: tuple[Shown, ...]


class _Links:
    def __init__(self, matrix: Matrix, family: str) -> None:
        self._family = family
        self._pages = evidence_pages(matrix)

    def show(self, one: Compared) -> Shown:
        page = self._pages.get((self._family, one.adapter))
        if one.cell is None or page is None:
            return Shown(one=one, href=None)
        return Shown(one=one, href=f"{page or INDEX}#{anchor(self._family, one.adapter, one.capability)}")

    def row(self, cells: Mapping[Capability, Compared]) -> list[Shown | None]:
        return [self.show(cells[each]) if each in cells else None for each in Capability]

    def group(self, finding: Finding, cells: Iterable[Compared]) -> Group:
        heading, meaning = said.FINDINGS[finding]
        return Group(heading=heading, meaning=meaning, cells=tuple(map(self.show, cells)))


def render_comparison_html(matrix: Matrix, claims: Claims) -> str:
    """
    Return a page that holds a family's published table against what was measured. It loads nothing and has no script.
    """
    found = compare(matrix, claims)
    links = _Links(matrix, claims.family)
    listed = {finding: found.of(finding) for finding in said.FINDINGS}
    return render_page(
        "comparison.html.j2",
        matrix,
        script=None,
        found=found,
        said=said,
        index=INDEX,
        groups=[links.group(finding, cells) for finding, cells in listed.items() if cells],
        rows=[(name, links.row(cells)) for name, cells in found.models],
        regenerated=[(name, symbols(cells)) for name, cells in found.models],
        markdown=render_regenerated(found),
    )

"""A folder of reports: matrix.json, matrix.md, index.html, badges, and what compares families with their own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.badges import badges
from harness.report.compare import page_name
from harness.report.compare_html import render_comparison_html
from harness.report.compare_markdown import render_comparison
from harness.report.files import replace_files
from harness.report.html import render_pages
from harness.report.markdown import render_markdown
from harness.report.matrix import encode_matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.cells import Claims, Matrix


def write_reports(folder: Path, matrix: Matrix, claims: Sequence[Claims] = ()) -> list[Path]:
    """
    Write every report of a matrix; old files give way only when all the new ones are complete.

    Args:
        folder: where they go.
        matrix: what they show.
        claims: what families' own pages say; each is held against what was measured, in Markdown and as a page.

    Returns:
        the files written, matrix.json first.

    Raises:
        ReportError: the folder cannot be made or written.
    """
    files = {folder / path: _bytes(text) for path, text in _texts(matrix, claims)}
    replace_files({folder / "matrix.json": encode_matrix(matrix), **files})
    return [folder / "matrix.json", *files]


def _texts(matrix: Matrix, claims: Sequence[Claims]) -> Iterator[tuple[str, str]]:
    known = {adapter.family for adapter in matrix.adapters}
    compared = {claim.family: claim for claim in claims if claim.family in known}
    names = {family: page_name(family) for family in compared}
    yield "matrix.md", render_markdown(matrix, {family: f"{name}.md" for family, name in names.items()})
    yield from render_pages(matrix, {family: f"{name}.html" for family, name in names.items()})
    for family, claim in compared.items():
        yield f"{names[family]}.md", render_comparison(matrix, claim)
        yield f"{names[family]}.html", render_comparison_html(matrix, claim)
    for path, text in badges(matrix):
        yield f"badges/{path}", text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")

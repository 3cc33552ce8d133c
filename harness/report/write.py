"""A folder of reports: matrix.json, matrix.md, index.html, badges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.badges import badges
from harness.report.files import replace_files
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.matrix import encode_matrix

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cells import Matrix


def write_reports(folder: Path, matrix: Matrix) -> list[Path]:
    """
    Write every report of a matrix; old files give way only when all the new ones are complete.

    Returns:
        the files written, matrix.json first.

    Raises:
        ReportError: the folder cannot be made or written.
    """
    files = {
        folder / "matrix.json": encode_matrix(matrix),
        folder / "matrix.md": _bytes(render_markdown(matrix)),
        folder / "index.html": _bytes(render_html(matrix)),
    }
    files |= {folder / "badges" / path: _bytes(text) for path, text in badges(matrix)}
    replace_files(files)
    return list(files)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")

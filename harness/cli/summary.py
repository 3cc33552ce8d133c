"""A section of the job summary on GitHub Actions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from harness.cli.screen import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cells import Matrix
    from harness.report.annotations import Annotation

_SUMMARY: Final = "GITHUB_STEP_SUMMARY"

github_option = click.option(
    "--github", is_flag=True, help="On GitHub Actions: a section of the job summary, what changed first."
)


def summarize(matrix: Matrix, baseline: Matrix | None, annotations: Sequence[Annotation] | None = None) -> None:
    """
    Append a section to the job summary where there is one: what changed, what there is to do, the table.

    Args:
        matrix: what was measured.
        baseline: what it is compared with; of a part, the same part.
        annotations: what there is to do; None where nobody asked for it.

    Raises:
        ReportError: the summary cannot be written.
    """
    from harness.report.files import append_file  # noqa: PLC0415 - `--help` does without
    from harness.report.github import SUMMARY_BYTES, render_summary  # noqa: PLC0415 - as above

    target = os.environ.get(_SUMMARY)
    if not target:
        note(f"no job summary: {_SUMMARY} is not set, as it is on GitHub Actions")
        return
    path = Path(target)
    left = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
    append_file(path, render_summary(matrix, baseline, annotations, max(left, 0)).encode("utf-8", "replace"))

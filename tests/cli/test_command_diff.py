"""`harness diff` in a real process: its statuses and its forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from toy_project import Folder


def _worse(project: Folder) -> Path:
    matrix = project.reports / "matrix.json"
    document = json.loads(matrix.read_text())
    cell = next(one for one in document["cells"] if (one["adapter"], one["capability"]) == ("Good", "astream"))
    cell.update(verdict="fallback", mechanism="buffered", reason="none before the middle")
    worse = project.path / "worse.json"
    worse.write_text(json.dumps(document))
    return worse


def test_status_says_whether_something_is_worse(project: Folder) -> None:
    """
    Worse is 1, better and the same are 0; every form names the one cell, and so does the head of a job summary.
    """
    worse = str(_worse(project))
    matrix = "reports/matrix.json"
    done = project("diff", matrix, worse)
    assert done.status == 1
    assert "worse: toys/Good astream: native -> fallback (buffered)" in done.out
    assert done.out.splitlines()[-1] == "1 worse"
    assert project("diff", worse, matrix).status == 0
    same = project("diff", matrix, matrix)
    assert (same.status, same.out) == (0, "no cell changed (18 cells compared)\n")

    summary = project.path / "summary.md"
    environ = project.env(GITHUB_STEP_SUMMARY=str(summary))
    marked = project("diff", matrix, worse, "--format", "markdown", "--github", env=environ)
    assert (marked.status, marked.out.count("toys/Good")) == (1, 1)
    assert summary.read_text().startswith("### Capabilities: 1 worse")
    assert "READY" not in summary.read_text()
    told = json.loads(project("diff", matrix, worse, "--format", "json").out)
    assert [change["capability"] for change in told["changes"]] == ["astream"]


def test_what_cannot_be_read_is_the_users(project: Folder) -> None:
    """
    A file that is missing, cut off or no matrix is named, with status 2; standard input can be one of the two.
    """
    matrix = project.reports / "matrix.json"
    (project.path / "cut.json").write_bytes(matrix.read_bytes()[:500])
    (project.path / "other.json").write_text("{}")
    for name, word in (("none.json", "No such file"), ("cut.json", "cut off"), ("other.json", "schema_version")):
        done = project("diff", str(matrix), name)
        assert done.status == 2, done.said
        assert name in done.said
        assert word in done.said
    with matrix.open("rb") as piped:
        assert project("diff", "-", str(matrix), stdin=piped).status == 0
    assert project("diff", "-", "-").status == 2

"""What a run leaves behind: a matrix on disk, reports, a status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.cli.endings import HARNESS_FAULT
from harness.cli.screen import complain, has_colour, note, say, show_faults, show_notes, show_problems, width
from harness.report.matrix import checked_title, encode_matrix, write_matrix
from harness.report.terminal import render_terminal
from harness.session.outputs import require_file
from harness.session.problems import Trouble
from harness.session.standing import exit_status, weigh
from harness.words import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cells import Matrix
    from harness.session.rows import Row

STANDARD_OUTPUT: Final = "-"


def require_target(target: str | None) -> None:
    """
    Find out before a long run whether its matrix can be written.

    Raises:
        ReportError: it cannot.
    """
    if target is not None and target != STANDARD_OUTPUT:
        require_file(Path(target))


def shown(path: Path) -> str:
    """
    Return a path as people would type it: relative where it is below the working directory.
    """
    whole = path.resolve()
    here = Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def show_table(matrix: Matrix) -> None:
    """
    Print the table.
    """
    say(render_terminal(matrix, width(), has_colour()).rstrip("\n"))


def show_files(files: Sequence[Path]) -> None:
    """
    Say where the reports are.
    """
    names = ", ".join(path.name for path in files if path.parent == files[0].parent)
    note(f"reports: {shown(files[0].parent)}/ ({names} and badges)")


def write_json(target: str, matrix: Matrix) -> None:
    """
    Write a matrix to a file, or to standard output.
    """
    if target == STANDARD_OUTPUT:
        say(encode_matrix(matrix))
    else:
        write_matrix(Path(target), matrix)


def status_of(rows: Sequence[Row], matrix: Matrix, baseline: Matrix | None, file: Path | None) -> int:
    """
    Say what is not as it should be, and return the status for it.

    Args:
        rows: what was measured.
        matrix: the same, put into what was known.
        baseline: the committed matrix.
        file: the project's configuration.
    """
    spoilt = {
        (row.adapter.family, row.adapter.name, problem.capability)
        for row in rows
        for problem in row.problems
        if problem.kind is not Trouble.UNKEPT
    }
    # what is the user's mistake, or the harness's, is told as such and not as the cell's
    cells = [cell for cell in matrix.cells if (cell.family, cell.adapter, cell.capability) not in spoilt]
    standing = weigh(cells, baseline)
    show_faults(standing.faults, file)
    show_notes(standing.notes)
    for row in rows:
        show_problems(f"{row.adapter.family}/{row.adapter.name}", row.problems)
    status = exit_status(standing.faults, [problem for row in rows for problem in row.problems])
    return max(status, _status_of_checks(rows))


def _status_of_checks(rows: Sequence[Row]) -> int:
    """
    Tell of the checks that failed themselves; what they find is shown in their columns and fails no run.
    """
    failed = [one for row in rows for one in row.checks if one.state is State.FAULT]
    for one in failed:
        complain("error", f"{checked_title(one)}: the check failed itself: {one.sentence}")
    return HARNESS_FAULT if failed else 0

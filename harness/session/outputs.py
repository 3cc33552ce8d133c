"""What a run leaves behind: where it may be written, and how a part of a matrix becomes whole again."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.adapters.claims import load_claims
from harness.errors import ReportError
from harness.report.matrix import read_matrix
from harness.session.standing import FIRST_BATTERY
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.adapters.project import Project
    from harness.cells import Cell, Checked, Claims, Matrix, Measured

    Key = tuple[str, str]

MATRIX: Final = "matrix.json"
_FILES: Final = (MATRIX, "matrix.md", "index.html")


def require_folder(folder: Path) -> None:
    """
    Find out before a long run whether reports can be written to a folder; nothing is left there.

    Raises:
        ReportError: they cannot.
    """
    require_directory(folder)
    for path in (folder / name for name in _FILES):
        if path.is_dir():
            raise ReportError("cannot be written: it is a folder", where=str(path), hint="move it out of the way")


def require_file(path: Path) -> None:
    """
    Find out before a long run whether a file can be written; nothing is left there.

    Raises:
        ReportError: it cannot.
    """
    if path.is_dir():
        raise ReportError("cannot be written: it is a folder", where=str(path), hint="name a file in it")
    if not path.exists() or path.is_file():
        require_directory(path.parent)


def require_directory(folder: Path) -> None:
    """
    Find out whether files can be written to a folder, which need not be there yet; nothing is left there.

    Raises:
        ReportError: they cannot.
    """
    # The permission bits alone do not tell: root passes them by, and a file system may be read-only.
    nearest = next((one for one in (folder, *folder.parents) if os.path.lexists(one)), folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".harness-", dir=nearest):
            pass
    except OSError as error:
        hint = f"make {folder} a folder that you may write to, or choose another one"
        raise ReportError(f"cannot be written: {error.strerror or error}", where=str(nearest), hint=hint) from error


def matrix_in(folder: Path) -> Matrix | None:
    """
    Return the matrix that the reports in a folder show, if there is one.

    Raises:
        ReportError: it is damaged.
    """
    path = folder / MATRIX
    try:
        return read_matrix(path) if path.exists() else None
    except ReportError as error:
        hint = "restore or delete it: a part that is run is put into what it holds"
        raise ReportError(error.message, where=error.where, hint=hint) from error


def joined(new: Matrix, old: Matrix | None, registered: Iterable[Key]) -> Matrix:
    """
    Return a part's matrix put into an older one; complete where every registered cell is then there.

    Cells of the older matrix are kept where they are still registered, were not measured anew, and come from the same
    versions of the harness, of the battery and of Python. The result is no shard.

    Args:
        new: what was measured.
        old: what was known before.
        registered: family and name of every adapter that there is.
    """
    known = set(registered)
    if old is None or versions(old) != versions(new):
        old = replace(new, adapters=(), cells=(), checks=())
    fresh = {_cell_key(cell) for cell in new.cells}
    kept = [cell for cell in old.cells if _cell_key(cell) not in fresh and (cell.family, cell.adapter) in known]
    cells = (*new.cells, *kept)
    still = {_cell_key(cell) for cell in kept}
    checks = (*new.checks, *(one for one in old.checks if _cell_key(one) in still))
    have = {_cell_key(cell) for cell in cells}
    complete = all((family, name, one) in have for family, name in known for one in Capability)
    adapters = tuple(_adapters(new, old, kept))
    return replace(new, complete=complete, adapters=adapters, cells=cells, checks=checks, shard=None)


def versions(matrix: Matrix) -> tuple[str, str, int]:
    """
    Return the versions of what measured: cells of different ones do not go together.
    """
    return matrix.harness, matrix.python, matrix.battery or FIRST_BATTERY


def _cell_key(cell: Cell | Checked) -> tuple[str, str, Capability]:
    return cell.family, cell.adapter, cell.capability


def _adapters(new: Matrix, old: Matrix, kept: Iterable[Cell]) -> Iterator[Measured]:
    cells: dict[Key, list[Cell]] = {}
    for cell in kept:
        cells.setdefault((cell.family, cell.adapter), []).append(cell)
    before = {(one.family, one.name): one for one in old.adapters}
    for one in new.adapters:
        key = (one.family, one.name)
        yield _added(one, before[key], cells[key]) if key in cells else one
    measured = {(one.family, one.name) for one in new.adapters}
    yield from (one for key, one in before.items() if key in cells and key not in measured)


def _added(now: Measured, before: Measured, kept: Iterable[Cell]) -> Measured:
    blocked = any(cell.verdict is Verdict.BLOCKED for cell in kept)
    return replace(
        now,
        distributions=dict(sorted({**before.distributions, **now.distributions}.items())),
        upstream=now.upstream or before.upstream,
        problem=now.problem or (before.problem if blocked else None),
    )


def claims_of(project: Project | None) -> tuple[Claims, ...]:
    """
    Return what the pages of a project's family say, if it has a published table.

    Raises:
        UserError: a file cannot be read, or says something that nobody understands.
    """
    claims = None if project is None else load_claims(project)
    return () if claims is None else (claims,)


def publish(folder: Path, matrix: Matrix, claims: Sequence[Claims] = ()) -> list[Path]:
    """
    Write the reports of a matrix, unless cells that only other versions measured would be lost to a part.

    Args:
        folder: where they go.
        matrix: what they show; a part joined to the matrix that is there.
        claims: what families' own pages say.

    Returns:
        the files written, matrix.json first; none where the reports were left as they are.

    Raises:
        ReportError: they cannot be written.
    """
    if not matrix.complete and _is_of_other_versions(folder, matrix):
        return []
    from harness.report.write import write_reports  # noqa: PLC0415 - imports a template engine, which many runs need not

    return write_reports(folder, matrix, claims)


def _is_of_other_versions(folder: Path, matrix: Matrix) -> bool:
    try:
        old = matrix_in(folder)
    except ReportError:
        return False
    return old is not None and bool(old.cells) and versions(old) != versions(matrix)

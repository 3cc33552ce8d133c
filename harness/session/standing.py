"""
How a cell stands: against its own promise, its expectation, and the committed matrix.

What is required is frozen by the battery version that the committed matrix was judged by: what only a newer battery
finds fault with is told, and fails nobody until a matrix of the newer battery is committed.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.battery.prompts import VERSION
from harness.errors import ReportError
from harness.report.matrix import decode_matrix, read_matrix
from harness.session.problems import Problem, Trouble
from harness.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from pathlib import Path

    from harness.cells import Cell, Matrix

    Key = tuple[str, str, str]

_GIT_SECONDS: Final = 10
_OTHER_REPOSITORIES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
FIRST_BATTERY: Final = 1
"""The battery of matrices that do not name one: they were written before there was another."""
_BAD: Final = {Verdict.BROKEN: "broken", Verdict.BLOCKED: "blocked"}


class Kind(StrEnum):
    """
    Say why a cell fails a run.

    `broken` and `blocked` are verdicts; the others are differences: from what the registration declares, from the
    committed matrix, from what the registration expects.
    """

    BROKEN = "broken"
    BLOCKED = "blocked"
    CONTRADICTS = "contradicts"
    BEHIND = "behind"
    STALE = "stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    Hold one reason for which a cell fails a run.
    """

    kind: Kind
    cell: Cell
    message: str


class Remark(StrEnum):
    """
    Say why a cell is worth a note, though it fails nothing.

    `unpromised` is native and not declared; `newer-rules` would fail by the rules of a newer battery than the one that
    judged the committed matrix.
    """

    UNPROMISED = "unpromised"
    NEWER_RULES = "newer-rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    Hold one thing to know of a cell that fails nothing.
    """

    kind: Remark
    cell: Cell
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    Hold how the cells of a run stand.
    """

    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()


def faults(cell: Cell, baseline: Cell | None = None) -> tuple[Fault, ...]:
    """
    Say in what a cell is not as it should be; an expectation that holds accepts whatever there is.

    Args:
        cell: as measured now.
        baseline: the same cell of the committed matrix, if it has it.
    """
    if cell.expected is cell.verdict:
        return ()
    found = []
    if cell.expected is not None:
        why = f" ({cell.why_expected})" if cell.why_expected else ""
        found.append((Kind.STALE, f"expected to be {cell.expected}{why}, which no longer holds: it is {_is(cell)}"))
    elif cell.verdict in _BAD:
        found.append((Kind(_BAD[cell.verdict]), cell.reason))
    if cell.verdict is not Verdict.NATIVE:
        if cell.declared is Verdict.NATIVE:
            found.append((Kind.CONTRADICTS, f"declared to be native, but it is {_is(cell)}"))
        if baseline is not None and baseline.verdict is Verdict.NATIVE:
            found.append((Kind.BEHIND, f"native in the committed matrix, and now {_is(cell)}"))
    return tuple(Fault(kind=kind, cell=cell, message=message) for kind, message in found)


def all_faults(cells: Iterable[Cell], baseline: Matrix | None) -> tuple[Fault, ...]:
    """
    Return the faults of many cells, each beside its own in the committed matrix.
    """
    before = {} if baseline is None else {key_of(cell): cell for cell in baseline.cells}
    return tuple(fault for cell in cells for fault in faults(cell, before.get(key_of(cell))))


def weigh(cells: Sequence[Cell], baseline: Matrix | None, *, battery: int = VERSION) -> Standing:
    """
    Say what is not as it should be, and what is worth a note.

    Args:
        cells: as measured now.
        baseline: the committed matrix, if there is one.
        battery: the version of the battery that judged them.
    """
    before = {} if baseline is None else {key_of(cell): cell for cell in baseline.cells}
    found = all_faults(cells, baseline)
    new = {id(one) for one in found if frozen_by(baseline, battery) and not _was_so(one, before.get(key_of(one.cell)))}
    message = f"by the rules of battery {battery} only: {{}}; committing a matrix of this harness adopts them"
    remarks = [
        Note(kind=Remark.NEWER_RULES, cell=one.cell, message=message.format(one.message))
        for one in found
        if id(one) in new
    ]
    return Standing(
        faults=tuple(one for one in found if id(one) not in new), notes=(*remarks, *unpromised(cells, promising(cells)))
    )


def frozen_by(baseline: Matrix | None, battery: int = VERSION) -> int | None:
    """
    Return the older battery version that the committed matrix freezes the requirements to; None where there is none.
    """
    before = judged_by(baseline)
    return before if before is not None and before < battery else None


def judged_by(baseline: Matrix | None) -> int | None:
    """
    Return the battery version that judged the committed matrix; None where there is none.
    """
    return None if baseline is None else baseline.battery or FIRST_BATTERY


def _was_so(fault: Fault, before: Cell | None) -> bool:
    """
    Tell whether the committed matrix has the same fault; a cell that it lacks is judged by the rules of today.
    """
    if before is None:
        return True
    now = fault.cell
    as_asked = replace(before, declared=now.declared, expected=now.expected, why_expected=now.why_expected)
    return any(one.kind is fault.kind for one in faults(as_asked))


def promising(cells: Iterable[Cell]) -> frozenset[tuple[str, str]]:
    """
    Return family and name of the adapters that declare something, as far as these cells tell.
    """
    return frozenset((cell.family, cell.adapter) for cell in cells if cell.declared is not None)


def unpromised(cells: Iterable[Cell], declaring: Container[tuple[str, str]]) -> tuple[Note, ...]:
    """
    Note the cells that are native, and that their adapter does not declare although it declares something.
    """
    message = "native, and not declared: the documentation may promise it"
    return tuple(
        Note(kind=Remark.UNPROMISED, cell=cell, message=message)
        for cell in cells
        if cell.verdict is Verdict.NATIVE and cell.declared is None and (cell.family, cell.adapter) in declaring
    )


def exit_status(found: Sequence[Fault], problems: Sequence[Problem]) -> int:
    """
    Return the status of a run, the gravest first: 3 the harness failed, 2 a mistake of the user's, 1 a fault of a cell
    or a recording that was not kept, 0 none of these.
    """
    kinds = {problem.kind for problem in problems}
    if Trouble.FAULT in kinds:
        return 3
    if Trouble.MISTAKE in kinds:
        return 2
    return 1 if found or kinds else 0


def key_of(cell: Cell) -> Key:
    """
    Return what tells a cell from all others.
    """
    return cell.family, cell.adapter, cell.capability.value


def baseline_of(matrix: Path) -> Matrix | None:
    """
    Return the committed matrix: git's, where the file is tracked, otherwise the one on disk; None where there is none.

    Args:
        matrix: path of the project's `matrix.json`.

    Raises:
        ReportError: it is damaged.
    """
    data = _committed(matrix)
    try:
        if data is not None:
            return decode_matrix(data, where=f"{matrix} (as committed)")
        return read_matrix(matrix) if matrix.exists() else None
    except ReportError as error:
        hint = "restore or delete it, or leave the comparison out with --no-baseline"
        raise ReportError(error.message, where=error.where, hint=hint) from error


def _committed(matrix: Path) -> bytes | None:
    if not matrix.parent.is_dir():
        return None
    # a git hook that runs us names its own repository, which need not be the one of this file
    environ = {name: value for name, value in os.environ.items() if name not in _OTHER_REPOSITORIES}
    command = ["git", "-C", str(matrix.parent), "cat-file", "blob", f"HEAD:./{matrix.name}"]
    try:
        shown = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False, env=environ)  # noqa: S603 - git, as the user has it
    except (OSError, subprocess.TimeoutExpired):
        return None
    return shown.stdout if shown.returncode == 0 else None


def _is(cell: Cell) -> str:
    if cell.mechanism:
        return f"{cell.verdict} ({cell.mechanism})"
    return f"{cell.verdict}: {cell.reason}" if cell.verdict is Verdict.UNKNOWN else cell.verdict.value

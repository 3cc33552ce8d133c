"""A run of the battery from the command line, from what can be checked before it to its status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.cli import results
from harness.cli.endings import INTERRUPTED
from harness.cli.progress import progress
from harness.cli.screen import note
from harness.cli.summary import summarize
from harness.session.checks import check_matching, columns_of
from harness.session.outputs import MATRIX, claims_of, joined, matrix_in, publish, require_folder
from harness.session.rows import Interrupted, matrix_of
from harness.session.session import Session
from harness.session.standing import baseline_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.cells import Claims, Matrix
    from harness.cli.options import Selection
    from harness.cli.run_command import RunOptions
    from harness.session.columns import Columns
    from harness.session.rows import Row
    from harness.session.settings import Settings
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    Hold what a run measured before it ended, or was ended.
    """

    rows: Sequence[Row]
    matrix: Matrix
    interrupted: bool


def measure(
    selection: Selection,
    settings: Settings,
    wanted: Callable[[Adapter], Sequence[Capability]] | None = None,
    columns: Columns | None = None,
    committed: Matrix | None = None,
) -> Measured:
    """
    Measure what was selected and show how far it is.

    Args:
        selection: the adapters and calls.
        settings: how to run.
        wanted: which calls to make for each adapter; those that were selected where none is given.
        columns: the checks that are tried beside; None for none.
        committed: the matrix that calls which share a process may confirm; None for a process for each call.
    """
    calls = wanted or (lambda _: selection.capabilities)
    adapters = [one for one in selection.adapters if calls(one)]
    numbers = {one.id: len(calls(one)) for one in adapters}
    interrupted = False
    with (
        progress(numbers) as shown,
        Session(selection.project, settings, shown, columns, adapters=len(adapters)) as session,
    ):
        try:
            rows = session.rows(adapters, calls, committed)
        except Interrupted as stop:
            rows, interrupted = stop.rows, True
    matrix = joined(matrix_of(rows, complete=False), None, selection.registered)
    return Measured(rows=rows, matrix=matrix, interrupted=interrupted)


def run(selection: Selection, settings: Settings, options: RunOptions) -> int:
    """
    Replay, print, write, and return the status.

    Raises:
        HarnessError: something that can be told before the run, or the processes cannot be had.
    """
    check_matching(selection.adapters)
    results.require_target(options.target)
    columns = columns_of(selection.project, selection.adapters, options.columns)
    claims = claims_of(selection.project)
    old = _before(options.folder, selection)
    baseline = baseline_of(selection.project.reports / MATRIX) if options.compare else None
    measured = measure(selection, settings, columns=columns, committed=None if options.alone else baseline)
    if measured.matrix.cells and options.target != results.STANDARD_OUTPUT:
        results.show_table(measured.matrix)
    if options.target is not None:
        results.write_json(options.target, replace(measured.matrix, shard=selection.shard))
    if options.folder is not None and not measured.interrupted:
        _report(options.folder, joined(measured.matrix, old, selection.registered), claims)
    if options.github:
        summarize(measured.matrix, baseline)
    status = results.status_of(measured.rows, measured.matrix, baseline, selection.project.file)
    return _stopped(measured, selection, options) if measured.interrupted else status


def _before(folder: Path | None, selection: Selection) -> Matrix | None:
    if folder is None:
        return None
    require_folder(folder)
    return None if selection.whole else matrix_in(folder)


def _report(folder: Path, matrix: Matrix, claims: Sequence[Claims]) -> None:
    files = publish(folder, matrix, claims)
    if files:
        results.show_files(files)
        return
    why = "another version of the harness or of Python measured what it shows, and this run was a part"
    note(f"reports: {results.shown(folder)}/ is as it was: {why}\n  hint: `harness run` measures all of them")


def _stopped(measured: Measured, selection: Selection, options: RunOptions) -> int:
    done = f"{len(measured.rows)} of {len(selection.adapters)} adapters were measured"
    left = "" if options.folder is None else f"; {results.shown(options.folder)}/ is as it was"
    note(f"stopped: {done}{left}")
    return INTERRUPTED

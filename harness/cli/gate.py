"""The merge gate from the command line: what it prints, writes and returns."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.adapters.spelling import listed
from harness.cli.ci import annotations_of, publish
from harness.cli.endings import HARNESS_FAULT
from harness.cli.gate_text import plain, render
from harness.cli.progress import progress
from harness.cli.results import shown
from harness.cli.screen import complain, has_colour, note, say, show_problems
from harness.report.files import replace_file
from harness.report.sarif import render_sarif
from harness.session.checks import check_matching
from harness.session.commands import typed
from harness.session.outputs import MATRIX, require_file
from harness.session.readiness import assess
from harness.session.session import Session
from harness.session.standing import baseline_of, exit_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.cells import Matrix
    from harness.checks.registry import Found
    from harness.cli.options import Selection
    from harness.isolation.hosts import Fleet
    from harness.session.readiness import Readiness
    from harness.session.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOptions:
    """
    Hold the options of `harness check` that say what it compares, prints and writes.

    Attributes:
        compare: compare with the committed matrix.
        as_json: print JSON.
        sarif: where what there is to do goes as SARIF.
        github: write a job summary, and annotations.
    """

    compare: bool = True
    as_json: bool = False
    sarif: Path | None = None
    github: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """
    Hold the checks that are tried, and why some are switched off, for each adapter.
    """

    tried: Mapping[str, Found] = field(default_factory=dict)
    off: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def run(selection: Selection, settings: Settings, checks: Checks, options: GateOptions, fleet: Fleet) -> int:
    """
    Assess every selected adapter, tell what there is to do, and return the status.

    Args:
        selection: the adapters and calls.
        settings: how to run.
        checks: which are tried.
        options: what to leave behind.
        fleet: the processes; they are ended.

    Raises:
        HarnessError: something that can be told before, or the processes cannot be had.
    """
    check_matching(selection.adapters)
    if options.sarif is not None:
        require_file(options.sarif)
    numbers = {adapter.id: len(selection.capabilities) for adapter in selection.adapters}
    with (
        progress(numbers) as telling,
        Session(selection.project, settings, telling, fleet=fleet) as session,
    ):
        # read while the fork server starts
        baseline = baseline_of(selection.project.reports / MATRIX) if options.compare else None

        def assessed(adapter: Adapter) -> Readiness:
            off = checks.off.get(adapter.id, {})
            return assess(session, adapter, checks.tried, off, baseline, selection.capabilities)

        found = _side_by_side(assessed, selection.adapters, settings.workers)
    _print(found, options)
    if options.compare:
        _tell_uncommitted(found, baseline, selection.project)
    root = selection.project.root
    if options.sarif is not None:
        replace_file(options.sarif, render_sarif(annotations_of(found, root)).encode())
    if options.github:
        publish(found, baseline, root)
    return _status(found)


def _side_by_side(
    assessed: Callable[[Adapter], Readiness], adapters: Sequence[Adapter], workers: int
) -> list[Readiness]:
    pool = ThreadPoolExecutor(workers)
    try:
        return list(pool.map(assessed, adapters))
    finally:
        # on Ctrl-C nobody waits for them: the session ends their processes
        pool.shutdown(wait=False, cancel_futures=True)


def _print(found: Iterable[Readiness], options: GateOptions) -> None:
    if options.as_json:
        say(json.dumps({"schema_version": 1, "adapters": [plain(one) for one in found]}, indent=1, ensure_ascii=False))
        return
    for one in found:
        say(render(one, colour=has_colour()))


def _tell_uncommitted(found: Iterable[Readiness], baseline: Matrix | None, project: Project) -> None:
    """
    Say for which adapters nothing is committed: of these, a native call that becomes a fallback is not noticed.
    """
    known = set() if baseline is None else {(cell.family, cell.adapter) for cell in baseline.cells}
    new = [one.adapter for one in found if (one.row.adapter.family, one.row.adapter.name) not in known]
    if new:
        written = (
            f"`{typed(project.file, 'run')}` writes {shown(project.reports / MATRIX)}, which then has to be committed"
        )
        note(f"note: {listed(new)}: not in the committed matrix, so that a later fallback would pass: {written}")


def _status(found: Iterable[Readiness]) -> int:
    statuses = [0]
    for one in found:
        show_problems(one.adapter, one.row.problems)
        for fault in one.faults:
            complain("error", f"{one.adapter}: {fault}")
            statuses.append(HARNESS_FAULT)
        statuses.append(exit_status((), one.row.problems) or int(not one.ready))
    return max(statuses)

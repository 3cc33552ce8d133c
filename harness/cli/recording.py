"""A recording from the command line: who answers, what is recorded, and what was kept of it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.adapters.spelling import did_you_mean, listed
from harness.adapters.variables import unset
from harness.cli import results
from harness.cli.cost import agree, plan
from harness.cli.endings import INTERRUPTED
from harness.cli.errors import NoSimulatorsError, SimulatorUnnamedError, UnknownSimulatorError, UpstreamMismatchError
from harness.cli.kept import lines
from harness.cli.running import Measured, measure
from harness.cli.screen import note
from harness.session.checks import check_matching
from harness.session.outputs import require_directory
from harness.session.paths import cassette_path
from harness.words import Capability, Upstream, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.cli.options import Selection
    from harness.session.settings import Settings
    from harness.simulators import Simulator


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions:
    """
    Hold the options of `harness record` that are not those of every run.

    Attributes:
        target: where the matrix of this run goes, if it was asked for.
        simulate: the project's simulators answer.
        anew: record also cells that have a cassette.
        yes: make the requests without asking.
    """

    target: str | None = None
    simulate: bool = False
    anew: bool = True
    yes: bool = False


def record(selection: Selection, settings: Settings, options: RecordOptions) -> int:
    """
    Record, say what was kept, and return the status.

    Raises:
        HarnessError: something that can be told before the run, or the processes cannot be had.
        Abort: the user did not want the requests to be made.
    """
    target, simulate = options.target, options.simulate
    check_matching(selection.adapters)
    results.require_target(target)
    for adapter in selection.adapters:
        _require_honest(adapter, simulate=simulate)

    def wanted(adapter: Adapter) -> Sequence[Capability]:
        calls = selection.capabilities
        return [one for one in calls if options.anew or not cassette_path(selection.project, adapter, one).exists()]

    asked = len(selection.adapters) * len(selection.capabilities)
    left = sum(len(wanted(adapter)) for adapter in selection.adapters)
    if not left:
        note("nothing to record: every cell that was asked for has a cassette (--again records them anew)")
    elif left < asked:
        note(f"{counted(asked - left, 'cell')} with a cassette left as it is (--again records them anew)")
    _require_room(selection.project, [one for one in selection.adapters if wanted(one)])
    if not simulate:
        plans = plan(selection, wanted)
        _tell_defaults([one for one in selection.adapters if wanted(one) and one.engine is None])
        agree(plans, yes=options.yes)
    with _simulator(selection.project, selection.adapters) if simulate else nullcontext() as server:
        if server is not None:
            settings = replace(settings, dial=server.way)
        measured = measure(selection, settings, wanted)
    return _tell(measured, target, selection.project.file)


def _tell(measured: Measured, target: str | None, file: Path | None) -> int:
    if measured.matrix.cells and target != results.STANDARD_OUTPUT:
        results.show_table(measured.matrix)
    if target is not None:
        results.write_json(target, measured.matrix)
    for row in measured.rows:
        note(f"{row.adapter.family}/{row.adapter.name}")
        for line in lines(row):
            note(f"  {line}")
    status = results.status_of(measured.rows, measured.matrix, None, file)
    if measured.interrupted:
        note("stopped: the recordings of adapters that were done are kept, the others are as they were")
        return INTERRUPTED
    return status


def _require_room(project: Project, adapters: Sequence[Adapter]) -> None:
    """
    Find out before any request is made and paid for whether its answer can be kept.
    """
    for adapter in adapters:
        require_directory(cassette_path(project, adapter, Capability.INVOKE).parent)


def _tell_defaults(adapters: Sequence[Adapter]) -> None:
    """
    Say which variables are not set: a real provider refuses whoever comes with a placeholder for a key.
    """
    found = {name: default for one in adapters for name, default in unset([one.kwargs, one.env]).items()}
    for name, default in found.items():
        note(f"note: {name} is not set in the environment: {default!r} goes in its place, as the registration says")


def _require_honest(adapter: Adapter, *, simulate: bool) -> None:
    """
    Refuse to record under a false name: what a report says of the upstream comes from the registration.
    """
    if adapter.engine is not None:
        return  # its engine answers, whoever else is simulated
    if simulate and adapter.upstream not in {None, Upstream.SIMULATED, Upstream.STAND_IN}:
        hint = 'leave --simulate out, or register it with upstream = "simulated"'
        raise UpstreamMismatchError(f"{adapter.id} is registered as {adapter.upstream}", where=adapter.place, hint=hint)
    if not simulate and adapter.upstream is Upstream.SIMULATED:
        hint = 'record it with --simulate, or register it with upstream = "live"'
        raise UpstreamMismatchError(f"{adapter.id} is registered as simulated", where=adapter.place, hint=hint)


def _simulator(project: Project, adapters: Sequence[Adapter]) -> AbstractContextManager[Simulator | None]:
    simulated = [one for one in adapters if one.engine is None]
    if not simulated:
        return nullcontext()
    from harness.simulators import Simulator, load_shapes, with_those_beside  # noqa: PLC0415 - an extra that only this option needs

    if not project.simulators:
        hint = 'name their folder: simulators = "simulators"; or leave --simulate out to record the real upstream'
        raise NoSimulatorsError("the project has no simulators", where=str(project.file or project.root), hint=hint)
    shapes = load_shapes(*project.simulators)
    answering = with_those_beside([_shape_of(one, list(shapes)) for one in simulated], shapes)
    return Simulator(answering, words=project.words)


def _shape_of(adapter: Adapter, known: Sequence[str]) -> str:
    if adapter.simulator is None:
        hint = f"name one: simulator = ...; there are {listed(known)}"
        raise SimulatorUnnamedError(f"no simulator is named for {adapter.id}", where=adapter.place, hint=hint)
    if adapter.simulator not in known:
        msg = f"there is no simulator {adapter.simulator!r}{did_you_mean(adapter.simulator, known)}"
        raise UnknownSimulatorError(msg, where=f"{adapter.place}, simulator", hint=f"there are {listed(known)}")
    return adapter.simulator

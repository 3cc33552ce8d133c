"""The session: runs adapters side by side, each in its own process, and gathers their cells."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Self

from harness.adapters.build import expanded_env
from harness.adapters.program import require_program
from harness.adapters.published import load_published
from harness.battery.job import Job
from harness.cells import Cell, Judgement, Matrix, Provenance
from harness.errors import CassetteError
from harness.session import again
from harness.session.attempts import read_attempt
from harness.session.cells import cell, judged, measured
from harness.session.fleets import fleet_for
from harness.session.known import Known
from harness.session.made import withheld
from harness.session.outputs import versions
from harness.session.problems import Problem, Trouble
from harness.session.rows import Interrupted, Row, matrix_of
from harness.session.tidy import secrets_among, tidy
from harness.verdicts.judge import judge
from harness.words import Capability, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.events import Event
    from harness.isolation.hosts import Fleet
    from harness.isolation.outcome import Outcome
    from harness.isolation.watch import OnEvent
    from harness.programs.beside import Programs
    from harness.programs.visit import Setup
    from harness.session.attempts import Attempt
    from harness.session.columns import Columns
    from harness.session.made import Made
    from harness.session.progress import Progress
    from harness.session.settings import Settings


class _Silent:
    def beside(self, program: str, seconds: float, *, up: bool) -> None: ...
    def started(self, adapter: Adapter) -> None: ...
    def called(self, adapter: Adapter, capability: Capability) -> None: ...
    def judged(self, adapter: Adapter, cell: Cell) -> None: ...


class Session:
    """
    Measure adapters, one process each, and keep what they show.

    Use it as a context manager: leaving it ends every process.

    Args:
        project: where the cassettes stand, and what to preload.
        settings: how to run.
        progress: is told what happens; None for silence.
        columns: the checks that are tried on each adapter beside the battery; None where none is.
        adapters: how many are to be measured, as far as that is known.
        fleet: the processes, where they were started before; None to start them on entering.
    """

    def __init__(  # noqa: PLR0913 - each is one independent decision about a run
        self,
        project: Project,
        settings: Settings,
        progress: Progress | None = None,
        columns: Columns | None = None,
        *,
        adapters: int | None = None,
        fleet: Fleet | None = None,
    ) -> None:
        # imported once and not by each of an adapter's cells
        project = project if columns is None else columns.preloaded(project)
        self._project = project
        self._columns = columns
        self._settings = settings
        self._progress: Progress = progress or _Silent()
        self._published = load_published(project.published) if project.published is not None else {}
        self._fleet = fleet or fleet_for(project, settings, adapters)
        self._programs = _programs(project, self._progress)
        self._cleaners: dict[str, Callable[[str], str]] = {}

    def __enter__(self) -> Self:
        self._fleet.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._fleet.close()
        if self._programs is not None:
            self._programs.close()

    def rows(
        self,
        adapters: Sequence[Adapter],
        capabilities: Sequence[Capability] | Callable[[Adapter], Sequence[Capability]] = tuple(Capability),
        committed: Matrix | None = None,
    ) -> list[Row]:
        """
        Measure these adapters, those with the most columns first, and return their rows in the given order.

        Args:
            adapters: those to measure.
            capabilities: the calls to make, or a function that says which for each adapter.
            committed: the matrix whose cells an adapter's calls may confirm in one process (see `Known`).

        On KeyboardInterrupt the processes are ended and the rows known so far are kept in the
        exception's `rows`.
        """
        found: dict[int, Row] = {}
        known = self.known(committed)
        pool = ThreadPoolExecutor(self._settings.workers)
        wanted = capabilities if callable(capabilities) else lambda _: capabilities
        order = range(len(adapters)) if self._columns is None else self._columns.in_turn(adapters)
        futures = {pool.submit(self.measure, adapters[place], wanted(adapters[place]), known): place for place in order}
        try:
            self._gather(futures, found)
        except BaseException as error:
            self._close()
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted([found[place] for place in sorted(found)]) from error
            raise
        pool.shutdown()
        return [found[place] for place in sorted(found)]

    def known(self, committed: Matrix | None) -> Known | None:
        """
        Return what of a committed matrix may be confirmed; None where it was made otherwise, or nothing is replayed.
        """
        settings = self._settings
        if committed is None or settings.record or settings.pace or not self._fleet.forks:
            return None
        ours = versions(matrix_of((), complete=False))
        return Known(committed, self._project.import_paths) if versions(committed) == ours else None

    def measure(
        self,
        adapter: Adapter,
        capabilities: Sequence[Capability] = tuple(Capability),
        known: Known | None = None,
    ) -> Row:
        """
        Measure one adapter.

        Args:
            adapter: which.
            capabilities: the calls to make.
            known: what they may confirm in one process; each has one of its own where nothing is given.
        """
        self._progress.started(adapter)
        calling: set[Capability] = set()

        def on_event(capability: Capability, _: Event) -> None:
            if capability not in calling:
                calling.add(capability)
                self._progress.called(adapter, capability)

        row = self._confirmed(adapter, capabilities, known, on_event)
        if row is None:
            row = self._row(adapter, self._measured(adapter, capabilities, self._settings, on_event))
        for one in row.cells:
            self._progress.judged(adapter, one)
        return row if self._columns is None else replace(row, checks=self._columns.tried(self, adapter, capabilities))

    def _confirmed(
        self, adapter: Adapter, capabilities: Sequence[Capability], known: Known | None, on_event: OnEvent
    ) -> Row | None:
        """
        Return the row of calls that share a process, where it is the committed one; None where each needs its own.
        """
        if known is None or not known.has(adapter, self._family(adapter), capabilities):
            return None
        outcomes = self._measured(adapter, capabilities, self._settings, on_event, together=True)
        row = self._row(adapter, outcomes, together=True)
        return row if known.confirmed_by(row.adapter, row.cells, capabilities) else None

    def _measured(
        self,
        adapter: Adapter,
        capabilities: Sequence[Capability],
        settings: Settings,
        on_event: OnEvent | None = None,
        *,
        together: bool = False,
    ) -> dict[Capability, Outcome]:
        def measure(job: Job, calls: Sequence[Capability]) -> dict[Capability, Outcome]:
            return self._fleet.measure(job, calls, on_event, together=together)

        if adapter.program is None:
            job = self._job(adapter, settings)
            outcomes = measure(job, capabilities)
            return outcomes if settings.record else again.steadied(adapter, outcomes, partial(measure, job))
        cassettes = {one: self.cassette(adapter, one) for one in capabilities}
        return self._beside(adapter).measure(
            adapter, cassettes, partial(self._job, settings=settings), measure, _setup(settings)
        )

    def _unhurried(
        self, adapter: Adapter, found: Mapping[Capability, Judgement], *, together: bool
    ) -> dict[Capability, Judgement]:
        """
        Return the judgements of streams that came late, made again at the recorded pace.
        """
        calls = again.late(found.items()) if again.is_hurried(self._settings) else []
        if not calls:
            return {}
        longest = max(found[one].evidence.answer_ends_at or 0.0 for one in calls)
        settings = replace(self._settings, record=False, dial=None, pace=again.RECORDED)
        slower = replace(adapter, timeout=(adapter.timeout or settings.timeout) + longest)
        outcomes = self._measured(slower, calls, settings, together=together)
        return {one: again.believed(found[one], judge(one, outcome.events)) for one, outcome in outcomes.items()}

    def _beside(self, adapter: Adapter) -> Programs:
        require_program(adapter, self._project.programs)
        assert self._programs is not None  # noqa: S101 - there is one, so there are some
        return self._programs

    def outcomes(
        self, adapter: Adapter, capabilities: Sequence[Capability], options: Mapping[str, object], *, calls: int = 1
    ) -> dict[Capability, Outcome]:
        """
        Run something else than the battery in an adapter's cells, and return what each left behind.

        A cell may take twice as long as so many calls.

        Args:
            adapter: whose cells.
            capabilities: the cells.
            options: of the job; `entry` says what to run.
            calls: how many calls an entry makes, one after the other.
        """

        def job_of(one: Adapter) -> Job:
            job = self._job(one, self._settings)
            # twice the time: an entry that minds the time-out itself comes before whoever watches it
            return replace(job, timeout=2 * calls * job.timeout, options={**job.options, **options})

        if adapter.program is None:
            return self._fleet.measure(job_of(adapter), capabilities)
        cassettes = {one: self.cassette(adapter, one) for one in Capability}
        return self._beside(adapter).try_checks(
            adapter, cassettes, job_of, lambda job: self._fleet.measure(job, capabilities), _setup(self._settings)
        )

    def _gather(self, futures: Mapping[Future[Row], int], found: dict[int, Row]) -> None:
        # a queue and not `wait`, which looks at every future each time: 4 ms for 5 000 of them
        done: SimpleQueue[Future[Row]] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        while len(found) < len(futures):
            with suppress(Empty):
                future = done.get(timeout=0.2)
                found[futures[future]] = future.result()

    def _row(self, adapter: Adapter, outcomes: Mapping[Capability, Outcome], *, together: bool = False) -> Row:
        judgements: dict[Capability, Judgement] = {}
        problems: list[Problem] = []
        made: dict[Capability, Made] = {}
        for capability, outcome in outcomes.items():
            judgements[capability], problem = self._judged(adapter, capability, outcome, made)
            problems += [problem] if problem else []
        judgements |= self._unhurried(adapter, judgements, together=together)
        cells = [self._cell(adapter, one, judgements[one], outcomes[one], made.get(one)) for one in outcomes]
        spoilt = {problem.capability for problem in problems}
        kept = [one for one, outcome in outcomes.items() if outcome.interactions and one not in spoilt]
        row = measured(adapter, self._family(adapter), outcomes, self._upstream(adapter, outcomes))
        if row.problem is not None:
            row = replace(row, problem=self.cleaner(adapter)(row.problem))
        return Row(adapter=row, cells=tuple(cells), problems=tuple(problems), kept=tuple(kept), made=made)

    def _judged(
        self, adapter: Adapter, capability: Capability, outcome: Outcome, made: dict[Capability, Made]
    ) -> tuple[Judgement, Problem | None]:
        path = self.cassette(adapter, capability)
        problem = _problem(capability, outcome)
        if self._settings.record and problem is None:
            problem, made[capability] = self._keep(adapter, path, capability, outcome)
        attempt, damage = self._attempt(path, capability)
        # what was judged while recording was not judged over a file that stood there before
        unkept = self._settings.record and (problem is not None or not outcome.interactions)
        provenance = None if unkept else self._provenance(path, outcome)
        judgement = judged(
            capability,
            outcome,
            provenance=provenance,
            attempt=attempt,
            replayed=not self._settings.record,
        )
        return judgement, problem or damage

    def _cell(
        self, adapter: Adapter, capability: Capability, judgement: Judgement, outcome: Outcome, made: Made | None
    ) -> Cell:
        judgement = withheld(judgement, made, self.cleaner(adapter))
        published = self._published.get(adapter.name, {}).get(capability)
        return cell(adapter, self._family(adapter), capability, judgement, outcome, published)

    def _keep(
        self, adapter: Adapter, path: Path, capability: Capability, outcome: Outcome
    ) -> tuple[Problem | None, Made]:
        from harness.session.recording import Recording  # noqa: PLC0415 - imports vcrpy, 1.3 s, which a replay does without

        recording = Recording(adapter, self._settings, self._upstream(adapter, {}), self.cleaner(adapter))
        why, made = recording.keep(path, capability, outcome)
        problem = None if why is None else Problem(kind=Trouble.UNKEPT, capability=capability, message=why)
        return problem, made

    def cleaner(self, adapter: Adapter) -> Callable[[str], str]:
        """
        Return what takes secrets, addresses and this machine's paths out of what is told of an adapter.
        """
        # once for the six cells: what is secret among the arguments and the environment takes 2 ms to find
        if adapter.id not in self._cleaners:
            self._cleaners[adapter.id] = partial(tidy, root=self._project.root, secrets=secrets_among(adapter))
        return self._cleaners[adapter.id]

    def _attempt(self, path: Path, capability: Capability) -> tuple[Attempt | None, Problem | None]:
        if self._settings.record:
            return None, None
        try:
            return read_attempt(path), None
        except CassetteError as error:
            return None, Problem(kind=Trouble.MISTAKE, capability=capability, message=str(error))

    def _provenance(self, path: Path, outcome: Outcome) -> Provenance | None:
        # what is no file, or may not be read, was told as the user's mistake when the cell tried to read it
        if not path.is_file():
            return None
        if self._settings.record:
            from harness.tape import cassette as files  # noqa: PLC0415 - as above

            return files.provenance(self._project.cassettes, path)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return None
        return Provenance(
            path=path.relative_to(self._project.cassettes).as_posix(),
            sha256=digest,
            recorded=outcome.notes.get("recorded"),
        )

    @property
    def file(self) -> Path | None:
        """
        Return the project's configuration.
        """
        return self._project.file

    def cassette(self, adapter: Adapter, capability: Capability) -> Path:
        """
        Return where a cell's cassette stands.
        """
        return self._project.cassettes / self._family(adapter) / adapter.name / f"{capability.value}.yaml"

    def _family(self, adapter: Adapter) -> str:
        return adapter.family or self._project.family

    def _job(self, adapter: Adapter, settings: Settings) -> Job:
        options: dict[str, object] = {"memory": settings.memory}
        if settings.dial is not None:
            options["dial"] = settings.dial
        return Job(
            adapter={**adapter.as_dict(), "env": expanded_env(adapter)},
            root=str(self._project.root),
            paths=tuple(str(path) for path in self._project.import_paths),
            mode="record" if settings.record else "replay",
            cassettes={one.value: str(self.cassette(adapter, one)) for one in Capability},
            pace=settings.pace,
            timeout=adapter.timeout or settings.timeout,
            options=options,
        )

    def _upstream(self, adapter: Adapter, outcomes: Mapping[Capability, Outcome]) -> Upstream | None:
        if adapter.upstream is not None:
            return adapter.upstream
        for outcome in outcomes.values():
            told = outcome.notes.get("upstream")
            # a cassette is anybody's file, and its word for it may be none of ours
            if told in set(Upstream):
                return Upstream(told)
        if not self._settings.record:
            return None
        if adapter.engine is not None:
            return Upstream.ENGINE
        return Upstream.SIMULATED if self._settings.dial else Upstream.LIVE


def _problem(capability: Capability, outcome: Outcome) -> Problem | None:
    for note, kind in (("fault", Trouble.FAULT), ("problem", Trouble.MISTAKE)):
        if outcome.notes.get(note):
            return Problem(kind=kind, capability=capability, message=outcome.notes[note])
    return None


def _setup(settings: Settings) -> Setup:
    from harness.programs.visit import Setup  # noqa: PLC0415 - imports vcrpy, and few projects have programs

    return Setup(record=settings.record, dial=settings.dial, pace=settings.pace)


def _programs(project: Project, progress: Progress) -> Programs | None:
    if not project.programs:
        return None
    from harness.programs.beside import Programs  # noqa: PLC0415 - imports vcrpy, 1.3 s, and few projects have programs

    return Programs(project.programs, project.root, progress.beside)

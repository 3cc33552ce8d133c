"""The programs of a session: each is started when the first of its adapters is measured, and ended with the session."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from harness.adapters.program import OF_ADAPTERS, fill
from harness.battery.prompts import PROMPTS
from harness.errors import HarnessError, IsolationError, LibraryMissingError
from harness.events import Event, Lost, Raised, Replied, Sent, Where
from harness.isolation.outcome import Outcome
from harness.programs.errors import KeyRefusedError, ProgramDiedError, ProgramsUnsupportedError
from harness.programs.visit import Guest
from harness.tape.merging import merged
from harness.words import REFUSED, UNAUTHORISED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.program import Program
    from harness.battery.job import Job
    from harness.programs.running import Running
    from harness.programs.station import Station
    from harness.programs.visit import Setup, Visit
    from harness.words import Capability

    Measure = Callable[[Job, Sequence[Capability]], dict[Capability, Outcome]]

_CLIENTS_FAULT: Final = range(REFUSED, 500)
_DIES_WITHIN: Final = 10.0
"""Seconds after a broken connection in which a program's end explains it."""


class Told(Protocol):
    """
    Learn how far a program's start is.
    """

    def __call__(self, program: str, seconds: float, *, up: bool) -> None: ...  # noqa: D102 - the class says it


def _untold(program: str, seconds: float, *, up: bool) -> None: ...


@dataclass(slots=True)
class _Beside:
    """
    Hold one program, and what of it is up.
    """

    program: Program
    turn: threading.Lock = field(default_factory=threading.Lock)
    up: tuple[Running, Station] | None = None
    closing: ExitStack = field(default_factory=ExitStack)
    failure: HarnessError | None = None


class Programs:
    """
    Start programs on demand, measure through them one adapter at a time, and end them.

    Args:
        registered: the programs, by name.
        root: the configuration's directory.
        told: learns how far a program's start is.
    """

    def __init__(self, registered: Mapping[str, Program], root: Path, told: Told = _untold) -> None:
        self._beside = {name: _Beside(program) for name, program in registered.items()}
        self._root = root
        self._told = told
        self._lock = threading.Lock()
        self._closed = False

    def measure(
        self,
        adapter: Adapter,
        cassettes: Mapping[Capability, Path],
        job_of: Callable[[Adapter], Job],
        measure: Measure,
        setup: Setup,
    ) -> dict[Capability, Outcome]:
        """
        Measure an adapter's calls through its program, and return what each left behind, as one event log.

        Args:
            adapter: it names its program.
            cassettes: path of the cassette by call; these calls are made.
            job_of: returns the job of an adapter whose arguments are filled in.
            measure: runs the cells.
            setup: what answers in the upstream's place.

        Raises:
            HarnessError: the program cannot be had.
        """
        with self._visited(adapter, cassettes, setup) as (running, station):
            # what answers is the upstream's, and none of the cell's business
            job = replace(_through(job_of(_filled(adapter, running)), running, station), cassettes={})
            outcomes = measure(job, tuple(cassettes))
            visits = station.collect()
            teller = _Teller(adapter, running)
            return {one: teller.outcome(outcome, visits.get(one)) for one, outcome in outcomes.items()}

    def try_checks(
        self,
        adapter: Adapter,
        cassettes: Mapping[Capability, Path],
        job_of: Callable[[Adapter], Job],
        measure: Callable[[Job], dict[Capability, Outcome]],
        setup: Setup,
    ) -> dict[Capability, Outcome]:
        """
        Run cells that try checks on an adapter's calls through its program, and return what each left behind.

        Args:
            adapter: it names its program.
            cassettes: path of the cassette by call, of those that a check may look at.
            job_of: returns the job of an adapter whose arguments are filled in.
            measure: runs the cells.
            setup: what answers in the upstream's place.

        Raises:
            HarnessError: the program cannot be had.
        """
        with self._visited(adapter, cassettes, setup) as (running, station):
            outcomes = measure(_through(job_of(_filled(adapter, running)), running, station))
            station.collect()
            teller = _Teller(adapter, running)
            return {one: teller.tried(outcome) for one, outcome in outcomes.items()}

    @contextmanager
    def _visited(
        self, adapter: Adapter, cassettes: Mapping[Capability, Path], setup: Setup
    ) -> Iterator[tuple[Running, Station]]:
        """
        Have the program up, and expecting this adapter's calls and no others.
        """
        beside = self._beside[adapter.program or ""]
        with beside.turn:
            running, station = self._up(beside)
            inputs = tuple(adapter.prompts or PROMPTS)
            station.expect(Guest(inputs=inputs, cassettes=cassettes, match_on=adapter.match_on, setup=setup))
            yield running, station
            if running.ended() is not None:
                self._put_down(beside)

    def close(self) -> None:
        """
        End all programs, also while others measure.
        """
        with self._lock:
            self._closed = True
            everything = list(self._beside.values())
        for one in everything:
            self._put_down(one)

    def _up(self, beside: _Beside) -> tuple[Running, Station]:
        if beside.failure is not None:
            raise beside.failure
        if beside.up is not None and beside.up[0].ended() is None:
            return beside.up
        self._put_down(beside)
        try:
            beside.up = self._start(beside)
        except HarnessError as error:
            self._put_down(beside)
            if self._closed:
                raise IsolationError("the run was stopped") from error
            # it would fail again for each adapter
            beside.failure = error
            raise
        return beside.up

    def _start(self, beside: _Beside) -> tuple[Running, Station]:
        program = beside.program
        if sys.platform == "win32":
            hint = "measure these adapters on Linux or macOS"
            raise ProgramsUnsupportedError("programs need Unix sockets", where=program.origin, hint=hint)
        running_of, station_of = _parts()
        with self._lock, ExitStack() as closing:
            if self._closed:
                raise IsolationError("the run was stopped")
            self._told(program.name, 0.0, up=False)
            folder = Path(tempfile.mkdtemp(prefix="harness-"))
            closing.callback(shutil.rmtree, folder, ignore_errors=True)
            station = closing.enter_context(station_of(program.upstream, folder))
            running = running_of(program, self._root, folder, station.upstream)
            closing.callback(running.close)
            beside.closing = closing.pop_all()
        running.wait(lambda seconds: self._told(program.name, seconds, up=False))
        station.lead_to(running.url, running.key)
        station.program = lambda: running.pid
        self._told(program.name, running.seconds, up=True)
        return running, station

    def _put_down(self, beside: _Beside) -> None:
        with self._lock:
            closing, beside.closing, beside.up = beside.closing, ExitStack(), None
        closing.close()


def _parts() -> tuple[type[Running], type[Station]]:
    try:
        from harness.programs.running import Running  # noqa: PLC0415 - few sessions have programs
        from harness.programs.station import Station  # noqa: PLC0415 - its library is an extra
    except ModuleNotFoundError as error:
        raise LibraryMissingError(
            "a program's upstream is served by aiohttp, which is not installed",
            hint='install it: pip install "capability-harness[serve]"',
        ) from error
    return Running, Station


def _filled(adapter: Adapter, running: Running) -> Adapter:
    values = dict(zip(OF_ADAPTERS, (running.url, running.key), strict=True))
    return replace(adapter, kwargs=fill(adapter.kwargs, values), env=fill(adapter.env, values))  # type: ignore[arg-type]  # as they were


def _through(job: Job, running: Running, station: Station) -> Job:
    """
    Return a job whose cells have no network, not even while it is recorded: they reach the program only.
    """
    door = {"socket": station.socket, "url": running.url}
    return replace(job, mode="replay", options={**job.options, "program": door})


@dataclass(frozen=True, slots=True)
class _Teller:
    """
    Make one event log of what a cell and the program's upstream saw.
    """

    adapter: Adapter
    running: Running

    def outcome(self, outcome: Outcome, visit: Visit | None) -> Outcome:
        """
        Return what a cell left behind, with what the upstream saw.
        """
        notes = {**self._versions(), **({} if visit is None else visit.notes), **outcome.notes}
        if visit is None:
            return replace(outcome, notes=notes)
        events = merged(outcome.events, visit.caller.began, visit.log.events, visit.log.began)
        error = self._death(visit) or self._refusal(visit, events)
        if isinstance(error, ProgramDiedError):
            events.append(Lost(at=events[-1].at, real=events[-1].real, where=Where(0), what=error.message))
        if error is not None:
            notes["problem"] = str(error)
        return replace(
            outcome,
            events=tuple(map(self._tidied, events)),
            interactions=tuple(visit.interactions),
            notes=notes,
            output_tail=self._plain(outcome.output_tail),
        )

    def tried(self, outcome: Outcome) -> Outcome:
        """
        Return what a cell that tried checks left behind; where the program ended meanwhile, nothing was tried.
        """
        how = self.running.ended()
        if how is not None:
            return Outcome(notes={"checks": f"the program {self.running.program.name} {how} while it was tried"})
        notes = {name: self._plain(text) for name, text in outcome.notes.items()}
        return replace(outcome, notes=notes, output_tail=self._plain(outcome.output_tail))

    def _death(self, visit: Visit) -> ProgramDiedError | None:
        how = self.running.ended(_DIES_WITHIN) if visit.troubles else None
        if how is None:
            return None
        said = self.running.tail()
        hint = f"it said at last:\n{said}" if said else "it said nothing"
        name = self.running.program.name
        return ProgramDiedError(
            f"the program {name} {how} in the middle of a call", where=self.running.program.origin, hint=hint
        )

    def _refusal(self, visit: Visit, events: Sequence[Event]) -> KeyRefusedError | None:
        if any(isinstance(one, Sent) for one in events):
            return None
        # not every program has the right status for it: LiteLLM's proxy without a database answers with 400
        refuses = _CLIENTS_FAULT if visit.keyless and self._has_key else UNAUTHORISED
        refused = next((one for one in events if isinstance(one, Replied) and one.status in refuses), None)
        if refused is None:
            return None
        name = self.running.program.name
        message = f"the program {name} does not take its client's key: it answered with HTTP status {refused.status}"
        hint = 'give the adapter the program\'s own key, such as api_key = "{program.key}"'
        return KeyRefusedError(message, where=self.adapter.place, hint=hint)

    @property
    def _has_key(self) -> bool:
        program = self.running.program
        return any("{key}" in one for one in (*program.command, *program.env.values())) or program.config is not None

    def _versions(self) -> dict[str, str]:
        found = {}
        for name in self.running.program.distributions:
            with suppress(PackageNotFoundError):
                found[f"distribution.{name}"] = version(name)
        return found

    def _tidied(self, event: Event) -> Event:
        if not isinstance(event, Raised):
            return event
        return replace(event, message=self._plain(event.message), traceback=self._plain(event.traceback))

    def _plain(self, text: str) -> str:
        # both differ from run to run, and one is a secret
        return text.replace(self.running.url, "{program.url}").replace(self.running.key, "{program.key}")

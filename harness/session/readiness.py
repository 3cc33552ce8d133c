"""Whether an adapter may be merged: its verdicts, what applications rely on, and what there is to do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from harness.battery.prompts import VERSION
from harness.checks.registry import ENTRY, reason_off
from harness.checks.result import Result, Source, State
from harness.events import Died, Missing, Raised
from harness.session.cells import NO_CASSETTE
from harness.session.commands import typed
from harness.session.hints import usual_cause
from harness.session.standing import Kind, Note, judged_by, unpromised, weigh
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell, Matrix
    from harness.checks.registry import Found
    from harness.isolation.outcome import Outcome
    from harness.session.rows import Row
    from harness.session.session import Session
    from harness.session.standing import Fault

_CALLS: Final = 3
"""Calls that a check may make; each of them constructs the adapter anew, and some constructors import for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """
    Hold one thing to do.

    Attributes:
        rule: what is not met: a kind of `Kind`, `unknown`, or the name of a check.
        calls: the cells that it concerns.
        expected: by whom, and what.
        measured: what was found instead.
        evidence: one sentence.
        source: the line to look at.
        hint: what usually causes it.
        again: a command that shows it again.
    """

    rule: str
    calls: tuple[Capability, ...]
    expected: str
    measured: str
    evidence: str
    source: Source | None
    hint: str
    again: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """
    Say whether one adapter is ready, and what there is to do.

    Attributes:
        adapter: FAMILY/NAME.
        row: its cells.
        items: what there is to do; none where it is ready.
        notes: what is worth knowing and fails nothing.
        results: what came of the checks, for each call.
    """

    adapter: str
    row: Row
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    results: Mapping[Capability, tuple[Result, ...]] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """
        Tell whether there is nothing to do.
        """
        return not self.items

    def count(self, state: State) -> int:
        """
        Count the checks that ended in one way.
        """
        return sum(one.state is state for every in self.results.values() for one in every)

    @property
    def faults(self) -> tuple[str, ...]:
        """
        Return why checks failed themselves, each once.
        """
        broken = (one for every in self.results.values() for one in every if one.state is State.FAULT)
        return tuple(dict.fromkeys(f"the check {one.check} failed itself: {one.why}" for one in broken))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """
    Hold what the checks of one adapter showed.
    """

    results: Mapping[Capability, tuple[Result, ...]] = field(default_factory=dict)
    sources: Mapping[Capability, Source] = field(default_factory=dict)
    constructor: Source | None = None


def assess(  # noqa: PLR0913, PLR0917 - one value each of what decides
    session: Session,
    adapter: Adapter,
    checks: Mapping[str, Found],
    off: Mapping[str, str],
    baseline: Matrix | None,
    calls: Sequence[Capability] = tuple(Capability),
) -> Readiness:
    """
    Measure an adapter, try the checks on it, and say what there is to do; both go on side by side.

    Args:
        session: with two workers or more.
        adapter: the one to assess.
        checks: those to try.
        off: why the registration switches some of them off.
        baseline: the committed matrix.
        calls: the cells.
    """
    with ThreadPoolExecutor(1) as pool:
        trying = pool.submit(try_checks, session, adapter, checks, off, calls)
        row = session.measure(adapter, calls)
        tried = trying.result()
    return readiness(adapter, row, tried, checks, baseline, file=session.file)


def try_checks(
    session: Session, adapter: Adapter, checks: Mapping[str, Found], off: Mapping[str, str], calls: Sequence[Capability]
) -> Tried:
    """
    Try checks on an adapter's calls, and find where these are written.
    """
    by_call = {call: [one for one in checks.values() if call in one.check.calls] for call in calls}
    wanted = {
        call: [one for one in every if reason_off(off, one.check.name, call) is None] for call, every in by_call.items()
    }
    outcomes = _outcomes(session, adapter, {call: [one.spec for one in every] for call, every in wanted.items()})
    notes = {call: outcomes[call].notes.get(f"source.{call}") for call in calls}
    constructor = next((one.notes["source"] for one in outcomes.values() if "source" in one.notes), None)
    return Tried(
        results={call: tuple(_results(by_call[call], outcomes[call], off, call)) for call in calls},
        sources={call: Source.decode(note) for call, note in notes.items() if note is not None},
        constructor=Source.decode(constructor) if constructor is not None else None,
    )


def _outcomes(
    session: Session, adapter: Adapter, specs: Mapping[Capability, Sequence[str]]
) -> dict[Capability, Outcome]:
    """
    Return what the cell left behind that tried each call's checks: one for all of them, where it can fork.
    """
    options = {"entry": ENTRY, "checks": {call.value: every for call, every in specs.items()}}
    first, *others = specs
    outcome = session.outcomes(adapter, [first], options, calls=_CALLS)[first]
    # one that did not come as far as to say what it tries would do no better for another call
    tried = outcome.notes.get("tried", " ".join(specs)).split()
    untried = [call for call in others if call not in tried]
    rest = session.outcomes(adapter, untried, options, calls=_CALLS) if untried else {}
    return dict.fromkeys(specs, outcome) | rest


def _results(checks: Iterable[Found], outcome: Outcome, off: Mapping[str, str], call: Capability) -> Iterator[Result]:
    for found in checks:
        name = found.check.name
        why = reason_off(off, name, call)
        told = outcome.notes.get(f"check.{call}.{name}")
        if why is not None:
            yield Result(check=name, state=State.OFF, why=why)
        elif told is not None:
            yield Result.decode(told)
        else:
            yield _untold(name, outcome, call)


def _untold(name: str, outcome: Outcome, call: Capability) -> Result:
    """
    Say why a check has no result: there was nothing to try it on, or its cell ended early.
    """
    why = outcome.notes.get(f"checks.{call}", outcome.notes.get("checks"))
    if why is not None:
        return Result(check=name, state=State.SKIPPED, why=why)
    if any(isinstance(event, Raised | Missing) for event in outcome.events) or "problem" in outcome.notes:
        return Result(check=name, state=State.SKIPPED, why="the adapter cannot be imported")
    died = next((f"{event.how}: {event.detail}" for event in outcome.events if isinstance(event, Died)), "")
    why = outcome.notes.get("fault", died).strip().rpartition("\n")[2]
    return Result(check=name, state=State.FAULT, why=f"its cell ended before it was tried ({why})")


def readiness(  # noqa: PLR0913 - one value each of what decides
    adapter: Adapter,
    row: Row,
    tried: Tried,
    checks: Mapping[str, Found],
    baseline: Matrix | None,
    *,
    battery: int = VERSION,
    file: Path | None = None,
) -> Readiness:
    """
    Say what there is to do, from what was measured and tried.

    Args:
        adapter: the registration.
        row: its cells.
        tried: what the checks showed.
        checks: those that were tried.
        baseline: the committed matrix.
        battery: the version that judged.
        file: the project's configuration, for commands to try.
    """
    standing = weigh(row.cells, baseline, battery=battery)
    worth_knowing = [*standing.notes]
    if adapter.declares is not None:
        declaring = {(row.adapter.family, row.adapter.name)}
        worth_knowing += [one for one in unpromised(row.cells, declaring) if one not in standing.notes]
    notes = _told(worth_knowing)
    maker = _Maker(adapter, row, tried, checks, file)
    frozen = judged_by(baseline)
    items = [*maker.of_cells(standing.faults), *maker.of_checks(new=False, frozen=frozen)]
    newer = maker.of_checks(new=True, frozen=frozen)
    notes += [f"{_calls(one.calls)}: {one.evidence}; {one.rule} is newer than the committed matrix" for one in newer]
    return Readiness(adapter=adapter.id, row=row, items=tuple(items), notes=tuple(notes), results=tried.results)


def _told(notes: Iterable[Note]) -> list[str]:
    """
    Return each note once, with the calls that it is about.
    """
    calls: dict[str, list[Capability]] = {}
    for one in notes:
        calls.setdefault(one.message, []).append(one.cell.capability)
    return [f"{_calls(about)}: {message}" for message, about in calls.items()]


def _calls(calls: Iterable[Capability]) -> str:
    return ", ".join(one.value for one in calls)


class _Maker:
    """
    Make the items of one adapter.
    """

    def __init__(
        self, adapter: Adapter, row: Row, tried: Tried, checks: Mapping[str, Found], file: Path | None
    ) -> None:
        self._file = file
        self._adapter = adapter
        self._row = row
        self._tried = tried
        self._checks = checks

    def of_cells(self, faults: Iterable[Fault]) -> Iterator[Item]:
        by_cell: dict[Capability, list[Fault]] = {}
        for fault in faults:
            by_cell.setdefault(fault.cell.capability, []).append(fault)
        made: dict[tuple[str, ...], tuple[list[Capability], Cell, str]] = {}
        for cell in self._row.cells:
            found = by_cell.get(cell.capability, [])
            unmeasured = cell.verdict is Verdict.UNKNOWN and cell.expected is not Verdict.UNKNOWN
            if not found and not unmeasured:
                continue
            rule = found[0].kind.value if found else Verdict.UNKNOWN.value
            expected = "; ".join(_expected(one) for one in found) or "a call that was measured: unknown is never green"
            key = (rule, expected, _word(cell), cell.reason)
            made.setdefault(key, ([], cell, expected))[0].append(cell.capability)
        for (rule, expected, measured, evidence), (calls, cell, _) in made.items():
            yield Item(
                rule=rule,
                calls=tuple(calls),
                expected=expected,
                measured=measured,
                evidence=" ".join(evidence.split()),
                source=self._source(cell, calls[0]),
                hint=usual_cause(cell),
                again=self._again(cell, calls),
            )

    def _source(self, cell: Cell, call: Capability) -> Source | None:
        blocked = cell.verdict is Verdict.BLOCKED
        return self._tried.constructor if blocked else self._tried.sources.get(call)

    def _again(self, cell: Cell, calls: Sequence[Capability]) -> str:
        if cell.reason == NO_CASSETTE:
            return typed(self._file, "record", self._adapter.id, *_only(calls))
        return typed(self._file, "explain", self._adapter.id, calls[0].value)

    def of_checks(self, *, new: bool, frozen: int | None) -> Iterator[Item]:
        """
        Yield what the checks found; those that are newer than the frozen requirements apart.
        """
        works = {cell.capability for cell in self._row.cells if cell.verdict.works}
        made: dict[tuple[str, tuple[str, ...]], list[Capability]] = {}
        for call, results in self._tried.results.items():
            for one in results:
                since = self._checks[one.check].check.since
                is_new = frozen is not None and since > frozen
                # a call that does not work has its item already, and what else it does is its consequence
                if one.state is State.FAILED and call in works and is_new is new:
                    made.setdefault((one.check, one.findings), []).append(call)
        for (name, findings), calls in made.items():
            check = self._checks[name].check
            yield Item(
                rule=name,
                calls=tuple(calls),
                expected=check.promise,
                measured="not so",
                evidence="; ".join(findings),
                source=self._tried.sources.get(calls[0]),
                hint=check.hint,
                again=typed(self._file, "check", self._adapter.id, "--check", name, *_only(calls)),
            )


def _only(calls: Iterable[Capability]) -> list[str]:
    return [word for call in calls for word in ("--only", call.value)]


def _expected(fault: Fault) -> str:
    cell = fault.cell
    match fault.kind:
        case Kind.CONTRADICTS:
            return "native, as the registration declares"
        case Kind.BEHIND:
            return "native, as in the committed matrix"
        case Kind.STALE:
            return f"{cell.expected}, as the registration expects ({cell.why_expected}): the expectation is stale"
        case _:
            return "a call that works"


def _word(cell: Cell) -> str:
    return f"{cell.verdict} ({cell.mechanism})" if cell.mechanism else cell.verdict.value

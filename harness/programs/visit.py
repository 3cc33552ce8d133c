"""A visit: one call of an adapter over a program, as the program's upstream sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.battery.counting import Counts
from harness.errors import UserError
from harness.events import Constructed
from harness.marks import carried
from harness.programs.gate import UpstreamGate
from harness.tape import cassette as files
from harness.tape.dialling import Detour
from harness.tape.faulty import FaultyTape, Harm
from harness.tape.log import Log
from harness.tape.recorded import told_of
from harness.tape.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vcr.cassette import Cassette
    from vcr.request import Request

    from harness.tape.faults import Faults
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """
    Say what answers in a program's upstream's place.

    Attributes:
        record: the real upstream does, or a simulator, and is recorded.
        dial: "address:port" of that simulator.
        pace: 0 replays at once, other factors scale the recorded pace.
    """

    record: bool = False
    dial: str | None = None
    pace: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """
    Say whose calls come next.

    Attributes:
        inputs: the prompts; single calls have the first.
        cassettes: path of the cassette by call.
        setup: what answers in the upstream's place.
        match_on: how requests are matched.
    """

    inputs: tuple[str, ...]
    cassettes: Mapping[Capability, Path]
    setup: Setup
    match_on: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """
    Say which call it is, and of which process.

    Attributes:
        capability: the call.
        began: when the cell's log was begun, on the system's monotonic clock.
        process: the cell's.
        faults: what goes wrong with the upstream's answers, where a check asks for that; None where nothing is tried.
    """

    capability: Capability
    began: float
    process: int
    faults: Faults | None = None


@dataclass(slots=True)
class Visit:
    """
    Hold one call.

    Attributes:
        caller: whose.
        log: what the upstream sees.
        tape: what answers.
        notes: what the cassette says of itself.
        interactions: what was recorded.
        troubles: how the program could not be reached, or broke off.
        keyless: a request came without the program's key.
        over: the call's process is gone.
    """

    caller: Caller
    log: Log
    tape: Tape
    notes: dict[str, str] = field(default_factory=dict)
    interactions: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    keyless: bool = False
    over: bool = False

    def begin(self) -> None:
        """
        Note that the constructor is done and the call starts.
        """
        self.log.add(Constructed, module="", qualname="")
        self.tape.gate.begin()

    @property
    def harm(self) -> Harm:
        """
        Return what was done to the upstream's answers.
        """
        return self.tape.harm if isinstance(self.tape, FaultyTape) else Harm()

    def end(self) -> None:
        """
        Let everything through: nobody waits any more.
        """
        self.over = True
        self.tape.gate.finish()


@dataclass(slots=True)
class _Kept:
    """
    Keep the interactions of a call that is recorded, as they are and as text.
    """

    pairs: list[tuple[Request, dict[str, Any]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, request: Request, response: dict[str, Any]) -> None:
        self.pairs.append((request, response))
        self.texts.append(files.dump([(request, response)]))


def visit(caller: Caller, guest: Guest, at_work: Callable[[], bool]) -> Visit:
    """
    Return the visit of one call; where its cassette cannot be read, that is what it answers.

    Args:
        caller: which call, of which process.
        guest: the prompts and cassettes of the adapter whose call it is.
        at_work: tells whether the program or the cell has something to do now.
    """
    capability, setup = caller.capability, guest.setup
    path = guest.cassettes[capability]
    cassette, problem = (None, None) if setup.record or not path.exists() else _loaded(path, guest)
    inputs = guest.inputs if capability.batches else guest.inputs[:1]
    marks, kept, log = partial(carried, inputs=inputs), _Kept(), Log()
    counts = Counts(kept.pairs if cassette is None else cassette.data)
    gate = UpstreamGate(capability, inputs=len(inputs), counts=counts, at_work=at_work)
    if caller.faults is not None and cassette is not None:
        return Visit(caller, log, FaultyTape(log, gate, caller.faults, cassette=cassette, marks=marks))
    tape = Tape(
        log,
        gate,
        cassette=cassette,
        marks=marks,
        pace=setup.pace,
        dial=Detour(setup.dial) if setup.dial is not None else None,
        missing=None if setup.record or cassette is not None else problem or "there is no cassette for this call",
        on_interaction=kept.add,
    )
    return Visit(caller, log, tape, notes=_notes(cassette, problem), interactions=kept.texts)


def _loaded(path: Path, guest: Guest) -> tuple[Cassette | None, str | None]:
    try:
        return files.load(path, match_on=guest.match_on), None
    except UserError as error:
        return None, str(error)


def _notes(cassette: Cassette | None, problem: str | None) -> dict[str, str]:
    notes = {} if cassette is None else told_of(cassette)
    return notes if problem is None else {**notes, "problem": problem}

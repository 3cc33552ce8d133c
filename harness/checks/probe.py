"""
The entry of a cell that tries checks on the calls of one adapter, each check on each call in a fork of its own.

What a check leaves behind (threads, loops, a replaced `time.sleep`) ends with its process. Where there is no fork, the
checks share the cell's process and are tried one after the other.
"""

from __future__ import annotations

import importlib
import os
import select
import signal
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters import Adapter, MissingDependency, load_target
from harness.battery.job import note
from harness.checks.bench import Bench
from harness.checks.check import Check, NotApplicable
from harness.checks.result import Result, Source, State
from harness.checks.sources import constructor_of, source_of
from harness.errors import UserError
from harness.tape import cassette as files
from harness.tape import clients
from harness.tape.passage import Door
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vcr.cassette import Cassette

    from harness.battery.job import Job, Send

_LONGEST: Final = 400
_DUMPED: Final = 3
_AT_A_TIME: Final = 12
"""
Forks at work. A check that finds nothing amiss takes some 30 ms of processor time; one that waits for what never comes
takes 3 s and none.
"""


def run(job: Job, capability: Capability, send: Send) -> None:
    """
    Try the checks that the job's option `checks` names for each call ("module:attribute"), and send a note for each.

    Where processes can be forked, this one cell tries those of all the calls, and a note `tried` names the calls;
    otherwise, and through a program, each call has a cell of its own.

    Args:
        job: the adapter's registration, and which checks.
        capability: the call of this cell.
        send: hands frames to the parent.
    """
    clients.install()
    adapter = Adapter.from_dict(job.adapter)
    wanted, door = _wanted(job), _door(job)
    forks = hasattr(os, "fork") and threading.active_count() == 1
    # a program serves one call at a time
    calls = list(wanted) if forks and door is None else [capability]
    send("note", note("tried", " ".join(calls)))
    _tell_place("source", adapter, lambda target: constructor_of(target, Path(job.root)), send)
    trials = [trial for call in calls for trial in _trials(job, adapter, call, send)]
    at_a_time = _AT_A_TIME if door is None else 1
    results = _side_by_side(trials, _patience(job), at_a_time) if forks else ((one, one.outcome()) for one in trials)
    for trial, result in results:
        send("note", note(f"check.{trial.call}.{result.check}", result.encode()))
        send("note", note("started"))  # the time-out is each check's own


def load_check(spec: str) -> Check:
    """
    Return the check that "module:attribute" names.
    """
    module, _, name = spec.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Check)  # noqa: S101 - the parent looked before it asked
    return found


def _wanted(job: Job) -> dict[Capability, list[str]]:
    told = job.options.get("checks")
    return {Capability(call): _texts(specs) for call, specs in told.items()} if isinstance(told, dict) else {}


def _door(job: Job) -> Door | None:
    told = job.options.get("program")
    return Door(**told) if isinstance(told, dict) else None


def _trials(job: Job, adapter: Adapter, call: Capability, send: Send) -> Iterator[_Trial]:
    """
    Yield what is to be tried on one call; where that cannot be, say why in a note.
    """
    _tell_place(f"source.{call}", adapter, lambda target: source_of(target, call, Path(job.root)), send)
    try:
        cassette = _recorded(job, adapter, call)
    except UserError:
        send("note", note(f"checks.{call}", "its cassette cannot be used"))  # the verdict's cell tells why
        return
    if cassette is None:
        send("note", note(f"checks.{call}", "there is nothing to replay"))
        return
    bench = Bench(adapter, call, cassette, lambda other: _beside(job, adapter, other), _door(job))
    yield from (_Trial(call, load_check(spec), bench) for spec in _wanted(job).get(call, ()))


def _recorded(job: Job, adapter: Adapter, call: Capability) -> Cassette | None:
    path = job.cassettes.get(call.value)
    return files.load(Path(path), match_on=adapter.match_on) if path and Path(path).exists() else None


def _beside(job: Job, adapter: Adapter, call: Capability) -> Cassette | None:
    try:
        return _recorded(job, adapter, call)
    except UserError:
        return None  # that call's own cell tells why


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _tell_place(name: str, adapter: Adapter, find: Callable[[object], Source | None], send: Send) -> None:
    try:
        place = find(load_target(adapter))
    except (UserError, MissingDependency):
        return
    if place is not None:
        send("note", note(name, place.encode()))


def _patience(job: Job) -> float:
    # the cell is given twice as long, so that it can tell of a check that hangs
    return job.timeout / 2


@dataclass(frozen=True, slots=True)
class _Trial:
    """
    Try one check on one call.
    """

    call: Capability
    check: Check
    bench: Bench

    def outcome(self) -> Result:
        """
        Try it in this process.
        """
        return outcome(self.check, self.bench)

    def fork(self, patience: float) -> _Fork:
        """
        Begin to try it in a fork of this process.
        """
        incoming, outgoing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(outgoing, self.outcome().encode().encode())
            finally:
                # not by way of the interpreter's end, for which lingering threads could be waited
                os._exit(0)
        os.close(outgoing)
        return _Fork(self, child, incoming, time.monotonic() + patience)


class _Fork:
    """
    Listen to a fork that tries a check.
    """

    def __init__(self, trial: _Trial, child: int, incoming: int, ends: float) -> None:
        self.trial = trial
        self.incoming = incoming
        self._child = child
        self._ends = ends
        self._told = b""

    @property
    def left(self) -> float:
        """
        Return how many seconds it has left.
        """
        return max(0.0, self._ends - time.monotonic())

    def listen(self) -> bool:
        """
        Take what it says, and return whether that was all; what it left running may keep its pipe open.
        """
        piece = os.read(self.incoming, 1 << 16)
        self._told += piece
        return not piece or self._told.endswith(b"}")

    def result(self, patience: float) -> Result:
        """
        Return what came of it, ending it where its time is over.
        """
        os.close(self.incoming)
        if not self._told and not self.left:
            os.kill(self._child, signal.SIGKILL)
        return _result(self.trial.check, self._told, self._child, patience)


def _side_by_side(trials: Sequence[_Trial], patience: float, at_a_time: int) -> Iterator[tuple[_Trial, Result]]:
    """
    Try checks in forks, several at a time: mostly they wait.
    """
    waiting, running = deque(trials), dict[int, _Fork]()
    while waiting or running:
        while waiting and len(running) < at_a_time:
            fork = waiting.popleft().fork(patience)
            running[fork.incoming] = fork
        ready, _, _ = select.select([*running], [], [], min(one.left for one in running.values()))
        over = [running[one] for one in ready if running[one].listen()]
        over += [one for one in running.values() if not one.left and one not in over]
        for fork in over:
            del running[fork.incoming]
            yield fork.trial, fork.result(patience)


def outcome(check: Check, bench: Bench) -> Result:
    """
    Run a check here and say what came of it.
    """
    bench.tell("")
    found = _outcome(check, bench)
    return replace(found, figure=bench.figure[:_LONGEST], told=bench.told[:_LONGEST])


def _outcome(check: Check, bench: Bench) -> Result:
    try:
        findings = tuple(text[:_LONGEST] for text in check.run(bench))
    except NotApplicable as error:
        return Result(check=check.name, state=State.SKIPPED, why=str(error)[:_LONGEST])
    except UserError as error:
        return Result(
            check=check.name, state=State.SKIPPED, why=f"it cannot be constructed: {error.message}"[:_LONGEST]
        )
    except BaseException as error:  # noqa: BLE001 - told as the check's own failure, or the constructor's
        return _failed(check, error)
    return Result(check=check.name, state=State.FAILED if findings else State.PASSED, findings=findings)


def _failed(check: Check, error: BaseException) -> Result:
    frames = traceback.extract_tb(error.__traceback__)
    if any(frame.name == "_built" for frame in frames):
        return Result(
            check=check.name,
            state=State.SKIPPED,
            why=f"the constructor raises {type(error).__name__}: {error}"[:_LONGEST],
        )
    last = "".join(traceback.format_exception(error)[-_DUMPED:]).strip()
    return Result(check=check.name, state=State.FAULT, why=last[-2 * _LONGEST :])


def _result(check: Check, text: bytes, child: int, timeout: float) -> Result:
    _, status = os.waitpid(child, 0)
    if text:
        return Result.decode(text.decode())
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        how = f"it did not come to an end within {timeout:g} s"
    else:
        how = f"its process ended with {f'signal {-code}' if code < 0 else f'status {code}'}"
    return Result(check=check.name, state=State.FAILED, findings=(how,))

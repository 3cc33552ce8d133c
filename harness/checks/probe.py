"""
The entry of a cell that tries checks: one call of one adapter, each check in a fork of its own.

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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters import Adapter, MissingDependency, load_target
from harness.battery.job import note
from harness.checks.bench import Bench
from harness.checks.check import Check, NotApplicable
from harness.checks.result import Result, State
from harness.checks.sources import source_of
from harness.errors import UserError
from harness.tape import cassette as files
from harness.tape import clients
from harness.tape.passage import Door

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vcr.cassette import Cassette

    from harness.battery.job import Job, Send
    from harness.words import Capability

_LONGEST: Final = 400
_DUMPED: Final = 3


def run(job: Job, capability: Capability, send: Send) -> None:
    """
    Try the checks that the job's option `checks` names for this call ("module:attribute"), and send a note for each.

    Args:
        job: the adapter's registration, and which checks.
        capability: the call.
        send: hands frames to the parent.
    """
    clients.install()
    adapter = Adapter.from_dict(job.adapter)
    _tell_source(adapter, capability, Path(job.root), send)
    path = job.cassettes.get(capability.value)
    if not path or not Path(path).exists():
        send("note", note("checks", "there is nothing to replay"))
        return
    try:
        cassette = files.load(Path(path), match_on=adapter.match_on)
    except UserError:
        send("note", note("checks", "its cassette cannot be used"))  # the verdict's cell tells why
        return
    wanted = job.options.get("checks")
    specs = _texts(wanted.get(capability.value) if isinstance(wanted, dict) else ())
    told = job.options.get("program")
    door = Door(**told) if isinstance(told, dict) else None
    bench = Bench(adapter, capability, cassette, lambda other: _beside(job, adapter, other), door)
    # a program serves one call at a time
    trial = _Trial(bench, _patience(job), at_once=1 if door else None)
    for result in trial.results([load_check(spec) for spec in specs]):
        send("note", note(f"check.{result.check}", result.encode()))
        send("note", note("started"))  # the time-out is each check's own


def load_check(spec: str) -> Check:
    """
    Return the check that "module:attribute" names.
    """
    module, _, name = spec.partition(":")
    found = getattr(importlib.import_module(module), name)
    assert isinstance(found, Check)  # noqa: S101 - the parent looked before it asked
    return found


def _beside(job: Job, adapter: Adapter, capability: Capability) -> Cassette | None:
    path = job.cassettes.get(capability.value)
    if not path or not Path(path).exists():
        return None
    try:
        return files.load(Path(path), match_on=adapter.match_on)
    except UserError:
        return None  # that call's own cell tells why


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _tell_source(adapter: Adapter, capability: Capability, root: Path, send: Send) -> None:
    try:
        place = source_of(load_target(adapter), capability, root)
    except (UserError, MissingDependency):
        return
    if place is not None:
        send("note", note("source", place.encode()))


def _patience(job: Job) -> float:
    # the cell is given twice as long, so that it can tell of a check that hangs
    return job.timeout / 2


class _Trial:
    """
    Try checks on one call, each in a fork of its own.

    Args:
        bench: what they are given.
        patience: seconds that those which are tried together may take.
        at_once: how many are tried side by side; None for all, as mostly they wait.
    """

    def __init__(self, bench: Bench, patience: float, at_once: int | None = None) -> None:
        self._bench = bench
        self._patience = patience
        self._at_once = at_once

    def results(self, checks: Sequence[Check]) -> Iterator[Result]:
        if not hasattr(os, "fork") or threading.active_count() > 1:
            yield from (outcome(check, self._bench) for check in checks)
            return
        many = self._at_once or max(len(checks), 1)
        for first in range(0, len(checks), many):
            yield from self._side_by_side(checks[first : first + many])

    def _side_by_side(self, checks: Sequence[Check]) -> Iterator[Result]:
        begun = [(check, *self._fork(check)) for check in checks]
        ends = time.monotonic() + self._patience
        for check, child, incoming in begun:
            try:
                text = _read(incoming, child, ends)
            finally:
                os.close(incoming)
            yield _result(check, text, child, self._patience)

    def _fork(self, check: Check) -> tuple[int, int]:
        incoming, outgoing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(outgoing, outcome(check, self._bench).encode().encode())
            finally:
                # not by way of the interpreter's end, for which lingering threads could be waited
                os._exit(0)
        os.close(outgoing)
        return child, incoming


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


def _read(incoming: int, child: int, ends: float) -> bytes:
    """
    Return what the child sends before it ends or its time is over; a child out of time is ended.
    """
    data = b""
    while (left := ends - time.monotonic()) > 0:
        ready, _, _ = select.select([incoming], [], [], left)
        piece = os.read(incoming, 1 << 16) if ready else b""
        data += piece
        if ready and not piece:
            return data
        if data.endswith(b"}"):
            return data
    os.kill(child, signal.SIGKILL)
    return data


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

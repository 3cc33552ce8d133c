"""
The entry of a cell that tries checks on the calls of one adapter, those of each call in forks of its own.

What a check leaves behind (threads, loops) ends with its process. Where there is no fork, the checks share the cell's
process and are tried one after the other.
"""

from __future__ import annotations

import importlib
import os
import threading
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters.adapter import Adapter
from harness.adapters.build import load_target
from harness.adapters.missing import MissingDependency
from harness.battery.job import note
from harness.checks.bench import Bench
from harness.checks.check import Check
from harness.checks.sources import constructor_of, source_of
from harness.checks.trials import Trial, side_by_side
from harness.errors import UserError
from harness.tape import cassette as files
from harness.tape import clients
from harness.tape.passage import Door
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vcr.cassette import Cassette

    from harness.battery.job import Job, Send
    from harness.checks.result import Result, Source

_AT_A_TIME: Final = 12
"""
Forks at work. A check that finds nothing amiss takes some 60 ms of processor time, or 20 after another one; one that
waits for what never comes takes 3 s and none.
"""
_TOGETHER: Final = 4
"""Trials of a line: in longer ones the last call's would run alone at the end, and in shorter ones few are cheap."""


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
    # through a program, each trial takes a visit of its own
    most = _TOGETHER if door is None else 1
    lines = [line for call in calls for line in _in_lines(_trials(job, adapter, call, send), most)]
    for trial, result in _tried(lines, _patience(job), at_a_time=1 if door else _AT_A_TIME, forks=forks):
        send("note", note(f"check.{trial.call}.{result.check}", result.encode()))
        send("note", note("started"))  # the time-out is each check's own


def _in_lines(trials: Iterable[Trial], most: int) -> Iterator[tuple[Trial, ...]]:
    rest = iter(trials)
    while line := tuple(islice(rest, most)):
        yield line


def _tried(
    lines: Iterable[tuple[Trial, ...]], patience: float, *, at_a_time: int, forks: bool
) -> Iterator[tuple[Trial, Result]]:
    if forks:
        return side_by_side(lines, patience, at_a_time)
    return ((one, one.outcome()) for line in lines for one in line)


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


def _trials(job: Job, adapter: Adapter, call: Capability, send: Send) -> Iterator[Trial]:
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
    yield from (Trial(call, load_check(spec), bench) for spec in _wanted(job).get(call, ()))


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

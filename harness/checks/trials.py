"""
Trials: checks tried in forks, those of one call one after the other in the same fork while nothing spoils it.

A fork that has made one call makes the next in a third of the time: the pages that both touch are copied once. What is
accepted from a used process is only that a check passed there, or cannot be tried for a lasting reason. Anything else
is tried again, first in a new process, as a cache or a breaker that an earlier trial has filled or tripped is no news
of the adapter.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.checks.check import Check, NotApplicable
from harness.checks.result import Result, State
from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.checks.bench import Bench
    from harness.words import Capability

_LONGEST: Final = 400
_DUMPED: Final = 3


@dataclass(frozen=True, slots=True)
class Trial:
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
        self.bench.tell("")
        found = _outcome(self.check, self.bench)
        return replace(found, figure=self.bench.figure[:_LONGEST], told=self.bench.told[:_LONGEST])


def side_by_side(lines: Iterable[tuple[Trial, ...]], patience: float, at_a_time: int) -> Iterator[tuple[Trial, Result]]:
    """
    Try lines of checks, each line in a fork, several at a time: mostly they wait.

    Args:
        lines: trials that may share a process.
        patience: seconds that one trial may take.
        at_a_time: forks at work.
    """
    waiting, running = deque(lines), dict[int, _Fork]()
    while waiting or running:
        while waiting and len(running) < at_a_time:
            fork = _Fork(waiting.popleft(), patience)
            running[fork.incoming] = fork
        ready, _, _ = select.select([*running], [], [], min(one.left for one in running.values()))
        for fork in [*running.values()]:
            if fork.incoming in ready:
                yield from fork.listen()
            if fork.over or not fork.left:
                del running[fork.incoming]
                yield from fork.end()
                waiting.extendleft([fork.rest] if fork.rest else [])


class _Fork:
    """
    Be a fork of this process that tries a line of checks.

    Attributes:
        incoming: the descriptor that it tells its results on.
        over: it has told all that it will.
        rest: the trials that it has not told of.
    """

    def __init__(self, line: tuple[Trial, ...], patience: float) -> None:
        self.incoming, outgoing = os.pipe()
        self.over = False
        self.rest = line
        self._child = os.fork()
        if self._child == 0:
            try:
                _try(line, outgoing)
            finally:
                # not by way of the interpreter's end, for which lingering threads could be waited
                os._exit(0)
        os.close(outgoing)
        self._told = b""
        self._fresh = True
        self._patience = patience
        self._ends = time.monotonic() + patience

    @property
    def left(self) -> float:
        """
        Return how many seconds its present trial has left.
        """
        return max(0.0, self._ends - time.monotonic())

    def listen(self) -> Iterator[tuple[Trial, Result]]:
        """
        Take what it says; what it left running may keep its pipe open.
        """
        piece = os.read(self.incoming, 1 << 16)
        *lines, self._told = (self._told + piece).split(b"\n")
        self.over = not piece or b"" in lines
        for line in filter(None, lines):
            self._fresh = False
            self._ends = time.monotonic() + self._patience
            yield self._next(), Result.decode(line.decode())

    def end(self) -> Iterator[tuple[Trial, Result]]:
        """
        See it end, and end it where its time is over; say so of the trial that it began with.
        """
        os.close(self.incoming)
        if not self.over:
            os.kill(self._child, signal.SIGKILL)
        _, status = os.waitpid(self._child, 0)
        if self._fresh:
            trial, how = self._next(), self._how(os.waitstatus_to_exitcode(status))
            yield trial, Result(check=trial.check.name, state=State.FAILED, findings=(how,))

    def _next(self) -> Trial:
        trial, self.rest = self.rest[0], self.rest[1:]
        return trial

    def _how(self, status: int) -> str:
        if not self.over:
            return f"it did not come to an end within {self._patience:g} s"
        return f"its process ended with {f'signal {-status}' if status < 0 else f'status {status}'}"


def _try(line: tuple[Trial, ...], outgoing: int) -> None:
    for place, trial in enumerate(line):
        result = trial.outcome()
        if place and result.state is not State.PASSED and not result.lasting:
            break
        os.write(outgoing, f"{result.encode()}\n".encode())
        if threading.active_count() > 1:
            break
    os.write(outgoing, b"\n")


def _outcome(check: Check, bench: Bench) -> Result:
    try:
        findings = tuple(text[:_LONGEST] for text in check.run(bench))
    except NotApplicable as error:
        return Result(check=check.name, state=State.SKIPPED, why=str(error)[:_LONGEST], lasting=error.lasting)
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

"""
The parent's eye on one host: it gathers what the cells send, and ends what takes too long or too much.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

from harness.battery.job import read_note
from harness.isolation import processes, traces
from harness.isolation.outcome import Death, Draft, Outcome, from_status
from harness.isolation.protocol import memory_limit
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.battery.job import Job
    from harness.events import Event
    from harness.isolation.launch import Host
    from harness.isolation.protocol import Frame

    OnEvent = Callable[[Capability, Event], None]

# Seconds between looks at the clock and the memory.
_TICK: Final = 0.05
_IMPORT_TIMEOUT: Final = 120.0
# Seconds that a process has to write its stacks, to go when its work is done or it was killed, to begin the next cell.
_STACK_GRACE: Final = 1.0
# How long a host that has ended is listened to after its last word, while something holds its channel open (seconds).
_LAST_WORDS: Final = 10.0
_END_GRACE: Final = 5.0
_NEXT_GRACE: Final = 30.0


class Watch:
    """
    Watch one host from its import to its end.

    Args:
        host: started, with its order.
        job: what it runs.
        capabilities: in the order in which it runs them.
        on_event: told of each event when it comes.
    """

    def __init__(
        self, host: Host, job: Job, capabilities: tuple[Capability, ...], on_event: OnEvent | None = None
    ) -> None:
        self._host = host
        self._job = job
        self._capabilities = capabilities
        self._on_event = on_event
        self._outcomes: dict[Capability, Outcome] = {}
        self._drafts: dict[Capability, Draft] = {}
        self._host_notes = Draft()
        self._running: Capability | None = None
        self._process: int | None = None
        self._imported = False
        self._death: Death | None = None
        self._looked = 0.0
        self._ended = 0.0
        self._allow("import", job.number("import_timeout", _IMPORT_TIMEOUT))

    def run(self) -> dict[Capability, Outcome]:
        """
        Return the outcomes of the cells that had their turn.
        """
        while len(self._outcomes) < len(self._capabilities):
            frame = self._host.next(_TICK)
            if frame is not None:
                self._ended = 0.0
                self._take(frame)
            elif self._is_over():
                self._bury()
                break
            self._look()
        return self._outcomes

    def _allow(self, doing: str, seconds: float) -> None:
        self._doing = doing
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def _is_over(self) -> bool:
        if self._host.status() is None:
            return False
        if self._host.silent:
            return True
        # What the host sent last may arrive well after the news of its end where the machine is busy, so the channel's
        # own end is waited for; but not for ever: a process that the adapter forked may hold it open.
        now = time.monotonic()
        self._ended = self._ended or now
        return now - self._ended > _LAST_WORDS

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case "ready":
                self._imported = True
                self._allow("way to the first cell", _NEXT_GRACE)
            case "cell":
                self._begin(Capability(frame.capability), *map(int, frame.payload.split()))
            case "done":
                self._finish(Capability(frame.capability), *map(int, frame.payload.split()))
            case _:
                self._note(frame)

    def _begin(self, capability: Capability, process: int, printed: int, stacked: int) -> None:
        self._running, self._process = capability, process
        self._host.files.mark(printed, stacked)
        self._allow("construction", self._job.timeout)

    def _note(self, frame: Frame) -> None:
        if not frame.capability:
            self._host_notes.take(frame)
            return
        capability = Capability(frame.capability)
        draft = self._draft(capability)
        event = draft.take(frame)
        if event is not None and self._on_event is not None:
            self._on_event(capability, event)
        if frame.kind == "note" and self._running is capability:
            self._advance(read_note(frame.payload)[0])

    def _advance(self, name: str) -> None:
        # What is imported before anything is constructed is not charged to the constructor, nor its time to the call.
        if name == "constructing":
            self._allow("construction", self._job.timeout)
        elif name in {"started", "again"}:
            self._allow("call", self._job.timeout)
        elif name in {"done", "fault"}:
            self._allow("end", _END_GRACE)

    def _draft(self, capability: Capability) -> Draft:
        return self._drafts.setdefault(capability, Draft())

    def _finish(self, capability: Capability, status: int, printed: int) -> None:
        draft = self._draft(capability)
        death = None if draft.ended else self._death or from_status(status, self._stack())
        self._close(capability, death, printed)
        self._running = self._process = self._death = None
        self._allow("way to the next cell", _NEXT_GRACE)

    def _close(self, capability: Capability, death: Death | None, printed: int | None = None) -> None:
        draft = self._draft(capability)
        draft.notes = self._host_notes.notes | draft.notes
        outcome, added = draft.close(death, self._host.files.tail(printed))
        self._outcomes[capability] = outcome
        if self._on_event is not None:
            for event in added:
                self._on_event(capability, event)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _TICK:
            return
        self._looked = now
        self._host.files.contain()
        target = self._process or self._host.pid
        if target is None or self._death is not None:
            if now > self._deadline:
                self._host.kill()
        elif now > self._deadline:
            self._end_hung(target)
        elif processes.resident(target) > memory_limit(self._job):
            limit = memory_limit(self._job) // 1024**2
            self._kill(target, Death(how="memory", detail=f"{limit} MiB"))

    def _end_hung(self, target: int) -> None:
        detail = f"the {self._doing} did not end within {self._seconds:g} s"
        self._kill(target, Death(how="hung", detail=detail, stack=self._ask_for_stack(target)))

    def _kill(self, target: int, death: Death) -> None:
        self._death = death
        processes.kill_group(target)
        self._allow("death", _END_GRACE)

    def _ask_for_stack(self, target: int) -> str:
        if not hasattr(signal, "SIGUSR1"):
            return ""
        try:
            os.kill(target, signal.SIGUSR1)
        except OSError:
            return ""
        given_up = time.monotonic() + _STACK_GRACE
        while traces.END not in (stack := self._host.files.stack()) and time.monotonic() < given_up:
            time.sleep(_TICK)
        return traces.tidy(stack)

    def _stack(self) -> str:
        return traces.tidy(self._host.files.stack())

    def _bury(self) -> None:
        status = self._host.status() or 0
        death = self._death or from_status(status, self._stack())
        if self._running is not None:
            draft = self._draft(self._running)
            self._close(self._running, None if draft.ended else death)
        elif not self._imported:
            # It would end the same way for each of them, and a hang would be waited for each time.
            for capability in self._capabilities:
                if capability not in self._outcomes:
                    self._close(capability, death)

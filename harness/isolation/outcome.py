"""
What one cell left behind, however it ended.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.battery.job import read_note, read_notes
from harness.events import Dialled, Died, Event, Where, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.isolation.protocol import Frame

How = Literal["hung", "signal", "exit", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    Hold one cell's evidence.

    Attributes:
        events: in their order; the last is `Died` where the process ended before the call did.
        interactions: the recordings that were handed over.
        notes: what the cell said of itself, the host's own notes among it. `fault` holds a traceback where the harness,
            not the adapter, failed in the cell; `cut` says how the network was cut off.
        output_tail: the last 4 kB that it printed.
    """

    events: tuple[Event, ...] = ()
    interactions: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    output_tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """
    Say why a cell's process ended; the fields are those of `events.Died`.
    """

    how: How
    detail: str
    stack: str = ""


def from_status(status: int, stack: str) -> Death:
    """
    Return the death that an exit status tells of; a negative one is a signal's number.
    """
    if status >= 0:
        return Death(how="exit", detail=str(status), stack=stack)
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return Death(how="signal", detail=name, stack=stack)


class Draft:
    """
    Gather a cell's frames until it has ended.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.notes: dict[str, str] = {}
        self._interactions: list[str] = []

    def take(self, frame: Frame) -> Event | None:
        """
        Keep a frame of kind `event`, `interaction`, `note` or `notes`; return the event.
        """
        if frame.kind == "event":
            return self._take_event(frame.payload)
        if frame.kind == "interaction":
            self._interactions.append(frame.payload.decode())
        elif frame.kind == "note":
            name, value = read_note(frame.payload)
            self.notes[name] = value
        elif frame.kind == "notes":
            self._take_notes(frame.payload)
        return None

    def _take_event(self, payload: bytes) -> Event | None:
        try:
            event = decode(payload)
        except (ValueError, TypeError, KeyError) as error:
            # An adapter that writes to descriptors that are not its own can spoil the channel; the log is then no log.
            self.notes["fault"] = f"an event could not be read: {error}"
            return None
        self.events.append(event)
        return event

    def _take_notes(self, payload: bytes) -> None:
        try:
            self.notes |= read_notes(payload)
        except (ValueError, AttributeError) as error:
            self.notes["fault"] = f"what a cell noted could not be read: {error}"

    @property
    def ended(self) -> bool:
        """
        Tell whether the cell came to an end of its own: its work done, or a fault that it could tell of.
        """
        return "done" in self.notes or "fault" in self.notes

    def close(self, death: Death | None, output_tail: str) -> tuple[Outcome, list[Event]]:
        """
        Return the outcome, and the events among its own that the parent added.
        """
        added = [*self._past_python(), *self._died(death)]
        outcome = Outcome(
            events=(*self.events, *added),
            interactions=tuple(self._interactions),
            notes={name: value for name, value in self.notes.items() if name not in _INTERNAL},
            output_tail=output_tail,
        )
        return outcome, added

    def _past_python(self) -> list[Event]:
        attempts = int(self.notes.get("past_python", 0)) - int(self.notes.get("nameless", 0))
        if attempts <= 0:
            return []
        target = f"an unknown host, {attempts}x, by C code or a child process"
        at, real = self._last()
        return [Dialled(at=at, real=real, where=Where(0), target=target)]

    def _died(self, death: Death | None) -> list[Event]:
        if death is None:
            return []
        at, real = self._last()
        return [Died(at=at, real=real, where=Where(0), how=death.how, detail=death.detail, stack=death.stack)]

    def _last(self) -> tuple[float, float]:
        return (self.events[-1].at, self.events[-1].real) if self.events else (0.0, 0.0)


_INTERNAL = frozenset({"done", "constructing", "started", "again", "nameless", "past_python"})

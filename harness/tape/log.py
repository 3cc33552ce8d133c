"""The log that a cell writes its events into, and the recording's clock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from harness.events import Arrival, Constructed, Ended, Event, Hook, Spot, Where
from harness.places import here, place

if TYPE_CHECKING:
    from collections.abc import Callable

E = TypeVar("E", bound=Event)
_clock = time.perf_counter


class Log:
    """
    Keep the events of one call, in the order in which they happened.

    Args:
        emit: is given each event as it happens, under the log's lock; for example to
            carry it out of a process that may crash.

    Attributes:
        constructed: the instance exists.
    """

    def __init__(self, emit: Callable[[Event], None] | None = None) -> None:
        self.constructed = False
        self._now = 0.0
        self._ended = 0.0
        self._events: list[Event] = []
        self._rows: list[Event | _Arrived | _Noted] = []
        self._emit = emit
        self._lock = threading.Lock()
        self._began = time.perf_counter()

    @property
    def began(self) -> float:
        """
        Return when it was begun, on the system's monotonic clock: what its events' `real` is reckoned from.
        """
        return self._began

    @property
    def events(self) -> list[Event]:
        """
        Return the events so far.
        """
        if len(self._events) < len(self._rows):
            with self._lock:
                self._catch_up()
        return self._events

    @property
    def ended(self) -> float:
        """
        Return when the latest answer ended, on the recording's clock.
        """
        with self._lock:
            self._catch_up()
            return self._ended

    def add(self, kind: type[E], *, where: Where | None = None, at: float | None = None, **values: object) -> E:
        """
        Append an event of a kind, stamped with both clocks and the caller's place.

        Args:
            kind: the event's class.
            where: the place, when it is not the caller's.
            at: seconds on the recording's clock, when it is not `now`.
            values: the event's own fields.
        """
        spot = here() if where is None else where
        with self._lock:
            self._catch_up()
            event = kind(
                at=self._now if at is None else at,
                real=time.perf_counter() - self._began,
                where=spot,
                **values,
            )
            self._rows.append(event)
            self._catch_up()
            if kind is Constructed:
                self.constructed = True
            if self._emit is not None:
                self._emit(event)
        return event

    def note(self, kind: type[Event], at: float | None = None, **values: object) -> None:
        """
        Do what `add` does, and make the event when somebody asks for it.

        Where events are not given out one by one, an append is one step of the interpreter and needs no lock.
        """
        if self._emit is not None or kind is Constructed:
            self.add(kind, at=at, **values)  # type: ignore[arg-type]  # the event's own fields only
        else:
            self._rows.append((at, kind, _clock() - self._began, place(), values))

    def arrived(self, at: float, spot: Spot, request: int, index: int, size: int, hook: Hook) -> None:  # noqa: PLR0913, PLR0917 - keywords cost time here
        """
        Append an `Arrival`; does what `add` does in a fraction of the time, as there are so many of them.
        """
        row = at, _clock() - self._began, spot, request, index, size, hook
        if self._emit is None:
            self._rows.append(row)
            return
        with self._lock:
            self._rows.append(row)
            self._catch_up()
            self._emit(self._events[-1])

    def mute(self) -> None:
        """
        Give no more events out: this process is a copy, and what it does is not the original's.
        """
        self._emit = None

    def _catch_up(self) -> None:
        for row in self._rows[len(self._events) :]:
            event = _made(row, self._now) if isinstance(row, tuple) else row
            # the recording's clock only ever moves forward
            self._now = max(self._now, event.at)
            if isinstance(event, Ended):
                self._ended = max(self._ended, event.at)
            self._events.append(event)


_Arrived = tuple[float, float, Spot, int, int, int, Hook]
_Noted = tuple[float | None, type[Event], float, Spot, dict[str, Any]]


def _made(row: _Arrived | _Noted, now: float) -> Event:
    if len(row) == 5:  # noqa: PLR2004 - the parts of what was noted
        moment, kind, real, where, values = row
        return kind(at=now if moment is None else moment, real=real, where=Where(*where), **values)
    at, real, spot, request, index, size, hook = row
    return Arrival(at=at, real=real, where=Where(*spot), request=request, index=index, size=size, hook=hook)

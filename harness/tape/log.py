"""The log that a cell writes its events into, and the recording's clock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from harness.events import Arrival, Constructed, Ended, Event, Hook, Spot, Where, here, place

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
        now: the recording's clock in seconds; only ever moves forward.
        ended: when the latest answer ended, on the recording's clock.
        constructed: the instance exists.
    """

    def __init__(self, emit: Callable[[Event], None] | None = None) -> None:
        self.now = 0.0
        self.ended = 0.0
        self.constructed = False
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
        if self._rows:
            with self._lock:
                self._catch_up()
        return self._events

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
            if at is not None and at > self.now:
                self.now = at
            event = kind(
                at=self.now if at is None else at,
                real=time.perf_counter() - self._began,
                where=spot,
                **values,
            )
            if kind is Ended and event.at > self.ended:
                self.ended = event.at
            elif kind is Constructed:
                self.constructed = True
            self._rows.append(event)
            if self._emit is not None:
                self._emit(event)
        return event

    def note(self, kind: type[Event], at: float | None = None, **values: object) -> None:
        """
        Do what `add` does, and make the event when somebody asks for it.
        """
        if self._emit is not None or kind is Constructed:
            self.add(kind, at=at, **values)  # type: ignore[arg-type]  # the event's own fields only
            return
        where = place()
        with self._lock:
            if at is None:
                at = self.now
            elif at > self.now:
                self.now = at
            if kind is Ended and at > self.ended:
                self.ended = at
            self._rows.append((kind, at, time.perf_counter() - self._began, where, values))

    def arrived(self, at: float, spot: Spot, request: int, index: int, size: int, hook: Hook) -> None:  # noqa: PLR0913, PLR0917 - keywords cost time here
        """
        Append an `Arrival`; does what `add` does in a fraction of the time, as there are so many of them.

        The event itself is made when somebody asks for it: at once if they are given out one by one.
        """
        with self._lock:
            if at > self.now:  # noqa: PLR1730 - half the time of max()
                self.now = at
            self._rows.append((at, _clock() - self._began, spot, request, index, size, hook))
            if self._emit is not None:
                self._catch_up()
                self._emit(self._events[-1])

    def mute(self) -> None:
        """
        Give no more events out: this process is a copy, and what it does is not the original's.
        """
        self._emit = None

    def _catch_up(self) -> None:
        rows, self._rows = self._rows, []
        self._events += [row if isinstance(row, Event) else _made(row) for row in rows]


_Arrived = tuple[float, float, Spot, int, int, int, Hook]
_Noted = tuple[type[Event], float, float, Spot, dict[str, Any]]


def _made(row: _Arrived | _Noted) -> Event:
    if len(row) == 5:  # noqa: PLR2004 - the parts of what was noted
        kind, at, real, where, values = row
        return kind(at=at, real=real, where=Where(*where), **values)
    return _arrival(row)


def _arrival(row: _Arrived) -> Arrival:
    at, real, spot, request, index, size, hook = row
    return Arrival(at=at, real=real, where=Where(*spot), request=request, index=index, size=size, hook=hook)

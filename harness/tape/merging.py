"""
Two logs of one call as one: what the upstream was asked and answered, and what the caller and its clients saw.

Both have the system's monotonic clock. An upstream's request belongs to the passage that carried the same inputs, or
that was sent last before it. It was sent, as far as the caller is concerned, where that passage was; and an arrival
travels where the caller's client next read something of the passage's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.events import (
    Arrival,
    Asked,
    Constructed,
    Event,
    Heard,
    Hook,
    Refused,
    Sent,
    Started,
    UpstreamFailed,
    Where,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Placed = tuple[float, Event]
"""An event with its moment on the system's monotonic clock."""


@dataclass(slots=True)
class _Passage:
    asked: Asked
    clock: float
    heard: list[tuple[float, Heard]] = field(default_factory=list)

    def place(self, clock: float) -> tuple[Where, Hook]:
        """
        Return where what the upstream sent at a moment came to the caller's client.
        """
        if not self.heard:
            return self.asked.where, self.asked.hook
        event = next((one for at, one in self.heard if at >= clock), self.heard[-1][1])
        return event.where, event.hook


def merged(cell: Sequence[Event], cell_began: float, upstream: Iterable[Event], upstream_began: float) -> list[Event]:
    """
    Return the event log of a call that went through a program.

    Args:
        cell: what the cell logged.
        cell_began: the moment that its events' `real` is reckoned from.
        upstream: what the program's upstream logged.
        upstream_began: the same of that.
    """
    ours = [(cell_began + one.real, one) for one in cell]
    theirs = [(upstream_began + one.real, one) for one in upstream if not isinstance(one, Constructed)]
    theirs = list(_Placing(ours).placed(theirs))
    # of what happened at one moment, the upstream's came first: the caller's follows from it
    both = sorted([*((at, 0, one) for at, one in theirs), *((at, 1, one) for at, one in ours)], key=lambda one: one[:2])
    return list(_on_one_clock(both, cell_began))


def _on_one_clock(both: Iterable[tuple[float, int, Event]], began: float) -> Iterable[Event]:
    now = 0.0
    for clock, side, event in both:
        # only the upstream knows the recording's clock
        now = max(now, event.at) if side == 0 else now
        yield replace(event, real=clock - began, at=event.at if side == 0 else now)


class _Placing:
    """
    Give the upstream's events the places of the passages that they belong to.
    """

    def __init__(self, cell: Sequence[Placed]) -> None:
        self._passages: dict[int, _Passage] = {}
        self._home = Where(thread=0)
        for clock, event in cell:
            match event:
                case Asked():
                    self._passages[event.passage] = _Passage(event, clock)
                case Heard():
                    self._passages[event.passage].heard.append((clock, event))
                case Started():
                    self._home = event.where

    def placed(self, upstream: Iterable[Placed]) -> Iterable[Placed]:
        """
        Yield the events with their places.
        """
        owners: dict[int, _Passage | None] = {}
        for clock, event in upstream:
            number = getattr(event, "request", None)
            if isinstance(event, Sent):
                owners[event.request] = self._owner(clock, event)
            owner = None if number is None else owners.get(number)
            yield clock, self._at(clock, event, owner)

    def _at(self, clock: float, event: Event, owner: _Passage | None) -> Event:
        if isinstance(event, Refused | UpstreamFailed):
            return replace(event, where=self._home)
        if owner is None:
            # nobody's but the program's: it says nothing of the caller
            where, hook = self._home, "sync" if self._home.loop is None else "async"
        elif isinstance(event, Arrival):
            where, hook = owner.place(clock)
        else:
            where, hook = owner.asked.where, owner.asked.hook
        more: dict[str, Any] = {"hook": hook} if hasattr(event, "hook") else {}
        if isinstance(event, Sent) and owner is not None:
            more["phase"] = owner.asked.phase
        return replace(event, where=where, **more)

    def _owner(self, clock: float, sent: Sent) -> _Passage | None:
        before = [one for one in self._passages.values() if one.clock <= clock]
        alike = [one for one in before if one.asked.carries == sent.carries]
        return max(alike or before, key=lambda one: one.clock, default=None)

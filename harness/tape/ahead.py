"""How far a recording is ahead of its client: it reads each answer to its end before the head is handed out."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from harness.places import place

if TYPE_CHECKING:
    from harness.events import Spot
    from harness.tape.player import Player

CALLER: ContextVar[Spot | None] = ContextVar("caller", default=None)
"""The thread or task that an answer is read for; None where it is the one that reads it."""


class Ahead:
    """
    Reckon when a request would have left, had the answers before it come while their client read them.

    Who asks for several streams and reads them afterwards sends the second when the head of the first has come. While
    recording, that thread or task gets this head only when the whole answer is there.
    """

    def __init__(self) -> None:
        self._answers: list[tuple[Spot, Player, float]] = []

    def note(self, player: Player, answered: float) -> None:
        """
        Note an answer that was read for this thread or task, and when its head came, in seconds since it was asked for.
        """
        self._answers.append((CALLER.get() or place(), player, answered))

    def seconds(self) -> float:
        """
        Return how long this thread or task was kept for what it has not read yet.
        """
        spot = place()
        return sum(player.unheard(answered) for where, player, answered in self._answers if where == spot)

"""What a program's upstream has seen of a call, as it travels to the cell that makes the call."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

from harness.events import Event, decode, encode
from harness.tape.faulty import Harm

if TYPE_CHECKING:
    from harness.tape.log import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    Hold what an upstream has seen so far.

    Attributes:
        began: the moment that its events' `real` is reckoned from, on the system's monotonic clock.
        events: what happened there.
        harm: what was done to its answers.
    """

    began: float
    events: tuple[Event, ...]
    harm: Harm

    @classmethod
    def of(cls, log: Log, harm: Harm) -> Self:
        """
        Return what a log holds by now.
        """
        return cls(began=log.began, events=tuple(log.events), harm=harm)

    def encode(self) -> bytes:
        """
        Return it as it travels.
        """
        events = [encode(one).decode() for one in self.events]
        return json.dumps({"began": self.began, "events": events, "harm": asdict(self.harm)}).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """
        Return what `encode` wrote.
        """
        values = json.loads(payload)
        events = tuple(decode(one.encode()) for one in values["events"])
        return cls(began=values["began"], events=events, harm=Harm(**values["harm"]))

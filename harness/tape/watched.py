"""The tape of a check that is tried through a program: the cell's side of it, which can ask what the upstream saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.tape.log import Log
from harness.tape.merging import merged
from harness.tape.passage import Control, ThroughTape

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.events import Event
    from harness.tape.faults import Faults
    from harness.tape.faulty import Harm
    from harness.tape.passage import Door
    from harness.words import Capability


class WatchedTape(ThroughTape):
    """
    Let requests for the program through, while its upstream does what the faults say.

    Args:
        door: where the program is.
        capability: the call under test.
        faults: what goes wrong, but for the gate.
        marks: tells which inputs (by index) a readable request carries.
    """

    def __init__(
        self, door: Door, capability: Capability, faults: Faults, marks: Callable[[str], tuple[int, ...]]
    ) -> None:
        log = Log()
        self._control = Control(door, capability, log, faults)
        super().__init__(log, self._control, door, marks=marks, on_miss=lambda: None)

    @property
    def harm(self) -> Harm:
        """
        Return what was done to the upstream's answers so far.
        """
        return self._control.seen().harm

    def happened(self) -> list[Event]:
        """
        Return what happened so far, here and at the upstream, as one log.
        """
        seen = self._control.seen()
        return merged(list(self.log.events), self.log.began, seen.events, seen.began)

    def close(self) -> None:
        """
        Tell the harness that the call is over.
        """
        self._control.close()

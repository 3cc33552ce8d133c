"""What recording one cell took: how many requests, and what was scrubbed and kept of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.battery.prompts import PROMPTS
from harness.events import Sent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.adapters import Adapter
    from harness.events import Event
    from harness.tape.tally import Tally
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """
    Count the requests of one call, and hold what was kept of them.

    Attributes:
        requests: all that were sent.
        inference: those among them that carried a prompt.
        repeated: those that carried the same prompts to the same address as one before them: retries.
        tally: what was scrubbed and kept; None where no cassette was written.
    """

    requests: int
    inference: int
    repeated: int
    tally: Tally | None = None


def count(events: Iterable[Event], kept: Tally | None) -> Made:
    """
    Count the requests of a cell.
    """
    sent = [one for one in events if isinstance(one, Sent)]
    carrying = Counter((one.method, one.uri, one.carries) for one in sent if one.carries)
    return Made(
        requests=len(sent),
        inference=carrying.total(),
        repeated=carrying.total() - len(carrying),
        tally=kept,
    )


def needed(adapter: Adapter, capability: Capability) -> tuple[int, int]:
    """
    Return how many inference requests a call needs, at least and at most, where nothing is retried.
    """
    return 1, len(adapter.prompts or PROMPTS) if capability.batches else 1

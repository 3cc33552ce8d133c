"""What recording one cell took: how many requests, and what was scrubbed and kept of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.battery.prompts import PROMPTS
from harness.events import Sent
from harness.tape.credentials import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.adapters.adapter import Adapter
    from harness.cells import Judgement
    from harness.events import Event
    from harness.tape.tally import Tally
    from harness.words import Capability


_QUOTED: Final = re.compile(r"'.*'|\".*\"|“.*”", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """
    Count the requests of one call, and hold what was kept of them.

    Attributes:
        requests: all that were sent.
        inference: those among them that carried a prompt.
        repeated: those that carried the same prompts to the same address as one before them: retries.
        tally: what was scrubbed and kept; None where no cassette was written.
        repeats_secrets: the upstream repeated a secret, or the adapter handed one out.
    """

    requests: int
    inference: int
    repeated: int
    tally: Tally | None = None
    repeats_secrets: bool = False


def count(events: Iterable[Event], kept: Tally | None, *, repeats_secrets: bool) -> Made:
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
        repeats_secrets=repeats_secrets,
    )


def withheld(judgement: Judgement, made: Made | None, clean: Callable[[str], str]) -> Judgement:
    """
    Return a judgement that tells no secret: what a live upstream says is scrubbed in its cassette, and not before.

    Args:
        judgement: of a cell.
        made: what its recording took; None where none was made.
        clean: takes out of a text what must not be told.
    """
    evidence = judgement.evidence
    reason, error = clean(judgement.reason), evidence.error and clean(evidence.error)
    timeline = evidence.timeline
    if made is not None:
        requests = tuple(replace(one, uri=clean(one.uri)) for one in timeline.requests)
        timeline = replace(timeline, requests=requests)
    if made is not None and made.repeats_secrets:
        # quotations are cut short, so that a part of a secret may be left that nothing recognises
        reason, error = _QUOTED.sub(REDACTED, reason), error and REDACTED
        timeline = replace(timeline, items=tuple(replace(one, text=REDACTED) for one in timeline.items))
    return replace(judgement, reason=reason, evidence=replace(evidence, error=error, timeline=timeline))


def needed(adapter: Adapter, capability: Capability) -> tuple[int, int]:
    """
    Return how many inference requests a call needs, at least and at most, where nothing is retried.
    """
    return 1, len(adapter.prompts or PROMPTS) if capability.batches else 1

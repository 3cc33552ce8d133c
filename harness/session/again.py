"""
Calls that are made again before they are judged.

* Unsteady calls that asked for what was not recorded.
* Streams that came late where a replay took no time, at the recorded pace. Who gathers pieces by a clock of its own,
  for a tenth of a second each, has all of them within one such span where no time passes between them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.events import Refused
from harness.words import FEWEST_ARRIVALS, Delivery, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from harness.adapters.adapter import Adapter
    from harness.cells import Judgement
    from harness.isolation.outcome import Outcome
    from harness.session.settings import Settings
    from harness.words import Capability

_MORE: Final = 2
"""Times that an unsteady call is made again; the one that made it necessary asked amiss once in a dozen busy runs."""
_LATE: Final = frozenset({Delivery.WHOLE, Delivery.BUFFERED})
_CAME: Final = {
    Delivery.INCREMENTAL: "the caller had an item before",
    Delivery.BUFFERED: "the caller got several items, none of them before",
    Delivery.WHOLE: "the caller got one item, and not before",
}
RECORDED: Final = 1.0
"""The factor of the recorded pace."""


def steadied(
    adapter: Adapter,
    outcomes: dict[Capability, Outcome],
    measure: Callable[[Sequence[Capability]], dict[Capability, Outcome]],
) -> dict[Capability, Outcome]:
    """
    Make calls that the registration calls unsteady again where they asked for what was not recorded.

    Args:
        adapter: whose they are.
        outcomes: what each call left behind.
        measure: makes calls and returns what they left behind.
    """
    for _ in range(_MORE):
        missed = [one for one in outcomes if one in adapter.unsteady and _was_refused(outcomes[one])]
        if missed:
            outcomes |= measure(missed)
    return outcomes


def is_hurried(settings: Settings) -> bool:
    """
    Tell whether less time passes between arrivals than passed when they were recorded; none does while recording.
    """
    return settings.record or settings.pace < RECORDED


def late(judgements: Iterable[tuple[Capability, Judgement]]) -> list[Capability]:
    """
    Return the calls whose items came too late, over a recording that could have shown them in time.
    """
    return [
        capability
        for capability, judgement in judgements
        if judgement.verdict is Verdict.FALLBACK
        and judgement.evidence.delivery in _LATE
        and judgement.evidence.arrivals >= FEWEST_ARRIVALS
        and judgement.evidence.cassette is not None
    ]


def believed(hurried: Judgement, paced: Judgement) -> Judgement:
    """
    Return the judgement of a stream that came late, knowing how it came at the recorded pace.

    The evidence stays that of the replay that took no time: what a clock cuts differs from run to run.

    Args:
        hurried: of the replay that took no time.
        paced: of the same call over the same recording at its pace.
    """
    delivery = paced.evidence.delivery
    if not paced.verdict.works or delivery is None or delivery is hurried.evidence.delivery:
        return hurried
    came = f"at the recorded pace {_CAME[delivery]} the middle of the answer's {hurried.evidence.arrivals} arrivals"
    told = f"{came}; the times are of a replay that takes none, and leaves none to the clock by which it gathers them"
    reason = f"{paced.reason}; {told}" if delivery is Delivery.INCREMENTAL and paced.mechanism is not None else told
    evidence = replace(hurried.evidence, delivery=delivery, async_io=paced.evidence.async_io)
    return replace(hurried, verdict=paced.verdict, mechanism=paced.mechanism, reason=reason, evidence=evidence)


def _was_refused(outcome: Outcome) -> bool:
    return any(isinstance(event, Refused) for event in outcome.events)

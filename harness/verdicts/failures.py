"""An upstream's failures, and which of them an adapter got over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.events import inputs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.events import Event
    from harness.verdicts.exchanges import Exchange


def standing_failure(calls: Sequence[Exchange], events: Sequence[Event]) -> str | None:
    """
    Say how the upstream failed; None where it did not, or answered the same inputs afterwards.

    A failed request with the input says more than one without: of those the last counts.

    Args:
        calls: the exchanges to look at.
        events: the log that they are from, which says how many inputs there are.
    """
    inputs = len(inputs_of(events))
    standing = [one for one in calls if one.trouble and not _overcome(one, calls, max(inputs, 1))]
    carrying = [one for one in standing if one.sent.carries]
    told_by = carrying[-1:] or (standing[:1] if any(one.sent.carries for one in calls) else standing[-1:])
    return told_by[0].trouble if told_by else None


def _overcome(failed: Exchange, calls: Sequence[Exchange], inputs: int) -> bool:
    """
    Tell whether every input that a failure could have kept from its answer got one after it.

    A failed look-up could be in the way of any input.
    """
    later = [one for one in calls if one.order > failed.order and one.answered is not None and not one.trouble]
    return set(failed.sent.carries or range(inputs)) <= {number for one in later for number in one.sent.carries}

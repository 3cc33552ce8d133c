"""What a recording waited for in vain: an upstream that is silent says nothing about the adapter that waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.events import Died, Sent

if TYPE_CHECKING:
    from harness.isolation.outcome import Outcome


def waits_for_answer(outcome: Outcome) -> bool:
    """
    Tell whether a request was sent whose answer was not there in full when the recording ended.
    """
    return sum(isinstance(event, Sent) for event in outcome.events) > len(outcome.interactions)


def silent_upstream(outcome: Outcome) -> str | None:
    """
    Say that the real upstream had not answered when the time was over; None where it had, or the time was not over.

    While recording, a client reads an answer to its end before its caller sees any of it: whoever hangs meanwhile
    waits for the upstream.
    """
    died = next((event for event in outcome.events if isinstance(event, Died)), None)
    if died is None or died.how != "hung" or not waits_for_answer(outcome):
        return None
    return f"the upstream had not answered in full: {died.detail}"

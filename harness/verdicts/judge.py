"""The judgement: what the events of one call mean, in the order of the questions in docs/verdicts.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cells import Evidence, Judgement
from harness.events import (
    Constructed,
    Dialled,
    Died,
    Endless,
    Event,
    Item,
    Lost,
    Missing,
    Raised,
    Refused,
    Replied,
    Returned,
    Sent,
    Spawned,
    first,
)
from harness.verdicts.evidence import gather_evidence
from harness.verdicts.exchanges import Traffic, exchanges, traffic
from harness.verdicts.failures import standing_failure
from harness.verdicts.faithful import unfaithful, wrong_shape
from harness.verdicts.headlines import first_line, headline
from harness.verdicts.native import decide
from harness.words import REFUSED, Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.orders import Ruling


def judge(capability: Capability, events: Sequence[Event]) -> Judgement:
    """
    Judge one call by its log, in the order of docs/verdicts.md: what kept it from being tried, how it ended, whether
    its answer is the upstream's, and only then how it got it.

    Args:
        capability: which of the six calls it was.
        events: everything that happened, in order.
    """
    outputs = _outputs(capability, events)
    found = traffic(events, outputs)
    evidence = gather_evidence(capability, events, found, outputs)
    ruling = (
        _before_the_answer(events)
        or _of_the_run(capability, events, found)
        or unfaithful(capability, events, found, outputs)
    )
    if ruling is not None:
        verdict, reason = ruling
        return Judgement(verdict=verdict, mechanism=None, reason=reason, evidence=_with_error(evidence, events))
    verdict, mechanism, reason = decide(capability, events, found, outputs)
    return Judgement(verdict=verdict, mechanism=mechanism, reason=reason, evidence=evidence)


def _outputs(capability: Capability, events: Sequence[Event]) -> tuple[str, ...]:
    if capability.streams:
        items = [event.text or "" for event in events if isinstance(event, Item)]
        return ("".join(items),) if items else ()
    returned = first(events, Returned)
    return () if returned is None else tuple(text or "" for text in returned.texts)


def _before_the_answer(events: Sequence[Event]) -> Ruling | None:
    """
    Judge what kept the call from being tried at all.
    """
    refused = first(events, Refused)
    if refused is not None:
        return Verdict.UNKNOWN, first_line(refused.why)
    lost = first(events, Lost)
    if lost is not None:
        return Verdict.UNKNOWN, f"not measured: {lost.what}"
    for event in events:
        match event:
            case Missing(what="module", name=name):
                return Verdict.UNKNOWN, f"not measured: {name}"
            case Missing(what="method", name=name):
                return Verdict.UNSUPPORTED, f"it has no method {name}"
            case Raised(phase="import"):
                return Verdict.BLOCKED, f"its module cannot be imported: {headline(event)}{_at(event)}"
            case Raised(phase="construction"):
                return _constructor(events, f"{headline(event)}{_at(event)}")
    died = first(events, Died)
    if died is not None and not any(isinstance(event, Constructed) for event in events):
        return _constructor(events, _death(died))
    return None


def _constructor(events: Sequence[Event], what: str) -> Ruling:
    trouble = _trouble(events)
    if trouble:
        return Verdict.UNKNOWN, f"the upstream failed while it was constructed ({trouble})"
    if any(isinstance(event, Dialled) for event in events):
        return _dialled(events)
    return _unreached(events) or (Verdict.BLOCKED, f"it cannot be constructed: {what}")


def _of_the_run(capability: Capability, events: Sequence[Event], found: Traffic) -> Ruling | None:
    """
    Judge a call that did not come back as calls should.
    """
    raised = first(events, Raised)
    if raised is not None and raised.unsupported:
        return Verdict.UNSUPPORTED, f"it says so itself: {headline(raised)}"
    if any(isinstance(event, Dialled) for event in events):
        return _dialled(events)
    shut_out = _shut_out(events, raised)
    if shut_out is not None:
        return shut_out
    if not found.calls and any(isinstance(event, Spawned) for event in events):
        return Verdict.UNKNOWN, "it works through a child process, whose traffic cannot be seen"
    ended = _ending(events, found, raised)
    if ended is not None:
        return ended
    if not wrong_shape(capability, events):
        return _unseen(found)
    return None


def _shut_out(events: Sequence[Event], raised: Raised | None) -> Ruling | None:
    """
    Judge a call that the program beside the adapter refused by itself: as little as a refusing upstream, it tells.
    """
    status = next((one.status for one in events if isinstance(one, Replied) and one.status >= REFUSED), None)
    if status is None or any(isinstance(event, Sent) for event in events):
        return None
    said = "" if raised is None else f": {headline(raised)}"
    return Verdict.UNKNOWN, f"the program answered with HTTP status {status}, and asked its upstream nothing{said}"


def _unseen(found: Traffic) -> Ruling | None:
    """
    Judge a call whose answer came from somewhere that cannot be seen.
    """
    if not found.calls:
        return Verdict.UNKNOWN, "no traffic was seen: whatever it talks to, it is not through the tape"
    # a log carries the input, and its answer says nothing
    if any(one.sent.carries and not one.mute for one in found.calls) or any(found.brought):
        return None
    return (
        Verdict.UNKNOWN,
        "no request was seen that carries the input and is answered, or brought the answer: it has others, unseen",
    )


def _ending(events: Sequence[Event], found: Traffic, raised: Raised | None) -> Ruling | None:
    died = first(events, Died)
    if died is not None:
        return Verdict.BROKEN, _death(died)
    endless = first(events, Endless)
    if endless is not None:
        return Verdict.BROKEN, f"the stream does not end: it was stopped after {endless.items} items"
    if raised is None:
        return None
    trouble = standing_failure(found.calls, events)
    if trouble:
        said = headline(raised)
        how = f"the upstream failed, and it said so: {said}"
        return Verdict.UNKNOWN, how if said == trouble else f"the upstream failed ({trouble}) and it said so: {said}"
    return _unreached(events) or (
        Verdict.BROKEN,
        f"it raises {headline(raised)}{_at(raised)}",
    )


def _unreached(events: Sequence[Event]) -> Ruling | None:
    """
    Judge who could not reach an upstream by a way that is not the tape's: a recording lets it try, replay refuses it.
    """
    raised = first(events, Raised)
    if raised is None or not raised.unreachable or any(isinstance(event, Sent) for event in events):
        return None
    said = headline(raised)
    return Verdict.UNKNOWN, f"it could not connect to anything, past the tape, which saw no traffic: {said}"


def _dialled(events: Sequence[Event]) -> Ruling:
    target = next(event.target for event in events if isinstance(event, Dialled))
    return Verdict.UNKNOWN, f"it tried to reach {target} past the tape, and no recording answers that"


def _trouble(events: Sequence[Event]) -> str | None:
    return next((one.trouble for one in reversed(exchanges(events)) if one.trouble), None)


def _death(died: Died) -> str:
    match died.how:
        case "hung":
            return f"it hangs: {died.detail}"
        case "signal":
            return f"its process was killed by {died.detail}"
        case "memory":
            return f"it was stopped for its memory: {died.detail}"
        case _:
            return f"it ends the whole process with exit status {died.detail}"


def _with_error(evidence: Evidence, events: Sequence[Event]) -> Evidence:
    for event in events:
        if isinstance(event, Raised):
            return replace(evidence, error=event.traceback)
        if isinstance(event, Died):
            return replace(evidence, error=event.stack or None)
        if isinstance(event, Refused):
            return replace(evidence, error=event.why)
    return evidence


def _at(raised: Raised) -> str:
    return f" at {raised.line}" if raised.line else ""

"""From what a cell's process left behind to the cell of the matrix."""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.cells import Cell, Measured, Timeline
from harness.events import Missing, Raised, Returned, Sent
from harness.session.answers import silent_upstream
from harness.verdicts.headlines import headline
from harness.verdicts.judge import judge
from harness.words import Capability, Upstream, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.adapters.adapter import Adapter
    from harness.cells import Judgement, Provenance
    from harness.isolation.outcome import Outcome
    from harness.session.attempts import Attempt

NO_CASSETTE: Final = "not measured: there is no cassette; record it with `harness record`"
_REFLECTED = "reflected."
_DISTRIBUTION = "distribution."
_MADE_UP = "made up"
_ARRIVALS = "the arrivals were not recorded, they are made up from the wire format"


def judged(
    capability: Capability, outcome: Outcome, *, provenance: Provenance | None, attempt: Attempt | None, replayed: bool
) -> Judgement:
    """
    Judge one outcome, knowing whether there was anything to replay.

    Args:
        capability: the call.
        outcome: what the cell's process left behind.
        provenance: the cassette it replayed or wrote; None where there is none.
        attempt: what is known of a recording that gave no cassette.
        replayed: the call ran over a cassette, not over the real upstream.
    """
    judgement = judge(capability, outcome.events)
    problem = outcome.notes.get("problem")
    if "fault" in outcome.notes:
        judgement = _unknown(judgement, f"not measured: {fault_of(outcome)}")
        judgement = replace(judgement, evidence=replace(judgement.evidence, error=outcome.notes["fault"]))
    elif problem and not outcome.events:
        judgement = _unknown(judgement, f"not measured: {problem.partition(chr(10))[0]}")
    elif replayed and provenance is None and judgement.verdict not in {Verdict.UNSUPPORTED, Verdict.BLOCKED}:
        judgement = _without_cassette(judgement, attempt, outcome)
    elif not replayed and (silence := silent_upstream(outcome)) is not None:
        judgement = _unknown(judgement, silence)
    elif _may_not_fit(capability, judgement, outcome):
        judgement = _unknown(judgement, f"the imported recording may not fit this adapter: {judgement.reason}")
    return replace(judgement, evidence=replace(judgement.evidence, cassette=provenance))


def _may_not_fit(capability: Capability, judgement: Judgement, outcome: Outcome) -> bool:
    """
    Tell whether what looks like a defect may be that of a recording which was made for something else.

    Who raised, or got nothing out of an imported answer, or got too little for several inputs, may have been handed
    what it never asked for. Who passed on a part of it and lost the rest understood it, and so did who asked for each
    input by itself and has an output for each.
    """
    if judgement.verdict is not Verdict.BROKEN or outcome.notes.get("upstream") != Upstream.IMPORTED:
        return False
    if not any(isinstance(one, Sent) and one.phase == "call" for one in outcome.events):
        return False
    if any(isinstance(one, Raised) for one in outcome.events):
        return True
    evidence = judgement.evidence
    if capability.batches:
        return evidence.most_inputs_in_a_request > 1 or _outputs(outcome) != evidence.inputs
    return not any(item.counts for item in evidence.timeline.items)


def _outputs(outcome: Outcome) -> int:
    return sum(bool((text or "").strip()) for one in outcome.events if isinstance(one, Returned) for text in one.texts)


def _without_cassette(judgement: Judgement, attempt: Attempt | None, outcome: Outcome) -> Judgement:
    if any(isinstance(event, Missing) for event in outcome.events):
        return judgement
    if attempt is not None:
        reason = f"while being recorded on {attempt.recorded[:10]}: {attempt.reason}"
        evidence = replace(judgement.evidence, error=attempt.error or judgement.evidence.error)
        return replace(judgement, verdict=attempt.verdict, mechanism=None, reason=reason, evidence=evidence)
    return _unknown(judgement, NO_CASSETTE)


def _unknown(judgement: Judgement, reason: str) -> Judgement:
    return replace(judgement, verdict=Verdict.UNKNOWN, mechanism=None, reason=reason)


def fault_of(outcome: Outcome) -> str | None:
    """
    Say in one line that the harness itself failed in a cell; None where it did not.
    """
    fault = outcome.notes.get("fault")
    if fault is None:
        return None
    last = fault.strip().rpartition("\n")[2].strip()
    return f"the harness itself failed, not the adapter: {last}" if last else "the harness itself failed"


def cell(  # noqa: PLR0913, PLR0917 - one value each of what is known of a cell
    adapter: Adapter,
    family: str,
    capability: Capability,
    judgement: Judgement,
    outcome: Outcome,
    published: Verdict | None,
) -> Cell:
    """
    Return the matrix's cell.
    """
    reflected = outcome.notes.get(f"{_REFLECTED}{capability.value}")
    promised = adapter.declares is not None and capability in adapter.declares
    expected = adapter.expects.get(capability)
    if outcome.notes.get("arrivals") == _MADE_UP and capability.streams and judgement.verdict.works:
        judgement = replace(judgement, reason=f"{judgement.reason}; {_ARRIVALS}")
    judgement = _steady(judgement, adapter.unsteady.get(capability))
    return Cell(
        family=family,
        adapter=adapter.name,
        capability=capability,
        verdict=judgement.verdict,
        mechanism=judgement.mechanism,
        reason=judgement.reason,
        declared=Verdict.NATIVE if promised else None,
        reflected=Verdict(reflected) if reflected else None,
        published=published,
        expected=expected,
        why_expected=adapter.reason if expected is not None else None,
        evidence=judgement.evidence,
    )


def _steady(judgement: Judgement, unsteady: str | None) -> Judgement:
    """
    Leave out what is not the same in every run, where the registration says so: reports are compared byte by byte.
    """
    found = judgement.evidence
    if unsteady is None or found.requests == found.inference_requests:
        return judgement
    evidence = replace(
        found,
        requests=found.inference_requests,
        first_item_at=None,
        last_item_at=None,
        answer_ends_at=None,
        timeline=Timeline(),
    )
    reason = f"{judgement.reason}; counted are requests with a prompt only, and no times are shown: {unsteady}"
    return replace(judgement, reason=reason, evidence=evidence)


def measured(
    adapter: Adapter, family: str, outcomes: Mapping[Capability, Outcome], upstream: Upstream | None
) -> Measured:
    """
    Return the matrix's row.
    """
    distributions: dict[str, str] = {}
    for outcome in outcomes.values():
        for name, value in outcome.notes.items():
            if name.startswith(_DISTRIBUTION):
                distributions[name.removeprefix(_DISTRIBUTION)] = value
    return Measured(
        name=adapter.name,
        family=family,
        target=adapter.target,
        distributions=dict(sorted(distributions.items())),
        upstream=upstream,
        problem=_problem(outcomes),
    )


def python_version() -> str:
    """
    Return the interpreter's major and minor version; the patch changes no verdict.
    """
    return ".".join(platform.python_version_tuple()[:2])


def _problem(outcomes: Mapping[Capability, Outcome]) -> str | None:
    for outcome in outcomes.values():
        for event in outcome.events:
            if isinstance(event, Raised) and event.phase != "call":
                where = f" at {event.line}" if event.line else ""
                return f"{headline(event)}{where}"
            if isinstance(event, Missing) and event.what == "module":
                return event.name
    return None

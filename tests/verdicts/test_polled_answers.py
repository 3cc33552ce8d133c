"""Answers that are polled for: what each poll brings, and what the caller may make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from stories import ANSWERS, Story, pieces_of

from harness.verdicts.judge import judge
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cells import Judgement

PIECES = pieces_of(ANSWERS[0])
STATES = [PIECES[:end] for end in range(2, len(PIECES) + 2, 2)]


def _polled(outputs: Sequence[Any], items: Sequence[str]) -> Judgement:
    """
    Judge a job whose polls told these outputs, and gave these items, one after each poll.
    """
    story = Story(Capability.STREAM).begin()
    job = story.send()
    story.whole(job, b'{"id": "job-17", "status": "queued"}')
    for output, item in zip(outputs, items, strict=True):
        poll = story.send((), method="GET", uri="https://api.example.com/v1/jobs/job-17")
        story.whole(poll, json.dumps({"id": "job-17", "status": "running", "output": output}).encode())
        if item:
            story.item(item)
    return judge(Capability.STREAM, story.events)


def test_who_repeats_what_a_growing_list_said_so_far_is_broken() -> None:
    """
    Each poll has all pieces so far: what is new of them is the answer, and all of them again is not.
    """
    new = ["".join(after[len(before) :]) for before, after in zip([[], *STATES], STATES, strict=False)]
    assert _polled(STATES, new).verdict is Verdict.NATIVE
    assert _polled(STATES, ["".join(state) for state in STATES]).verdict is Verdict.BROKEN
    assert _polled([[piece] for piece in PIECES], PIECES).verdict is Verdict.NATIVE


def test_polls_that_only_say_to_wait_stream_nothing() -> None:
    """
    The one that brought the answer brought all of it: one item. Two that brought a half each may have been a stream.
    """
    waited = _polled([None] * 5 + [ANSWERS[0]], [""] * 5 + [ANSWERS[0]])
    assert (waited.verdict, waited.mechanism) == (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)
    halves = [ANSWERS[0][:40], ANSWERS[0][40:]]
    assert _polled(halves, ["", ANSWERS[0]]).verdict is Verdict.UNKNOWN

"""Batches: what stands in an output's place where the upstream said nothing, failed, or was asked in numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, judged, one_each

from harness.verdicts.judge import judge
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH = Capability.BATCH


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("said", "given", "right"),
    [
        ((0, None, 2), (0, None, 2), True),
        ((0, 1, 2), (0, None, 2), False),
        ((0, None, 2), (0, 2, None), False),
        ((0, None, 2), (None, None, 2), False),
        ((0, None, None), (0, None, None), True),
    ],
)
def test_an_empty_answer_is_an_empty_output(
    said: Sequence[int | None], given: Sequence[int | None], right: bool, together: bool
) -> None:
    """
    It was not lost, nor may it stand in for another input's.
    """
    answers = ["" if number is None else ANSWERS[number] for number in said]
    story = Story(BATCH).begin() if together else one_each(answers)
    if together:
        story.whole(story.send((0, 1, 2), text=" ".join(PROMPTS)), answer_json(*answers))
    judgement = judged(story, *("" if number is None else ANSWERS[number] for number in given))

    assert (judgement.verdict is not Verdict.BROKEN) is right, judgement.reason


@pytest.mark.parametrize("failed", [1, 2, None])
def test_an_exception_in_an_outputs_place_tells_of_a_failure(failed: int | None) -> None:
    """
    Where the upstream failed for this very input, it says nothing about the adapter; elsewhere it is no output.
    """
    story = Story(BATCH).begin()
    for number, answer in enumerate(ANSWERS):
        request = story.send((number,))
        body, status = (b'{"error": "busy"}', 500) if number == failed else (answer_json(answer), 200)
        story.head(request, [body], status=status).arrive(request, 0).end(request)
    judgement = judge(BATCH, story.give(ANSWERS[0], None, ANSWERS[2], errors=(1,)).events)

    assert judgement.verdict is (Verdict.UNKNOWN if failed == 1 else Verdict.BROKEN)


@pytest.mark.parametrize("overlap", [True, False])
def test_requests_that_cannot_be_read_are_no_polls_of_one_another(overlap: bool) -> None:
    """
    Prompts may travel as numbers: each request that brought another output asked for itself.
    """
    story = Story(BATCH).begin()
    requests = []
    for answer in ANSWERS:
        requests.append(story.send(()))
        if not overlap:
            story.whole(requests[-1], answer_json(answer))
    for request, answer in zip(requests, ANSWERS, strict=True):
        if overlap:
            story.whole(request, answer_json(answer))

    assert judged(story, *ANSWERS).mechanism is (Mechanism.CONCURRENT if overlap else Mechanism.SEQUENTIAL)


@pytest.mark.parametrize("given", [0, 2])
def test_a_neighbours_answer_hides_that_an_input_has_none(given: int) -> None:
    """
    The upstream failed for the second input, whose output is the answer to another.
    """
    story = Story(BATCH).begin()
    for number, answer in enumerate(ANSWERS):
        request = story.send((number,))
        body, status = (b'{"error": "busy"}', 500) if number == 1 else (answer_json(answer), 200)
        story.head(request, [body], status=status).arrive(request, 0).end(request)
    judgement = judged(story, ANSWERS[0], ANSWERS[given], ANSWERS[2])

    assert judgement.verdict is Verdict.BROKEN
    assert "hides the failure" in judgement.reason


@pytest.mark.parametrize("given", ["{}", "[{}]", "Sorry: {}"])
def test_an_error_among_answers_is_no_answer(given: str) -> None:
    """
    Nor is it one where the adapter says something around it; an answer that speaks of errors is.
    """
    error = "This prompt was filtered by the content policy of the service."
    verdicts = []
    for row in ({"error": {"message": error}}, {"answer": error}):
        story = Story(BATCH).begin()
        rows = [{"answer": ANSWERS[0]}, row, {"answer": ANSWERS[2]}]
        story.whole(story.send((0, 1, 2), text=" ".join(PROMPTS)), json.dumps({"results": rows}).encode())
        verdicts.append(judged(story, ANSWERS[0], given.format(error), ANSWERS[2]).verdict)

    assert verdicts == [Verdict.BROKEN, Verdict.NATIVE]

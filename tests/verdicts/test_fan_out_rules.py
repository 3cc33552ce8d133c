"""Batches: together, side by side or one after the other, and each output for its own input."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from stories import ANSWERS, LOOP, PROMPTS, WORKER, Story, answer_json, judged, one_each, pieces_of

from harness.events import Answered
from harness.verdicts.judge import judge
from harness.words import Capability, FanOut, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


BATCH, ABATCH = Capability.BATCH, Capability.ABATCH
REFUSAL = "I cannot answer that question today, please come back tomorrow."


def test_one_request_with_all_inputs_is_batched() -> None:
    """
    The evidence says how many it carried.
    """
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), answer_json(*ANSWERS))
    judgement = judged(story, *ANSWERS)

    assert (judgement.verdict, judgement.evidence.most_inputs_in_a_request) == (Verdict.NATIVE, 3)


def test_two_requests_for_three_inputs_are_batched() -> None:
    """
    Request count alone proves nothing.
    """
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1)), answer_json(*ANSWERS[:2]))
    story.whole(story.send((2,)), answer_json(ANSWERS[2]))

    assert judged(story, *ANSWERS).evidence.fan_out is FanOut.BATCHED


@pytest.mark.parametrize(("overlap", "expected"), [(True, Mechanism.CONCURRENT), (False, Mechanism.SEQUENTIAL)])
@pytest.mark.parametrize("capability", [BATCH, ABATCH])
@pytest.mark.parametrize("answers", [ANSWERS, (REFUSAL,) * 3, ("Yes.",) * 3, (REFUSAL, REFUSAL, ANSWERS[2])])
def test_requests_that_overlap_are_concurrent(
    overlap: bool, expected: Mechanism, capability: Capability, answers: Sequence[str]
) -> None:
    """
    Also where the upstream gave several inputs the very same answer.
    """
    judgement = judged(one_each(answers, overlap=overlap, capability=capability), *answers)

    assert (judgement.verdict, judgement.mechanism) == (Verdict.FALLBACK, expected)
    assert (judgement.evidence.inference_requests, judgement.evidence.peak_in_flight) == (3, 3 if overlap else 1)


@pytest.mark.parametrize("decorate", [lambda text: f"AI: {text}", lambda text: f"{text}\n\n-- by a model", str.strip])
def test_answers_that_share_words_and_are_decorated_stay_apart(decorate: Callable[[str], str]) -> None:
    """
    The request that carries an input comes first among those whose answers are alike.
    """
    answers = [f"{ANSWERS[0][:30]} It speaks of the sea, the night, ships and lamps, number {n}." for n in range(3)]
    judgement = judged(one_each(answers, overlap=True), *map(decorate, answers))

    assert judgement.mechanism is Mechanism.CONCURRENT


@pytest.mark.parametrize("order", [order for order in permutations(range(3)) if order != (0, 1, 2)])
@pytest.mark.parametrize("together", [True, False])
def test_reordered_output_is_broken(order: Sequence[int], together: bool) -> None:
    """
    However the inputs travelled.
    """
    story = one_each(ANSWERS)
    if together:
        story = Story(BATCH).begin()
        story.whole(story.send((0, 1, 2)), answer_json(*ANSWERS))

    assert judged(story, *(ANSWERS[number] for number in order)).verdict is Verdict.BROKEN


@pytest.mark.parametrize("answers", [ANSWERS, ("The sea is wide.", "The road is long.", "The oven is hot.")])
@pytest.mark.parametrize(
    "shape",
    [(0, 0, 2), (0, 1), (0,), (), (0, 1, 2, 2), (0, None, 2), (1, 0, 2), (0, 0, 0)],
    ids=str,
)
def test_lost_repeated_and_missing_outputs_are_broken(answers: Sequence[str], shape: Sequence[int | None]) -> None:
    """
    Also where the model did not repeat the code words: then each request's own answer tells.
    """
    outputs = ["" if number is None else answers[number] for number in shape]

    assert judged(one_each(answers), *outputs).verdict is Verdict.BROKEN


def test_three_inputs_but_one_output_is_broken() -> None:
    """
    Also where the one output holds all three answers.
    """
    story = one_each(ANSWERS)
    story.give(" ".join(ANSWERS), plural=False)

    assert judge(BATCH, story.events).verdict is Verdict.BROKEN


@pytest.mark.parametrize("keys", ["index", "custom_id", "plain"])
def test_answers_out_of_order_that_are_sorted_back_are_right(keys: str) -> None:
    """
    The order on the wire is not the caller's affair.
    """
    rows = [{keys: number, "answer": answer} for number, answer in enumerate(ANSWERS)]
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), json.dumps({"items": rows[::-1]}).encode())

    assert judged(story, *ANSWERS).verdict is Verdict.NATIVE


def test_uploading_and_polling_is_one_inference_request() -> None:
    """
    The upload carries the inputs; create, polls and download are its answer's way.
    """
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2), text="\n".join(PROMPTS)), b'{"id": "file-in-1"}')
    create = story.send((), uri="https://api.example.com/batches", text='{"input": "file-in-1"}')
    story.whole(create, b'{"id": "batch-9"}')
    for status in (b'{"status": "running"}', b'{"status": "completed", "output": "file-out-2"}'):
        story.whole(story.send((), method="GET", uri="https://api.example.com/batches/batch-9"), status)
    rows = [json.dumps({"custom_id": str(n), "text": answer}).encode() + b"\n" for n, answer in enumerate(ANSWERS)]
    story.whole(story.send((), method="GET", uri="https://api.example.com/files/file-out-2"), b"".join(rows[::-1]))
    judgement = judged(story, *ANSWERS)

    assert (judgement.verdict, judgement.evidence.inference_requests) == (Verdict.NATIVE, 1)


@pytest.mark.parametrize("mark", ["\n###\n", "\n2. ", "\n\nAnswer 2: ", '", "'])
def test_one_answer_to_all_prompts_may_be_taken_apart(mark: str) -> None:
    """
    What divides the answers may go, and of the answers nothing.
    """
    for lost in (0, 12):
        story = Story(BATCH).begin()
        said = mark.replace("2", "1") + mark.join(ANSWERS)
        story.whole(story.send((0, 1, 2)), json.dumps({"text": said}).encode())
        judgement = judged(story, *(answer[: len(answer) - lost] for answer in ANSWERS))

        assert judgement.verdict is (Verdict.BROKEN if lost else Verdict.NATIVE)


@pytest.mark.parametrize(
    ("lead", "mark", "cut"),
    [
        ("Sure! Here are the answers:", "\n\n### Question 1\n", 0),
        ("Sure, here you are.", "\n1. ", 0),
        ("Sure, here you are.", "\n1. ", 12),
        ("Sure! Here are the answers:", "\n\n### Question 1\n", 12),
        ("1. First a word, in step 1.", " ", 0),
    ],
)
def test_what_leads_up_to_answers_in_one_may_go(lead: str, mark: str, cut: int) -> None:
    """
    The words before the first mark are none of the answers', and all behind it are.
    """
    story = Story(BATCH).begin()
    said = lead + "".join(f"{mark.replace('1', str(number))}{one}" for number, one in enumerate(ANSWERS, 1))
    story.whole(story.send((0, 1, 2)), json.dumps({"text": said}).encode())
    judgement = judged(story, ANSWERS[0][cut:], *ANSWERS[1:])

    assert judgement.verdict is (Verdict.NATIVE if "1" in mark and not cut else Verdict.BROKEN), judgement.reason


@pytest.mark.parametrize("marked", [True, False])
def test_numbered_answers_in_one_may_be_put_in_order(marked: bool) -> None:
    """
    Where code words say whose each is; otherwise their order does.
    """
    answers = [answer if marked else f"{REFUSAL} {'abc'[n] * 20}" for n, answer in enumerate(ANSWERS)]
    story = Story(BATCH).begin()
    said = "".join(f"\n[{number}] {answers[number]}" for number in (2, 0, 1))
    story.whole(story.send((0, 1, 2)), json.dumps({"text": said}).encode())

    assert judged(story, *answers).verdict is (Verdict.NATIVE if marked else Verdict.BROKEN)


@pytest.mark.parametrize("burst", [1, 4])
def test_answers_that_one_stream_tells_by_turns_are_told_apart(burst: int) -> None:
    """
    Each event says by its index whose it is.
    """
    told = [pieces_of(answer) for answer in ANSWERS]
    rounds = range(0, max(map(len, told)), burst)
    order = [(index, piece) for at in rounds for index, one in enumerate(told) for piece in one[at : at + burst]]
    events = [f"data: {json.dumps({'index': index, 'text': piece})}\n\n".encode() for index, piece in order]
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), b"".join(events))

    assert judged(story, *ANSWERS).verdict is Verdict.NATIVE


@pytest.mark.parametrize(("later", "expected"), [(0.04, Mechanism.CONCURRENT), (0.06, Mechanism.SEQUENTIAL)])
def test_overlapping_is_what_overlaps_on_the_recordings_clock(later: float, expected: Mechanism) -> None:
    """
    Requests that were sent at longer intervals than an answer took did not overlap, whoever waited for whom.
    """
    story = Story(BATCH).begin()
    requests = [story.send((number,)) for number in range(3)]
    for request, answer in zip(requests, ANSWERS, strict=True):
        story.sent_at[request] = story.clock = request * later
        story.whole(request, answer_json(answer))
    judgement = judged(story, *ANSWERS)

    assert (judgement.mechanism, judgement.evidence.peak_in_flight > 1) == (expected, expected is Mechanism.CONCURRENT)


def test_who_waits_for_each_answer_is_sequential_whatever_was_recorded() -> None:
    """
    A recording of requests that overlapped makes no adapter concurrent that waits for each answer.
    """
    story = one_each(ANSWERS)
    events = [replace(one, at=0.0) if isinstance(one, Answered) else one for one in story.give(*ANSWERS).events]

    assert judge(BATCH, events).mechanism is Mechanism.SEQUENTIAL


@pytest.mark.parametrize("answers", [ANSWERS, (REFUSAL,) * 3])
def test_a_job_for_each_input_is_no_batch(answers: Sequence[str]) -> None:
    """
    Created first and polled afterwards they overlap, also with equal answers.
    """
    story = Story(BATCH).begin()
    for number in range(3):
        story.whole(story.send((number,), text=PROMPTS[number]), json.dumps({"id": f"job-{number}00"}).encode())
    for number, answer in enumerate(answers):
        poll = story.send((), method="GET", uri=f"https://api.example.com/jobs/job-{number}00")
        story.whole(poll, json.dumps({"id": f"job-{number}00", "output": answer}).encode())
    judgement = judged(story, *answers)

    assert (judgement.mechanism, judgement.evidence.inference_requests) == (Mechanism.CONCURRENT, 3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_all_jobs_have_in_common_names_none_of_them(order: Sequence[int]) -> None:
    """
    An upstream that repeats the settings of each job in its answers leads from no job to another.
    """
    story = Story(BATCH).begin()
    settings = {"endpoint": "/v1/chat/completions", "model": "m-2024"}
    for number in order:
        file = story.send((number,), uri="https://api.example.com/v1/files", text=PROMPTS[number])
        story.whole(file, json.dumps({"id": f"file-{number}00"}).encode())
    for number in sorted(order):
        told = {**settings, "input_file_id": f"file-{number}00"}
        job = story.send((), uri="https://api.example.com/v1/batches", text=json.dumps(told))
        story.whole(job, json.dumps({**told, "id": f"job-{number}00"}).encode())
        poll = story.send((), method="GET", uri=f"https://api.example.com/v1/batches/job-{number}00")
        story.whole(poll, json.dumps({**settings, "status": "running"}).encode())
    for number in order:
        poll = story.send((), method="GET", uri=f"https://api.example.com/v1/batches/job-{number}00")
        story.whole(poll, json.dumps({**settings, "output": ANSWERS[number]}).encode())
    judgement = judged(story, *ANSWERS)

    assert (judgement.mechanism, judgement.evidence.inference_requests) == (Mechanism.CONCURRENT, 3)


@pytest.mark.parametrize("reminds", [True, False])
@pytest.mark.parametrize("answers", [ANSWERS, (REFUSAL,) * 3])
def test_a_chat_that_sends_its_history_along_is_sequential(answers: Sequence[str], reminds: bool) -> None:
    """
    It carries earlier inputs, but not for their answers; and its upstream may speak of them.
    """
    told = [f"{answer} Before, you said {' and '.join(PROMPTS[:number])}" if reminds else answer
            for number, answer in enumerate(answers)]  # fmt: skip
    story = Story(BATCH).begin()
    for number, answer in enumerate(told):
        story.whole(story.send(tuple(range(number + 1)), text="\n".join(told[:number])), answer_json(answer))

    assert judged(story, *told).mechanism is Mechanism.SEQUENTIAL


def test_one_answer_to_all_inputs_given_three_times_is_broken() -> None:
    """
    Each output holds the answers to three inputs.
    """
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), answer_json(" ".join(ANSWERS)))

    assert judged(story, *[" ".join(ANSWERS)] * 3).verdict is Verdict.BROKEN


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("together", [True, False])
def test_a_log_or_moderation_of_all_inputs_is_no_inference_request(echo: bool, before: bool, together: bool) -> None:
    """
    It brings no answer, also where it repeats the prompts.
    """
    story = Story(BATCH).begin()
    said = json.dumps({"flagged": False, "got": PROMPTS if echo else []}).encode()
    if before:
        story.whole(story.send((0, 1, 2), WORKER, uri="https://api.example.com/moderations"), said, WORKER)
    if together:
        story.whole(story.send((0, 1, 2)), answer_json(*ANSWERS))
    else:
        for number, answer in enumerate(ANSWERS):
            story.whole(story.send((number,)), answer_json(answer))
    if not before:
        story.whole(story.send((0, 1, 2), uri="https://api.example.com/log"), said)
    judgement = judged(story, *ANSWERS)

    assert judgement.evidence.inference_requests == (1 if together else 3)
    assert judgement.mechanism is (None if together else Mechanism.SEQUENTIAL)


def _messages(*, waits: bool) -> Story:
    """
    Tell a batch over one websocket: all messages first and then all answers, or each answer before the next message.
    """
    story = Story(ABATCH, LOOP).begin()
    for number, answer in enumerate(ANSWERS):
        request = story.send((number,), uri="wss://api.example.com/chat")
        said = ANSWERS if number == len(ANSWERS) - 1 else ()
        pieces = [json.dumps({"text": text}).encode() + b"\n" for text in ((answer,) if waits else said)]
        story.head(request, pieces, kind="text/plain")
        for index in range(len(pieces)):
            story.arrive(request, index)
        story.end(request)
    return story


@pytest.mark.parametrize(("waits", "mechanism"), [(False, Mechanism.CONCURRENT), (True, Mechanism.SEQUENTIAL)])
def test_messages_on_one_websocket_overlap_where_none_waits_for_an_answer(waits: bool, mechanism: Mechanism) -> None:
    """
    All answers are noted as that to the last message; each message has asked for one of them.
    """
    judgement = judged(_messages(waits=waits), *ANSWERS)

    assert (judgement.mechanism, judgement.evidence.inference_requests) == (mechanism, len(ANSWERS))

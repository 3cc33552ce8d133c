"""Awaited calls: on the caller's loop, in a thread, under another loop, or in the loop's way."""

from __future__ import annotations

import pytest
from stories import ANSWERS, LOOP, OTHER_LOOP, READER_TASK, WORKER, Story, answer_json, pieces_of, sse

from harness.events import Computed, Hook, Stalled, Where
from harness.verdicts.judge import judge
from harness.verdicts.placement import COMPUTING
from harness.words import AsyncIO, Capability, Mechanism, Verdict

AINVOKE, ASTREAM, ABATCH = Capability.AINVOKE, Capability.ASTREAM, Capability.ABATCH
NESTED = Where(thread=LOOP.thread, loop=77, task=700)
PLACES = [
    (LOOP, "async", None, AsyncIO.EVENT_LOOP),
    (READER_TASK, "async", None, AsyncIO.EVENT_LOOP),
    (WORKER, "sync", Mechanism.WORKER_THREAD, AsyncIO.WORKER_THREAD),
    (OTHER_LOOP, "async", Mechanism.OTHER_LOOP, AsyncIO.OTHER_LOOP),
    # a loop that is not asyncio's, such as trio's
    (WORKER, "async", Mechanism.OTHER_LOOP, AsyncIO.OTHER_LOOP),
    (OTHER_LOOP, "sync", Mechanism.OTHER_LOOP, AsyncIO.OTHER_LOOP),
    (LOOP, "sync", Mechanism.BLOCKS_LOOP, AsyncIO.BLOCKS_LOOP),
    (NESTED, "async", Mechanism.BLOCKS_LOOP, AsyncIO.BLOCKS_LOOP),
]


def _ainvoke(where: Where = LOOP, hook: Hook = "async") -> Story:
    story = Story(AINVOKE, LOOP).begin()
    story.whole(story.send(where=where, hook=hook), answer_json(ANSWERS[0]), where, hook=hook)
    return story.give(ANSWERS[0])


@pytest.mark.parametrize(("where", "hook", "mechanism", "place"), PLACES)
def test_where_the_bytes_travel_decides(where: Where, hook: Hook, mechanism: Mechanism | None, place: AsyncIO) -> None:
    """
    Another task of the same loop is the same loop; everything else has a name of its own.
    """
    judgement = judge(AINVOKE, _ainvoke(where, hook).events)

    assert (judgement.mechanism, judgement.evidence.async_io) == (mechanism, place)
    assert judgement.verdict is (Verdict.FALLBACK if mechanism else Verdict.NATIVE)


@pytest.mark.parametrize(("where", "hook", "mechanism", "place"), PLACES)
def test_a_synchronous_call_is_asked_for_no_place(
    where: Where, hook: Hook, mechanism: Mechanism | None, place: AsyncIO
) -> None:
    """
    It may read where it likes.
    """
    story = Story(Capability.INVOKE).begin()
    story.whole(story.send(where=where, hook=hook), answer_json(ANSWERS[0]), where, hook=hook).give(ANSWERS[0])
    judgement = judge(Capability.INVOKE, story.events)

    assert (judgement.verdict, judgement.evidence.async_io) == (Verdict.NATIVE, None)
    assert place in AsyncIO
    assert mechanism is None or mechanism in Mechanism


def test_one_arrival_in_a_thread_is_enough() -> None:
    """
    Sending on the loop and reading in a thread is a worker thread's work.
    """
    story = Story(AINVOKE, LOOP).begin()
    story.whole(story.send(), answer_json(ANSWERS[0]), WORKER).give(ANSWERS[0])

    assert judge(AINVOKE, story.events).mechanism is Mechanism.WORKER_THREAD


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("carries", [(), (0,)])
@pytest.mark.parametrize(
    ("where", "hook", "expected"),
    [
        (LOOP, "async", None),
        (WORKER, "sync", None),
        (OTHER_LOOP, "async", None),
        (LOOP, "sync", Mechanism.BLOCKS_LOOP),
    ],
)
def test_a_request_beside_changes_nothing_unless_it_blocks_the_loop(
    before: bool, carries: tuple[int, ...], where: Where, hook: Hook, expected: Mechanism | None
) -> None:
    """
    Tokens, logs and moderations, with and without the prompt, before and after.
    """
    story = Story(AINVOKE, LOOP).begin()

    def beside() -> None:
        request = story.send(carries, where, hook, uri="https://api.example.com/beside")
        story.whole(request, b'{"status": "ok", "token": "abcdefgh"}', where, hook=hook)

    if before:
        beside()
    story.whole(story.send(), answer_json(ANSWERS[0]))
    if not before:
        beside()

    assert judge(AINVOKE, story.give(ANSWERS[0]).events).mechanism is expected


@pytest.mark.parametrize(
    ("carries", "method", "uri", "expected"),
    [
        (
            (),
            "POST",
            "https://api.example.com/token?key=4127",
            "a request beside the answer's (POST https://api.example.com/token)",
        ),
        ((0,), "POST", "https://api.example.com/v1/completions", "synchronous code moved the bytes"),
        ((0,), "CALL", "engine://parrot/Model().generate", "the engine was called, and worked,"),
    ],
)
def test_the_reason_says_what_held_the_loop_up(carries: tuple[int, ...], method: str, uri: str, expected: str) -> None:
    """
    A token that was fetched synchronously is not the answer, and what an engine does is no input and output.
    """
    story = Story(AINVOKE, LOOP).begin()
    story.whole(story.send(carries, hook="sync", method=method, uri=uri), answer_json(ANSWERS[0]), hook="sync")
    if not carries:
        story.whole(story.send(), answer_json(ANSWERS[1]))
    judgement = judge(AINVOKE, story.give(ANSWERS[0 if carries else 1]).events)

    assert judgement.mechanism is Mechanism.BLOCKS_LOOP
    assert judgement.reason.startswith(expected)
    assert judgement.reason.endswith("on the event loop's thread")


@pytest.mark.parametrize("answer", ["ok", "Yes", "kestrel4127"])
@pytest.mark.parametrize("said", ["ok", "Yes", "kestrel4127"])
def test_a_short_answer_is_not_taken_for_a_tokens(answer: str, said: str) -> None:
    """
    The request that carries the prompt comes first, although another one said the same word.
    """
    story = Story(AINVOKE, LOOP).begin()
    token = story.send((), WORKER, uri="https://api.example.com/token")
    story.whole(token, b'{"status": "%s"}' % said.encode(), WORKER)
    story.whole(story.send(), answer_json(answer))

    assert judge(AINVOKE, story.give(answer).events).verdict is Verdict.NATIVE


def test_a_log_that_repeats_the_answer_did_not_bring_it() -> None:
    """
    Its request held the answer already; the poll, which carries no prompt, brought it.
    """
    story = Story(AINVOKE, LOOP).begin()
    story.whole(story.send(text="the prompt"), b'{"id": "job-1234"}')
    story.whole(story.send((), method="GET", uri="https://api.example.com/job-1234"), answer_json(ANSWERS[0]))
    log = story.send((0,), WORKER, uri="https://api.example.com/log", text=f"the prompt\n{ANSWERS[0]}")
    story.whole(log, answer_json(ANSWERS[0]), WORKER)
    judgement = judge(AINVOKE, story.give(ANSWERS[0]).events)

    assert (judgement.verdict, judgement.evidence.inference_requests) == (Verdict.NATIVE, 1)


def test_of_two_inference_requests_both_decide() -> None:
    """
    The first part of the answer came through a thread.
    """
    plan = "First the plan: speak of lamps, then of lenses, and close with the coast."
    story = Story(AINVOKE, LOOP).begin()
    story.whole(story.send(where=WORKER), answer_json(plan), WORKER)
    story.whole(story.send(), answer_json(ANSWERS[0]))

    assert judge(AINVOKE, story.give(f"{plan}\n\n{ANSWERS[0]}").events).mechanism is Mechanism.WORKER_THREAD


@pytest.mark.parametrize(
    ("seconds", "warm", "blocks"),
    [(COMPUTING, True, True), (COMPUTING * 0.9, True, False), (COMPUTING * 9, False, False)],
)
def test_computing_blocks_where_it_is_much_and_warm(seconds: float, warm: bool, blocks: bool) -> None:
    """
    A first import is not the call's work.
    """
    story = _ainvoke()
    story.add(Computed, seconds=seconds, warm=warm)

    assert (judge(AINVOKE, story.events).mechanism is Mechanism.BLOCKS_LOOP) == blocks


def test_a_synchronous_wait_blocks() -> None:
    """
    It says what waited.
    """
    story = _ainvoke()
    story.add(Stalled, what="it slept synchronously for 1 s")
    judgement = judge(AINVOKE, story.events)

    assert (judgement.mechanism, "slept" in judgement.reason) == (Mechanism.BLOCKS_LOOP, True)


@pytest.mark.parametrize(
    ("late", "where", "hook", "expected"),
    [
        (False, LOOP, "async", None),
        (True, LOOP, "async", Mechanism.BUFFERED),
        (True, WORKER, "sync", Mechanism.BUFFERED),
        (True, LOOP, "sync", Mechanism.BLOCKS_LOOP),
        (False, WORKER, "sync", Mechanism.WORKER_THREAD),
        (False, OTHER_LOOP, "async", Mechanism.OTHER_LOOP),
    ],
)
def test_the_mechanism_that_hurts_most_is_named(
    late: bool, where: Where, hook: Hook, expected: Mechanism | None
) -> None:
    """
    blocks-loop, then buffered, then worker-thread and other-loop.
    """
    pieces = pieces_of(ANSWERS[0])
    story = Story(ASTREAM, LOOP).begin()
    request = story.send(where=where, hook=hook, stream=True)
    story.head(request, sse(pieces), kind="text/event-stream")
    for index in range(len(sse(pieces))):
        story.arrive(request, index, where, hook)
        if not late and index < len(pieces):
            story.item(pieces[index])
    if late:
        for piece in pieces:
            story.item(piece)

    assert judge(ASTREAM, story.end(request).give().events).mechanism is expected


@pytest.mark.parametrize(
    ("batched", "where", "expected"),
    [
        (True, LOOP, None),
        (True, WORKER, Mechanism.WORKER_THREAD),
        (False, LOOP, Mechanism.SEQUENTIAL),
        (False, WORKER, Mechanism.SEQUENTIAL),
    ],
)
def test_batches_are_asked_for_their_place_as_well(batched: bool, where: Where, expected: Mechanism | None) -> None:
    """
    One after the other hurts more than a thread.
    """
    story = Story(ABATCH, LOOP).begin()
    if batched:
        story.whole(story.send((0, 1, 2), where), answer_json(*ANSWERS), where)
    else:
        for number, answer in enumerate(ANSWERS):
            story.whole(story.send((number,), where), answer_json(answer), where)

    assert judge(ABATCH, story.give(*ANSWERS).events).mechanism is expected

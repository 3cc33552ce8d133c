"""Streams: incremental, buffered or whole, by the order of arrivals and items alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from stories import ANSWERS, LOOP, PROMPTS, Story, answer_json, pieces_of, sse

from harness.events import Answered
from harness.idle import idle_pieces
from harness.verdicts.judge import judge
from harness.words import Capability, Delivery, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cells import Judgement

STREAM, ASTREAM = Capability.STREAM, Capability.ASTREAM
TEXT = ANSWERS[0]
PIECES = pieces_of(TEXT)


def _stream(
    after: Sequence[tuple[int, str | None]], capability: Capability = STREAM, *, arrivals: int | None = None
) -> Judgement:
    """
    Judge a stream whose items came after so many arrivals.
    """
    story = Story(capability, LOOP if capability.is_async else Story(STREAM).home).begin()
    chunks = sse(PIECES)
    if arrivals is not None:
        whole = b"".join(chunks)
        size = -(-len(whole) // arrivals)
        chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    request = story.send(stream=True)
    story.head(request, chunks, kind="text/event-stream")
    items = list(after)
    for index in range(len(chunks)):
        while items and items[0][0] <= index:
            story.item(items.pop(0)[1])
        story.arrive(request, index)
    story.end(request)
    for _, text in items:
        story.item(text)
    story.give()
    return judge(capability, story.events)


def _said(judgement: Judgement) -> tuple[Verdict, Mechanism | None]:
    return judgement.verdict, judgement.mechanism


NATIVE = (Verdict.NATIVE, None)
LATE = (Verdict.FALLBACK, Mechanism.BUFFERED)
ONCE = (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)
COUNT = len(sse(PIECES))
MIDDLE = COUNT // 2


@pytest.mark.parametrize("capability", [STREAM, ASTREAM])
def test_items_as_they_arrive_are_native(capability: Capability) -> None:
    """
    Each item follows its arrival.
    """
    judgement = _stream([(index + 1, piece) for index, piece in enumerate(PIECES)], capability)

    assert (_said(judgement), judgement.evidence.delivery) == (NATIVE, Delivery.INCREMENTAL)


@pytest.mark.parametrize(("after", "expected"), [(MIDDLE, NATIVE), (MIDDLE + 1, LATE)])
def test_the_middle_arrival_is_the_border(after: int, expected: object) -> None:
    """
    An item before the middle arrival was released is early; the next place is late.
    """
    half = len(PIECES) // 3
    rest = [(COUNT, piece) for piece in PIECES[half:]]

    assert _said(_stream([(after, "".join(PIECES[:half])), *rest])) == expected


def test_an_item_before_the_last_arrival_proves_nothing() -> None:
    """
    Many streams end with a finish mark and an end mark, which carry no text.
    """
    assert _said(_stream([(COUNT - 2, piece) for piece in PIECES])) == LATE


def test_chunk_count_alone_proves_nothing() -> None:
    """
    A finished text can be cut into any number of items.
    """
    assert _said(_stream([(COUNT, letter) for letter in TEXT])) == LATE


def test_one_item_is_one_item() -> None:
    """
    It does not matter whether it came with the last arrival or before.
    """
    assert [_said(_stream([(after, TEXT)])) for after in (COUNT, COUNT - 2)] == [ONCE, ONCE]


@pytest.mark.parametrize("early", ["", " ", "\n\t", "\u00a0", "Thinking…", "…", "Please wait.", None])
def test_white_space_placeholders_and_nothing_do_not_count(early: str | None) -> None:
    """
    Neither for nor against: what follows decides.
    """
    items = [(0, early)] if early is not None else []
    late = _stream([*items, *((COUNT, piece) for piece in PIECES)])
    once = _stream([*items, (COUNT, TEXT)])
    good = _stream([*items, *((index + 1, piece) for index, piece in enumerate(PIECES))])

    assert (_said(late), _said(once), _said(good)) == (LATE, ONCE, NATIVE)


@pytest.mark.parametrize("place", [0, 3, len(PIECES)])
def test_items_that_are_none_or_empty_are_no_items(place: int) -> None:
    """
    None carries nothing, as an empty string does; a number is of the wrong type.
    """
    items: list[tuple[int, str | None]] = [(index + 1, piece) for index, piece in enumerate(PIECES)]
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, sse(PIECES), kind="text/event-stream")
    for index in range(COUNT):
        story.arrive(request, index)
        if index == place:
            story.item(None, "None").item("")
        if index < len(items):
            story.item(items[index][1])
    with_none = judge(STREAM, story.end(request).give().events)
    story.item(None, "int")

    assert _said(with_none) == NATIVE
    assert judge(STREAM, story.events).verdict is Verdict.BROKEN


@pytest.mark.parametrize("arrivals", [1, 2, 3])
def test_a_stream_of_fewer_than_four_arrivals_is_unknown(arrivals: int) -> None:
    """
    Whatever the items look like.
    """
    shapes = ([(1, TEXT)], [(arrivals, piece) for piece in PIECES])

    assert [_stream(shape, arrivals=arrivals).verdict for shape in shapes] == [Verdict.UNKNOWN] * 2


@pytest.mark.parametrize(
    ("untimed", "body", "expected"),
    [
        (True, TEXT.encode(), (Verdict.UNKNOWN, None)),
        (False, TEXT.encode(), (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)),
        (True, json.dumps({"text": TEXT}).encode(), (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)),
    ],
)
def test_words_of_which_no_pieces_are_known_cannot_tell(untimed: bool, body: bytes, expected: object) -> None:
    """
    A recording without arrivals has such an answer as one piece; of a JSON value it shows that it was no stream.
    """
    story = Story(Capability.STREAM).begin()
    story.whole(story.send(), body).item(TEXT).give()
    events = [replace(one, untimed=untimed) if isinstance(one, Answered) else one for one in story.events]
    judgement = judge(Capability.STREAM, events)

    assert (judgement.verdict, judgement.mechanism) == expected


def test_four_arrivals_can_tell() -> None:
    """
    The fewest that can.
    """
    early = _stream([(2, "".join(PIECES[:3])), (4, "".join(PIECES[3:]))], arrivals=4)
    late = _stream([(4, "".join(PIECES[:3])), (4, "".join(PIECES[3:]))], arrivals=4)

    assert (_said(early), _said(late)) == (NATIVE, LATE)


@pytest.mark.parametrize("items", [1, 5])
@pytest.mark.parametrize("body", [answer_json(TEXT), json.dumps([{"generated_text": TEXT}, {"score": 1}]).encode()])
def test_where_no_stream_was_asked_for_or_served_few_arrivals_are_enough(items: int, body: bytes) -> None:
    """
    The exchange itself shows that it was emulated; a list of answers is no stream of them.
    """
    story = Story(STREAM).begin()
    story.whole(story.send(), body)
    parts = [TEXT] if items == 1 else PIECES
    for part in parts:
        story.item(part)

    assert _said(judge(STREAM, story.give().events)) == (ONCE if items == 1 else LATE)


@pytest.mark.parametrize("every", [False, True])
def test_a_stream_of_polls_has_the_polls_as_arrivals(every: bool) -> None:
    """
    With an item between the polls it is incremental, with all after the last it is not.
    """
    story = Story(STREAM).begin()
    story.whole(story.send(text=PROMPTS[0]), b'{"id": "job-77", "status": "queued"}')
    said = ""
    for index, piece in enumerate(PIECES):
        said += piece
        poll = story.send((), method="GET", uri="https://api.example.com/jobs/job-77")
        done = "done" if index == len(PIECES) - 1 else "running"
        story.whole(poll, json.dumps({"id": "job-77", "status": done, "output": said}).encode())
        if every:
            story.item(piece)
    if not every:
        for piece in PIECES:
            story.item(piece)
    judgement = judge(STREAM, story.give().events)

    assert _said(judgement) == (NATIVE if every else LATE)
    assert (judgement.evidence.inference_requests, judgement.evidence.arrivals) == (1, len(PIECES))


def test_closing_at_the_finish_mark_is_fine() -> None:
    """
    Nothing was lost by it.
    """
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, sse(PIECES), kind="text/event-stream")
    for index, piece in enumerate(PIECES):
        story.arrive(request, index).item(piece)

    assert _said(judge(STREAM, story.give().events)) == NATIVE


def test_a_stream_that_is_asked_for_again_in_the_middle_is_native() -> None:
    """
    What had been said already is left out the second time.
    """
    story = Story(STREAM).begin()
    first = story.send(stream=True)
    chunks = sse(PIECES)
    story.head(first, chunks[:4], kind="text/event-stream")
    for index in range(4):
        story.arrive(first, index).item(PIECES[index])
    story.end(first, cut="reset")
    again = story.send(stream=True)
    story.head(again, chunks, kind="text/event-stream")
    for index in range(len(chunks)):
        story.arrive(again, index)
        if 4 <= index < len(PIECES):
            story.item(PIECES[index])

    assert _said(judge(STREAM, story.end(again).give().events)) == NATIVE


@pytest.mark.parametrize("plan_streams", [True, False])
def test_two_answers_handed_out_one_after_the_other_are_one_stream(plan_streams: bool) -> None:
    """
    An agent that tells its plan and then the answer has both requests as inference requests.
    """
    plan = "First the plan: speak of lamps, then of lenses, and close with the coast."
    story = Story(STREAM).begin()
    one = story.send(stream=plan_streams)
    if plan_streams:
        chunks = sse(pieces_of(plan))
        story.head(one, chunks, kind="text/event-stream")
        for index in range(len(chunks)):
            story.arrive(one, index)
            if index < len(pieces_of(plan)):
                story.item(pieces_of(plan)[index])
        story.end(one)
    else:
        story.whole(one, answer_json(plan)).item(plan)
    story.item("\n\n")
    two = story.send(stream=True)
    story.head(two, sse(PIECES), kind="text/event-stream")
    for index, piece in enumerate(PIECES):
        story.arrive(two, index).item(piece)
    judgement = judge(STREAM, story.end(two).give().events)

    assert (_said(judgement), judgement.evidence.inference_requests) == (NATIVE, 2)


@pytest.mark.parametrize(
    ("pieces", "idle"),
    [
        ([b": a\n\n", b": b\n\n", b"data: x\n\n", b"data: y\n\n"], 2),
        ([b'{"s": 1}\n', b'{"s": 1}\n', b": z\n\n", b'{"s": 1}\n', b'{"s": 2}\n', b'{"s": 2}\n'], 3),
        ([b"one ", b"two ", b"two ", b": no comment "], 0),
        ([b"la ", b"la ", b"la "], 0),
        ([b": a\n\n", b": b\n\n"], 0),
        ([], 0),
    ],
    ids=["comments", "a status", "repeated words", "nothing else", "no answer", "no pieces"],
)
def test_only_a_beginning_that_says_nothing_is_idle(pieces: list[bytes], idle: int) -> None:
    """
    It ends with the first piece that says something new, and an answer has to follow.
    """
    assert sum(idle_pieces(pieces, commented=False)) == idle


@pytest.mark.parametrize("reads", [True, False], ids=["read", "not read"])
@pytest.mark.parametrize(("after", "expected"), [(1, NATIVE), (len(PIECES) + 1, LATE)], ids=["early", "at the end"])
def test_keep_alives_behind_an_answer_do_not_move_its_middle(after: int, expected: object, *, reads: bool) -> None:
    """
    Comments of server-sent events are no arrivals wherever they stand, so that who gathers all of the text is late.
    """
    words, silence = [*sse(PIECES)[: len(PIECES)], b"data: {}\n\n"], [b": keep-alive\n\n"] * 3 * COUNT
    chunks = [*words, *silence]
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, chunks, kind="text/event-stream")
    story.events[-1] = replace(story.events[-1], comments=len(silence))  # type: ignore[call-arg]  # it is an Answered
    for index in range(len(chunks) if reads else len(words)):
        story.arrive(request, index)
        if after <= index + 1 <= len(PIECES) and after == 1:
            story.item(PIECES[index])
        elif index + 1 == after:
            for piece in PIECES:
                story.item(piece)
    judgement = judge(STREAM, story.end(request).give().events)

    assert (_said(judgement), judgement.evidence.arrivals) == (expected, len(words))


@pytest.mark.parametrize(("holds", "expected"), [(False, NATIVE), (True, LATE)], ids=["streams", "holds back"])
def test_what_was_streamed_before_an_answer_broke_off_counts(holds: bool, expected: object) -> None:
    """
    Whoever asks for the rest without a stream has streamed what came before; unless it was held back until then.
    """
    story = Story(STREAM).begin()
    one, part = story.send(stream=True), PIECES[: len(PIECES) - 2]
    story.head(one, sse(part)[: len(part)], kind="text/event-stream")
    for index, piece in enumerate(part):
        story.arrive(one, index)
        if not holds:
            story.item(piece)
    story.end(one, cut="IncompleteRead")
    for piece in part if holds else ():
        story.item(piece)
    story.whole(story.send(), answer_json(TEXT)).item("".join(PIECES[len(part) :]))
    judgement = judge(STREAM, story.give().events)

    assert (_said(judgement), judgement.evidence.arrivals) == (expected, len(part) + 1)


def test_what_was_refused_beside_a_stream_is_no_part_of_it() -> None:
    """
    Some libraries look up more in the background while they stream; the words of a refusal are no arrivals.
    """
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, sse(PIECES), kind="text/event-stream")
    for index, piece in enumerate(PIECES):
        if index in {1, 5}:
            looked_up = story.send((), method="GET", uri="https://h/config")
            story.head(looked_up, [b"Who are you?"], status=401).arrive(looked_up, 0).end(looked_up)
        story.arrive(request, index).item(piece)
    judgement = judge(STREAM, story.end(request).give().events)

    assert (_said(judgement), judgement.evidence.arrivals) == (NATIVE, len(sse(PIECES)))


@pytest.mark.parametrize("winner", [0, 1])
def test_of_two_answers_asked_for_at_once_the_faster_one_was_given(winner: int) -> None:
    """
    The slower one had said nothing yet when the caller got its first item.
    """
    story = Story(STREAM).begin()
    asked = [story.send(stream=True), story.send(stream=True)]
    for request in asked:
        story.head(request, sse(PIECES), kind="text/event-stream")
    for index, piece in enumerate([*PIECES, "", ""]):
        story.arrive(asked[winner], index).item(piece)
    for index in range(COUNT):
        story.arrive(asked[1 - winner], index)

    assert _said(judge(STREAM, story.end(asked[0]).end(asked[1]).give().events)) == NATIVE


def test_objects_whose_text_cannot_be_read_are_named() -> None:
    """
    Who gets none of the answer out of them is told what they are.
    """
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, sse(PIECES), kind="text/event-stream")
    for index in range(COUNT):
        story.arrive(request, index).item(None, "Opaque")
    judgement = judge(STREAM, story.end(request).give().events)

    assert judgement.verdict is Verdict.BROKEN
    assert judgement.reason == f"none of its {COUNT} items carries a text: Opaque"

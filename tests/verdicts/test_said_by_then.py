"""What had been said, asked and told when: guesses, own words, discarded answers, polls, and what is not seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stories import ANSWERS, Story, answer_json, pieces_of, sse

from harness.verdicts.judge import judge
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STREAM, INVOKE, BATCH = Capability.STREAM, Capability.INVOKE, Capability.BATCH
TEXT = ANSWERS[0]
PIECES = pieces_of(TEXT)
CHUNKS = sse(PIECES)
NATIVE = (Verdict.NATIVE, None)
LATE = (Verdict.FALLBACK, Mechanism.BUFFERED)
OTHER_TEXT = "Quite another answer, in which nothing of the first stands, told beside it."


def _said(story: Story) -> tuple[Verdict, Mechanism | None]:
    judgement = judge(story.capability, story.events)
    return judgement.verdict, judgement.mechanism


def _streamed(story: Story, items: Mapping[int, Sequence[str]], chunks: Sequence[bytes] = CHUNKS) -> Story:
    """
    Tell a stream whose items come after so many of its arrivals.
    """
    request = story.send(stream=True)
    story.head(request, list(chunks), kind="text/event-stream")
    for count in range(len(chunks) + 1):
        for text in items.get(count, ()):
            story.item(text)
        if count < len(chunks):
            story.arrive(request, count)
    return story.end(request).give()


@given(start=st.integers(1, 30), after=st.integers(0, 3), cuts=st.integers(1, 9))
def test_a_guess_is_no_item_of_the_answer(start: int, after: int, cuts: int) -> None:
    """
    However much of the answer is guessed before it was said, and however the rest is cut.
    """
    after = min(after, len(TEXT[:start].split(" ")) - 1)
    rest = [TEXT[at : at + cuts] for at in range(start, len(TEXT), cuts)]
    story = _streamed(Story(STREAM).begin(), {after: [TEXT[:start]], len(CHUNKS): rest})
    told = "".join("".join(PIECES[:after]).split())

    assert _said(story) == (LATE if "".join(TEXT[:start].split()) not in told else NATIVE)


def test_what_was_said_by_then_is_early() -> None:
    """
    One arrival later the same words are the answer's.
    """
    assert _said(_streamed(Story(STREAM).begin(), {1: [PIECES[0]], len(CHUNKS): PIECES[1:]})) == NATIVE


def test_one_item_before_the_middle_is_early() -> None:
    """
    An answer of one piece, followed by a finish mark, the usage and an end mark.
    """
    chunks = [*sse([TEXT]), b"data: {}\n\n", b"data: {}\n\n"]

    assert _said(_streamed(Story(STREAM).begin(), {1: [TEXT]}, chunks)) == NATIVE
    assert _said(_streamed(Story(STREAM).begin(), {3: [TEXT]}, chunks)) == (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)


@pytest.mark.parametrize("own", ["...", "…", "lamp", "A lamp."])
def test_own_words_before_anything_came_are_no_repetition(own: str) -> None:
    """
    Also where the answer happens to hold them: they do not count, for or against.
    """
    pieces = ["Well...", " it is a lamp.", " A lamp.", " Well...", " And so on.", " The end."]
    chunks = sse(pieces)
    late = _streamed(Story(STREAM).begin(), {0: [own], len(chunks): pieces}, chunks)
    good = _streamed(Story(STREAM).begin(), {0: [own], **{n + 1: [one] for n, one in enumerate(pieces)}}, chunks)
    doubled = _streamed(Story(STREAM).begin(), {1: [pieces[0]] * 2, len(chunks): pieces[1:]}, chunks)

    assert (_said(late), _said(good), _said(doubled)[0]) == (LATE, NATIVE, Verdict.BROKEN)


@pytest.mark.parametrize(("again", "expected"), [(False, NATIVE), (True, (Verdict.BROKEN, None))])
def test_a_stream_that_broke_off_is_taken_up_and_not_begun_anew(again: bool, expected: tuple[Verdict, Any]) -> None:
    """
    The retry brings the answer; what was given of the first try was no guess, and is not given twice.
    """
    many = sse([f"{piece}{number} " for number, piece in enumerate(PIECES * 5)])
    words = [f"{piece}{number} " for number, piece in enumerate(PIECES * 5)]
    story = Story(STREAM).begin()
    for tries, upto in ((0, 25), (1, len(many))):
        request = story.send(stream=True)
        story.head(request, many if tries else many[:upto], kind="text/event-stream")
        for index in range(upto):
            story.arrive(request, index)
            if index < len(words) and (again or not tries or index >= 25):
                story.item(words[index])
        story.end(request, cut=None if tries else "the connection was closed")
    story.give()

    assert _said(story) == expected


def test_an_answer_thrown_away_is_not_the_one_that_was_streamed() -> None:
    """
    Of two equal answers the items came from the later one, unless it was asked for after them.
    """
    items = {n + 1: [piece] for n, piece in enumerate(PIECES)}
    warm, drained, after = (Story(STREAM).begin() for _ in range(3))
    warm.whole(warm.send(), answer_json(TEXT))
    _streamed(warm, items)
    _streamed(drained, {}).events.pop()
    drained.whole(drained.send(), answer_json(TEXT))
    for piece in PIECES:
        drained.item(piece)
    _streamed(after, items).events.pop()
    after.whole(after.send(), answer_json(TEXT))

    assert [_said(one) for one in (warm, drained.give(), after.give())] == [NATIVE, LATE, NATIVE]


def _polled(parts: Sequence[str], items: Sequence[str], *, method: str, cumulative: bool, late: bool) -> Story:
    story = Story(STREAM).begin()
    story.whole(story.send(), b'{"id": "job-77", "status": "queued"}')
    told = ["".join(parts[: n + 1]) for n in range(len(parts))] if cumulative else parts
    left = list(items)
    for number, text in enumerate(told):
        query = "" if cumulative else f"?cursor={number}"
        uri = f"https://api.example.com/poll/job-77{query}" if method == "GET" else "https://api.example.com/poll"
        poll = story.send((), method=method, uri=uri, text=f"job-77 {number}")
        story.whole(poll, json.dumps({"text": text, "state": "running"}).encode())
        if left and not late:
            story.item(left.pop(0))
    for text in left:
        story.item(text)
    return story.give()


@given(
    cuts=st.lists(st.integers(1, len(TEXT) - 1), min_size=3, max_size=12, unique=True),
    method=st.sampled_from(["GET", "POST"]),
    cumulative=st.booleans(),
    late=st.booleans(),
    lost=st.booleans(),
)
def test_polls_are_arrivals_however_they_are_sent(
    cuts: list[int], method: str, cumulative: bool, late: bool, lost: bool
) -> None:
    """
    By GET or POST, each with the text so far or with what is new; and what none of them lost must come out.
    """
    ends = sorted(cuts)
    parts = [TEXT[start:end] for start, end in zip([0, *ends], [*ends, len(TEXT)], strict=True)]
    items = parts[:-2] + parts[-1:] if lost else parts
    story = _polled(parts, items, method=method, cumulative=cumulative, late=late)
    whole = not lost or not parts[-2].strip()

    assert _said(story) == (LATE if late else NATIVE) if whole else _said(story)[0] is Verdict.BROKEN


@pytest.mark.parametrize("items", [[f"'{piece}'" for piece in PIECES], [f"{piece} [n]" for piece in PIECES]])
def test_what_stands_between_the_pieces_is_not_the_answer(items: list[str]) -> None:
    """
    Something of one's own may stand before or after the answer, not in it.
    """
    story = _streamed(Story(STREAM).begin(), {n + 1: [item] for n, item in enumerate(items)})
    around = _streamed(Story(STREAM).begin(), {1: ["<<", PIECES[0]], len(CHUNKS): [*PIECES[1:], ">>"]})

    assert (_said(story)[0], _said(around)) == (Verdict.BROKEN, NATIVE)


@pytest.mark.parametrize(
    ("wanted", "expected"), [("first", Verdict.NATIVE), ("second", Verdict.NATIVE), ("mixed", Verdict.BROKEN)]
)
def test_answers_told_in_turns_are_not_one(wanted: str, expected: Verdict) -> None:
    """
    Of two choices either is the answer; both, piece by piece, are none.
    """
    pairs = list(zip(PIECES, pieces_of(OTHER_TEXT), strict=False))
    rows = [{"choices": [{"index": n, "delta": {"content": one}}]} for pair in pairs for n, one in enumerate(pair)]
    body = "".join(f"data: {json.dumps(row)}\n\n" for row in rows).encode()
    said = {
        "first": "".join(one for one, _ in pairs),
        "second": "".join(two for _, two in pairs),
        "mixed": "".join(one + two for one, two in pairs),
    }
    story = Story(INVOKE).begin()
    story.whole(story.send(), body)

    assert _said(story.give(said[wanted]))[0] is expected


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error"}}},
        {"type": "error", "code": "server_error", "message": "no"},
        {"error": {"type": "overloaded"}},
    ],
)
def test_an_error_among_the_events_must_be_told(event: dict[str, Any]) -> None:
    """
    In each of the forms that providers have for it; a null is none.
    """
    hidden, told, fine = (Story(INVOKE).begin() for _ in range(3))
    for story, last in (
        (hidden, event),
        (told, event),
        (fine, {"type": "done", "error": None, "response": {"error": None}}),
    ):
        body = b"".join(CHUNKS[:4]) + f"data: {json.dumps(last)}\n\n".encode()
        story.whole(story.send(), body)
    part = "".join(PIECES[:4])

    assert _said(hidden.give(part))[0] is Verdict.BROKEN
    assert _said(told.fail("APIError"))[0] is Verdict.UNKNOWN
    assert _said(fine.give(part))[0] is Verdict.NATIVE


def test_an_answer_from_somewhere_unseen_is_unknown() -> None:
    """
    A token request is not what it came from; a request with the input is, and its answer must be told.
    """
    unseen, seen = Story(INVOKE).begin(), Story(INVOKE).begin()
    for story in (unseen, seen):
        story.whole(story.send((), uri="https://auth.example.com/token"), b'{"access_token": "t0k3n"}')
    seen.whole(seen.send(), answer_json(TEXT))

    assert _said(unseen.give(OTHER_TEXT))[0] is Verdict.UNKNOWN
    assert _said(seen.give(OTHER_TEXT))[0] is Verdict.BROKEN


@pytest.mark.parametrize(
    ("sent", "expected"), [((0,), Verdict.BROKEN), ((0, 1), Verdict.BROKEN), ((0, 1, 2), Verdict.FALLBACK)]
)
def test_an_input_that_was_never_sent_has_no_output(sent: tuple[int, ...], expected: Verdict) -> None:
    """
    Where all answers are alike, only the requests show it.
    """
    story = Story(BATCH).begin()
    for number in sent:
        story.whole(story.send((number,)), answer_json("Yes, it does."))

    assert _said(story.give(*["Yes, it does."] * 3))[0] is expected


ALIKE = ("Lamps on towers guide ships.", "Wheels that turn stay upright.", "Yeast makes the dough rise.")


def test_equal_answers_have_no_order() -> None:
    """
    Of three answers the first and the last may be the same.
    """
    same = (ALIKE[0], ALIKE[1], ALIKE[0])
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), answer_json(*same))

    assert _said(story.give(*same)) == NATIVE


@pytest.mark.parametrize(("outputs", "expected"), [(ALIKE, Verdict.NATIVE), (ALIKE[::-1], Verdict.BROKEN)])
@pytest.mark.parametrize("numbered", [True, False])
def test_answers_of_one_list_come_out_in_its_order(outputs: Sequence[str], expected: Verdict, numbered: bool) -> None:
    """
    Also where they hold no code word; where the elements are numbered, the numbers are the order.
    """
    rows = [{"index": n, "text": text} if numbered else {"text": text} for n, text in enumerate(ALIKE)]
    story = Story(BATCH).begin()
    story.whole(story.send((0, 1, 2)), json.dumps({"choices": rows[::-1] if numbered else rows}).encode())

    assert _said(story.give(*outputs))[0] is expected


def _side_by_side(*, drawn_from: int) -> Story:
    """
    Tell two equal streams that both begin with an event of no text, and of which the first is six pieces ahead.
    """
    chunks = [b'data: {"choices": []}\n\n', *CHUNKS]
    story = Story(STREAM).begin()
    both = (story.send(stream=True), story.send(stream=True))
    for request in both:
        story.head(request, chunks, kind="text/event-stream").arrive(request, 0)
    for count in range(1, len(chunks) + 6):
        for number, at in enumerate((count, count - 6)):
            if 0 < at < len(chunks):
                story.arrive(both[number], at)
            if number == drawn_from and 0 < at <= len(PIECES):
                story.item(PIECES[at - 1])
    return story.end(both[0]).end(both[1]).give()


@pytest.mark.parametrize("drawn_from", [0, 1])
def test_of_two_equal_streams_the_items_came_from_the_one_that_had_said_them(drawn_from: int) -> None:
    """
    Whichever of the two was asked for last, and however far behind the other one is.
    """
    assert _said(_side_by_side(drawn_from=drawn_from)) == NATIVE


@pytest.mark.parametrize("shown", [1, 2])
def test_a_draft_given_while_a_second_stream_is_read_for_show_is_late(shown: int) -> None:
    """
    The items come while the stream does, but before it says them: they are the draft's, which had ended.
    """
    story = Story(STREAM).begin()
    story.whole(story.send(), answer_json(TEXT))
    request = story.send(stream=True)
    story.head(request, CHUNKS, kind="text/event-stream")
    for count in range(shown):
        story.arrive(request, count)
    for piece in PIECES:
        story.item(piece)
    for count in range(shown, len(CHUNKS)):
        story.arrive(request, count)

    assert _said(story.end(request).give()) == LATE


@pytest.mark.parametrize(("in_step", "expected"), [(True, NATIVE), (False, LATE)])
def test_a_second_opinion_that_came_at_once_is_not_what_was_streamed(
    in_step: bool, expected: tuple[Verdict, Any]
) -> None:
    """
    It was asked for last and said everything, but the items keep step with the stream; unless that was read before.
    """
    story = Story(STREAM).begin()
    request = story.send(stream=True)
    story.head(request, CHUNKS, kind="text/event-stream")
    opinion = story.send()
    if not in_step:
        for count in range(len(CHUNKS)):
            story.arrive(request, count)
    story.whole(opinion, answer_json(TEXT))
    for count, piece in enumerate(PIECES):
        if in_step:
            story.arrive(request, count)
        story.item(piece)
    if in_step:
        for count in range(len(PIECES), len(CHUNKS)):
            story.arrive(request, count)

    assert _said(story.end(request).give()) == expected

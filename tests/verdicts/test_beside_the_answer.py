"""A word, the question or a piece in the place of the answer, and the answer in another form."""

from __future__ import annotations

import json

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, invoked, pieces_of, sse

from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

SPOKEN = f'{ANSWERS[0]} “Café”, he said,\n"and no \\ more".'
LONG = " ".join(ANSWERS[:1] * 8)


@pytest.mark.parametrize("made", [json.dumps, lambda value: json.dumps([value, 1], indent=2)])
@pytest.mark.parametrize("text", [SPOKEN, SPOKEN.replace("Café", "Caf"), SPOKEN.replace("no", ""), SPOKEN * 2])
def test_json_that_an_adapter_makes_of_an_answer_says_what_its_reader_reads(made: object, text: str) -> None:
    """
    Letters, quotation marks and line ends are written in another way there; what is lost or doubled is so there too.
    """
    assert callable(made)
    right = text == SPOKEN

    assert (invoked(answer_json(SPOKEN), made({"answer": text})) is Verdict.NATIVE) is right


def test_what_only_looks_like_json_is_taken_as_it_is() -> None:
    """
    Escapes that nobody takes back are other letters.
    """
    assert invoked(answer_json(SPOKEN), f"{json.dumps({'answer': SPOKEN})}.") is Verdict.BROKEN
    assert invoked(answer_json(SPOKEN), json.dumps({"answer": SPOKEN})[:-1]) is Verdict.BROKEN


@pytest.mark.parametrize("lost", ["", "dark."])
def test_the_marks_of_a_streamed_fence_may_go(lost: str) -> None:
    """
    They come in pieces of their own; what they hold stays whole.
    """
    story = Story(Capability.STREAM).begin()
    request = story.send(stream=True, text=PROMPTS[0])
    inside = [*pieces_of(f"# {ANSWERS[0]}"), "\nlamp = 1\n"]
    chunks = sse(["```", "python\n", *inside, "```"])
    story.head(request, chunks, kind="text/event-stream")
    for place in range(len(chunks)):
        story.arrive(request, place)
        if 2 <= place < len(inside) + 2:
            story.item(inside[place - 2].replace(lost, "") if lost else inside[place - 2])
    found = judge(Capability.STREAM, story.end(request).give().events)

    assert found.verdict is (Verdict.BROKEN if lost else Verdict.NATIVE), found.reason


NAME = "chatcmpl-9Zx81kd02aMq44Lw07bTz55Rn"


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (f"reason: {NAME}", False),
        (json.dumps({"id": NAME, "why it ended": "by itself"}), False),
        (f"{ANSWERS[1]} ({NAME})", True),
    ],
)
def test_a_word_beside_the_answer_is_not_the_answer_whatever_stands_around_it(given: str, *, right: bool) -> None:
    """
    What the adapter wrote around the word is its own; around an answer that lacks the code word, it may stand.
    """
    text = ANSWERS[1] if right else LONG
    body = json.dumps({"id": NAME, "choices": [{"message": {"content": text, "reasoning": LONG}}]}).encode()

    assert (invoked(body, given) is Verdict.NATIVE) is right


@pytest.mark.parametrize("state", ["queued", "a lamp is lit for it"])
def test_a_few_words_beside_one_of_several_answers_tell_of_its_state(state: str) -> None:
    """
    They are no lost piece of it; more than the answer itself would be.
    """
    rows = [json.dumps({"index": number, "said": said}) for number in range(3) for said in (state, ANSWERS[number])]
    body = "\n".join([*rows, *rows[:2]]).encode()
    story = Story(Capability.BATCH).begin()
    request = story.send((0, 1, 2), text=" ".join(PROMPTS))
    found = judge(Capability.BATCH, story.whole(request, body).give(*ANSWERS).events)

    assert found.verdict is Verdict.NATIVE, found.reason


@pytest.mark.parametrize("answer", [ANSWERS[0], ""])
def test_the_question_is_the_answer_only_where_nothing_else_was_said(answer: str) -> None:
    """
    An upstream may repeat what it was asked beside its answer, or for an answer.
    """
    body = json.dumps({"history": [{"said": PROMPTS[0]}, {"said": answer}]}).encode()
    story = Story(Capability.INVOKE).begin()
    request = story.send(text=PROMPTS[0])
    found = judge(Capability.INVOKE, story.whole(request, body).give(PROMPTS[0]).events)

    assert found.verdict is (Verdict.BROKEN if answer else Verdict.NATIVE), found.reason


def test_an_accent_that_was_lost_can_be_read_in_the_reason() -> None:
    """
    It stands on a circle, and not on the quotation mark before it.
    """
    story = Story(Capability.INVOKE).begin()
    request = story.send(text=PROMPTS[0])
    story.whole(request, answer_json(f"{ANSWERS[0]} Café."))
    found = judge(Capability.INVOKE, story.give(f"{ANSWERS[0]} Cafe.").events)

    assert "'\u25cc\u0301'" in found.reason


@pytest.mark.parametrize("size", [3, 30])
@pytest.mark.parametrize("kept", [slice(1), slice(-1, None), slice(None)])
def test_one_piece_of_an_answer_that_came_among_others_is_not_the_answer(size: int, kept: slice) -> None:
    """
    Nor is it where the request has it, too, as it has each syllable of the code word.
    """
    cut = [[text[at : at + size] for at in range(0, len(text), size)] for text in ANSWERS]
    rows = [{"choices": [{"index": number, "text": piece}]} for number, pieces in enumerate(cut) for piece in pieces]
    story = Story(Capability.BATCH).begin()
    request = story.send((0, 1, 2), text=" ".join(PROMPTS))
    body = "\n".join(map(json.dumps, rows)).encode()
    found = judge(Capability.BATCH, story.whole(request, body).give(*("".join(pieces[kept]) for pieces in cut)).events)

    assert found.verdict is (Verdict.NATIVE if kept == slice(None) else Verdict.BROKEN), found.reason

"""A word, the question or a piece in the place of the answer, and the answer in another form."""

from __future__ import annotations

import json

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, invoked, pieces_of, sse

from harness.verdicts import judge
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


@pytest.mark.parametrize(
    "given",
    ["reason: stop", json.dumps({"why": "stop", "note": "as it was told by whoever wrote this adapter, long ago"})],
)
def test_a_word_beside_the_answer_is_not_the_answer_whatever_stands_around_it(given: str) -> None:
    """
    What the adapter wrote around the word is its own; an answer that is no longer than the word may be the word.
    """
    verdicts = []
    for text in (LONG, "A lamp."):
        body = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
        verdicts.append(invoked(body, given))

    assert verdicts == [Verdict.BROKEN, Verdict.NATIVE]


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

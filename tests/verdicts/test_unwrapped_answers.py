"""Answers in fences, in quotation marks and in markup, and the words that stand beside an answer."""

from __future__ import annotations

import json

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, invoked, pieces_of, sse

from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

TEXT = ANSWERS[0]
REASONING = "Hm, the person asks for a lighthouse; lamps and lenses come to my mind at once."


@pytest.mark.parametrize("given", ["stop", "assistant", "chatcmpl-9Zx81kd02", "m-2024-08-06"])
@pytest.mark.parametrize("capability", [Capability.INVOKE, Capability.STREAM])
def test_a_word_beside_the_answer_is_not_the_answer(given: str, capability: Capability) -> None:
    """
    Who reads the wrong field gives what the upstream sent, and no answer; unless the answer is no longer than that.
    """
    verdicts = []
    for text in (f"{TEXT} {' '.join(ANSWERS[1:] * 4)}", "A lamp.", ""):
        message = {"role": "assistant", "content": text}
        choice = {"message": message, "finish_reason": "stop"}
        body = json.dumps({"id": "chatcmpl-9Zx81kd02", "model": "m-2024-08-06", "choices": [choice]}).encode()
        story = Story(capability).begin()
        request = story.send(text=PROMPTS[0])
        story.whole(request, body)
        story = story.item(given).give() if capability.streams else story.give(given)
        verdicts.append(judge(capability, story.events).verdict)

    assert verdicts[0] is Verdict.BROKEN
    assert Verdict.BROKEN not in verdicts[1:]


@pytest.mark.parametrize(
    "body",
    [
        f"<p>{TEXT}</p>",
        f"<p>{TEXT}",
        f'<!DOCTYPE p [<!ENTITY a "{TEXT}">]><p>&a;</p>',
        f"--- {TEXT} ---",
        f"--rule\n{TEXT}",
    ],
)
def test_plain_text_that_looks_wrapped_means_what_it_says(body: str) -> None:
    """
    A tag, a rule or a declaration is text where nothing else is said of it.
    """
    assert invoked(body.encode(), body, "text/html") is Verdict.NATIVE


@pytest.mark.parametrize(
    ("said", "given"),
    [
        (f"```json\n{json.dumps({'answer': TEXT})}\n```", TEXT),
        (f"```\n{TEXT}\n```\n", TEXT),
        (f"```json\n{json.dumps({'answer': TEXT})}\n```", TEXT[:-9]),
        (f"```\n{TEXT}\n```\n```\n{REASONING}\n```", TEXT),
        (f'"{TEXT}"', TEXT),
        (f'"{TEXT}"', TEXT[:-9]),
    ],
)
def test_what_a_fence_or_quotation_marks_hold_is_the_answer_as_well(said: str, given: str) -> None:
    """
    They go as a whole; nothing within them may, nor one of several fences.
    """
    complete = given == TEXT and said.count("```") <= 2

    assert (invoked(answer_json(said), given) is Verdict.NATIVE) is complete


def test_a_fence_that_came_in_pieces_is_one_again() -> None:
    """
    JSON within it is read when all of it is there.
    """
    chunks = sse(pieces_of(f"```json\n{json.dumps({'answer': TEXT})}\n```"))

    assert invoked(b"".join(chunks), TEXT, "text/event-stream") is Verdict.NATIVE


@pytest.mark.parametrize(
    "kind", ["application/msgpack", "application/octet-stream", "", "application/json", "text/plain"]
)
def test_of_a_format_that_cannot_be_read_nothing_is_said(kind: str) -> None:
    """
    MessagePack, say: who reads it right is not to be called broken; where the type says that it is text, it is read.
    """
    body = b"\x92\xc0\xda" + len(TEXT).to_bytes(2, "big") + TEXT.encode()

    readable = kind in {"application/json", "text/plain"}
    assert invoked(body, TEXT, kind) is (Verdict.BROKEN if readable else Verdict.UNKNOWN)
    assert invoked(answer_json(REASONING), TEXT, kind) is Verdict.BROKEN

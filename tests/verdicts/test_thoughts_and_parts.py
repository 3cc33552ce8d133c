"""What a provider tells apart from the answer, or in several parts of it, and what may become of either."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

import pytest
from stories import ANSWERS, PROMPTS, answer_json, invoked, pieces_of

from harness.verdicts.fidelity import Agreement, compare
from harness.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = ANSWERS[0]
THOUGHT = "They want kestrel4127 first. Then I explain lamps, lenses and towers, and leave history out."


def _events(*values: dict[str, Any]) -> bytes:
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values).encode()


def _flagged(flag: str, *, elsewhere: bool | None = None) -> bytes:
    plain = {} if elsewhere is None else {flag: elsewhere}
    told = [{"parts": [{"text": piece, flag: True}]} for piece in pieces_of(THOUGHT)]
    return _events(*told, *({"parts": [{"text": piece, **plain}]} for piece in pieces_of(TEXT)))


def _keys(key: str) -> bytes:
    told = [{"delta": {key: piece}} for piece in pieces_of(THOUGHT)]
    return _events(*told, *({"delta": {"content": piece}} for piece in pieces_of(TEXT)))


def test_thoughts_that_a_flag_tells_apart_may_go() -> None:
    """
    The answer alone, or after its thoughts, is native; a word that is lost of either is lost.
    """
    body = _flagged("thought")
    assert invoked(body, TEXT) is Verdict.NATIVE
    assert invoked(body, f"{THOUGHT} {TEXT}") is Verdict.NATIVE
    assert invoked(body, TEXT.replace("through ", "")) is Verdict.BROKEN
    assert invoked(body, f"{THOUGHT[10:]} {TEXT}") is Verdict.BROKEN


def test_a_flag_that_speaks_of_the_end_or_is_false_elsewhere_tells_nothing_apart() -> None:
    """
    Who loses the last piece, beside which a flag says that it is the last, has lost it; so has who loses the first one.
    """
    pieces = [{"text": piece} for piece in pieces_of(TEXT)]
    ended = _events(*pieces[:-1], {**pieces[-1], "done": True})
    assert invoked(ended, TEXT) is Verdict.NATIVE
    assert invoked(ended, TEXT.rpartition(" ")[0]) is Verdict.BROKEN
    assert invoked(_flagged("start", elsewhere=False), TEXT) is Verdict.BROKEN


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking", "reasoningContent", "thought"])
def test_thoughts_are_not_the_answer(key: str) -> None:
    """
    Who hands out the reasoning and drops the answer beside it has not given the answer; where there is no other, it is.
    """
    assert [invoked(_keys(key), one) for one in (THOUGHT, TEXT, THOUGHT + TEXT)] == [
        Verdict.BROKEN,
        Verdict.NATIVE,
        Verdict.NATIVE,
    ]
    alone = _events(*({"delta": {key: piece, "finish_reason": None}} for piece in pieces_of(THOUGHT)))
    assert invoked(alone, THOUGHT) is Verdict.NATIVE


def test_flagged_thoughts_are_not_the_answer_either() -> None:
    """
    In a stream, and as one of the parts of a whole answer; what tells why an answer ended is no thought.
    """
    whole = json.dumps({"parts": [{"text": THOUGHT, "thought": True}, {"text": TEXT}]}).encode()
    for body in (_flagged("thought"), whole):
        assert [invoked(body, THOUGHT), invoked(body, TEXT)] == [Verdict.BROKEN, Verdict.NATIVE]
    reason = _events(*({"reason": piece, "note": "kestrel4127 it was"} for piece in pieces_of(TEXT)))
    assert invoked(reason, TEXT) is Verdict.NATIVE


@pytest.mark.parametrize(
    "said",
    [
        "{}</think>{}",
        "[THINK]{}[/THINK]{}",
        "<reasoning>{}</reasoning>{}",
        "<seed:think>{}</seed:think>{}",
        "<|START_THINKING|>{}<|END_THINKING|>{}",
        "<|begin_of_thought|>{}<|end_of_thought|>{}",
        "<|channel|>analysis<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>{}<|return|>",
    ],
)
def test_thoughts_between_marks_of_any_model_may_go(said: str) -> None:
    """
    The answer alone will do, and so will all of it without the marks; nothing of the answer may go with them.
    """
    body = answer_json(said.format(THOUGHT, TEXT))
    assert [invoked(body, one) for one in (TEXT, THOUGHT + TEXT, said.format(THOUGHT, TEXT))] == [Verdict.NATIVE] * 3
    assert [invoked(body, one) for one in (TEXT[30:], THOUGHT)] == [Verdict.BROKEN] * 2


def test_parts_of_a_streamed_answer_are_no_answers_to_choose_from() -> None:
    """
    Who gives one of two parts has lost the other, though a closing event lists both; of two choices, one will do.
    """
    cut = TEXT.index("A light")
    parts = [{"text": TEXT[:cut]}, {"text": TEXT[cut:]}]
    told = [{"delta": piece} for part in parts for piece in pieces_of(part["text"])]
    body = _events(*told, {"response": {"content": parts}})
    assert [invoked(body, one) for one in (TEXT, TEXT[:cut], TEXT[cut:])] == [
        Verdict.NATIVE,
        Verdict.BROKEN,
        Verdict.BROKEN,
    ]
    assert invoked(json.dumps({"choices": [{"text": TEXT}, {"text": THOUGHT}]}).encode(), TEXT) is Verdict.NATIVE


def test_nothing_is_not_what_follows_an_echo() -> None:
    """
    An answer that repeats the prompt somewhere does not make an empty output one; one that is nothing but it does.
    """
    history = [{"role": "user", "message": PROMPTS[0]}, {"role": "bot", "message": TEXT}]
    assert invoked(json.dumps({"text": TEXT, "history": history}).encode(), "") is Verdict.BROKEN
    assert compare("", [answer_json(PROMPTS[0])], PROMPTS[0]).agreement is Agreement.SAME


@pytest.mark.parametrize("write", [html.escape, lambda text: text.replace("\n", "<br>")])
def test_an_answer_may_be_written_for_a_page(write: Callable[[str], str]) -> None:
    """
    Entities and breaks are other ways to write its characters; what is lost beside them is lost.
    """
    said = f'{TEXT}\n<b>"Mind the rocks"</b> & sail on.\n'
    assert invoked(answer_json(said), write(said)) is Verdict.NATIVE
    assert invoked(answer_json(said), write(said.replace("ships", ""))) is Verdict.BROKEN


def test_of_the_parts_of_a_whole_answer_none_may_go() -> None:
    """
    Blocks of content that only together have what was asked for are one answer; choices, messages with roles and
    thoughts are not.
    """
    cut = TEXT.index("A light")
    one, two = TEXT[:cut], TEXT[cut:]
    blocks = json.dumps(
        {"content": [{"type": "text", "text": text, "citations": None} for text in (one, two)]}
    ).encode()
    assert [invoked(blocks, said) for said in (one, two, TEXT)] == [Verdict.BROKEN, Verdict.BROKEN, Verdict.NATIVE]
    choices = json.dumps({"results": [{"text": TEXT}, {"text": TEXT.replace("dark", "night")}]}).encode()
    agent = json.dumps({"messages": [{"role": "ai", "text": "Let me see."}, {"role": "ai", "text": TEXT}]}).encode()
    assert [invoked(choices, TEXT), invoked(agent, TEXT)] == [Verdict.NATIVE, Verdict.NATIVE]


def test_keys_of_one_document_have_no_order() -> None:
    """
    Thoughts may come before the answer although their key stands behind it.
    """
    body = json.dumps({"message": {"content": TEXT, "reasoning_content": THOUGHT}}).encode()
    assert [invoked(body, f"{THOUGHT}\n{TEXT}"), invoked(body, f"{TEXT}\n{THOUGHT}")] == [Verdict.NATIVE] * 2


def test_a_text_that_was_said_over_and_over_is_said_to_be_repeated() -> None:
    """
    It is many times as long as the answer, and yet the answer's; what holds an identifier and strange words is not.
    """
    pieces = pieces_of(TEXT * 4)
    body = _events(*({"id": "completion-17-a", "text": piece} for piece in pieces))
    grown = "".join("".join(pieces[:end]) for end in range(1, len(pieces) + 1))
    assert compare(grown, [body]).agreement is Agreement.DOUBLED
    assert compare("completion-17-a" + "x" * 900, [body]).agreement is not Agreement.DOUBLED

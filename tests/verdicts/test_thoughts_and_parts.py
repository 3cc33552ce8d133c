"""What a provider tells apart from the answer, or in several parts of it, and what may become of either."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, invoked, judged, pieces_of

from harness.events import Constructed, Item, Started
from harness.verdicts.fidelity import Agreement, compare
from harness.verdicts.judge import judge
from harness.words import Capability, Mechanism, Verdict

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


def _beside(key: str) -> tuple[bytes, bytes]:
    return _keys(key), json.dumps({"choices": [{"message": {key: THOUGHT, "content": TEXT}}]}).encode()


def test_thoughts_do_not_hide_what_is_lost_of_the_answer() -> None:
    """
    Who hands out thoughts and answer hands out all of both; beside one of them, a part of the other is no decoration.
    """
    for body in _beside("reasoning_content"):
        for given in (THOUGHT + TEXT[:60], THOUGHT + TEXT[60:], TEXT[:9] + THOUGHT, THOUGHT + TEXT + TEXT[:60]):
            assert invoked(body, given) is Verdict.BROKEN, given
        for given in (THOUGHT[20:] + TEXT, THOUGHT[:30] + THOUGHT[20:] + TEXT, TEXT + THOUGHT.replace("kestrel", "")):
            assert invoked(body, given) is Verdict.BROKEN, given


def test_words_of_ones_own_beside_thoughts_and_answer_are_decoration() -> None:
    """
    A heading, the name of the model, a page that was cited: they are made of neither.
    """
    for body in _beside("thinking"):
        for given in (f"Thinking: {THOUGHT} Answer: {TEXT}", f"{TEXT} (by model m-1)", f"{THOUGHT}\n---\n{TEXT}\n[1]"):
            assert invoked(body, given) is Verdict.NATIVE, given
    cited = {"content": TEXT, "citations": [{"title": "Lamps of old", "quote": TEXT[20:70]}], "reasoning": THOUGHT}
    body = json.dumps({"message": cited}).encode()
    assert invoked(body, f"{TEXT} [Lamps of old]") is Verdict.NATIVE


def test_thoughts_are_not_the_answer_where_nothing_has_the_code_word() -> None:
    """
    As in a recording made elsewhere: the answer is then what says several words, which a signature does not.
    """
    other = "Lamps were lit at dusk, and ships found their way home."
    told = {"thinking": THOUGHT.replace("kestrel4127", "it"), "signature": "EqkECkYIBxgCKkA8AZ4noDfV5VcOJe"}
    assert invoked(json.dumps({"content": [told, {"text": other}]}).encode(), told["thinking"]) is Verdict.BROKEN
    assert invoked(json.dumps({"content": [told, {"text": ""}]}).encode(), told["thinking"]) is Verdict.NATIVE


def test_a_part_of_a_part_beside_a_whole_one_is_no_decoration() -> None:
    """
    Who begins or ends in the middle of a block has lost the rest of it; whole blocks, and words of one's own, are fine.
    """
    cut = TEXT.index("A light")
    blocks = [{"type": "text", "text": TEXT[:cut]}, {"type": "text", "text": TEXT[cut:]}]
    body = json.dumps({"content": blocks}).encode()
    assert [invoked(body, one) for one in (TEXT, f"Well: {TEXT} Bye.")] == [Verdict.NATIVE] * 2
    for given in (TEXT[12:], TEXT[:-12], TEXT[12:-12], TEXT[cut - 6 :], TEXT[: cut + 7]):
        assert invoked(body, given) is Verdict.BROKEN, given
    choices = json.dumps({"choices": [{"text": TEXT}, {"text": f"{TEXT} So be it."}]}).encode()
    assert [invoked(choices, one) for one in (TEXT, f"{TEXT} So be it.")] == [Verdict.NATIVE] * 2


@pytest.mark.parametrize(
    ("shown", "expected"), [(THOUGHT, None), ("", "buffered"), ("Thinking, one moment", "buffered")]
)
def test_thoughts_that_are_handed_out_as_they_come_are_items(shown: str, expected: str | None) -> None:
    """
    A message that has nothing but thoughts, apart from its text, has no text; and yet its caller has what came. Who
    keeps them, or says something of the kind, makes the caller wait.
    """
    thought, told = pieces_of(THOUGHT), pieces_of(TEXT)[:12]
    bodies = [_events({"delta": {"reasoning": one}}) for one in thought]
    bodies += [_events({"delta": {"content": one}}) for one in told]
    story = Story(Capability.STREAM).begin()
    request = story.send(stream=True)
    story.head(request, bodies, kind="text/event-stream")
    for number, piece in enumerate([*thought, *told]):
        story.arrive(request, number)
        if number < len(thought):
            said = piece if shown == THOUGHT else shown
            story.add(Item, text="", type="Message", thoughts=said)
        else:
            story.item(piece)
    found = judged(story.end(request))
    assert found.mechanism == (None if expected is None else Mechanism(expected)), found.reason


def test_a_quoted_passage_does_not_hide_what_is_lost_around_it() -> None:
    """
    Whoever cites has a stretch of the answer beside it; an answer that stops behind that stretch has lost its end.
    """
    told = (
        f"{TEXT} Its keeper climbs the stairs each night, trims the lamp, and writes down every ship that he has seen."
    )
    cited = {"text": told, "citations": [{"start": 0, "text": told[:70]}, {"start": 90, "text": told[100:150]}]}
    body = json.dumps({"message": cited}).encode()
    assert [invoked(body, one) for one in (told, f"{told} [1]")] == [Verdict.NATIVE] * 2
    assert [invoked(body, one) for one in (told[:95], told[:120], told[20:])] == [Verdict.BROKEN] * 3


def test_answers_behind_equal_thoughts_are_told_apart() -> None:
    """
    Where no answer has a code word, each output still has to be the answer to its own input, thoughts or not.
    """
    prompts = ("Name a lake", "Name a river", "Name a sea")
    answers = ("The lake of Geneva is wide", "The Danube is rather long", "The Black Sea is deep")
    for given in ((0, 1, 2), (1, 0, 2), (0, 0, 2)):
        for shown in ("", THOUGHT):
            story = Story(Capability.BATCH)
            story.add(Constructed, module="m", qualname="A")
            story.add(Started, capability="batch", inputs=prompts)
            for number, answer in enumerate(answers):
                request = story.send((number,))
                body = json.dumps({"choices": [{"message": {"reasoning": THOUGHT, "content": answer}}]}).encode()
                story.whole(request, body)
            found = judge(Capability.BATCH, story.give(*(shown + answers[one] for one in given)).events)
            assert (found.verdict is Verdict.BROKEN) is (given != (0, 1, 2)), (given, shown, found.reason)

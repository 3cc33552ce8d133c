"""Calls of tools whose arguments a provider has as what they are, and not as a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from stories import invoked

from harness.words import Verdict

ARGUMENTS: dict[str, Any] = {"city": "Saint-Denis on the Seine", "days": 3, "of": ["wind", "été"], "share": 0.50}
WRITTEN = json.dumps(ARGUMENTS)


def _body(*called: dict[str, Any], said: str = "I shall look that up for you at once.") -> bytes:
    calls = [
        {"type": "tool_use", "id": f"toolu_{number}", "name": "weather", "input": one}
        for number, one in enumerate(called)
    ]
    return json.dumps(
        {"model": "m-1", "content": [{"type": "text", "text": said}, *calls], "usage": {"total": 7}}
    ).encode()


@pytest.mark.parametrize("said", ["I shall look that up for you at once.", "Now:", ""])
def test_arguments_that_are_written_down_are_the_answer(said: str) -> None:
    """
    However long the words beside them are, however characters are written, and in whatever order keys stand.
    """
    again = json.dumps(dict(reversed(ARGUMENTS.items())), ensure_ascii=False, indent=2)
    assert [invoked(_body(ARGUMENTS, said=said), one) for one in (WRITTEN, again)] == [Verdict.NATIVE] * 2
    two = _body(ARGUMENTS, {"city": "Lyon"}, said=said)
    assert [invoked(two, one) for one in (WRITTEN, WRITTEN + '{"city": "Lyon"}')] == [Verdict.NATIVE] * 2


@pytest.mark.parametrize(
    "given",
    [
        WRITTEN[:60],
        WRITTEN + WRITTEN,
        json.dumps({**ARGUMENTS, "days": 4}),
        json.dumps({key: one for key, one in ARGUMENTS.items() if key != "of"}),
        json.dumps({"city": "Lyon", "days": 3, "of": ["hail", "snow"], "share": 1}),
        "{}",
    ],
)
@pytest.mark.parametrize("said", ["I shall look that up for you at once.", "Now:", ""])
def test_other_arguments_are_not_the_answer(said: str, given: str) -> None:
    """
    Cut off, said twice, changed, without one of them, or somebody else's.
    """
    assert invoked(_body(ARGUMENTS, said=said), given) is Verdict.BROKEN


def test_an_answer_that_is_packed_in_json_is_decorated() -> None:
    """
    Who packs the whole text in a mapping has lost nothing of the upstream's, which has further keys.
    """
    text = "A lighthouse shows ships the way through the dark, and its keeper trims the lamp."
    body = json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}
    ).encode()
    assert [invoked(body, json.dumps(one)) for one in ({"content": text}, {"a": text, "n": 1}, [text])] == [
        Verdict.NATIVE
    ] * 3
    assert invoked(body, json.dumps({"content": text[:50]})) is Verdict.BROKEN


def test_arguments_in_a_list_of_calls_are_whole() -> None:
    """
    Who says beside them which tool is called has changed nothing; who changes them has.
    """
    call = {"name": "weather", "args": ARGUMENTS, "id": "toolu_0", "type": "tool_call"}
    told = [json.dumps(one) for one in ([call], {"tool_calls": [call]}, {"weather": ARGUMENTS})]
    assert [invoked(_body(ARGUMENTS), one) for one in told] == [Verdict.NATIVE] * 3
    other = {"name": "weather", "input": {**ARGUMENTS, "days": 4}}
    assert invoked(_body(ARGUMENTS), json.dumps(other)) is Verdict.BROKEN


def test_a_part_of_the_second_call_behind_the_whole_first_one_is_lost() -> None:
    """
    One of two calls will do, and so will both of them, but not one and a half.
    """
    two = _body(ARGUMENTS, {"city": "Lyon on the Rhone", "when": "tomorrow morning"})
    other = json.dumps({"city": "Lyon on the Rhone", "when": "tomorrow morning"})
    assert [invoked(two, one) for one in (WRITTEN + other, other, f"{WRITTEN} weather")] == [Verdict.NATIVE] * 3
    plain = json.dumps(ARGUMENTS, ensure_ascii=False)
    assert [invoked(two, one + other[:40]) for one in (WRITTEN, plain)] == [Verdict.BROKEN] * 2

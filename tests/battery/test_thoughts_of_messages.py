"""
What counts as a message's thoughts: what it has under a key, in blocks or in parts that are named for them.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.battery.thoughts import thoughts_of


def _message(content: Any = "", **more: Any) -> SimpleNamespace:
    return SimpleNamespace(content=content, **more)


def _first(delta: Any) -> SimpleNamespace:
    return SimpleNamespace(choices=[SimpleNamespace(delta=delta, index=0)])


class Raising:
    """
    Raise whatever it is asked for.
    """

    @property
    def reasoning_content(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        _message([{"type": "thinking", "thinking": "let me see", "index": 0}]),
        _message([{"type": "reasoning_content", "reasoning_content": {"text": "let me see", "index": 0}}]),
        _message([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "let me"}, {"text": " see"}]}]),
        _message([{"type": "reasoning", "reasoning": "let me see", "extras": {"signature": "EqkE"}}]),
        _message([SimpleNamespace(type="thinking", thinking=[SimpleNamespace(type="text", text="let me see")])]),
        _message(additional_kwargs={"reasoning_content": "let me see"}),
        _message(additional_kwargs={"reasoning": {"id": "rs_1", "summary": [{"index": 0, "text": "let me see"}]}}),
        _message(None, thinking="let me see"),
        _first(_message(None, reasoning_content="let me see")),
        _first({"content": "", "reasoning": "let me see"}),
        SimpleNamespace(parts=[SimpleNamespace(text="let me see", thought=True)]),
        SimpleNamespace(content=SimpleNamespace(parts=[SimpleNamespace(text="let me see", thought=True)])),
    ],
)
def test_thoughts_are_read_where_client_libraries_put_them(value: object) -> None:
    """
    Under keys of their own, beside the text or among further arguments, in blocks, in parts with a flag.
    """
    assert thoughts_of(value) == "let me see"


@pytest.mark.parametrize(
    "value",
    [
        "thinking",
        None,
        3,
        Raising(),
        _message("the text"),
        _message([{"type": "text", "text": "the text"}, {"type": "tool_use", "input": {"reasoning": "no"}}]),
        _message([{"type": "redacted_thinking", "data": "EqkECkYIBxgC"}]),
        _message([{"type": "thinking", "thinking": "", "signature": "EqkECkYIBxgC"}]),
        _message(additional_kwargs={"refusal": "no"}, response_metadata={"reasoning": "no"}),
        SimpleNamespace(parts=[SimpleNamespace(text="the text", thought=None)]),
    ],
)
def test_what_is_no_thought_is_none(value: object) -> None:
    """
    Not the text, the arguments of tools, a signature or what a provider keeps secret; what raises tells nothing.
    """
    assert not thoughts_of(value)


def test_an_object_that_holds_itself_is_no_endless_thought() -> None:
    """
    Nor is one that has everything it is asked for.
    """
    loop = _message()
    loop.content = loop.delta = loop.message = [loop]
    assert not thoughts_of(loop)

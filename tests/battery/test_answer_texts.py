"""
What counts as text: strings, messages and objects with `.text`, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.battery.texts import text_of, type_of


@dataclass
class Message:
    content: Any


@dataclass
class Chunk:
    text: Any


@dataclass
class Both:
    content: Any
    text: Any


@dataclass
class Delta:
    delta: Any


@dataclass
class Wrapped:
    message: Any


@dataclass
class Choices:
    choices: list[Any]


@dataclass
class Calling:
    content: Any
    tool_calls: Any


@dataclass
class Event:
    data: Any


@dataclass
class SoFar:
    """
    A piece beside the text, or the message, so far.
    """

    delta: Any
    text: Any = ()
    message: Any = None


@dataclass
class Answer:
    response: Any = None
    output_text: Any = None
    output: Any = None


@dataclass
class Part:
    text: Any
    thought: Any = None


@dataclass
class Parts:
    parts: Any


class Mapped(dict[str, Any]):
    """
    An answer as huggingface_hub and azure-ai-inference have it: a mapping with attributes.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(values)
        self.__dict__.update(values)


class Raising:
    @property
    def text(self) -> str:
        raise ValueError("read the answer first")


class Raging:
    def __getattr__(self, name: str) -> object:
        raise KeyError(name)


class WithArguments:
    def text(self, encoding: str) -> str:
        return encoding


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        (Message("from a message"), "from a message"),
        (Message([]), ""),
        (Message(["a ", "b"]), "a b"),
        (Message(("a ", "b")), "a b"),
        (Message([{"type": "text", "text": "a"}, {"type": "image", "url": "u"}, Chunk("b"), Message("c")]), "ab"),
        (Message([{"type": "text", "text": None}, {"text": 3}, 7, None]), ""),
        (Chunk("from a chunk"), "from a chunk"),
        (Choices([Delta(Message("of a choice")), Delta(Message("of another"))]), "of a choice"),
        (Choices([Delta(Message(None))]), ""),
        (Choices([Wrapped(Message("of a choice"))]), "of a choice"),
        (Choices([]), ""),
        (Wrapped(Message("within")), "within"),
        (Delta("a piece"), "a piece"),
        (SoFar(None, message=Message("the whole answer")), "the whole answer"),
        (SoFar("new", message=Message("so far and new")), "new"),
        (SoFar("new", text="so far and new"), "new"),
        (SoFar("", text="so far, and nothing new"), ""),
        (SoFar(None, text="the whole answer"), "the whole answer"),
        (SoFar(None), ""),
        (SoFar(None, text=None, message=Message("beside a text that is None")), "beside a text that is None"),
        (Choices([SoFar(None, text=None, message=Message("of a choice"))]), "of a choice"),
        (Event(Choices([Delta(Message("within an event"))])), "within an event"),
        (Event('{"json": "is no text"}'), None),
        (Event(None), None),
        (
            Mapped(choices=[Mapped(delta=Mapped(content="of a mapping with attributes"))]),
            "of a mapping with attributes",
        ),
        (Mapped(message=Mapped(content="within")), "within"),
        ({"choices": [{"delta": {"content": "a plain mapping is none"}}]}, None),
        (Delta(Wrapped(Message(Chunk("as cohere nests it")))), "as cohere nests it"),
        (Message(Parts([Part("as "), Part("Hm.", thought=True), Part("Google"), Part(None)])), "as Google"),
        (Parts(None), ""),
        (Parts(("of", "a", "path")), None),
        (Message(b"the body of an HTTP response, say"), None),
        (Answer(response="an answer"), "an answer"),
        (Answer(response=Chunk("an HTTP response, say"), output=[3]), None),
        (Answer(output_text="all of it", output=[Message([Chunk("all of it")])]), "all of it"),
        (Calling("", [{"name": "f", "args": '{"a": 1', "id": "c"}]), '{"a": 1'),
        (Calling(None, [{"function": {"name": "f", "arguments": '{"a": 1}'}}]), '{"a": 1}'),
        (Calling("", [{"name": "f", "args": {"a": "é"}}]), '{"a": "é"}'),
        (Calling("words", [{"name": "f", "args": {"a": 1}}]), "words"),
        (Calling("", [{"name": "now", "args": {}, "id": "c"}]), "now"),
        (Calling("", [{"name": "f", "args": ""}]), ""),
        (Calling("", []), ""),
        (Message([{"type": "tool_use", "name": "f", "input": {"a": 1}}]), '{"a": 1}'),
        (Message([{"type": "tool_use", "name": "now", "input": {}}]), "now"),
        (Message([{"type": "input_json_delta", "partial_json": '"b'}]), '"b'),
        (Chunk(lambda: "from a method"), "from a method"),
        (Chunk(lambda: 3), None),
        (Chunk(b"bytes"), None),
        (Both(None, "the text"), "the text"),
        (Both(b"raw", "the text"), "the text"),
        (Both("the content", "the text"), "the content"),
        (Message(None), ""),
        (Chunk(None), ""),
        (Both(None, None), ""),
        (Both(3, 4), None),
        (None, None),
        (b"bytes", None),
        (3, None),
        ({"text": "a mapping is no message"}, None),
        (["a list is no message"], None),
    ],
)
def test_text_is_taken_from_where_people_put_it(value: object, text: str | None) -> None:
    """
    Text comes from strings, from `.content` in each of its forms and from `.text`; other values have none.
    """
    assert text_of(value) == text


@pytest.mark.parametrize("value", [Raising(), Raging(), WithArguments()], ids=lambda value: type(value).__name__)
def test_what_raises_when_it_is_asked_has_no_text(value: object) -> None:
    """
    A property or a method that raises makes a value without text, and no error of the call's.
    """
    assert text_of(value) is None


@given(st.lists(st.one_of(st.text(), st.builds(lambda text: {"text": text}, st.text()), st.builds(Chunk, st.text()))))
def test_blocks_are_joined_in_order(blocks: list[Any]) -> None:
    """
    Whatever forms the blocks of a message have, its text is theirs in their order.
    """
    parts = [one if isinstance(one, str) else one["text"] if isinstance(one, dict) else one.text for one in blocks]
    assert text_of(Message(blocks)) == "".join(parts)


def test_types_are_named_as_people_write_them() -> None:
    """
    None is `None` and not `NoneType`; nested classes have their whole name.
    """
    assert [type_of(one) for one in (None, "a", [1], Message(""))] == ["None", "str", "list", "Message"]

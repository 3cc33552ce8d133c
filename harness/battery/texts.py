"""The text of whatever an adapter hands out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

_ABSENT: Final = object()
_TELLING: Final = ("output_text", "response", "output", "generated_text")
"""Where objects of client libraries have their text that is neither `.content` nor `.text`; only as a string."""

_HOLDING: Final = ("delta", "message", "content")
"""Where an object has the message that holds the text; content may be one, as cohere and Google have it."""


def text_of(value: object) -> str | None:
    """
    Return the text of a string, a message or an object with `.text`; None for anything else.

    A message's `.content` may be a string or a list of blocks; blocks are strings, mappings or
    objects, and those without text (images) say nothing. A message may also stand within the object
    (`.message`, `.delta`, `.content`, the first of `.choices`), and have its text in `.parts`, thoughts aside.
    One without text that calls tools says the tools' arguments, or the name of a tool that takes none. What raises
    when it is asked for has no text.
    A message that holds nothing says nothing, which is a text: the empty one.
    """
    if isinstance(value, str):
        return value
    try:
        return _told(value)
    except Exception:  # noqa: BLE001 - properties and methods of foreign objects
        return None


def _told(value: object) -> str | None:
    text = _own(value)
    if text is not None:
        return text or _arguments(value)
    held = _arguments(value) or _inner(value)
    return "" if held is None and _holds_nothing(value) else held


def _own(value: object) -> str | None:
    new = getattr(value, "delta", None)
    if isinstance(new, str):
        return new
    content = getattr(value, "content", None)
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        return "".join(_blocks(content))
    text = getattr(value, "text", None)
    if callable(text):
        text = text()
    told = (text, *(getattr(value, name, None) for name in _TELLING))
    return next((one for one in told if isinstance(one, str)), None)


def _holds_nothing(value: object) -> bool:
    return any(getattr(value, name, _ABSENT) is None for name in ("content", "text", "parts", "delta", "message"))


def _inner(value: object) -> str | None:
    """
    Return the text of the message within an object.

    What a plain mapping holds is the caller's to look for; some libraries' objects are mappings besides.
    """
    choices = getattr(value, "choices", None)
    if isinstance(choices, list | tuple):
        return _told(choices[0]) if choices else ""
    parts = getattr(value, "parts", None)
    if isinstance(parts, list | tuple) and parts and all(hasattr(part, "text") for part in parts):
        return "".join(_blocks(part for part in parts if not getattr(part, "thought", None)))
    inner = next((one for name in _HOLDING if (one := getattr(value, name, None)) is not None), None)
    if isinstance(inner, str):
        return inner
    data = getattr(value, "data", None)
    if inner is None and not isinstance(data, str):
        # a string is data in some format, and not words
        inner = data
    return None if inner is None else _told(inner)


def _arguments(value: object) -> str:
    """
    Return the arguments that a message calls tools with, as the upstream writes them.
    """
    for name in ("tool_call_chunks", "tool_calls"):
        calls = getattr(value, name, None)
        if isinstance(calls, list | tuple) and calls:
            return "".join(_called(_part(call, "function") or call, "arguments", "args") for call in calls)
    content = getattr(value, "content", None)
    blocks = content if isinstance(content, list | tuple) else ()
    return "".join(_called(block, "partial_json", "input") for block in blocks if not isinstance(block, str))


def _called(call: object, *names: str) -> str:
    """
    Return the arguments of a call; the tool's name where a call that is whole has none.
    """
    arguments = _part(call, *names)
    if isinstance(arguments, str):
        return arguments
    if arguments:
        return json.dumps(arguments, ensure_ascii=False)
    name = _part(call, "name") if isinstance(arguments, Mapping) else None
    return name if isinstance(name, str) else ""


def _part(value: object, *names: str) -> object:
    parts = (value.get(name) if isinstance(value, Mapping) else getattr(value, name, None) for name in names)
    return next((part for part in parts if part is not None), None)


def type_of(value: object) -> str:
    """
    Return a value's type as people write it.
    """
    return "None" if value is None else type(value).__qualname__


def _blocks(blocks: Iterable[Any]) -> Iterable[str]:
    for block in blocks:
        if isinstance(block, str):
            yield block
            continue
        text = _part(block, "text")
        if isinstance(text, str):
            yield text

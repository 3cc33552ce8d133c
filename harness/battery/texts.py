"""The text of whatever an adapter hands out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_ABSENT: Final = object()


def text_of(value: object) -> str | None:
    """
    Return the text of a string, a message or an object with `.text`; None for anything else.

    A message's `.content` may be a string or a list of blocks; blocks are strings, mappings or
    objects, and those without text (images, tool calls) say nothing. What raises when it is
    asked for has no text. A message that holds nothing says nothing, which is a text: the empty one.
    """
    if isinstance(value, str):
        return value
    try:
        return _told(value)
    except Exception:  # noqa: BLE001 - properties and methods of foreign objects
        return None


def _told(value: object) -> str | None:
    content = getattr(value, "content", _ABSENT)
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        return "".join(_blocks(content))
    text = getattr(value, "text", _ABSENT)
    if callable(text):
        text = text()
    if isinstance(text, str):
        return text
    return "" if content is None or text is None else None


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
        text = block.get("text") if isinstance(block, Mapping) else getattr(block, "text", None)
        if isinstance(text, str):
            yield text

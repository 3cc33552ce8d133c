"""What a message tells of the model's thoughts, apart from its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from harness.verdicts.thoughts import OF_THOUGHTS

_THINKING: Final = ("reasoning_content", "reasoning", "thinking")
"""Where messages have thoughts beside their text."""
_WORDS: Final = (*_THINKING, "text", "summary")
"""Where the words of a block of thoughts stand."""
_HOLDING: Final = ("additional_kwargs", "choices", "delta", "message", "content", "parts")
_DEEPEST: Final = 8


def thoughts_of(value: object) -> str:
    """
    Return what a message tells of the model's thoughts; an empty text where it tells nothing, or is none.

    They stand under a key of their own (`.reasoning_content`, also in `.additional_kwargs`), in blocks of a kind that
    is named for them, or in parts with the flag `thought`; the message may stand within the object, as for a text.
    """
    try:
        return "".join(_thinks(value, 0))
    except Exception:  # noqa: BLE001 - properties and methods of foreign objects
        return ""


def _thinks(value: object, depth: int) -> Iterator[str]:
    if value is None or isinstance(value, str) or depth > _DEEPEST:
        return
    if isinstance(value, list | tuple):
        for block in value:
            kind = _part(block, "type")
            told = (isinstance(kind, str) and OF_THOUGHTS.search(kind)) or _part(block, "thought") is True
            yield from _words(block, depth + 1) if told else ()
        return
    beside = next((one for name in _THINKING if (one := _part(value, name))), None)
    if beside is not None:
        yield from _words(beside, depth + 1)
        return
    for name in _HOLDING:
        inner = _part(value, name)
        if name == "choices" and isinstance(inner, list | tuple):
            inner = inner[0] if inner else None
        yield from _thinks(inner, depth + 1)


def _words(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _words(one, depth + 1)
    elif value is not None and depth <= _DEEPEST:
        yield from _words(next((one for name in _WORDS if (one := _part(value, name))), None), depth + 1)


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)

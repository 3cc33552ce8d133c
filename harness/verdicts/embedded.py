"""
The JSON values of an answer that no standard frames: what stands between them is alike, or next to nothing.

Such are values one behind the other, behind their lengths, behind a letter that says of what kind they are, closed by
a control character, or as the parts of a multipart body.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, Final, Literal

_BEGINS: Final = re.compile(r'[{\["]')
_BETWEEN: Final = re.compile(r"[\s\d\x00-\x1f]+")
_UNSEEN: Final = re.compile(r"[\s\x00-\x1f]+")
_SHORTEST_WORDS: Final = 4
"""Characters; so many between two values may be words, and then the values stand in a text."""
_FEWEST: Final = 2
"""Values; nothing stands between fewer."""
_PREFIX: Final = 4
"""Bytes of a length in front of a message."""

Labelled = tuple[str, Any]
"""A value, and what stands before it where that names its kind."""


def embedded(text: str) -> list[Labelled]:
    """
    Return the values that a text is made of, with the marks before them; nothing where it is made of anything else.
    """
    found: list[tuple[str, Any]] = []
    at = 0
    while (place := _BEGINS.search(text, at)) is not None:
        try:
            value, end = json.JSONDecoder().raw_decode(text, place.start())
        except ValueError:
            # an answer that was cut off ends in the middle of a value
            break
        found.append((text[at : place.start()], value))
        at = end
    last = text[at:] if place is None else text[at : place.start()]
    return _labelled(found) if _is_framing([gap for gap, _ in found], last) else []


def _is_framing(gaps: list[str], last: str) -> bool:
    """
    Tell whether what stands between values, and after the last one, says nothing: it is alike, or too short for a word.
    """
    if len(gaps) < _FEWEST:
        return False
    before, *between, behind = (_BETWEEN.sub("", gap) for gap in (*gaps, last))
    usual = Counter(between).most_common(1)[0][0]
    starts = len(before) < _SHORTEST_WORDS or usual.endswith(before)
    # the last of several parts is closed by a mark that begins as the others do
    closes = len(behind) < _SHORTEST_WORDS or behind[:_SHORTEST_WORDS] == usual[:_SHORTEST_WORDS]
    return starts and closes and all(len(gap) < _SHORTEST_WORDS or gap == usual for gap in between)


def _labelled(found: list[tuple[str, Any]]) -> list[Labelled]:
    marks = [_UNSEEN.sub("", gap) for gap, _ in found]
    if len({*marks}) * 2 > len(marks):
        # numbers that differ are lengths, and name no kinds
        marks = [_BETWEEN.sub("", gap) for gap, _ in found]
    kinds = {kind for _, value in found for kind in _kinds(value)}
    if dict not in kinds and (str not in kinds or {*marks} <= {"", ","}):
        # numbers in brackets and words in quotation marks are parts of a text
        return []
    return [(mark, value) for mark, (_, value) in zip(marks, found, strict=True)]


def _kinds(value: object) -> set[type]:
    return {type(inner) for inner in value} if isinstance(value, list) else {type(value)}


def prefixed(body: bytes) -> list[bytes]:
    """
    Return the messages of a body in which each stands behind its length, and flags perhaps; nothing where none does.

    The last one may be cut off.
    """
    return _prefixed(body, "big") or _prefixed(body, "little") or _prefixed(body, "big", flags=1)


def _prefixed(body: bytes, order: Literal["big", "little"], flags: int = 0) -> list[bytes]:
    found, at = [], 0
    while at + flags + _PREFIX <= len(body):
        start = at + flags + _PREFIX
        at = start + int.from_bytes(body[at + flags : start], order)
        if at <= len(body):
            found.append(body[start:at])
    return found if all(one[:1] in {b"{", b"["} for one in found) else []

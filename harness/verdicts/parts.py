"""The parts of one answer: elements of a list that have nothing but a text, as blocks of content have."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from harness.verdicts.documents import documents
from harness.verdicts.texts import columns, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND = "type"


def rest_of_parts(told: str, body: bytes, word: str) -> str:
    """
    Return what an answer says in further parts than an output holds; nothing where that is no part of a whole.

    What a list has are answers to choose from, unless only one of its elements has the code word that each answer has
    to repeat.
    """
    for parts in (parts for one in documents(body) for parts in _lists(one.value)):
        others = [text for text in parts if text not in told]
        if told in parts and others and sum(word in text for text in parts) == 1:
            return "".join(others)
    return ""


def torn(told: str, body: bytes) -> str:
    """
    Return what is missing of the parts in whose middle an output begins or ends, where it goes on beyond one of them.

    Beside a part that is whole, the rest of another would look like words of the adapter's own.
    """
    for column in (one for one in columns(body) if one.listed):
        start = column.text.find(told)
        ends = [0, *accumulate(map(len, column.pieces))]
        held = [(begin, end) for begin, end in pairwise(ends) if begin < start + len(told) and end > start]
        if start >= 0 and len(held) > 1:
            first, last = held[0][0], held[-1][1]
            return column.text[first:start] + column.text[start + len(told) : last]
    return ""


def _lists(value: Any) -> Iterator[list[str]]:  # noqa: ANN401 - JSON is any value
    if isinstance(value, dict):
        for inner in value.values():
            yield from _lists(inner)
    elif isinstance(value, list):
        bare = [_bare(one) for one in value]
        yield [squeeze(text) for text in bare if text]
        for inner in value:
            yield from _lists(inner)


def _bare(value: object) -> str | None:
    """
    Return the text of an element that has nothing else; None of one that has a role, a number, a flag or the like.
    """
    said = {key: one for key, one in value.items() if one not in (None, [], {})} if isinstance(value, dict) else {}
    texts = [one for key, one in said.items() if key != _KIND and isinstance(one, str)]
    return texts[0] if len(texts) == 1 and len(said) == 1 + (_KIND in said) else None

"""What a model thinks before it answers, where its provider keeps that apart from the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.verdicts.texts import SET, Column, columns

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_THOUGHTS: Final = re.compile(r"reasoning|think|thought", re.IGNORECASE)
"""One of these words is in the name of the key, of the event or of the flag; the reason why an answer ended is none."""


def only_thought(told: str, body: bytes) -> bool:
    """
    Tell whether an answer says a text as its thoughts, and nowhere else.
    """
    found = columns(body)
    mixed = {one.path.partition(SET)[0] for one in found if SET in one.path}
    saying = [one for one in found if _says(one, told) and one.path not in mixed]
    return bool(saying) and all(map(_is_thought, saying))


def answered(body: bytes, asked: str) -> Iterator[str]:
    """
    Give what an answer says beside its thoughts, without what the request already said.
    """
    for one in columns(body):
        if not _is_thought(one):
            yield from (text for text in (one.text, *one.pieces) if text not in asked)


def _says(one: Column, told: str) -> bool:
    return told == one.text or (one.listed and told in one.pieces)


def _is_thought(one: Column) -> bool:
    return _OF_THOUGHTS.search(one.path) is not None

"""What a model thinks before it answers, where its provider keeps that apart from the answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.verdicts.fidelity import Agreement, Fidelity, relate
from harness.verdicts.texts import SET, Column, columns, squeeze, wordings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OF_THOUGHTS: Final = re.compile(r"reasoning|think|thought", re.IGNORECASE)
"""One of these words names the key, the event, the flag or the block; the reason why an answer ended is none."""
_SHORTEST: Final = 16
"""Characters of thoughts or an answer that are looked for in an output; shorter ones stand in any text."""
_FEWEST_WORDS: Final = 4
"""Words of an answer; an identifier, a signature or the name of a model has fewer."""


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


def worded(body: bytes) -> frozenset[str]:
    """
    Return what an answer says in several words, squeezed: no identifiers, no signatures.
    """
    return frozenset(squeeze(text) for text in wordings(body) if len(text.split()) >= _FEWEST_WORDS)


def spoilt(told: str, body: bytes) -> Fidelity | None:
    """
    Relate what stands beside an answer's thoughts to the rest of it, and what stands beside the rest to the thoughts.

    Both may be handed out, or the rest alone; but of neither a part, which would look like words of one's own beside
    the other. None where nothing is wrong.
    """
    found = [one for one in columns(body) if SET not in one.path]
    thoughts = _texts(one for one in found if _is_thought(one))
    others = _texts(one for one in found if not _is_thought(one))
    if not thoughts:
        return None
    return _beside(told, thoughts, others) or _beside(told, [one for one in others if one not in thoughts], thoughts)


def _texts(found: Iterator[Column]) -> list[str]:
    told = dict.fromkeys(text for one in found for text in (one.text, *(one.pieces if one.listed else ())))
    return sorted(told, key=len, reverse=True)


def _beside(told: str, whole: Sequence[str], others: Sequence[str]) -> Fidelity | None:
    """
    Relate what stands in an output beside the longest whole text to that of the others which it is made of.
    """
    within = next((one for one in whole if len(one) >= _SHORTEST and one in told), None)
    if within is None:
        return None
    rest = told.replace(within, "", 1)
    if not rest or rest in others:
        return None
    longer = [one for one in others if len(one) >= _SHORTEST]
    if (entire := next((one for one in longer if one in rest), None)) is not None:
        again = relate(rest, entire)
        return again if again and again.agreement is Agreement.DOUBLED and len(again.detail) >= _SHORTEST else None
    related = (relate(rest, one) for one in longer)
    return next((one for one in related if one and one.agreement in {Agreement.LOST, Agreement.DOUBLED}), None)


def _says(one: Column, told: str) -> bool:
    return told == one.text or (one.listed and told in one.pieces)


def _is_thought(one: Column) -> bool:
    return OF_THOUGHTS.search(one.path) is not None

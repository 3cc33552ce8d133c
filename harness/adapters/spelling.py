"""Misspelt words and what was meant by them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# The names around a thing are shown up to here; beyond, a list teaches nobody.
_MOST_SHOWN: Final = 12


def meant(word: str, known: Iterable[str]) -> str | None:
    """
    Return the known word that is nearest to a misspelt one, or None where none is near.
    """
    by_folded = {name.casefold(): name for name in reversed(list(known))}
    near = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """
    Return "; did you mean 'Y'?", or nothing where no known word is near.
    """
    near = meant(word, known)
    return f"; did you mean {near!r}?" if near else ""


def listed(known: Iterable[str]) -> str:
    """
    Return known words, separated by commas, the rest of a long list as a number.
    """
    names = list(known)
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")

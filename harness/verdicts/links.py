"""From an answer back to what asked for it: by the names that one exchange gives and a later one says."""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final

from harness.verdicts.texts import texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.verdicts.exchanges import Exchange

_IDENTIFIER: Final = re.compile(r"[\w.:/-]{4,}")
_DIGIT: Final = re.compile(r"\d")


def linked(bringer: Exchange, calls: Sequence[Exchange]) -> list[Exchange]:
    """
    Follow identifiers back: from a poll to what created its job, from there to the upload.
    """
    names = {one.sent.request: _names(one.sent.uri, one.sent.text) for one in (*calls, bringer)}
    known = _known(calls, names)
    gives = {one.sent.request: _gives(one, known) for one in calls}
    found: list[Exchange] = []
    open_ends = [bringer]
    while open_ends:
        one = open_ends.pop()
        said = names[one.sent.request]
        for earlier in calls:
            if earlier.order < one.order and earlier not in found and said & gives[earlier.sent.request]:
                found.append(earlier)
                open_ends.append(earlier)
    return found


# each answer of a job that is polled asks for the names of all requests
@lru_cache(maxsize=256)
def _names(uri: str, text: str) -> frozenset[str]:
    words = set(_IDENTIFIER.findall(f"{uri}\n{text}"))
    return frozenset(part for word in words for part in (word, *word.split("/")) if _DIGIT.search(part))


def _known(calls: Sequence[Exchange], names: Mapping[int, frozenset[str]]) -> dict[str, int]:
    """
    Return the words that requests say, and from where in the log on an answer that repeats one gives nothing new.

    One that a single request brought up, and its answer repeats, may still name a job, as the client chose to call it.
    What different requests to one address say is what they all ask for, such as a model, and names no job at all.
    """
    known: dict[str, int] = {}
    first: dict[tuple[tuple[str, str], str], Exchange] = {}
    for one in calls:
        for word in names[one.sent.request]:
            before = first.setdefault((one.address, word), one)
            alike = (before.sent.uri, before.sent.text) == (one.sent.uri, one.sent.text)
            place = one.order + 1 if alike else before.order
            known[word] = min(known.get(word, place), place)
    return known


def _gives(exchange: Exchange, known: dict[str, int]) -> frozenset[str]:
    """
    Return the words of an answer that may name something later: not those of its own address, such as v1.
    """
    said = frozenset(part for text in texts(exchange.body) for part in (text, *text.split("/")))
    own = frozenset(exchange.sent.uri.partition("?")[0].split("/"))
    return frozenset(word for word in said - own if exchange.order < known.get(word, inf))

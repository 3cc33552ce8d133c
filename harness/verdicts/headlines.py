"""
What an exception says, in one line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.events import Raised

_LONGEST: Final = 300
"""Characters of a message that stand in a sentence."""
_COUNT: Final = re.compile(r"\d+ validation errors? for ")
"""
How pydantic's message begins, of version 1 as of 2: where (unless it is the whole model), indented below it what is
wrong, then the next one. Client libraries and LangChain's models say in this way that a key is missing.
"""
_MODEL: Final = "__root__"
_CODE: Final = re.compile(r" [\[(]type=.*")


def headline(raised: Raised) -> str:
    """
    Return the exception's type and what it says first, in one line.
    """
    said = first_line(raised.message)
    return f"{raised.type}: {said}" if said else raised.type


def first_line(text: str) -> str:
    """
    Return what a message says first, cut where it is very long.

    Its first line; where that only counts what is wrong with a model, or ends in a colon, what stands below it as well.
    """
    line, *below = [one.rstrip() for one in text.strip().splitlines()] or [""]
    if below and _COUNT.match(line):
        line = f"{line}: {_first_fault(below)}"
    elif line.endswith(":"):
        line = " ".join([line, *filter(None, map(str.strip, below))][:2])
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _first_fault(lines: Sequence[str]) -> str:
    said = []
    for line in lines:
        indented, stripped = line[:1].isspace(), _CODE.sub("", line.strip())
        if stripped and stripped != _MODEL:
            said.append(stripped)
        if indented:
            break
    return ": ".join(said)

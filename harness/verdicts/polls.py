"""The answers of polls, put together as what one answer would have been."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from harness.verdicts.texts import slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.exchanges import Exchange

_FEWEST_GROWING: Final = 3
"""States of a text; of fewer, one begins another by chance."""


def told_in_turns(polls: Sequence[Exchange]) -> bytes:
    """
    Return the answers of polls as one body, for those of which each brings what the one before did not.

    Where each repeats what was said so far and goes on, the last one says it all.
    """
    told = polls[-1:] if _grow(polls) else polls
    return b"\n".join(one.body.replace(b"\n", b" ") for one in told)


def _grow(polls: Sequence[Exchange]) -> bool:
    states = [{path: "".join(said) for path, said in slots(one.body).items()} for one in polls]
    for path in states[-1]:
        said = [text for state in states if (text := state.get(path))]
        if len({*said}) >= _FEWEST_GROWING and all(after.startswith(before) for before, after in pairwise(said)):
            return True
    return False

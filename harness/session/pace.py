"""How fast a recording is replayed, as people write it."""

from __future__ import annotations

import math

from harness.errors import UserError
from harness.words import Pace


class PaceError(UserError):
    """
    Report a pace that is neither a word for one nor a factor.
    """

    code = "pace"


def read_pace(text: str, where: str | None = None) -> float:
    """
    Return the factor of the recorded pace: 0 for `instant`, 1 for `recorded`, or a number.

    Args:
        text: the pace.
        where: who names it, for errors.

    Raises:
        PaceError: it is none of these.
    """
    words = {"instant": Pace.INSTANT, "recorded": Pace.RECORDED}
    try:
        factor = words[text] if text in words else float(text)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        hint = "say instant, recorded, or a factor: 2 replays at half the speed, 0.5 at twice the speed"
        raise PaceError(f"{text!r} is no pace", where=where, hint=hint)
    return factor

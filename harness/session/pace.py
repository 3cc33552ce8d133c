"""How fast a recording is replayed, as people write it."""

from __future__ import annotations

import math

from harness.errors import UserError
from harness.words import Pace


def read_pace(text: str) -> float:
    """
    Return the factor of the recorded pace: 0 for `instant`, 1 for `recorded`, or a number.

    Raises:
        UserError: it is none of these.
    """
    words = {"instant": Pace.INSTANT, "recorded": Pace.RECORDED}
    try:
        factor = words[text] if text in words else float(text)
    except ValueError:
        factor = math.nan
    if not 0 <= factor < math.inf:
        hint = "say instant, recorded, or a factor: 2 replays at half the speed, 0.5 at twice the speed"
        raise UserError(f"{text!r} is no pace", hint=hint)
    return factor

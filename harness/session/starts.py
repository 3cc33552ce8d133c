"""How a program's start is told, wherever a run shows its progress as lines."""

from __future__ import annotations

from typing import Final

_EVERY: Final = 5
"""Seconds between lines about a program that is starting."""


def told_start(program: str, seconds: float, *, up: bool) -> str | None:
    """
    Return a line about a program's start; None where the last one is not long enough ago.
    """
    if up:
        return f"{program}: up after {seconds:.1f} s"
    return f"{program}: starting, {seconds:.0f} s" if round(seconds) % _EVERY == 0 else None

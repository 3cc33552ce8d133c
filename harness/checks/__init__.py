"""
What an application relies on beside the verdicts: checks that try an adapter over its recordings, faults included.

A check is a plug-in; docs/checks.md says how to write one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.check import Check, NotApplicable, check

if TYPE_CHECKING:
    from harness.checks.bench import Attempt, Bench, Stage

__all__ = ["Attempt", "Bench", "Check", "NotApplicable", "Stage", "check"]


def __getattr__(name: str) -> object:
    # the bench stands on the tape, and so on vcrpy; who only wants to know which checks there are does without
    if name not in {"Attempt", "Bench", "Stage"}:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from harness.checks import bench  # noqa: PLC0415 - as said above

    return getattr(bench, name)

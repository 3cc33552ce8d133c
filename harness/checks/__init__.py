"""
What an application relies on beside the verdicts: checks that try an adapter over its recordings, faults included.

A check is a plug-in; docs/checks.md says how to write one.
"""

from __future__ import annotations

from harness.checks.bench import Attempt, Bench, Stage
from harness.checks.check import Check, NotApplicable, check

__all__ = ["Attempt", "Bench", "Check", "NotApplicable", "Stage", "check"]

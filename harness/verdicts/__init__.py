"""What the events of a call mean: pure functions from a log to a judgement."""

from __future__ import annotations

from harness.verdicts.judge import judge

__all__ = ["judge"]

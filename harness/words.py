"""The words of matrix.json and of every report: capabilities, verdicts, mechanisms, the three questions behind them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

FEWEST_ARRIVALS: Final = 4
"""Arrivals, at least, of an answer that can show streaming (docs/verdicts.md)."""
REFUSED: Final = 400
"""HTTP statuses from here on are refusals (RFC 9110, 15.5 and 15.6)."""
UNAUTHORISED: Final = frozenset({401, 403})
"""HTTP statuses of a request without valid credentials or rights (RFC 9110, 15.5.2 and 15.5.4)."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """
    Return a number with its noun: `1 item`, `2 items`.
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


class Capability(StrEnum):
    """
    Name one of the six calls.
    """

    INVOKE = "invoke"
    AINVOKE = "ainvoke"
    STREAM = "stream"
    ASTREAM = "astream"
    BATCH = "batch"
    ABATCH = "abatch"

    @property
    def heading(self) -> str:
        """
        Return the column heading of the published tables.
        """
        return _HEADINGS[self]

    @property
    def is_async(self) -> bool:
        """
        Tell whether the call is awaited.
        """
        return self.value.startswith("a")

    @property
    def streams(self) -> bool:
        """
        Tell whether the call hands out items.
        """
        return self.value.endswith("stream")

    @property
    def batches(self) -> bool:
        """
        Tell whether the call takes several inputs.
        """
        return self.value.endswith("batch")


_HEADINGS: Final = {
    Capability.INVOKE: "Invoke",
    Capability.AINVOKE: "Async invoke",
    Capability.STREAM: "Stream",
    Capability.ASTREAM: "Async stream",
    Capability.BATCH: "Batch",
    Capability.ABATCH: "Async batch",
}


class Verdict(StrEnum):
    """
    Say what a cell turned out to be.
    """

    NATIVE = "native"
    FALLBACK = "fallback"
    BROKEN = "broken"
    UNSUPPORTED = "unsupported"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"

    @property
    def symbol(self) -> str:
        """
        Return the published table's symbol: a check, a cross or a question mark.
        """
        if self is Verdict.NATIVE:
            return "✅"
        return "?" if self is Verdict.UNKNOWN else "❌"

    @property
    def works(self) -> bool:
        """
        Tell whether the call came back with the upstream's answer, emulated or not.
        """
        return self in {Verdict.NATIVE, Verdict.FALLBACK}


class Mechanism(StrEnum):
    """
    Say how a call that works is emulated, worst for the caller first.
    """

    BLOCKS_LOOP = "blocks-loop"
    SINGLE_ITEM = "single-item"
    BUFFERED = "buffered"
    SEQUENTIAL = "sequential"
    WORKER_THREAD = "worker-thread"
    OTHER_LOOP = "other-loop"
    CONCURRENT = "concurrent"


class Delivery(StrEnum):
    """
    Say how an answer reached the caller.
    """

    WHOLE = "whole"
    INCREMENTAL = "incremental"
    BUFFERED = "buffered"


class AsyncIO(StrEnum):
    """
    Say where an awaited call did its input and output.
    """

    EVENT_LOOP = "event-loop"
    WORKER_THREAD = "worker-thread"
    OTHER_LOOP = "other-loop"
    BLOCKS_LOOP = "blocks-loop"


class FanOut(StrEnum):
    """
    Say how several inputs travelled.
    """

    BATCHED = "batched"
    CONCURRENT = "concurrent"
    SEQUENTIAL = "sequential"


class State(StrEnum):
    """
    Say how a check ended.

    `skipped` could not be tried, `off` was switched off by the registration, `fault` failed itself.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    OFF = "off"
    FAULT = "fault"


class Upstream(StrEnum):
    """
    Say where an adapter's cassettes come from.
    """

    LIVE = "live"
    SIMULATED = "simulated"
    ENGINE = "engine"
    STAND_IN = "stand-in"
    IMPORTED = "imported"


class Pace:
    """
    Name the two replay paces that are not a factor.
    """

    INSTANT: Final = 0.0
    RECORDED: Final = 1.0

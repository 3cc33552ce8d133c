"""What a run was asked to do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

TIMEOUT: Final = 30.0
MEMORY: Final = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Hold the settings of one run.

    Attributes:
        record: talk to the real upstream and write cassettes, instead of replaying them.
        pace: 0 replays at once, 1 at the recorded pace, other factors scale it.
        jobs: how many adapters run side by side; None for one a processor.
        timeout: seconds that a call may take, where the registration says nothing.
        memory: bytes that a cell may use.
        spawn: start an interpreter for each adapter instead of forking.
        keep_errors: keep recordings of answers that the upstream refused or broke off.
        entropy: refuse recordings that hold what is random where a credential would stand.
        dial: "address:port" of a simulator to record from, instead of the real upstream.
    """

    record: bool = False
    pace: float = 0.0
    jobs: int | None = None
    timeout: float = TIMEOUT
    memory: int = MEMORY
    spawn: bool | None = None
    keep_errors: bool = False
    entropy: bool = True
    dial: str | None = None

    @property
    def workers(self) -> int:
        """
        Return how many adapters run side by side.
        """
        return self.jobs or max(os.cpu_count() or 1, 1)

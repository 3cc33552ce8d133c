"""A check looks at requests while others are being sent: what it looks at may grow meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from harness.checks import batches

MOST = 200_000
"""Requests that are sent at most."""


@dataclass
class Empty:
    """
    Stand for a stage in which nothing has happened yet.
    """

    events: list[Any] = field(default_factory=list)


def test_whoever_waits_for_their_turn_may_look_while_requests_are_sent() -> None:
    """
    A request that another thread sends in that moment raises nothing, which would be put down to the adapter.
    """
    turns: list[tuple[int, tuple[int, ...]]] = [(number, (0,)) for number in range(5_000)]
    begun, enough = threading.Event(), threading.Event()

    def send() -> None:
        while not enough.is_set() and len(turns) < MOST:
            turns.append((len(turns), (1,)))
            begun.set()

    sending = threading.Thread(target=send)
    sending.start()
    try:
        assert begun.wait(60)
        for _ in range(50):
            done = batches._are_read([Empty()], turns, frozenset({2}))  # type: ignore[list-item]  # noqa: SLF001 - has events, too; a whole check meets this once in thousands
            assert not done
    finally:
        enough.set()
        sending.join()

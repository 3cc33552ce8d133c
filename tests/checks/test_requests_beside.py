"""A check looks at requests while others are being sent: what it looks at may grow meanwhile."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from harness.checks import batches


@dataclass
class Empty:
    """
    Stand for a stage in which nothing has happened yet.
    """

    events: list[Any] = field(default_factory=list)


def test_whoever_waits_for_their_turn_may_look_while_requests_are_sent():
    """
    A request that another thread sends in that moment raises nothing, which would be put down to the adapter.
    """
    turns: list[tuple[int, tuple[int, ...]]] = [(number, (0,)) for number in range(5_000)]

    def send() -> None:
        for number in range(len(turns), 20 * len(turns)):
            turns.append((number, (1,)))  # noqa: PERF401 - one at a time, as requests are sent

    sending = threading.Thread(target=send)
    sending.start()
    looks = 0
    while sending.is_alive():
        looks += 1
        done = batches._are_read([Empty()], turns, frozenset({2}))  # type: ignore[list-item]  # noqa: SLF001 - has events, too; a whole check meets this once in thousands
        assert not done
    assert looks

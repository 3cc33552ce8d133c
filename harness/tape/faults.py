"""What can go wrong with an answer, as values: to say so takes nothing of the tape that does it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tape.gate import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """
    Say what goes wrong with the answers to requests that carry a prompt; other requests are answered as recorded.

    Attributes:
        status: answer with this HTTP status, however often it is asked.
        only: do so only where the request carries this input, and no other; None for every one.
        cut: break an answer of four arrivals or more off in its middle.
        repeat: hand a piece from the middle of an answer of four pieces or more out so many times more, each as an
            arrival, before the rest of the answer follows: more than anybody waits for is for ever.
        lenient: answer a request that differs from the recorded one in query or body, such as a further parameter.
        gate: decides when the arrivals of one request may go, by its number and the inputs that it carries; None leaves
            that to the tape's own gate.
    """

    status: int | None = None
    only: int | None = None
    cut: bool = False
    repeat: int = 0
    lenient: bool = False
    gate: Callable[[int, tuple[int, ...]], Gate | None] | None = None

    def as_dict(self) -> dict[str, object]:
        """
        Return what another process can be told: everything but the gate, which is code of this one.
        """
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "gate"}

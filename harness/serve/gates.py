"""When a served arrival may go: at its pace, or when somebody asks for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.tape.gate import Gate
from harness.words import Capability

if TYPE_CHECKING:
    from harness.events import Spot


class OpenGate(Gate):
    """
    Hold nothing: a server cannot see what its client does with an arrival.
    """

    def __init__(self) -> None:
        super().__init__(Capability.STREAM)

    def sent(self, request: int, carries: tuple[int, ...], address: str) -> None:
        """
        Keep nothing of a request.
        """

    def ended(self, request: int, address: str) -> None:
        """
        Keep nothing of an answer's end.
        """


@dataclass(slots=True)
class _Held:
    """
    Hold one arrival until it may go, and whoever asked for it until it has gone.
    """

    position: int
    of: int
    go: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Released:
    """
    Say which arrival went.

    Attributes:
        request: the request's number in the log.
        index: the arrival's place in its answer, from 0.
        arrivals: how many the answer has.
        held: how many answers have an arrival that waits, after this one went.
    """

    request: int
    index: int
    arrivals: int
    held: int


class Lockstep(OpenGate):
    """
    Hold each arrival of each answer until somebody asks for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, _Held] = {}
        self._going: dict[int, _Held] = {}
        self._more = asyncio.Condition()

    def lets_pass(self, spot: Spot, *, last: bool) -> bool:  # noqa: ARG002 - the gate's interface
        """
        Let nothing pass unasked.
        """
        return False

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:  # noqa: ARG002 - the gate's interface
        """
        Wait until this arrival is asked for.
        """
        mine = _Held(position, of)
        async with self._more:
            self._held[request] = mine
            self._more.notify_all()
        await mine.go.wait()

    async def release(self, request: int | None, patience: float, fewest: int = 1) -> Released | None:
        """
        Let the arrival go that waits the longest, or that of one request, and return when it has gone.

        Args:
            request: the request's number in the log; None for any.
            patience: seconds to wait until there is one that waits.
            fewest: how many answers must have an arrival that waits.
        """
        try:
            async with asyncio.timeout(patience), self._more:
                await self._more.wait_for(lambda: self._waiting(request) is not None and len(self._held) >= fewest)
                number = self._waiting(request)
        except TimeoutError:
            return None
        if number is None:
            return None
        held = self._going[number] = self._held.pop(number)
        held.go.set()
        await held.gone.wait()
        return Released(number, held.position, held.of, len(self._held))

    def went(self, request: int) -> None:
        """
        Note that what was released of an answer has been written.
        """
        held = self._going.pop(request, None)
        if held is not None:
            held.gone.set()

    def left(self, request: int) -> None:
        """
        Note that an answer's client is gone, or has all of it.
        """
        self._held.pop(request, None)
        self.went(request)

    def _waiting(self, request: int | None) -> int | None:
        if request is None:
            return next(iter(self._held), None)
        return request if request in self._held else None

"""Streams that are gathered by a clock of the adapter's own: in time, too late, and those that only look like it."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from zoo_adapters.base import Base

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

WINDOW: Final = 0.03
"""Seconds; a piece comes every 0.012, and there are fifteen."""
LONGER_THAN_THE_ANSWER: Final = 30.0


class Window:
    """
    Hold what comes within a span of time.
    """

    def __init__(self, seconds: float = WINDOW) -> None:
        self.held = ""
        self._seconds = seconds
        self._began = time.monotonic()

    def add(self, text: str) -> str:
        """
        Take a piece, and return everything held where the span is over.
        """
        self.held += text
        if time.monotonic() - self._began < self._seconds:
            return ""
        told, self.held, self._began = self.held, "", time.monotonic()
        return told


def in_windows(pieces: Iterable[str], seconds: float = WINDOW) -> Iterator[str]:
    """
    Join the pieces that come within a span of time, and hand each span out when it is over.
    """
    window = Window(seconds)
    for text in pieces:
        if told := window.add(text):
            yield told
    yield window.held


class LooksAtTheClock(Base):
    """
    Look at the clock at each piece.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from in_windows(self._pieces(prompt))

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        window = Window()
        async for text in self._apieces(prompt):
            if told := window.add(text):
                yield told
        yield window.held


class SetsATimer(Base):
    """
    Read ahead, and empty the queue at fixed intervals.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces: queue.Queue[str] = queue.Queue()

        def read() -> None:
            for text in self._pieces(prompt):
                pieces.put(text)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(WINDOW)
            yield "".join(pieces.get() for _ in range(pieces.qsize()))
        yield "".join(pieces.get() for _ in range(pieces.qsize()))

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        held: list[str] = []

        async def read() -> None:
            async for text in self._apieces(prompt):
                held.append(text)  # noqa: PERF401 - as it comes, and not when all of it has

        reader = asyncio.create_task(read())
        while not reader.done():
            await asyncio.wait([reader], timeout=WINDOW)
            text, held[:] = "".join(held), []
            yield text
        await reader


class LongWindow(Base):
    """
    Look at the clock, with a span in which every answer is over.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from in_windows(self._pieces(prompt), LONGER_THAN_THE_ANSWER)


class WindowsAfterwards(Base):
    """
    Cut the answer into spans as it comes, and hand them out when it is complete.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from list(in_windows(self._pieces(prompt)))


class WindowsInAThread(Base):
    """
    Step a stream that looks at the clock in the loop's executor.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        loop, spans = asyncio.get_running_loop(), in_windows(self._pieces(prompt))
        while (text := await loop.run_in_executor(None, next, spans, None)) is not None:
            yield text

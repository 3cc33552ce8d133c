"""Asynchronous streams: true ones in odd clothes, and emulated ones that look true."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import TYPE_CHECKING, Final

import anyio.to_thread
from zoo_adapters.base import Base

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PAUSE: Final = 0.004


class YieldsOnce(Base):
    """
    Ask for a stream asynchronously, join it, yield it.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield "".join([text async for text in self._apieces(prompt)])


class Prefetches(Base):
    """
    Collect every true piece first, then hand them out one by one.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in [text async for text in self._apieces(prompt)]:
            yield text


class SleepsBetween(Base):
    """
    Collect everything, then act as if it were still coming.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in [text async for text in self._apieces(prompt)]:
            await asyncio.sleep(PAUSE)
            yield text


class SplitsWholeAnswer(Base):
    """
    Ask for no stream at all and hand the answer out word by word.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in re.findall(r"\S+\s*", await self._aask(prompt)):
            yield text


class PlaceholderThenSplit(Base):
    """
    Say something at once, then split the finished answer.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield "Thinking…"
        for text in [text async for text in self._apieces(prompt)]:
            yield text


class PlaceholderThenNative(Base):
    """
    Say something at once, then stream truly.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield "Thinking…"
        async for text in self._apieces(prompt):
            yield text


class UntilFinishMark(Base):
    """
    Hold everything back until the finish mark, hand it out before `[DONE]` is read.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        from zoo_adapters.clients import finishes, piece  # noqa: PLC0415 - only this specimen parses lines itself

        held: list[str] = []
        async for line in self._async.lines(self._path, self._body(prompt, stream=True)):
            held.append(piece(line))
            if finishes(line):
                for text in held:
                    yield text


class LooksAhead(Base):
    """
    Stay three pieces behind the upstream.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        held: list[str] = []
        async for text in self._apieces(prompt):
            held.append(text)
            if len(held) > 3:
                yield held.pop(0)
        for text in held:
            yield text


class HalfBuffered(Base):
    """
    Hold back three quarters of the answer, then go on piece by piece.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        held: list[str] = []
        async for text in self._apieces(prompt):
            held.append(text)
            if len(held) >= 12:  # of 15 pieces
                yield "".join(held) if len(held) == 12 else text


class TaskAndQueue(Base):
    """
    Read in a task of its own, hand over through a queue, at once.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        pieces: asyncio.Queue[str | None] = asyncio.Queue()

        async def read() -> None:
            async for text in self._apieces(prompt):
                await pieces.put(text)
            await pieces.put(None)

        reader = asyncio.create_task(read())
        while (text := await pieces.get()) is not None:
            yield text
        await reader


class TaskThenQueue(Base):
    """
    Read in a task of its own, wait for the task, then empty the queue.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        pieces: asyncio.Queue[str] = asyncio.Queue()

        async def read() -> None:
            async for text in self._apieces(prompt):
                await pieces.put(text)

        await asyncio.create_task(read())
        while not pieces.empty():
            yield pieces.get_nowait()


class ThreadToQueue(Base):
    """
    Read in a thread, hand over to the loop piece by piece.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        def read() -> None:
            for text in self._pieces(prompt):
                loop.call_soon_threadsafe(pieces.put_nowait, text)
            loop.call_soon_threadsafe(pieces.put_nowait, None)

        threading.Thread(target=read, daemon=True).start()
        while (text := await pieces.get()) is not None:
            yield text


class NextInExecutor(Base):
    """
    Step a true synchronous stream in the loop's executor.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        loop, pieces = asyncio.get_running_loop(), self._pieces(prompt)
        while (text := await loop.run_in_executor(None, next, pieces, None)) is not None:
            yield text


class NextInAnyio(Base):
    """
    Step a true synchronous stream in a worker thread of anyio.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        pieces = self._pieces(prompt)
        while (text := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
            yield text


class BufferedInThread(Base):
    """
    Collect the stream in a worker thread, then hand it out: late, and in a thread.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in await asyncio.to_thread(lambda: list(self._pieces(prompt))):
            yield text


class SyncInside(Base):
    """
    Iterate a synchronous client on the event loop.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in self._pieces(prompt):
            yield text


class SyncBufferedInside(Base):
    """
    Collect from a synchronous client on the event loop: late, and blocking.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield "".join(self._pieces(prompt))


class SleepsOnLoop(Base):
    """
    Stream truly, but sleep synchronously between the pieces.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            time.sleep(0.05)  # noqa: ASYNC251 - the fault on show
            yield text


class FromOtherLoop(Base):
    """
    Stream truly in a loop of another thread and hand over piece by piece.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[str | None]()

        async def read() -> None:
            async for text in self._apieces(prompt):
                loop.call_soon_threadsafe(pieces.put_nowait, text)
            loop.call_soon_threadsafe(pieces.put_nowait, None)

        threading.Thread(target=asyncio.run, args=(read(),), daemon=True).start()
        while (text := await pieces.get()) is not None:
            yield text


class NotAGenerator(Base):
    """
    Return a list where an asynchronous iterator is due.
    """

    def astream(self, prompt: str) -> list[str]:
        return list(self._pieces(prompt))


class SyncGenerator(Base):
    """
    Return a synchronous generator where an asynchronous one is due.
    """

    def astream(self, prompt: str) -> Iterator[str]:
        return self._pieces(prompt)

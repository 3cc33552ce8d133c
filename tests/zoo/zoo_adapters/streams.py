"""Synchronous streams: true ones in odd clothes, and emulated ones that look true."""

from __future__ import annotations

import asyncio
import queue
import re
import threading
import time
from typing import TYPE_CHECKING, Final

from zoo_adapters.base import Base

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PAUSE: Final = 0.004


def in_words(text: str) -> list[str]:
    """
    Cut a finished text into words with their spaces.
    """
    return re.findall(r"\S+\s*", text)


class YieldsOnce(Base):
    """
    Ask for a stream, join it, yield it.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield "".join(self._pieces(prompt))


class SplitsAfterwards(Base):
    """
    Read the stream to its end, then hand it out word by word.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from in_words("".join(self._pieces(prompt)))


class SplitsWholeAnswer(Base):
    """
    Ask for no stream at all and hand the answer out word by word.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from in_words(self._ask(prompt))


class CollectsPieces(Base):
    """
    Return a list of the true pieces: their count is the upstream's, their time is not.
    """

    def stream(self, prompt: str) -> list[str]:
        return list(self._pieces(prompt))


class SleepsBetween(Base):
    """
    Read everything, then act as if it were still coming.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        for text in list(self._pieces(prompt)):
            time.sleep(PAUSE)
            yield text


class PlaceholderThenWhole(Base):
    """
    Say something at once, then nothing until the answer is there.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield "Thinking…"
        yield "".join(self._pieces(prompt))


class PlaceholderThenSplit(Base):
    """
    Say something at once, then split the finished answer.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield "Thinking…"
        yield from list(self._pieces(prompt))


class PlaceholderThenNative(Base):
    """
    Say something at once, then stream truly.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield "Thinking…"
        yield from self._pieces(prompt)


class BlankThenSplit(Base):
    """
    Yield white space and an empty string early, the answer late.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield ""
        yield "\n"
        pieces = self._pieces(prompt)
        first = next(pieces)
        yield " "
        yield from [first, *pieces]


class EmptyThenNative(Base):
    """
    Begin with an empty item, as role-only chunks do, then stream truly.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield ""
        yield from self._pieces(prompt)
        yield ""


class UntilFinishMark(Base):
    """
    Hold everything back until the finish mark, hand it out before `[DONE]` is read.
    """

    def __init__(self, base_url: str, *, split: bool, **options: str) -> None:
        super().__init__(base_url, **options)
        self._splits = split

    def stream(self, prompt: str) -> Iterator[str]:
        from zoo_adapters.clients import finishes, piece  # noqa: PLC0415 - only this specimen parses lines itself

        held: list[str] = []
        for line in self._sync.lines(self._path, self._body(prompt, stream=True)):
            held.append(piece(line))
            if finishes(line):
                yield from held if self._splits else ["".join(held)]
                held = []


class HalfBuffered(Base):
    """
    Hold back three quarters of the answer, then go on piece by piece.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        held: list[str] = []
        for text in self._pieces(prompt):
            held.append(text)
            if len(held) >= 12:  # of 15 pieces
                yield "".join(held) if len(held) == 12 else text


class LooksAhead(Base):
    """
    Stay three pieces behind the upstream.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        held: list[str] = []
        for text in self._pieces(prompt):
            held.append(text)
            if len(held) > 3:
                yield held.pop(0)
        yield from held


class Sentences(Base):
    """
    Hand out whole sentences as soon as each is complete.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        rest = ""
        for text in self._pieces(prompt):
            rest += text
            *sentences, rest = re.split(r"(?<=\.) ", rest)
            yield from (f"{sentence} " for sentence in sentences)
        yield rest


class Respaced(Base):
    """
    Stream truly, with other white space than the upstream's.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        for text in self._pieces(prompt):
            yield re.sub(r"\s+", "  ", text)


class ThreadAndQueue(Base):
    """
    Read in a thread, hand over through a queue, at once.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces: queue.Queue[str | None] = queue.Queue()

        def read() -> None:
            for text in self._pieces(prompt):
                pieces.put(text)
            pieces.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (text := pieces.get()) is not None:
            yield text


class ThreadThenQueue(Base):
    """
    Read in a thread, wait for the thread, then empty the queue.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces: queue.Queue[str] = queue.Queue()

        def read() -> None:
            for text in self._pieces(prompt):
                pieces.put(text)

        reader = threading.Thread(target=read)
        reader.start()
        reader.join()
        while not pieces.empty():
            yield pieces.get()


class FedByOtherLoop(Base):
    """
    Run an asynchronous client in a loop of another thread and hand its pieces over at once.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces: queue.Queue[str | None] = queue.Queue()

        async def read() -> None:
            async for text in Base(self.base_url)._apieces(prompt):
                pieces.put(text)
            pieces.put(None)

        threading.Thread(target=asyncio.run, args=(read(),), daemon=True).start()
        while (text := pieces.get()) is not None:
            yield text


class DrivesALoop(Base):
    """
    Step an asynchronous generator from synchronous code, in the caller's thread.
    """

    def invoke(self, prompt: str) -> str:
        return asyncio.run(Base(self.base_url)._aask(prompt))

    def stream(self, prompt: str) -> Iterator[str]:
        with asyncio.Runner() as runner:
            pieces: AsyncIterator[str] = Base(self.base_url)._apieces(prompt)
            while (text := runner.run(self._step(pieces))) is not None:
                yield text

    @staticmethod
    async def _step(pieces: AsyncIterator[str]) -> str | None:
        return await anext(pieces, None)


class ClosesAtFinish(Base):
    """
    Hang up at the finish mark, before `[DONE]`.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._until_finish(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._auntil_finish(prompt):
            yield text


class ClosesTooEarly(Base):
    """
    Hang up before the answer is complete.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces = self._pieces(prompt)
        for _ in range(10):
            yield next(pieces)
        pieces.close()  # type: ignore[attr-defined]  # a generator

    def invoke(self, prompt: str) -> str:
        return "".join(self.stream(prompt))


class Tiny(Base):
    """
    Stream truly from an upstream that answers in two arrivals.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, path="/v1/tiny")

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text

    def invoke(self, prompt: str) -> str:
        return "".join(self._pieces(prompt))


class StreamsByPolling(Base):
    """
    Create a job, poll it, hand out what each poll adds.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        job = self._sync.post("/v1/jobs", {"prompt": prompt})["id"]
        shown = 0
        while True:
            state = self._sync.get(f"/v1/jobs/{job}")
            if len(state["output"]) > shown:
                yield state["output"][shown:]
                shown = len(state["output"])
            if state["status"] == "done":
                return
            time.sleep(0.015)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        job = (await self._async.post("/v1/jobs", {"prompt": prompt}))["id"]
        shown = 0
        while True:
            state = await self._async.get(f"/v1/jobs/{job}")
            if len(state["output"]) > shown:
                yield state["output"][shown:]
                shown = len(state["output"])
            if state["status"] == "done":
                return
            await asyncio.sleep(0.015)


class PollsThenSplits(StreamsByPolling):
    """
    Poll the job to its end, then hand out what the polls added.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from list(super().stream(prompt))

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in [text async for text in super().astream(prompt)]:
            yield text


class PollsThenYieldsOnce(StreamsByPolling):
    """
    Poll the job to its end, then hand out the answer in one item.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield "".join(super().stream(prompt))

"""What applications rely on: an adapter that keeps all of it, and adapters that each break one thing of it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from zoo_adapters.base import Base
from zoo_adapters.clients import piece, texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Config = dict[str, Any] | None
Stop = list[str] | None


class Reliable(Base):
    """
    Keep everything: a limit, exceptions in their places, `stop` in the request, streams that end when they are closed.
    """

    def _wanted(self, prompt: object, stop: Stop, *, stream: bool = False) -> dict[str, Any]:
        body = self._body(prompt, stream=stream)
        return {**body, "stop": stop} if stop else body

    def invoke(self, prompt: str, *, stop: Stop = None) -> str:
        return texts(self._sync.post(self._path, self._wanted(prompt, stop)))[0]

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        return texts(await self._async.post(self._path, self._wanted(prompt, stop)))[0]

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        for line in self._sync.lines(self._path, self._wanted(prompt, stop, stream=True)):
            if text := piece(line):
                yield text

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        lines = self._async.lines(self._path, self._wanted(prompt, stop, stream=True))
        try:
            async for line in lines:
                if text := piece(line):
                    yield text
        finally:
            await lines.aclose()

    def batch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        def one(prompt: str) -> Any:
            try:
                return self.invoke(prompt, stop=stop)
            except Exception as error:
                if not return_exceptions:
                    raise
                return error

        with ThreadPoolExecutor(self._limit(config, len(prompts))) as pool:
            return list(pool.map(one, prompts))

    async def abatch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        turns = asyncio.Semaphore(self._limit(config, len(prompts)))

        async def one(prompt: str) -> str:
            async with turns:
                return await self.ainvoke(prompt, stop=stop)

        return list(await self._agathered(list(map(one, prompts)), return_exceptions))

    def _limit(self, config: Config, many: int) -> int:
        return int((config or {}).get("max_concurrency") or many)

    async def _agathered(self, calls: list[Any], return_exceptions: bool) -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=return_exceptions)


class StripsPieces(Reliable):
    """
    Tidy each piece up, so that words run together.
    """

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        for text in super().stream(prompt, stop=stop):
            yield text.strip()

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        async for text in super().astream(prompt, stop=stop):
            yield text.strip()


class EndsQuietly(Reliable):
    """
    Take a broken connection for the end.
    """

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        items = super().stream(prompt, stop=stop)
        yield next(items)
        try:
            yield from items
        except Exception:  # noqa: BLE001 - what this animal does
            return

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        items = super().astream(prompt, stop=stop)
        yield await anext(items)
        try:
            async for text in items:
                yield text
        except Exception:  # noqa: BLE001 - the same
            return


class KeepsOpen(Reliable):
    """
    Keep hold of the answer after its reader has gone.
    """

    def __init__(self, base_url: str, **options: str) -> None:
        super().__init__(base_url, **options)
        self._kept: list[Any] = []

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        items = super().stream(prompt, stop=stop)
        self._kept.append(items)
        for text in items:  # noqa: UP028 - `yield from` would close them
            yield text

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        items = super().astream(prompt, stop=stop)
        self._kept.append(items)
        async for text in items:
            yield text


def _told(piece: str | Exception) -> str:
    if isinstance(piece, Exception):
        raise piece
    return piece


class ReadsOn(Reliable):
    """
    Read in a thread or a task of its own that nobody tells of the end.
    """

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        pieces: SimpleQueue[str | Exception | None] = SimpleQueue()

        def read() -> None:
            try:
                for text in Reliable.stream(self, prompt, stop=stop):
                    pieces.put(text)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                pieces.put(error)
            pieces.put(None)

        threading.Thread(target=read, daemon=True).start()
        while (text := pieces.get()) is not None:
            yield _told(text)

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()

        async def read() -> None:
            try:
                async for text in Reliable.astream(self, prompt, stop=stop):
                    await pieces.put(text)
            except Exception as error:  # noqa: BLE001 - the same
                await pieces.put(error)
            await pieces.put(None)

        reading = asyncio.create_task(read())
        while (text := await pieces.get()) is not None:
            yield _told(text)
        await reading


class TellsItsReader(Reliable):
    """
    Read in a thread or a task of its own, and end it with the stream.
    """

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        pieces: SimpleQueue[str | Exception | None] = SimpleQueue()
        over = threading.Event()

        def read() -> None:
            try:
                for text in Reliable.stream(self, prompt, stop=stop):
                    if over.is_set():
                        break
                    pieces.put(text)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                pieces.put(error)
            pieces.put(None)

        threading.Thread(target=read, daemon=True).start()
        try:
            while (text := pieces.get()) is not None:
                yield _told(text)
        finally:
            over.set()

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        pieces: asyncio.Queue[str | Exception | None] = asyncio.Queue()

        async def read() -> None:
            try:
                async for text in Reliable.astream(self, prompt, stop=stop):
                    await pieces.put(text)
            except Exception as error:  # noqa: BLE001 - the same
                await pieces.put(error)
            await pieces.put(None)

        reading = asyncio.create_task(read())
        try:
            while (text := await pieces.get()) is not None:
                yield _told(text)
        finally:
            reading.cancel()


class FirstComeFirstServed(Reliable):
    """
    Hand outputs out in the order in which they are done.
    """

    def batch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        if return_exceptions:
            return super().batch(prompts, config, return_exceptions=True, stop=stop)
        with ThreadPoolExecutor(self._limit(config, len(prompts))) as pool:
            calls = [pool.submit(self.invoke, prompt, stop=stop) for prompt in prompts]
            return [done.result() for done in as_completed(calls)]

    async def _agathered(self, calls: list[Any], return_exceptions: bool) -> list[Any]:
        if return_exceptions:
            return await super()._agathered(calls, return_exceptions)
        return [await done for done in asyncio.as_completed(calls)]


class OneForAll(Reliable):
    """
    Let one exception end the whole batch, whatever the caller asked for.
    """

    def batch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        return super().batch(prompts, config, return_exceptions=return_exceptions and False, stop=stop)

    async def abatch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        return await super().abatch(prompts, config, return_exceptions=return_exceptions and False, stop=stop)


class Unlimited(Reliable):
    """
    Take a limit and forget it.
    """

    def _limit(self, config: Config, many: int) -> int:
        return many if config is not None else super()._limit(config, many)


def _sorry(error: Exception) -> str:
    if "400" in str(error):
        raise error
    return f"Sorry: {error}"


class Apologises(Reliable):
    """
    Turn a refusal into an answer.
    """

    def invoke(self, prompt: str, *, stop: Stop = None) -> str:
        try:
            return super().invoke(prompt, stop=stop)
        except Exception as error:  # noqa: BLE001 - what this animal does
            return _sorry(error)

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        try:
            return await super().ainvoke(prompt, stop=stop)
        except Exception as error:  # noqa: BLE001 - the same
            return _sorry(error)

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        items = super().stream(prompt, stop=stop)
        try:
            first = next(items)
        except Exception as error:  # noqa: BLE001 - the same
            first = _sorry(error)
        yield first
        yield from items

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        items = super().astream(prompt, stop=stop)
        try:
            first = await anext(items)
        except Exception as error:  # noqa: BLE001 - the same
            first = _sorry(error)
        yield first
        try:
            async for text in items:
                yield text
        finally:
            await items.aclose()  # type: ignore[attr-defined]  # a generator


class ForgetsStop(Reliable):
    """
    Take `stop` and leave it out of the request.
    """

    def _wanted(self, prompt: object, stop: Stop, *, stream: bool = False) -> dict[str, Any]:
        return self._body(prompt, stream=stream)


class CutsItself(Reliable):
    """
    Cut the answer off at `stop` itself, as for providers that know no such thing.
    """

    def _wanted(self, prompt: object, stop: Stop, *, stream: bool = False) -> dict[str, Any]:
        return self._body(prompt, stream=stream)

    @staticmethod
    def _cut(text: str, stop: Stop) -> str:
        return text.partition(stop[0])[0] if stop else text

    def invoke(self, prompt: str, *, stop: Stop = None) -> str:
        return self._cut(super().invoke(prompt), stop)

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        return self._cut(await super().ainvoke(prompt), stop)

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        for text in super().stream(prompt):
            yield self._cut(text, stop)
            if stop and stop[0] in text:
                return

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        items = super().astream(prompt)
        try:
            async for text in items:
                yield self._cut(text, stop)
                if stop and stop[0] in text:
                    return
        finally:
            await items.aclose()  # type: ignore[attr-defined]  # a generator


class WillNotStop(Reliable):
    """
    Go on when it is cancelled.
    """

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        work = asyncio.ensure_future(super().ainvoke(prompt, stop=stop))
        while not work.done():
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                continue
        return work.result()

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        try:
            async for text in super().astream(prompt, stop=stop):
                yield text
        except asyncio.CancelledError:
            return

    async def abatch(
        self, prompts: list[str], config: Config = None, *, return_exceptions: bool = False, stop: Stop = None
    ) -> list[Any]:
        try:
            return await super().abatch(prompts, config, return_exceptions=return_exceptions, stop=stop)
        except asyncio.CancelledError:
            return []


class AsksAgain(Reliable):
    """
    Take a cancellation for a failure of the upstream, and ask once more.
    """

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        try:
            return await super().ainvoke(prompt, stop=stop)
        except asyncio.CancelledError:
            return await super().ainvoke(prompt, stop=stop)


class InAThread(Reliable):
    """
    Run the synchronous call in a thread; whoever cancels is free at once.
    """

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, partial(self.invoke, prompt, stop=stop))

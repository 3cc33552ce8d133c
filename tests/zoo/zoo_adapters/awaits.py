"""Where an awaited call does its input and output: on the loop, beside it, against it."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from zoo_adapters.base import Base
from zoo_adapters.clients import texts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine


class ToThread(Base):
    """
    Send the synchronous call to a thread of asyncio.
    """

    async def ainvoke(self, prompt: str) -> str:
        return await asyncio.to_thread(self._ask, prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await asyncio.to_thread(self._ask_all, prompts)


class OwnPool(Base):
    """
    Send the synchronous call to a pool of its own.
    """

    def __init__(self, base_url: str, **options: str) -> None:
        super().__init__(base_url, **options)
        self._pool = ThreadPoolExecutor(2)

    async def ainvoke(self, prompt: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self.ainvoke(prompt) for prompt in prompts)))


class AnyioThread(Base):
    """
    Send the synchronous call to a worker thread of anyio.
    """

    async def ainvoke(self, prompt: str) -> str:
        return await anyio.to_thread.run_sync(self._ask, prompt)


class OwnThread(Base):
    """
    Start a bare thread and wait for its future.
    """

    async def ainvoke(self, prompt: str) -> str:
        future: Future[str] = Future()
        threading.Thread(target=lambda: future.set_result(self._ask(prompt)), daemon=True).start()
        return await asyncio.wrap_future(future)


class NestedThreads(Base):
    """
    Go to a thread that goes back to the loop, which goes to a thread.
    """

    async def ainvoke(self, prompt: str) -> str:
        loop = asyncio.get_running_loop()

        def outer() -> str:
            inner = asyncio.to_thread(self._ask, prompt)
            return asyncio.run_coroutine_threadsafe(inner, loop).result()

        return await asyncio.to_thread(outer)


class SyncInside(Base):
    """
    Call a synchronous client in `async def`.
    """

    async def ainvoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self.ainvoke(prompt) for prompt in prompts)))


class SyncListInside(Base):
    """
    Send the list prompt synchronously in `async def`.
    """

    async def abatch(self, prompts: list[str]) -> list[str]:
        return self._ask_all(prompts)


class SleepsInside(Base):
    """
    Wait synchronously after asynchronous I/O, in one of several ways to sleep.
    """

    def __init__(self, base_url: str, *, how: str = "sleep") -> None:
        super().__init__(base_url)
        self._how = how

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        if self._how == "sleep":
            sleep(0.5)  # noqa: ASYNC251 - the fault on show
        elif self._how == "event":
            threading.Event().wait(0.5)
        else:
            working = threading.Thread(target=sleep, args=(2,), daemon=True)
            working.start()
            working.join(0.5)
        return answer


class AsksTheMachine(Base):
    """
    Ask a child process what machine this is before the first request, as SDKs do for a header.
    """

    def __init__(self, base_url: str, *, timeout: float | None = None) -> None:
        super().__init__(base_url)
        self._timeout = timeout

    async def ainvoke(self, prompt: str) -> str:
        subprocess.run([sys.executable, "-S", "-c", ""], check=False, timeout=self._timeout)  # noqa: ASYNC221 - what they do
        return await self._aask(prompt)


class ComputesInside(Base):
    """
    Compute on the event loop after asynchronous I/O, in Python or in C.
    """

    def __init__(self, base_url: str, *, native_code: bool = False) -> None:
        super().__init__(base_url)
        self._native_code = native_code

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        self._compute()
        return answer

    async def abatch(self, prompts: list[str]) -> list[str]:
        answers = await self._aask_all(prompts)
        self._compute()
        return answers

    def _compute(self) -> None:
        began = time.thread_time()
        number = 1
        while time.thread_time() - began < 0.5:
            if self._native_code:
                hashlib.pbkdf2_hmac("sha256", b"zoo", b"salt", 20_000)
            else:
                number = number * 1103515245 % 2147483647


class ComputesInThread(Base):
    """
    Compute as much, but in an executor, after asynchronous I/O.
    """

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", b"zoo", b"salt", 400_000)
        return answer


class _LoopThread:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.loop))


class OtherLoop(Base):
    """
    Run the asynchronous client in a loop of another thread.
    """

    def __init__(self, base_url: str, **options: str) -> None:
        super().__init__(base_url, **options)
        self._other = _LoopThread()

    async def ainvoke(self, prompt: str) -> str:
        return str(await self._other.run(self._aask(prompt)))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await self._other.run(self._aask_all(prompts)))


class RunInThread(Base):
    """
    Go to a worker thread that runs an event loop of its own.
    """

    async def ainvoke(self, prompt: str) -> str:
        return await asyncio.to_thread(asyncio.run, Base(self.base_url)._aask(prompt))


class ParsesInExecutor(Base):
    """
    Talk on the loop; use an executor to parse JSON only.
    """

    async def ainvoke(self, prompt: str) -> str:
        return (await self._parsed(self._body(prompt)))[0]

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await self._parsed(self._body(prompts))

    async def _parsed(self, body: object) -> list[str]:
        import httpx  # noqa: PLC0415 - only this specimen needs the raw client

        async with httpx.AsyncClient() as client:
            response = await client.post(self.base_url + self._path, json=body)
        return texts(await asyncio.get_running_loop().run_in_executor(None, json.loads, response.content))


class InATask(Base):
    """
    Talk on the loop in tasks of its own, shielded and with a time-out.
    """

    async def ainvoke(self, prompt: str) -> str:
        task = asyncio.create_task(self._aask(prompt))
        return await asyncio.wait_for(asyncio.shield(task), 20)


class ImportsLate(Base):
    """
    Import something heavy in the first asynchronous call.
    """

    async def ainvoke(self, prompt: str) -> str:
        importlib.import_module("zoo_adapters.heavy")
        return await self._aask(prompt)


class NotAwaitable(Base):
    """
    Return a string where an awaitable is due.
    """

    def ainvoke(self, prompt: str) -> str:
        return self._ask(prompt)


class CoroutineFromSync(Base):
    """
    Return a coroutine where a string is due.
    """

    def invoke(self, prompt: str) -> Awaitable[str]:
        return self._aask(prompt)


class ReturnsAFuture(Base):
    """
    Return a task from a plain method: awaitable, and on the loop.
    """

    def ainvoke(self, prompt: str) -> Awaitable[str]:
        return asyncio.ensure_future(self._aask(prompt))


class Decorated(Base):
    """
    Hide the call behind a decorator that is not `async def`.
    """

    @staticmethod
    def _plain(method: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
        def plain(*args: object) -> Awaitable[str]:
            return method(*args)

        return plain

    def __getattr__(self, name: str) -> Any:
        if name == "ainvoke":
            return self._plain(self._aask)
        raise AttributeError(name)

"""Requests beside the one that counts: tokens, moderation, logs, retries."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from zoo_adapters.base import Base
from zoo_adapters.clients import UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class TokenPerCall(Base):
    """
    Fetch a token before each call, on a worker thread or on the event loop itself.
    """

    def __init__(self, base_url: str, *, on_loop: bool) -> None:
        super().__init__(base_url)
        self._on_loop = on_loop

    def _token(self) -> str:
        return str(self._sync.post("/v1/token", {"grant_type": "client_credentials"})["access_token"])

    async def _fetch(self) -> dict[str, str]:
        token = self._token() if self._on_loop else await asyncio.to_thread(self._token)
        return {"authorization": f"Bearer {token}"}

    def invoke(self, prompt: str) -> str:
        headers = {"authorization": f"Bearer {self._token()}"}
        return str(self._sync.post(self._path, self._body(prompt), headers)["choices"][0]["text"])

    async def ainvoke(self, prompt: str) -> str:
        headers = await self._fetch()
        return str((await self._async.post(self._path, self._body(prompt), headers))["choices"][0]["text"])

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        await self._fetch()
        async for text in self._apieces(prompt):
            yield text

    async def abatch(self, prompts: list[str]) -> list[str]:
        await self._fetch()
        return await self._aask_all(prompts)


class Moderates(Base):
    """
    Send the prompts to a moderation service first, from a worker thread where the call is awaited.
    """

    def _moderate(self, prompts: list[str]) -> None:
        self._sync.post("/v1/moderations", {"input": prompts})

    def invoke(self, prompt: str) -> str:
        self._moderate([prompt])
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        await asyncio.to_thread(self._moderate, [prompt])
        return await self._aask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        self._moderate([prompt])
        yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        await asyncio.to_thread(self._moderate, [prompt])
        async for text in self._apieces(prompt):
            yield text

    def batch(self, prompts: list[str]) -> list[str]:
        self._moderate(prompts)
        return [self._ask(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        await asyncio.to_thread(self._moderate, prompts)
        return list(await asyncio.gather(*(self._aask(prompt) for prompt in prompts)))


class Logs(Base):
    """
    Report all prompts to a log service afterwards; the service may send them back.
    """

    def __init__(self, base_url: str, *, echo: bool = False) -> None:
        super().__init__(base_url)
        self._log = "/v1/log?echo=1" if echo else "/v1/log"

    def invoke(self, prompt: str) -> str:
        answer = self._ask(prompt)
        self._sync.post(self._log, {"prompts": [prompt]})
        return answer

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        await asyncio.to_thread(self._sync.post, self._log, {"prompts": [prompt]})
        return answer

    def batch(self, prompts: list[str]) -> list[str]:
        answers = [self._ask(prompt) for prompt in prompts]
        self._sync.post(self._log, {"prompts": prompts})
        return answers

    async def abatch(self, prompts: list[str]) -> list[str]:
        answers = [await self._aask(prompt) for prompt in prompts]
        await self._async.post(self._log, {"prompts": prompts})
        return answers


class LogsOnLoop(Base):
    """
    Answer natively, then log synchronously on the event loop.
    """

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        self._sync.post("/v1/log", {"prompts": [prompt]})
        return answer

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text
        self._sync.post("/v1/log", {"prompts": [prompt]})


class LogsAsyncAnswersInThread(Base):
    """
    Answer from a worker thread and log on the loop: the answer decides.
    """

    async def ainvoke(self, prompt: str) -> str:
        answer = await asyncio.to_thread(self._ask, prompt)
        await self._async.post("/v1/log", {"prompts": [prompt]})
        return answer


class Retries(Base):
    """
    Meet a 503 first and ask again.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, path="/v1/flaky")

    def invoke(self, prompt: str) -> str:
        try:
            return self._ask(prompt)
        except UpstreamError:
            return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        try:
            return await self._aask(prompt)
        except UpstreamError:
            return await self._aask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        try:
            yield from self._pieces(prompt)
        except UpstreamError:
            yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        try:
            async for text in self._apieces(prompt):
                yield text
        except UpstreamError:
            async for text in self._apieces(prompt):
                yield text

    def batch(self, prompts: list[str]) -> list[str]:
        return [self.invoke(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        try:
            return await self._aask_all(prompts)
        except UpstreamError:
            return await self._aask_all(prompts)


class PoolThenLog(Base):
    """
    Fan out over a pool, then log all prompts at once.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            answers = list(pool.map(self._ask, prompts))
        self._sync.post("/v1/log?echo=1", {"prompts": prompts})
        return answers

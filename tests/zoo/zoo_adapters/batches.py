"""How three inputs travel, and how three outputs come back."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import aiohttp
import httpx
from zoo_adapters.base import Base
from zoo_adapters.clients import texts

DELAYS = (0.8, 0.4, 0.0)


class TwoRequests(Base):
    """
    Send two list prompts for three inputs.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        return [*self._ask_all(prompts[:2]), *self._ask_all(prompts[2:])]

    async def abatch(self, prompts: list[str]) -> list[str]:
        halves = await asyncio.gather(self._aask_all(prompts[:2]), self._aask_all(prompts[2:]))
        return [text for half in halves for text in half]


class Pool(Base):
    """
    Fan out over a pool; `max_concurrency` is honoured, or not.
    """

    def __init__(self, base_url: str, *, ignores_limit: bool = False, **options: str) -> None:
        super().__init__(base_url, **options)
        self._ignores_limit = ignores_limit

    def batch(self, prompts: list[str], config: dict[str, Any] | None = None) -> list[str]:
        limit = None if self._ignores_limit else (config or {}).get("max_concurrency")
        with ThreadPoolExecutor(limit or len(prompts)) as pool:
            return list(pool.map(self._ask, prompts))


class Sequential(Base):
    """
    Send one request after another.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        return [self._ask(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        return [await self._aask(prompt) for prompt in prompts]


class Gather(Base):
    """
    Gather one request for each input.
    """

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self._aask(prompt) for prompt in prompts)))


class GatherInSync(Base):
    """
    Gather in a loop that synchronous code runs.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        async def gathered() -> list[str]:
            fresh = Base(self.base_url)
            return list(await asyncio.gather(*(fresh._aask(prompt) for prompt in prompts)))

        return asyncio.run(gathered())


class OneAtATime(Base):
    """
    Look concurrent, but let a lock or a semaphore pass one request at a time.
    """

    def __init__(self, base_url: str, **options: str) -> None:
        super().__init__(base_url, **options)
        self._lock = threading.Lock()

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(self._locked, prompts))

    def _locked(self, prompt: str) -> str:
        with self._lock:
            return self._ask(prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        gate = asyncio.Semaphore(1)

        async def gated(prompt: str) -> str:
            async with gate:
                return await self._aask(prompt)

        return list(await asyncio.gather(*map(gated, prompts)))


class OneConnection(Base):
    """
    Look concurrent, but share a client that has one connection.
    """

    async def _httpx(self, prompts: list[str]) -> list[str]:
        async with httpx.AsyncClient(base_url=self.base_url, limits=httpx.Limits(max_connections=1)) as client:
            found = await asyncio.gather(*(client.post(self._path, json=self._body(prompt)) for prompt in prompts))
        return [texts(one.json())[0] for one in found]

    async def _aiohttp(self, prompts: list[str]) -> list[str]:
        async with aiohttp.ClientSession(self.base_url, connector=aiohttp.TCPConnector(limit=1)) as session:

            async def ask(prompt: str) -> str:
                async with session.post(self._path, json=self._body(prompt)) as response:
                    return texts(await response.json())[0]

            return list(await asyncio.gather(*map(ask, prompts)))

    def batch(self, prompts: list[str]) -> list[str]:
        return asyncio.run(self._aiohttp(prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await self._httpx(prompts)


class OpensAllFirst(Base):
    """
    Open a stream for each input, one after the other, and read them when all are open.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        streams = [self._pieces(prompt) for prompt in prompts]
        begun = [next(stream) for stream in streams]
        return ["".join((first, *stream)) for first, stream in zip(begun, streams, strict=True)]

    async def abatch(self, prompts: list[str]) -> list[str]:
        streams = [self._apieces(prompt) for prompt in prompts]
        begun = [await anext(stream) for stream in streams]
        return [first + "".join([text async for text in rest]) for first, rest in zip(begun, streams, strict=True)]


class AsCompleted(Base):
    """
    Give the outputs out as they are completed, of which the last input's is the first.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            futures = [pool.submit(self._later, *one) for one in zip(prompts, DELAYS, strict=True)]
            return [future.result() for future in as_completed(futures)]

    def _later(self, prompt: str, delay: float) -> str:
        time.sleep(delay)
        return self._ask(prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        tasks = [self._alater(*one) for one in zip(prompts, DELAYS, strict=True)]
        return [await one for one in asyncio.as_completed(tasks)]

    async def _alater(self, prompt: str, delay: float) -> str:
        await asyncio.sleep(delay)
        return await self._aask(prompt)


class Staggered(Base):
    """
    Start the requests one by one, long before the answer of the one before is there.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            futures = []
            for prompt in prompts:
                futures.append(pool.submit(self._joined, prompt))
                time.sleep(0.02)
            return [future.result() for future in futures]

    def _joined(self, prompt: str) -> str:
        return "".join(self._pieces(prompt))

    async def abatch(self, prompts: list[str]) -> list[str]:
        tasks = []
        for prompt in prompts:
            tasks.append(asyncio.create_task(self._ajoined(prompt)))
            await asyncio.sleep(0.02)
        return list(await asyncio.gather(*tasks))

    async def _ajoined(self, prompt: str) -> str:
        return "".join([text async for text in self._apieces(prompt)])


class Outputs(Base):
    """
    Send an honest list prompt and spoil the list that comes back.
    """

    def __init__(self, base_url: str, *, fault: str) -> None:
        super().__init__(base_url)
        self._fault = fault

    def batch(self, prompts: list[str]) -> object:
        return self._spoilt(self._ask_all(prompts))

    async def abatch(self, prompts: list[str]) -> object:
        return self._spoilt(await self._aask_all(prompts))

    def _spoilt(self, answers: list[str]) -> object:
        first, *rest = answers
        return {
            "reversed": answers[::-1],
            "lost": rest,
            "doubled": [first, first, *rest],
            "repeated": [first, first, rest[-1]],
            "blank": [first, "", rest[-1]],
            "one": [first],
            "joined": "\n\n".join(answers),
            "nothing": None,
        }[self._fault]


class PoolReversed(Base):
    """
    Fan out honestly and give the answers back in the wrong order.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(self._ask, prompts))[::-1]

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self._aask(prompt) for prompt in reversed(prompts))))


class OneChat(Base):
    """
    Put all prompts in one chat message; its one answer is returned for each, or is taken apart.
    """

    def __init__(self, base_url: str, *, splits: bool) -> None:
        super().__init__(base_url, path="/v1/chat")
        self._splits = splits

    def batch(self, prompts: list[str]) -> list[str]:
        return self._outputs(self._ask("\n".join(prompts)), len(prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return self._outputs(await self._aask("\n".join(prompts)), len(prompts))

    def _outputs(self, answer: str, count: int) -> list[str]:
        return answer.split("\n") if self._splits else [answer] * count


class UploadAndPoll(Base):
    """
    Upload the inputs as a file, start a batch, poll it, fetch the answers.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        file = self._sync.post_raw("/v1/upload", self._rows(prompts))["id"]
        job = self._sync.post("/v1/batches", {"input_file_id": file})["id"]
        while (state := self._sync.get(f"/v1/batches/{job}"))["status"] != "completed":
            time.sleep(0.02)
        return self._answers(self._sync.text(f"/v1/files/{state['output_file_id']}"))

    async def abatch(self, prompts: list[str]) -> list[str]:
        file = (await self._async.post_raw("/v1/upload", self._rows(prompts)))["id"]
        job = (await self._async.post("/v1/batches", {"input_file_id": file}))["id"]
        while (state := await self._async.get(f"/v1/batches/{job}"))["status"] != "completed":
            await asyncio.sleep(0.02)
        return self._answers(await self._async.text(f"/v1/files/{state['output_file_id']}"))

    @staticmethod
    def _rows(prompts: list[str]) -> bytes:
        rows = ({"custom_id": str(at), "prompt": prompt} for at, prompt in enumerate(prompts))
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    @staticmethod
    def _answers(rows: str) -> list[str]:
        parsed = sorted((json.loads(row) for row in rows.splitlines()), key=lambda row: int(row["custom_id"]))
        return [row["text"] for row in parsed]


class UploadInThread(UploadAndPoll):
    """
    Upload and poll in a worker thread.
    """

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await asyncio.to_thread(self.batch, prompts)

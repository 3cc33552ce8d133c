"""Adapters that do what they say: native over each client, and the plain fallbacks."""

from __future__ import annotations

import asyncio
import base64
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from zoo_adapters.base import Base

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class NativeSync(Base):
    """
    Answer the three synchronous calls natively.
    """

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._pieces(prompt)

    def batch(self, prompts: list[str]) -> list[str]:
        return self._ask_all(prompts)


class NativeAsync(Base):
    """
    Answer the three asynchronous calls natively.
    """

    async def ainvoke(self, prompt: str) -> str:
        return await self._aask(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await self._aask_all(prompts)


class Native(NativeSync, NativeAsync):
    """
    Answer all six calls natively.
    """


class Pickled(Base):
    """
    Send pickles and get pickles, one for all inputs of a batch.
    """

    def invoke(self, prompt: str) -> str:
        return self.batch([prompt])[0]

    def batch(self, prompts: list[str]) -> list[str]:
        packed = base64.encodebytes(pickle.dumps(prompts)).decode()
        answer = self._sync.post("/v1/pickles", {"data": packed})
        answers: list[str] = pickle.loads(base64.b64decode(answer["data"]))  # noqa: S301 - from the zoo's own upstream
        return answers


class PickledInTurn(Pickled):
    """
    Send pickles, one for each input.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        return [self.invoke(prompt) for prompt in prompts]

    def invoke(self, prompt: str) -> str:
        return super().batch([prompt])[0]


class Chat(Base):
    """
    Stream NDJSON; a batch is one request for each input, as chat services have it.
    """

    def __init__(self, base_url: str, **options: str) -> None:
        super().__init__(base_url, path="/v1/chat", **options)

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        return await self._aask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text

    def batch(self, prompts: list[str]) -> list[str]:
        return [self._ask(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self._aask(prompt) for prompt in prompts)))


class OpenAISDK:
    """
    Go through the OpenAI SDK, whose list prompt makes a batch of one request.
    """

    def __init__(self, base_url: str) -> None:
        import openai  # noqa: PLC0415 - heavy, and only this specimen needs it

        self._client = openai.OpenAI(base_url=f"{base_url}/v1", api_key="zoo-placeholder", max_retries=0)
        self._aclient = openai.AsyncOpenAI(base_url=f"{base_url}/v1", api_key="zoo-placeholder", max_retries=0)

    def invoke(self, prompt: str) -> str:
        return self._client.completions.create(model="zoo-1", prompt=prompt).choices[0].text

    async def ainvoke(self, prompt: str) -> str:
        return (await self._aclient.completions.create(model="zoo-1", prompt=prompt)).choices[0].text

    def stream(self, prompt: str) -> Iterator[str]:
        for chunk in self._client.completions.create(model="zoo-1", prompt=prompt, stream=True):
            yield chunk.choices[0].text

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for chunk in await self._aclient.completions.create(model="zoo-1", prompt=prompt, stream=True):
            yield chunk.choices[0].text

    def batch(self, prompts: list[str]) -> list[str]:
        return [choice.text for choice in self._client.completions.create(model="zoo-1", prompt=prompts).choices]

    async def abatch(self, prompts: list[str]) -> list[str]:
        answer = await self._aclient.completions.create(model="zoo-1", prompt=prompts)
        return [choice.text for choice in answer.choices]


class Defaults(Base):
    """
    Define `invoke` and emulate the rest as LangChain documents its defaults.
    """

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        return await asyncio.get_running_loop().run_in_executor(None, partial(self.invoke, prompt))

    def stream(self, prompt: str) -> Iterator[str]:
        yield self.invoke(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield await self.ainvoke(prompt)

    def batch(self, prompts: list[str], config: dict[str, Any] | None = None) -> list[str]:
        with ThreadPoolExecutor((config or {}).get("max_concurrency")) as pool:
            return list(pool.map(self.invoke, prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self.ainvoke(prompt) for prompt in prompts)))


class AsyncDefaults(Base):
    """
    Define `ainvoke` and `invoke` and emulate the rest over them.
    """

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        return await self._aask(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        yield self.invoke(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield await self.ainvoke(prompt)

    def batch(self, prompts: list[str]) -> list[str]:
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self.invoke, prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(await asyncio.gather(*(self.ainvoke(prompt) for prompt in prompts)))


class _Block:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Messages(Base):
    """
    Hand out messages whose `.content` is a list of blocks.
    """

    @staticmethod
    def _message(text: str) -> object:
        middle = len(text) // 2
        return _Block(content=[{"type": "text", "text": text[:middle]}, {"type": "text", "text": text[middle:]}])

    def invoke(self, prompt: str) -> object:
        return self._message(self._ask(prompt))

    async def ainvoke(self, prompt: str) -> object:
        return _Block(content=await self._aask(prompt))

    def stream(self, prompt: str) -> Iterator[object]:
        yield from map(self._message, self._pieces(prompt))

    async def astream(self, prompt: str) -> AsyncIterator[object]:
        async for text in self._apieces(prompt):
            yield _Block(text=text)

    def batch(self, prompts: list[str]) -> list[object]:
        return list(map(self._message, self._ask_all(prompts)))

    async def abatch(self, prompts: list[str]) -> list[object]:
        return [_Block(text=text) for text in await self._aask_all(prompts)]


class StreamsInside(Base):
    """
    Ask for a stream even where the caller wants the whole answer.
    """

    def invoke(self, prompt: str) -> str:
        return "".join(self._pieces(prompt))

    async def ainvoke(self, prompt: str) -> str:
        return "".join([text async for text in self._apieces(prompt)])

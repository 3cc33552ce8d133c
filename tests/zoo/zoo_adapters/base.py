"""
What specimens are made of: true ways to ask the upstream, under private names.

A specimen shows only the calls that it defines itself.
"""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from zoo_adapters.clients import ASYNC, SYNC, finishes, piece, texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

COMPLETIONS = "/v1/completions"


class Base:
    """
    Ask whole, ask in pieces, ask for several prompts; each in synchronous and asynchronous form.

    Args:
        base_url: where the upstream listens.
        client: the synchronous client library.
        aclient: the asynchronous client library.
        path: the route that answers.
    """

    def __init__(
        self, base_url: str, *, client: str = "requests", aclient: str = "httpx", path: str = COMPLETIONS
    ) -> None:
        self.base_url = base_url
        self._sync = SYNC[client](base_url)
        self._async = ASYNC[aclient](base_url)
        self._path = path

    def _body(self, prompt: object, *, stream: bool = False) -> dict[str, Any]:
        if self._path == "/v1/chat":
            return {"messages": [{"role": "user", "content": prompt}], "stream": stream}
        return {"model": "zoo-1", "prompt": prompt, "stream": stream}

    def _ask(self, prompt: str) -> str:
        answer = self._sync.post(self._path, self._body(prompt))
        return str(answer["message"]["content"]) if "message" in answer else texts(answer)[0]

    def _ask_all(self, prompts: Sequence[str]) -> list[str]:
        return texts(self._sync.post(self._path, self._body(list(prompts))))

    def _pieces(self, prompt: str) -> Iterator[str]:
        for line in self._sync.lines(self._path, self._body(prompt, stream=True)):
            if text := piece(line):
                yield text

    def _until_finish(self, prompt: str) -> Iterator[str]:
        with closing(self._sync.lines(self._path, self._body(prompt, stream=True))) as lines:
            for line in lines:
                if finishes(line):
                    return
                if text := piece(line):
                    yield text

    async def _aask(self, prompt: str) -> str:
        answer = await self._async.post(self._path, self._body(prompt))
        return str(answer["message"]["content"]) if "message" in answer else texts(answer)[0]

    async def _aask_all(self, prompts: Sequence[str]) -> list[str]:
        return texts(await self._async.post(self._path, self._body(list(prompts))))

    async def _apieces(self, prompt: str) -> AsyncIterator[str]:
        async with aclosing(self._async.lines(self._path, self._body(prompt, stream=True))) as lines:
            async for line in lines:
                if text := piece(line):
                    yield text

    async def _auntil_finish(self, prompt: str) -> AsyncIterator[str]:
        async with aclosing(self._async.lines(self._path, self._body(prompt, stream=True))) as lines:
            async for line in lines:
                if finishes(line):
                    return
                if text := piece(line):
                    yield text

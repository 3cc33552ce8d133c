"""The adapter that stands for thousands of others in scale.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator


class Toy:
    """
    Talk to one address by requests, and emulate what it does not have.
    """

    def __init__(self, base_url: str) -> None:
        self._url = base_url

    def invoke(self, prompt: str) -> str:
        """
        Return an answer.
        """
        return requests.post(self._url, json={"prompt": prompt}, timeout=10).text

    async def ainvoke(self, prompt: str) -> str:
        """
        Return an answer that a thread fetched.
        """
        return await asyncio.to_thread(self.invoke, prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        """
        Yield an answer as it comes.
        """
        with requests.post(self._url, json={"prompt": prompt}, timeout=10, stream=True) as answer:
            for piece in answer.iter_content(None):
                yield piece.decode()

    async def astream(self, prompt: str) -> Any:  # noqa: ANN401 - an asynchronous generator
        """
        Yield an answer in one piece.
        """
        yield await self.ainvoke(prompt)

    def batch(self, prompts: list[str]) -> list[str]:
        """
        Return the answers, one after the other.
        """
        return [self.invoke(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        """
        Return the answers, fetched side by side.
        """
        return list(await asyncio.gather(*map(self.ainvoke, prompts)))

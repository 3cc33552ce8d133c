"""Adapters for the tests of the plugin: over requests, and emulating what they do not have."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Emulated:
    """
    Have one call, and make the others of it; `abatch` is not supported.
    """

    def __init__(self, base_url: str) -> None:
        self.url = base_url

    def _texts(self, **body: Any) -> list[str]:
        answer = requests.post(f"{self.url}/v1/complete", json=body, timeout=30)
        answer.raise_for_status()
        return [choice["text"] for choice in answer.json()["choices"]]

    def invoke(self, prompt: str) -> str:
        return self._texts(prompt=prompt)[0]

    async def ainvoke(self, prompt: str) -> str:
        return await asyncio.to_thread(self.invoke, prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        yield self.invoke(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield self.invoke(prompt)

    def batch(self, prompts: list[str]) -> list[str]:
        return [self.invoke(prompt) for prompt in prompts]

    async def abatch(self, prompts: list[str]) -> list[str]:
        raise NotImplementedError(f"not for {len(prompts)} prompts")


class Fails(Emulated):
    """
    Raise in `invoke`, and in whatever is made of it.
    """

    def invoke(self, prompt: str) -> str:
        raise ValueError(f"cannot do {len(prompt)} characters")


class CannotBeMade:
    """
    Raise when it is made.
    """

    def __init__(self, base_url: str) -> None:
        raise RuntimeError(f"no such region: {base_url.partition(':')[0]}")


class Hangs(Emulated):
    """
    Never answer, and say by a file when the waiting begins.
    """

    def invoke(self, prompt: str) -> str:
        Path(os.environ["TOUCH"]).touch()
        time.sleep(300)
        return prompt

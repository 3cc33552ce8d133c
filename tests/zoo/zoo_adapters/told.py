"""Adapters of upstreams that tell their answers in unusual forms, and those that make something else of them."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import trio
from zoo_adapters.base import Base
from zoo_adapters.clients import texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence


class WaitsInLine(Base):
    """
    Hand out each piece as it comes, after a long time in which the upstream only said that it is there.

    Args:
        base_url: where the upstream listens.
        says: what it says meanwhile, a comment or a status.
        waits: hand the pieces out when all are there.
    """

    def __init__(self, base_url: str, *, says: str, waits: bool = False) -> None:
        super().__init__(base_url, path=f"/v1/queue?{says}")
        self._waits = waits

    def stream(self, prompt: str) -> Iterator[str]:
        pieces = self._pieces(prompt)
        return iter(list(pieces)) if self._waits else pieces

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        queue: asyncio.Queue[str | None] = asyncio.Queue()

        async def read() -> None:
            async for text in self._apieces(prompt):
                queue.put_nowait(text)
            queue.put_nowait(None)

        reader = asyncio.create_task(read())
        if self._waits:
            await reader
        while (text := await queue.get()) is not None:
            yield text


class SumsUp(Base):
    """
    Read a stream whose last line says the whole answer again.

    Args:
        base_url: where the upstream listens.
        repeats: hand that line out too.
        loses: leave this piece out.
    """

    def __init__(self, base_url: str, *, repeats: bool = False, loses: int | None = None) -> None:
        super().__init__(base_url)
        self._repeats = repeats
        self._loses = loses

    def stream(self, prompt: str) -> Iterator[str]:
        for number, line in enumerate(filter(None, self._sync.lines("/v1/summed", self._body(prompt, stream=True)))):
            row = json.loads(line)
            if number != self._loses and (self._repeats or not row["done"]):
                yield row["text"]


class ToldByTurns(Base):
    """
    Ask for all inputs in one request, and get their answers by turns, each piece with the number of its input.

    Args:
        base_url: where the upstream listens.
        swaps: give the first two outputs in the wrong order.
        loses: leave this piece out.
    """

    def __init__(self, base_url: str, *, swaps: bool = False, loses: int | None = None) -> None:
        super().__init__(base_url)
        self._swaps = swaps
        self._loses = loses

    def batch(self, prompts: list[str]) -> list[str]:
        told = [""] * len(prompts)
        for number, line in enumerate(filter(None, self._sync.lines("/v1/turns", self._body(prompts, stream=True)))):
            row = json.loads(line)
            told[row["nth"]] += row["text"] if number != self._loses else ""
        return [told[1], told[0], *told[2:]] if self._swaps else told


class AsksInOne(Base):
    """
    Ask all questions in one, and take the answer apart at the marks around its parts.

    Args:
        base_url: where the upstream listens.
        loses: cut the end off each part.
    """

    def __init__(self, base_url: str, *, loses: bool = False) -> None:
        super().__init__(base_url)
        self._loses = loses

    def batch(self, prompts: list[str]) -> list[str]:
        answer = self._sync.post("/v1/marked", self._body("\n".join(prompts)))
        parts = re.findall(r"<answer>(.*?)</answer>", texts(answer)[0], re.DOTALL)
        return [part[:-20] for part in parts] if self._loses else parts


class Nursery(Base):
    """
    Run trio for a batch.

    Args:
        base_url: where the upstream listens.
        waits: ask one after the other.
    """

    def __init__(self, base_url: str, *, waits: bool = False) -> None:
        super().__init__(base_url)
        self._waits = waits

    def batch(self, prompts: list[str]) -> list[str]:
        return trio.run(self._abatch, prompts)

    async def _abatch(self, prompts: Sequence[str]) -> list[str]:
        told: dict[int, str] = {}

        async def ask(number: int, prompt: str) -> None:
            async with httpx.AsyncClient(timeout=20) as client:
                answer: Any = (await client.post(self.base_url + self._path, json=self._body(prompt))).json()
            told[number] = texts(answer)[0]

        async with trio.open_nursery() as nursery:
            for number, prompt in enumerate(prompts):
                if self._waits:
                    await ask(number, prompt)
                else:
                    nursery.start_soon(ask, number, prompt)
        return [told[number] for number in range(len(prompts))]

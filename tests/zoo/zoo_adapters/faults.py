"""Adapters that hang, die, never end, or hide what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import os
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from zoo_adapters.base import Base
from zoo_adapters.clients import UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

_BLOCK: Final = 64 * 2**20


class Hangs(Base):
    """
    Hang in Python, in the event loop, in C with the interpreter lock held, or on a lock.
    """

    def __init__(self, base_url: str, *, how: str) -> None:
        super().__init__(base_url)
        ways: dict[str, Callable[[], object]] = {
            "python": self._in_python,
            "c": lambda: re.match(r"(a+)+$", "a" * 64 + "b"),
            "lock": lambda: threading.Event().wait(),
        }
        self._hang = ways[how]

    @staticmethod
    def _in_python() -> None:
        while True:
            time.sleep(0.05)

    def invoke(self, prompt: str) -> str:
        answer = self._ask(prompt)
        self._hang()
        return answer

    def stream(self, prompt: str) -> Iterator[str]:
        yield from itertools.islice(self._pieces(prompt), 3)
        self._hang()


class HangsOnLoop(Base):
    """
    Await what never comes, or spin on the loop.
    """

    async def ainvoke(self, prompt: str) -> str:
        answer = await self._aask(prompt)
        await asyncio.Event().wait()
        return answer

    async def abatch(self, prompts: list[str]) -> list[str]:
        answers = await self._aask_all(prompts)
        while answers:
            await asyncio.sleep(0)
        return answers

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text
        await asyncio.Event().wait()


class HangsBeforeAsking:
    """
    Hang without a single request.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def invoke(self, prompt: str) -> str:
        threading.Event().wait()
        return prompt


class Dies(Base):
    """
    End the process: by exit status, by exception, by signal.
    """

    def __init__(self, base_url: str, *, how: str) -> None:
        super().__init__(base_url)
        self._die: Callable[[], object] = {
            "exit": lambda: os._exit(3),
            "exit-0": lambda: os._exit(0),
            "sys-exit": lambda: sys.exit(4),
            "segfault": lambda: ctypes.string_at(0),
            "abort": os.abort,
        }[how]

    def invoke(self, prompt: str) -> str:
        answer = self._ask(prompt)
        self._die()
        return answer

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text
            self._die()


class Endless(Base):
    """
    Stream truly, then go on for ever: with the answer again, or with empty items.
    """

    def __init__(self, base_url: str, *, empty: bool) -> None:
        super().__init__(base_url)
        self._empty = empty

    def stream(self, prompt: str) -> Iterator[str]:
        pieces = []
        for text in self._pieces(prompt):
            pieces.append(text)
            yield text
        yield from itertools.repeat("") if self._empty else itertools.cycle(pieces)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        pieces = []
        async for text in self._apieces(prompt):
            pieces.append(text)
            yield text
        for text in itertools.cycle([""] if self._empty else pieces):
            yield text


class EatsMemory(Base):
    """
    Hold on to ever more memory. Where nothing stops it, it gives up and answers, which shows.
    """

    def __init__(self, base_url: str, *, blocks: int) -> None:
        super().__init__(base_url)
        self._blocks = blocks

    def invoke(self, prompt: str) -> str:
        answer = self._ask(prompt)
        held = [b"\1" * _BLOCK for _ in range(self._blocks)]
        return answer if held else ""


class LeavesAThread(Base):
    """
    Answer, and leave a thread behind that never ends and is no daemon.
    """

    def invoke(self, prompt: str) -> str:
        threading.Thread(target=threading.Event().wait).start()
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        threading.Thread(target=threading.Event().wait).start()
        return await self._aask(prompt)


class Chatty(Base):
    """
    Write to standard output and standard error, at length and in bytes.
    """

    def invoke(self, prompt: str) -> str:
        os.write(1, b'["Returned", {}]\n' * 4000)
        os.write(2, b"\xff\xfe noise\n" * 4000)
        sys.stdout.write("noise\n")
        return self._ask(prompt)


class SwallowsFailure(Base):
    """
    Take an upstream's failure in the middle for the end of the answer.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        with contextlib.suppress(Exception):
            yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        with contextlib.suppress(Exception):
            async for text in self._apieces(prompt):
                yield text

    def invoke(self, prompt: str) -> str:
        return "".join(self.stream(prompt))


class RaisesFailure(Base):
    """
    Tell the caller of an upstream's failure in the middle.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text

    def invoke(self, prompt: str) -> str:
        return "".join(self._pieces(prompt))


class UpstreamDown(Base):
    """
    Ask an upstream that always fails; tell the caller, or make an answer up.
    """

    def __init__(self, base_url: str, *, hides: bool) -> None:
        super().__init__(base_url, path="/v1/500")
        self._hides = hides

    def invoke(self, prompt: str) -> str:
        try:
            return self._ask(prompt)
        except UpstreamError:
            if self._hides:
                return "I am sorry, I cannot answer this today."
            raise


class StumblesAfterwards(Base):
    """
    Get over a look-up that fails, ask, get the answer, and stumble over it.
    """

    def invoke(self, prompt: str) -> str:
        with contextlib.suppress(UpstreamError):
            self._sync.post("/v1/500", {"name": "zoo-1"})
        return self._ask(prompt)["content"]  # type: ignore[index] # the mistake that it is here for


class LookUpRefused(Base):
    """
    Get answers for all inputs but one, for which a look-up fails, and tell the caller of that.
    """

    def batch(self, prompts: Sequence[str]) -> list[str]:
        answers = [self._ask(prompt) for prompt in prompts[1:]]
        self._sync.post("/v1/500", {"name": "zoo-1"})
        return [self._ask(prompts[0]), *answers]

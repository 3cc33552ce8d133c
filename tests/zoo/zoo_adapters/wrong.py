"""Adapters whose answer is not the upstream's, or is no answer, or is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from zoo_adapters.base import Base
from zoo_adapters.honest import Pickled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


_SIXTH = 6


def _dropped(pieces: list[str], ended: object) -> list[object]:
    return [] if ended or len(pieces) == _SIXTH else [pieces[-1]]


def _repeated(pieces: list[str], ended: object) -> list[object]:
    return [] if ended else [pieces[-1]] * (2 if len(pieces) == _SIXTH else 1)


def _unfinished(pieces: list[str], ended: object) -> list[object]:
    return [] if ended or len(pieces) == 1 else [pieces[-2]]


def _swapped(pieces: list[str], ended: object) -> list[object]:
    if ended or len(pieces) == _SIXTH:
        return []
    return [pieces[-1], pieces[-2]] if len(pieces) == _SIXTH + 1 else [pieces[-1]]


def _cumulative(pieces: list[str], ended: object) -> list[object]:
    return [] if ended else ["".join(pieces)]


def _summed_up(pieces: list[str], ended: object) -> list[object]:
    return ["".join(pieces)] if ended else [pieces[-1]]


def _numbers(pieces: list[str], ended: object) -> list[object]:
    return [] if ended else [len(pieces[-1])]


def _quoted(pieces: list[str], ended: object) -> list[object]:
    return [] if ended else [repr(pieces[-1])]


_FAULTS: Final[dict[str, Callable[[list[str], object], list[object]]]] = {
    "dropped": _dropped,
    "repeated": _repeated,
    "unfinished": _unfinished,
    "swapped": _swapped,
    "cumulative": _cumulative,
    "summed-up": _summed_up,
    "numbers": _numbers,
    "quoted": _quoted,
}


class SpoilsPieces(Base):
    """
    Stream truly, with one fault in the pieces.
    """

    def __init__(self, base_url: str, *, fault: str) -> None:
        super().__init__(base_url)
        self._fault = _FAULTS[fault]

    def stream(self, prompt: str) -> Iterator[object]:
        pieces: list[str] = []
        for text in self._pieces(prompt):
            pieces.append(text)
            yield from self._fault(pieces, None)
        yield from self._fault(pieces, "ended")

    async def astream(self, prompt: str) -> AsyncIterator[object]:
        pieces: list[str] = []
        async for text in self._apieces(prompt):
            pieces.append(text)
            for item in self._fault(pieces, None):
                yield item
        for item in self._fault(pieces, "ended"):
            yield item


class Returns(Base):
    """
    Ask honestly and return something of another type, or another text.
    """

    def __init__(self, base_url: str, *, what: str) -> None:
        super().__init__(base_url)
        self._made: Callable[[str], object] = {
            "int": len,
            "dict": lambda text: {"answer": text},
            "none": lambda _text: None,
            "empty": lambda _text: "",
            "object": lambda _text: object(),
            "invented": lambda _text: "As a language model I have no code word to offer, sorry.",
            "cut": lambda text: text[: len(text) // 2],
            "doubled": lambda text: text + text,
        }[what]

    def invoke(self, prompt: str) -> object:
        return self._made(self._ask(prompt))

    async def ainvoke(self, prompt: str) -> object:
        return self._made(await self._aask(prompt))

    def batch(self, prompts: list[str]) -> list[object]:
        return [self._made(text) for text in self._ask_all(prompts)]


class InventsOffline:
    """
    Answer without asking anybody.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def _answer(self, prompt: str) -> str:
        return f"You said: {prompt}"

    def invoke(self, prompt: str) -> str:
        return self._answer(prompt)

    async def ainvoke(self, prompt: str) -> str:
        return self._answer(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._answer(prompt).split(" ")

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for word in self._answer(prompt).split(" "):
            yield word

    def batch(self, prompts: list[str]) -> list[str]:
        return list(map(self._answer, prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return list(map(self._answer, prompts))


class AsksAnew(Base):
    """
    Ask another prompt each time, so that no recording answers; tell of the refusal, or invent an answer.
    """

    def __init__(self, base_url: str, *, invents: bool) -> None:
        super().__init__(base_url)
        self._invents = invents

    def invoke(self, prompt: str) -> str:
        asked = f"{prompt} And weigh the number {os.urandom(8).hex()} on the way."
        try:
            return self._ask(asked)
        except Exception:
            if self._invents:
                return f"The code word is in: {prompt}"
            raise

    async def ainvoke(self, prompt: str) -> str:
        asked = f"{prompt} And weigh the number {os.urandom(8).hex()} on the way."
        try:
            return await self._aask(asked)
        except Exception:
            if self._invents:
                return f"The code word is in: {prompt}"
            raise


class PickledShort(Pickled):
    """
    Lose the last sentence of what stands in the pickle.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        return [text.rsplit(". ", 1)[0] for text in super().batch(prompts)]

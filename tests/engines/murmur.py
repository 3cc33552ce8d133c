"""
A toy engine: what its answers say follows from the prompt alone.

It stands for the engines that are compiled and have gigabytes of weights: tests record it, take it away,
and replay what it said.
"""

from __future__ import annotations

import asyncio
import queue
import random
import select
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

WORDS = "harbour lamp stone river bread wheel light garden paper silver winter candle bridge meadow".split()


def words_of(prompt: str, count: int = 16) -> list[str]:
    """
    Return what the engine says to a prompt.
    """
    chosen = random.Random(prompt)
    return [f"{chosen.choice(WORDS)} " for _ in range(count)]


def _think() -> None:
    """
    Take a while, as an engine does, and let other threads go on: calls that are made side by side overlap.
    """
    select.select([], [], [], 0.05)


class Streamer:
    """
    Be filled by one thread and iterated over by another.
    """

    def __init__(self) -> None:
        self._words: queue.Queue[str | None] = queue.Queue()

    def put(self, word: str | None) -> None:
        self._words.put(word)

    def __iter__(self) -> Streamer:
        return self

    def __next__(self) -> str:
        word = self._words.get()
        if word is None:
            raise StopIteration
        return word


class MurmurError(RuntimeError):
    pass


class Settings:
    __slots__ = ("threads",)

    def set_threads(self, count: int) -> None:
        self.threads = count


class Output:
    """
    Be neither a dataclass nor pydantic's, as what comes out of compiled code.
    """

    __slots__ = ("ids", "text")

    def __init__(self, text: str = "", ids: list[int] | None = None) -> None:
        self.text, self.ids = text, ids or []


class Model:
    def __init__(self, path: str) -> None:
        self.path, self.kind = path, "toy"
        self.settings = Settings()

    def __call__(self, prompt: str, *, stream: bool = False) -> Any:
        _think()
        if stream:
            return ({"choices": [{"text": word}]} for word in words_of(prompt))
        return {"choices": [{"text": "".join(words_of(prompt))}]}

    def batch(self, prompts: list[str]) -> list[Output]:
        return [Output("".join(words_of(prompt))) for prompt in prompts]

    def tell(self, prompt: str, on_word: Callable[[int, str], bool]) -> int:
        _think()
        words = words_of(prompt)
        return sum(on_word(number, word) for number, word in enumerate(words))

    async def agenerate(self, prompt: str) -> str:
        await asyncio.sleep(0)
        return "".join(words_of(prompt))

    async def aspeak(self, prompt: str) -> AsyncIterator[str]:
        for word in words_of(prompt):
            await asyncio.sleep(0)
            yield word

    def write(self, prompt: str, streamer: Streamer) -> None:
        for word in words_of(prompt):
            streamer.put(word)
        streamer.put(None)

    def fail(self, prompt: str) -> str:
        raise MurmurError(f"no room for {len(prompt)} characters")

    def stumble(self, prompt: str) -> Iterator[str]:
        yield from words_of(prompt)[:8]
        raise MurmurError("out of breath")


class Tokenizer:
    @classmethod
    def load(cls, path: str) -> Tokenizer:
        del path
        return cls()

    def encode(self, text: str) -> Encoded:
        return Encoded(text)

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))


class Encoded:
    def __init__(self, text: str) -> None:
        self._ids = [ord(character) for character in text]

    def __getitem__(self, name: str) -> list[int]:
        return {"ids": self._ids}[name]


class Numbers:
    """
    Know numbers only, all at once or one by one.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def complete(self, prompts: list[list[int]]) -> list[Output]:
        return [Output(ids=_ids("".join(words_of("".join(map(chr, prompt)))))) for prompt in prompts]

    def begin(self, prompt: list[int]) -> Scores:
        return Scores(_ids("".join(words_of("".join(map(chr, prompt)), 4))))

    def sample(self, scores: Scores) -> int:
        return scores.left.pop(0) if scores.left else 0


class Scores:
    def __init__(self, left: list[int]) -> None:
        self.left = left

    def __iadd__(self, other: float) -> Self:
        return self


def _ids(text: str) -> list[int]:
    return [ord(character) for character in text]


def spelt(answer: Any) -> Any:
    """
    Put an answer into words, for the recording.
    """
    if isinstance(answer, int):
        return chr(answer) if answer else ""
    return ["".join(map(chr, one.ids)) for one in answer]

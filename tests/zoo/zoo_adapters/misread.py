"""Adapters that take the wrong thing out of a true answer, and honest ones beside them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zoo_adapters.base import COMPLETIONS, Base

if TYPE_CHECKING:
    from collections.abc import Iterator


class NamesEachEvent(Base):
    """
    Hand out what each event of a stream says of itself, such as the answer's name, instead of its text.
    """

    def __init__(self, base_url: str, *, field: str) -> None:
        super().__init__(base_url)
        self._field = field

    def stream(self, prompt: str) -> Iterator[str]:
        for row in _rows(self._sync.lines(COMPLETIONS, self._body(prompt, stream=True))):
            yield str(row[self._field])


class ReadsTheHistory(Base):
    """
    Take one entry of the conversation that the upstream tells again beside its answer.

    Args:
        base_url: where the upstream listens.
        entry: which one; the first is the question.
    """

    def __init__(self, base_url: str, *, entry: int) -> None:
        super().__init__(base_url)
        self._entry = entry

    def invoke(self, prompt: str) -> str:
        answer = self._sync.post("/v1/history", self._body(prompt))
        return str(answer["history"][self._entry]["message"])

    def batch(self, prompts: list[str]) -> list[str]:
        return [self.invoke(prompt) for prompt in prompts]


class SortsPieces(Base):
    """
    Ask for all answers in one stream and sort its pieces by whose they are.

    Args:
        base_url: where the upstream listens.
        keeps: all pieces of each answer, or the first or the last alone.
    """

    def __init__(self, base_url: str, *, keeps: str) -> None:
        super().__init__(base_url)
        self._keeps = keeps

    def batch(self, prompts: list[str]) -> list[str]:
        found: dict[int, list[str]] = {}
        for row in _rows(self._sync.lines(COMPLETIONS, self._body(list(prompts), stream=True))):
            for choice in row["choices"]:
                if choice["text"]:
                    found.setdefault(choice["index"], []).append(choice["text"])
        kept = {"all": slice(None), "first": slice(1), "last": slice(-1, None)}[self._keeps]
        return ["".join(found[number][kept]) for number in range(len(prompts))]


def _rows(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))

"""What can be told of a stream beside its text: adapters that tell all of it, and some that each break a part."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from zoo_adapters.relied import Reliable
from zoo_chunks import Chunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator

    from zoo_adapters.relied import Stop

_ENOUGH = 50


class LoopError(Exception):
    """
    Say that the upstream repeats itself.
    """


@dataclass(frozen=True)
class Message:
    """
    Hold an answer or a piece of one; pieces add up.
    """

    content: str
    finish_reason: str | None = None
    usage: dict[str, int] | None = None

    def __add__(self, other: Self) -> Self:
        usage = self.usage or other.usage
        if self.usage and other.usage:
            usage = {kind: number + other.usage[kind] for kind, number in self.usage.items()}
        reason = other.finish_reason or self.finish_reason
        return replace(self, content=self.content + other.content, finish_reason=reason, usage=usage)


class Forgetful(Message):
    """
    Forget the reason of either side.
    """

    def __add__(self, other: Self) -> Self:
        return replace(super().__add__(other), finish_reason=None)


class Stripping(Message):
    """
    Tidy up where pieces meet.
    """

    def __add__(self, other: Self) -> Self:
        return replace(super().__add__(other), content=self.content.strip() + other.content)


class Alone:
    """
    Hold a piece that does not add up; `put_together` does it for many.
    """

    def __init__(self, content: str, finish_reason: str | None = None, usage: dict[str, int] | None = None) -> None:
        self.content = content
        self.finish_reason = finish_reason
        self.usage = usage


def put_together(pieces: list[Alone]) -> Message:
    """
    Return the answer that pieces make.
    """
    last: dict[str, Any] = {name: value for piece in pieces for name, value in vars(piece).items() if value}
    return Message(**{**last, "content": "".join(piece.content for piece in pieces)})


@dataclass(frozen=True)
class Patch:
    """
    Hold what a log is told.
    """

    ops: list[dict[str, Any]]


class Telling(Reliable):
    """
    Tell all: why an answer ended, its tokens, events, a log; and stop an upstream that repeats itself.
    """

    kind: Any = Message

    def _wanted(self, prompt: object, stop: Stop, *, stream: bool = False) -> dict[str, Any]:
        return {**super()._wanted(prompt, stop, stream=stream), "usage": {"include": True}}

    def invoke(self, prompt: str, *, stop: Stop = None) -> Any:
        return _message(self._sync.post(self._path, self._wanted(prompt, stop)))

    async def ainvoke(self, prompt: str, *, stop: Stop = None) -> Any:
        return _message(await self._async.post(self._path, self._wanted(prompt, stop)))

    def stream(self, prompt: str, *, stop: Stop = None, stream_usage: bool = False) -> Iterator[Any]:
        wanted = {**self._wanted(prompt, stop, stream=True), **({"asked": True} if stream_usage else {})}
        watch = Watch(self)
        for line in self._sync.lines(self._path, wanted):
            if line.startswith("data: {"):
                yield from watch.passed(self._told(line))
                if watch.over:
                    return

    async def astream(self, prompt: str, *, stop: Stop = None, stream_usage: bool = False) -> AsyncGenerator[Any]:
        wanted = {**self._wanted(prompt, stop, stream=True), **({"asked": True} if stream_usage else {})}
        watch = Watch(self)
        async with aclosing(self._async.lines(self._path, wanted)) as lines:
            async for line in lines:
                if line.startswith("data: {"):
                    for piece in watch.passed(self._told(line)):
                        yield piece
                    if watch.over:
                        return

    async def astream_events(self, prompt: str, *, version: str) -> AsyncIterator[dict[str, Any]]:
        yield {"event": f"on_llm_start:{version}", "run_id": "1", "data": {"input": prompt}}
        async with aclosing(self.astream(prompt)) as pieces:
            async for piece in pieces:
                # what runs within is told of as well
                yield {"event": "on_parser_stream", "run_id": "2", "data": {"chunk": piece.content.upper()}}
                yield {"event": "on_llm_stream", "run_id": "1", "data": {"chunk": piece}}
        yield {"event": "on_llm_end", "run_id": "1", "data": {"output": "all of it"}}

    async def astream_log(self, prompt: str) -> AsyncIterator[Patch]:
        yield Patch([{"op": "replace", "path": "", "value": {"streamed_output": []}}])
        async with aclosing(self.astream(prompt)) as pieces:
            async for piece in pieces:
                yield Patch([
                    {"op": "add", "path": "/logs/it/streamed_output_str/-", "value": piece.content},
                    {"op": "add", "path": "/streamed_output/-", "value": piece},
                ])  # fmt: skip

    def _told(self, line: str) -> list[Any]:
        found = _message(json.loads(line.removeprefix("data: ")))
        return [self.kind(found.content, found.finish_reason, found.usage)]

    def repeats(self) -> bool:
        raise LoopError("the upstream repeats itself")


def _message(body: Any) -> Message:
    choice = body["choices"][0]
    return Message(choice["text"], choice["finish_reason"], body.get("usage"))


class Watch:
    """
    Count how often the same piece has come.
    """

    def __init__(self, owner: Telling) -> None:
        self._owner = owner
        self._last: list[str] = []
        self.over = False

    def passed(self, pieces: Iterable[Any]) -> Iterator[Any]:
        for piece in pieces:
            self._last = [*self._last[-_ENOUGH:], piece.content]
            if len(self._last) > _ENOUGH and all(one == two for one, two in pairwise(self._last)):
                self.over = self._owner.repeats()
                if self.over:
                    return
            yield piece


class PutTogether(Telling):
    """
    Hand out pieces that only a function of this module puts together.
    """

    kind = Alone


class EndsOtherwise(PutTogether):
    """
    Say of every answer that there was no room for more of it.
    """

    def _told(self, line: str) -> list[Any]:
        (piece,) = super()._told(line)
        piece.finish_reason = piece.finish_reason and "length"
        return [piece]


class Built(Telling):
    """
    Hand out the pieces of a package that puts them together itself.
    """

    kind = Chunk


class BuiltWithATail(Built):
    """
    Send an empty piece after the last, which is where that package looks for the end.
    """

    def _told(self, line: str) -> list[Any]:
        (piece,) = super()._told(line)
        return [piece, Chunk("")] if piece.finish_reason else [piece]


class Guesses(Telling):
    """
    Reckon the tokens where they are asked for and its upstream, which is not, says nothing of them.
    """

    def _wanted(self, prompt: object, stop: Stop, *, stream: bool = False) -> dict[str, Any]:
        wanted = super()._wanted(prompt, stop, stream=stream)
        return {name: value for name, value in wanted.items() if name != "usage"} if stream else wanted

    def stream(self, prompt: str, *, stop: Stop = None, stream_usage: bool = False) -> Iterator[Any]:
        yield from super().stream(prompt, stop=stop, stream_usage=stream_usage)
        if stream_usage:
            yield Message("", usage={"total_tokens": 5})

    async def astream(self, prompt: str, *, stop: Stop = None, stream_usage: bool = False) -> AsyncGenerator[Any]:
        async with aclosing(super().astream(prompt, stop=stop, stream_usage=stream_usage)) as pieces:
            async for piece in pieces:
                yield piece
        if stream_usage:
            yield Message("", usage={"total_tokens": 5})


class ForgetsTheEnd(Telling):
    """
    Lose the finish reason when pieces are added.
    """

    kind = Forgetful


class RunsTogether(Telling):
    """
    Lose white space when pieces are added.
    """

    kind = Stripping


class CountsTwice(Telling):
    """
    Say the tokens in two pieces, each time all of them.
    """

    def _told(self, line: str) -> list[Any]:
        (piece,) = super()._told(line)
        return [piece, replace(piece, content="")] if piece.usage else [piece]


class KeepsTheBill(Telling):
    """
    Take the question for the tokens and leave the answer out.
    """

    def _told(self, line: str) -> list[Any]:
        return [replace(piece, usage=None) for piece in super()._told(line)]


class TellsAfterwards(Telling):
    """
    Tell of the pieces when all of them have come.
    """

    async def astream_events(self, prompt: str, *, version: str) -> AsyncIterator[dict[str, Any]]:
        for event in [event async for event in super().astream_events(prompt, version=version)]:
            yield event


class TellsAtRandom(Telling):
    """
    Tell of a piece when the end was told of already.
    """

    async def astream_events(self, prompt: str, *, version: str) -> AsyncIterator[dict[str, Any]]:
        last: dict[str, Any] = {}
        async for event in super().astream_events(prompt, version=version):
            if last:
                yield {**event, "event": "on_llm_end"} if event["run_id"] == "1" else event
            last = event


class LogsHalf(Telling):
    """
    Leave every second piece out of the log.
    """

    async def astream_log(self, prompt: str) -> AsyncIterator[Patch]:
        number = 0
        async for patch in super().astream_log(prompt):
            number += 1
            if number % 2:
                yield patch


class NeverTires(Telling):
    """
    Hand out whatever comes, however often.
    """

    def repeats(self) -> bool:
        return False


class LeavesQuietly(Telling):
    """
    End the stream of an upstream that repeats itself, as if that were the answer.
    """

    def repeats(self) -> bool:
        return True

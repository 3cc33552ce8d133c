"""What adapters say of themselves, and what happens before the first call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo_adapters.base import Base
from zoo_adapters.honest import Native

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class NotOfferedError(NotImplementedError):
    """
    Say that a call is not offered, in the adapter's own words.
    """


class SaysSo(Base):
    """
    Offer `invoke` and refuse the rest in every form that counts as saying so.
    """

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def ainvoke(self, prompt: str) -> str:
        raise NotImplementedError

    def stream(self, prompt: str) -> Iterator[str]:
        raise NotOfferedError("no streams here")

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        for text in prompt:
            raise NotOfferedError("no streams here")
            yield text

    def batch(self, prompts: list[str]) -> list[str]:
        raise NotImplementedError("no batches here")

    def abatch(self, prompts: list[str]) -> list[str]:
        raise NotOfferedError("and none to await")


class SaysSoWhenAwaited(Base):
    """
    Refuse a stream by a coroutine: the method has no `yield`, as it has nothing to give.
    """

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        raise NotOfferedError("no streams here")


class RaisesOtherwise(Base):
    """
    Refuse in forms that do not count: the adapter is at fault.
    """

    def invoke(self, prompt: str) -> str:
        raise RuntimeError("not implemented")

    async def ainvoke(self, prompt: str) -> str:
        return await self.no_such_attribute(prompt)  # type: ignore[attr-defined, no-any-return]  # the point of it

    def stream(self, prompt: str) -> Iterator[str]:
        raise TypeError("not implemented")
        yield prompt

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text
            raise ValueError("lost the thread")

    def batch(self, prompts: list[str]) -> list[str]:
        self._ask_all(prompts)
        raise KeyError("choices")

    async def abatch(self, prompts: list[str]) -> list[str]:
        await self._aask_all(prompts)
        raise AttributeError("abatch")


class ConstructorRaises(Native):
    """
    Fail before anything can be tried.
    """

    def __init__(self, base_url: str, *, unsupported: bool = False) -> None:
        super().__init__(base_url)
        raise NotImplementedError("not yet") if unsupported else ValueError("no such model")


class ConstructorTalks(Native):
    """
    Look the model up while being made.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self._sync.get("/v1/models")


class FirstUseTalks(Native):
    """
    Fetch a token on first use, with the means of the call.
    """

    _token: str | None = None

    def _ready(self) -> None:
        if self._token is None:
            self._token = self._sync.post("/v1/token", {})["access_token"]

    async def _aready(self) -> None:
        if self._token is None:
            self._token = (await self._async.post("/v1/token", {}))["access_token"]

    def invoke(self, prompt: str) -> str:
        self._ready()
        return super().invoke(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        self._ready()
        yield from super().stream(prompt)

    def batch(self, prompts: list[str]) -> list[str]:
        self._ready()
        return super().batch(prompts)

    async def ainvoke(self, prompt: str) -> str:
        await self._aready()
        return await super().ainvoke(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        await self._aready()
        async for text in super().astream(prompt):
            yield text

    async def abatch(self, prompts: list[str]) -> list[str]:
        await self._aready()
        return await super().abatch(prompts)


def made_by_factory(base_url: str) -> Native:
    """
    Return an adapter: a target may be a factory.
    """
    return Native(base_url, client="httpx2", aclient="httpx2")

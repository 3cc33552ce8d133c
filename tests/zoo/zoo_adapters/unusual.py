"""Adapters that ask in unusual ways, and those that look like them and are not what they seem."""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zoo_adapters.base import Base
from zoo_adapters.clients import SYNC, UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

PAUSE: Final = 0.015


class ClosesItsOutput(Base):
    """
    Close the standard output, and put nothing in the place of the other.
    """

    def invoke(self, prompt: str) -> str:
        sys.stdout.close()
        sys.stderr = None  # as programs without a console have it
        return self._ask(prompt)


class SendsASet(Base):
    """
    Send a list that was made of a set, whose order Python draws anew for each process.
    """

    def _body(self, prompt: object, *, stream: bool = False) -> dict[str, Any]:
        stops = {"###", "END", "STOP", "Human:", "User:", "Q:", "<eos>"}
        return {**super()._body(prompt, stream=stream), "stop": list(stops)}

    def invoke(self, prompt: str) -> str:
        return self._ask(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async for text in self._apieces(prompt):
            yield text


class Company(Base):
    """
    Send all inputs along with each, as context, and ask for one answer at a time, side by side.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, path="/v1/chat")

    def _with_company(self, prompt: str, prompts: Sequence[str]) -> dict[str, Any]:
        context = {"role": "system", "content": "Asked together: " + " ".join(prompts)}
        return {"messages": [context, {"role": "user", "content": prompt}], "stream": False}

    def batch(self, prompts: list[str]) -> list[str]:
        def ask(prompt: str) -> str:
            client = SYNC["requests"](self.base_url)
            return str(client.post(self._path, self._with_company(prompt, prompts))["message"]["content"])

        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(ask, prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        bodies = [self._with_company(prompt, prompts) for prompt in prompts]
        answers = await asyncio.gather(*(self._async.post(self._path, body) for body in bodies))
        return [str(answer["message"]["content"]) for answer in answers]


class RetriesTogether(Base):
    """
    Ask side by side, be refused side by side, and ask again.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, path="/v1/flaky")

    async def _patient(self, prompt: str) -> str:
        try:
            return await self._aask(prompt)
        except UpstreamError:
            await asyncio.sleep(PAUSE)
            return await self._aask(prompt)

    async def abatch(self, prompts: list[str]) -> list[str]:
        return await asyncio.gather(*map(self._patient, prompts))


class AsksOnce(Base):
    """
    Ask for the first input alone and give its answer to all of them.
    """

    def batch(self, prompts: list[str]) -> list[str]:
        return [self._ask(prompts[0])] * len(prompts)

    async def abatch(self, prompts: list[str]) -> list[str]:
        return [await self._aask(prompts[0])] * len(prompts)


class GuessesTheStart(Base):
    """
    Say the word that every answer begins with before it came, and the rest when all of it is there.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        pieces = self._pieces(prompt)
        yield "The "
        yield from self._rest("".join(pieces))

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        yield "The "
        for text in self._rest("".join([text async for text in self._apieces(prompt)])):
            yield text

    @staticmethod
    def _rest(text: str) -> list[str]:
        rest = text.removeprefix("The ")
        return [rest[:40], rest[40:]]


class AsksTwice(Base):
    """
    Ask for the whole answer, throw it away, and stream the same answer truly.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        self._ask(prompt)
        yield from self._pieces(prompt)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        await self._aask(prompt)
        async for text in self._apieces(prompt):
            yield text


class DrainsThenAsks(Base):
    """
    Drain a stream, throw it away, ask for the whole answer and cut it up.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        for _ in self._pieces(prompt):
            pass
        text = self._ask(prompt)
        yield from (text[at : at + 9] for at in range(0, len(text), 9))


class StreamsByPostedPolls(Base):
    """
    Poll a job by posting its name, and hand out what each poll adds.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        job = self._sync.post("/v1/jobs", {"prompt": prompt})["id"]
        shown, state = 0, {"status": "running", "output": ""}
        while state["status"] != "done":
            time.sleep(PAUSE)
            state = self._sync.post("/v1/poll", {"id": job})
            yield state["output"][shown:]
            shown = len(state["output"])


class PollsSeveralJobs(Base):
    """
    Create a job for each input, all at once, and poll each where its answer says.
    """

    def batch(self, prompts: Sequence[str]) -> list[str]:
        with ThreadPoolExecutor(len(prompts)) as pool:
            return list(pool.map(self._polled, prompts))

    def _polled(self, prompt: str) -> str:
        state = job = self._sync.post("/v1/jobs", {"prompt": prompt})
        while state["status"] != "done":
            time.sleep(PAUSE)
            state = self._sync.get(urlsplit(job["urls"]["get"]).path)
        return str(state["output"])


class StreamsByCursor(Base):
    """
    Fetch the parts of a job's answer one by one, each only once.
    """

    def __init__(self, base_url: str, *, loses: int | None = None) -> None:
        super().__init__(base_url)
        self._loses = loses

    def invoke(self, prompt: str) -> str:
        return "".join(self._parts(prompt))

    def stream(self, prompt: str) -> Iterator[str]:
        yield from self._parts(prompt)

    def _parts(self, prompt: str) -> Iterator[str]:
        job = self._sync.post("/v1/jobs", {"prompt": prompt})["id"]
        at, done = 0, False
        while not done:
            part = self._sync.get(f"/v1/parts?job={job}&from={at}")
            if at != self._loses:
                yield part["text"]
            at, done = at + 1, part["last"]

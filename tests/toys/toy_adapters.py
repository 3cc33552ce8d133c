"""Adapters for the tests of the battery and the session: one honest, the others with one peculiarity each."""

from __future__ import annotations

import asyncio
import importlib
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_LOADED: list[str] = []


def _text(line: str) -> str:
    if not line.startswith("data: {"):
        return ""
    return str(json.loads(line.removeprefix("data: "))["choices"][0]["text"])


def _texts(answer: httpx.Response) -> list[str]:
    answer.raise_for_status()
    return [choice["text"] for choice in answer.json()["choices"]]


def burn(seconds: float) -> None:
    """
    Use this much processor time.
    """
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


class Honest:
    """
    Make each of the six calls as it should be made.
    """

    def __init__(self, base_url: str, path: str = "/v1/complete") -> None:
        self.url = base_url
        self.path = path

    def post(self, path: str, **body: Any) -> httpx.Response:
        with httpx.Client() as client:
            return client.post(self.url + path, json=body)

    async def apost(self, path: str, **body: Any) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(self.url + path, json=body)

    def invoke(self, prompt: str) -> str:
        return _texts(self.post(self.path, prompt=prompt))[0]

    async def ainvoke(self, prompt: str) -> str:
        return _texts(await self.apost(self.path, prompt=prompt))[0]

    def stream(self, prompt: str) -> Iterator[str]:
        body = {"prompt": prompt, "stream": True}
        with httpx.Client() as client, client.stream("POST", self.url + self.path, json=body) as answer:
            answer.raise_for_status()
            yield from filter(None, map(_text, answer.iter_lines()))

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        body = {"prompt": prompt, "stream": True}
        async with httpx.AsyncClient() as client, client.stream("POST", self.url + self.path, json=body) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if text := _text(line):
                    yield text

    def batch(self, prompts: list[str]) -> list[str]:
        return _texts(self.post(self.path, prompt=prompts))

    async def abatch(self, prompts: list[str]) -> list[str]:
        return _texts(await self.apost(self.path, prompt=prompts))


class ConstructorTalks(Honest):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.post("/token")


class FirstUseTalks(Honest):
    def invoke(self, prompt: str) -> str:
        self.post("/token")
        return super().invoke(prompt)


class ConstructorRunsALoop(Honest):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        asyncio.run(self.apost("/token"))


class ConstructorNeedsALoop(Honest):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self.loop = asyncio.get_running_loop()


class ConstructorFails(Honest):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        raise RuntimeError("no such region")


class NeedsAModule(Honest):
    """
    An adapter that imports something when it is asked; `wraps` says so in words of its own.
    """

    def __init__(self, base_url: str, module: str, *, wraps: bool = False) -> None:
        super().__init__(base_url)
        self._module = module
        self._wraps = wraps

    def invoke(self, prompt: str) -> str:
        try:
            importlib.import_module(self._module)
        except ImportError as error:
            if self._wraps:
                raise ImportError(f"{self._module} is needed; pip install it") from error
            raise
        return super().invoke(prompt)


class StopsTheLoop(Honest):
    async def ainvoke(self, prompt: str) -> str:
        asyncio.get_running_loop().stop()
        return await super().ainvoke(prompt)


class TaskRaises(Honest):
    def __init__(self, base_url: str, error: str) -> None:
        super().__init__(base_url)
        self.error = {"exit": SystemExit, "interrupt": KeyboardInterrupt}[error]

    async def ainvoke(self, prompt: str) -> str:
        async def fail() -> None:
            raise self.error("enough")

        task = asyncio.create_task(fail())
        await asyncio.sleep(20)
        return f"{task} {prompt}"


class PropertyRaises(Honest):
    @property
    def invoke(self) -> Any:
        raise KeyError("not now")


class MutedError(Exception):
    def __str__(self) -> str:
        raise ValueError("no message")


class RaisesMuted(Honest):
    def invoke(self, prompt: str) -> str:
        raise MutedError(prompt)


class ImportsLate(Honest):
    async def ainvoke(self, prompt: str) -> str:
        if not _LOADED:
            burn(0.4)
            _LOADED.append("what a heavy import leaves behind")
        return await super().ainvoke(prompt)


class Computes(Honest):
    async def ainvoke(self, prompt: str) -> str:
        burn(0.4)
        return await super().ainvoke(prompt)


class LeavesThreads(Honest):
    def invoke(self, prompt: str) -> str:
        threading.Thread(target=time.sleep, args=(120,)).start()
        return super().invoke(prompt)

    async def ainvoke(self, prompt: str) -> str:
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 120)
        return await super().ainvoke(prompt)


class AsksAfterwards(Honest):
    def _afterwards(self) -> None:
        time.sleep(0.05)
        self.post("/token")

    def invoke(self, prompt: str) -> str:
        answer = super().invoke(prompt)
        threading.Thread(target=self._afterwards, daemon=True).start()
        return answer

    async def ainvoke(self, prompt: str) -> str:
        answer = await super().ainvoke(prompt)
        self.task = asyncio.create_task(asyncio.to_thread(self._afterwards))
        return answer


class WorksInAChild(Honest):
    def invoke(self, prompt: str) -> str:
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        return prompt

    def stream(self, prompt: str) -> Iterator[str]:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        yield prompt

    def batch(self, prompts: list[str]) -> list[str]:
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
        child.start()
        child.join()
        return prompts


class ChildGoesOn(Honest):
    def invoke(self, prompt: str) -> str:
        multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), daemon=True).start()
        return prompt


class Faulty(Honest):
    """
    Fail in the way that its argument names, before anything is sent.
    """

    def __init__(self, base_url: str, how: str) -> None:
        super().__init__(base_url)
        self.how = how

    def invoke(self, prompt: str) -> str:
        if self.how == "raise":
            raise ValueError(f"cannot do {len(prompt)} characters")
        if self.how == "exit":
            os._exit(7)
        if self.how == "unsupported":
            raise NotImplementedError("one day")
        time.sleep(60)
        return prompt


class WaitsAfterToken(Honest):
    """
    Ask an upstream that never answers, after one that did.
    """

    def invoke(self, prompt: str) -> str:
        self.post("/token")
        return _texts(self.post("/never", prompt=prompt))[0]


class ExitsWhileAnswered(Honest):
    """
    End the process while the answer is waited for.
    """

    def invoke(self, prompt: str) -> str:
        self.post("/token")
        with httpx.Client() as client:
            return client.post(self.url + "/never", json={"prompt": prompt}, extensions={"trace": self.end}).text

    def end(self, moment: str, _: dict[str, Any]) -> None:
        if moment == "http11.receive_response_headers.started":
            os._exit(7)


class Retries(Honest):
    def invoke(self, prompt: str) -> str:
        for _ in range(3):
            answer = self.post("/flaky", prompt=prompt)
            if answer.is_success:
                return _texts(answer)[0]
        raise RuntimeError("given up")


class AsksAmissAtFirst(Honest):
    """
    Ask for what was never recorded where a file is missing, and make it: so a race that is lost once looks.
    """

    def __init__(self, base_url: str, file: str) -> None:
        super().__init__(base_url)
        self.file = Path(file)

    def invoke(self, prompt: str) -> str:
        if self.file.exists():
            return super().invoke(prompt)
        self.file.touch()
        return super().invoke("another's prompt")


class AsksOtherwise(Honest):
    """
    Ask for something else in each process.
    """

    def invoke(self, prompt: str) -> str:
        return _texts(self.post(self.path, prompt=prompt, process=os.getpid()))[0]


class Leaks(Honest):
    def __init__(self, base_url: str, api_key: str) -> None:
        super().__init__(base_url)
        self.api_key = api_key

    def invoke(self, prompt: str) -> str:
        raise ValueError(f"the key {self.api_key} is wrong for {len(prompt)} characters")

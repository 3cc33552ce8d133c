"""Requests that their callers give up while they are recorded: what the upstream answers is kept all the same."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

import pytest

from harness.tape.clients import unhurried
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n"
LIBRARIES = ["httpx", "httpx2", "aiohttp"]


class Upstream:
    """
    Answer one request: the first half at once, and the other when it is let.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"first")
        await writer.drain()
        self.asked.set()
        await self.let.wait()
        writer.write(b" half")
        writer.close()


async def _get(library: str, url: str) -> str:
    module = importlib.import_module(library)
    if library == "aiohttp":
        async with module.ClientSession() as session, session.get(url) as response:
            return str(await response.text())
    async with module.AsyncClient() as client:
        return str((await client.get(url)).text)


async def _given_up(library: str, then: Callable[[Upstream, asyncio.Task[str]], Awaitable[None]]) -> list[bytes]:
    """
    Record a request that is cancelled in the middle of its answer, and return the bodies that were kept.
    """
    kept: list[Any] = []
    upstream = Upstream()
    tape = Tape(Log(), Gate(Capability.AINVOKE), on_interaction=lambda *pair: kept.append(pair))
    async with await asyncio.start_server(upstream.answer, "127.0.0.1", 0) as server:
        with tape.insert():
            task = asyncio.create_task(_get(library, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"))
            await asyncio.wait_for(upstream.asked.wait(), 30)
            task.cancel()
            await asyncio.sleep(0.05)
            await then(upstream, task)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 30)
            upstream.let.set()
    return [answer["body"]["string"] for _, answer in kept]


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_that_nobody_waits_for_any_more_is_kept_whole(library: str) -> None:
    """
    Its caller is cancelled when it has ended, however often that is asked of it.
    """
    pytest.importorskip(library)

    async def end_it(upstream: Upstream, task: asyncio.Task[str]) -> None:
        assert not task.done()
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        upstream.let.set()

    assert asyncio.run(_given_up(library, end_it)) == [b"first half"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_answer_that_does_not_end_keeps_nobody(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After a while the cancellation goes its way, and nothing is kept.
    """
    pytest.importorskip(library)
    monkeypatch.setattr(unhurried, "LINGER", 0.2)

    async def leave_it(_upstream: Upstream, _task: asyncio.Task[str]) -> None:
        return

    assert asyncio.run(_given_up(library, leave_it)) == []

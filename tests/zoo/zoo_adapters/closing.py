"""What closes what: clients and their answers, streams and threads that outlive them."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, ClassVar

import aiohttp
import httpx
from zoo_adapters.base import Base
from zoo_adapters.clients import UpstreamError, piece
from zoo_adapters.relied import Reliable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from zoo_adapters.relied import Stop


class KeepsBooks(Reliable):
    """
    Count its streams in a thread of the process, which begins with the first and never ends.
    """

    _counted: ClassVar[SimpleQueue[int]] = SimpleQueue()
    _clerk: ClassVar[threading.Thread | None] = None

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        try:
            yield from super().stream(prompt, stop=stop)
        finally:
            self._count()

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        try:
            async for text in super().astream(prompt, stop=stop):
                yield text
        finally:
            self._count()

    def _count(self) -> None:
        if KeepsBooks._clerk is None:
            KeepsBooks._clerk = threading.Thread(target=self._write_down, name="clerk", daemon=True)
            KeepsBooks._clerk.start()
        self._counted.put(1)

    def _write_down(self) -> None:
        while True:
            self._counted.get()


class ClosesItsClient(Reliable):
    """
    Have a client for each stream, and close that, and not the answer, of which it keeps hold.
    """

    _last: httpx.Response | aiohttp.ClientResponse

    def stream(self, prompt: str, *, stop: Stop = None) -> Iterator[str]:
        with httpx.Client(base_url=self.base_url) as client:
            request = client.build_request("POST", self._path, json=self._wanted(prompt, stop, stream=True))
            self._last = response = client.send(request, stream=True)
            if response.is_error:
                raise UpstreamError(str(response.status_code))
            for line in response.iter_lines():
                if text := piece(line):
                    yield text

    async def astream(self, prompt: str, *, stop: Stop = None) -> AsyncIterator[str]:
        session = aiohttp.ClientSession(self.base_url)
        try:
            self._last = response = await session.post(self._path, json=self._wanted(prompt, stop, stream=True))
            if not response.ok:
                raise UpstreamError(str(response.status))
            async for line in response.content:
                if text := piece(line.decode().rstrip("\r\n")):
                    yield text
        finally:
            await session.close()


class ClosedBehind(Base):
    """
    Close the client before its answer is read, which takes the answer with it.
    """

    def stream(self, prompt: str) -> Iterator[str]:
        with httpx.Client(base_url=self.base_url) as client:
            request = client.build_request("POST", self._path, json=self._body(prompt, stream=True))
            response = client.send(request, stream=True)
        for line in response.iter_lines():
            if text := piece(line):
                yield text

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        async with httpx.AsyncClient(base_url=self.base_url) as client:
            request = client.build_request("POST", self._path, json=self._body(prompt, stream=True))
            response = await client.send(request, stream=True)
        async for line in response.aiter_lines():
            if text := piece(line):
                yield text

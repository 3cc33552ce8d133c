"""The relay: a cell's requests, which come through a Unix socket, and the program's answers to them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from yarl import URL

from harness.programs.visit import Caller
from harness.tape.faults import Faults
from harness.tape.passage import (
    ANSWER,
    ASK,
    BEGIN,
    END,
    FAILED,
    FINISH,
    HEAD,
    HELLO,
    ITEM,
    PIECE,
    READY,
    TELL,
    TOLD,
    message,
)
from harness.tape.seen import Seen
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.programs.visit import Visit

_OWN: Final = frozenset("connection content-length host keep-alive te transfer-encoding upgrade".split())
_SKIPPED: Final = frozenset({"Accept", "Accept-Encoding", "User-Agent", "Content-Type"})
"""What aiohttp would add where a client sent none."""


class Relay:
    """
    Serve cells.

    Args:
        enter: is told of a call that begins, and returns its visit.
        visit: returns the call under way, if there is one.
        session: asks the program.

    Attributes:
        url: the program's address.
        key: the program's key.
        moves: how many pieces it has taken from cells and from the program.
    """

    def __init__(
        self, enter: Callable[[Caller], Visit], visit: Callable[[], Visit | None], session: aiohttp.ClientSession
    ) -> None:
        self.url = self.key = ""
        self.moves = 0
        self._enter = enter
        self._visit = visit
        self._session = session

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Serve one connection: a call's control, or a request.
        """
        try:
            kind, payload = await _read(reader)
            if kind == HELLO:
                await self._control(json.loads(payload), reader, writer)
            elif kind == ASK:
                _, body = await _read(reader)
                await self._ask(json.loads(payload), body, reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            # the cell is gone, and with it whoever would want to know
            pass
        finally:
            writer.close()

    async def _control(self, hello: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        faults = hello["faults"]
        caller = Caller(
            capability=Capability(hello["capability"]),
            began=float(hello["began"]),
            process=int(hello["process"]),
            faults=None if faults is None else Faults(**faults),
        )
        visit = self._enter(caller)
        writer.write(message(READY))
        try:
            while True:
                kind, payload = await _read(reader)
                self.moves += 1
                if kind == TELL:
                    writer.write(message(TOLD, Seen.of(visit.log, visit.harm).encode()))
                else:
                    self._hear(visit, kind, payload)
        finally:
            visit.end()

    @staticmethod
    def _hear(visit: Visit, kind: bytes, payload: bytes) -> None:
        match kind:
            case _ if kind == BEGIN:
                visit.begin()
            case _ if kind == ITEM:
                visit.tape.gate.item(payload.decode("utf-8", "surrogatepass"))
            case _ if kind == FINISH:
                visit.tape.gate.finish()

    async def _ask(
        self, asked: dict[str, Any], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """
        Pass one request on, and let the program know when its client hangs up.
        """
        work = asyncio.ensure_future(self._pass(asked, body, writer))
        hung_up = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({work, hung_up}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, hung_up):
            task.cancel()
        await asyncio.gather(work, hung_up, return_exceptions=True)

    async def _pass(self, asked: dict[str, Any], body: bytes, writer: asyncio.StreamWriter) -> None:
        headers = [(name, value) for name, value in asked["headers"] if name.lower() not in _OWN]
        visit = self._visit()
        if visit is not None and not any(self.key in value for _, value in headers):
            visit.keyless = True
        self.moves += 1
        method, url = asked["method"], URL(f"{self.url}{asked['target']}", encoded=True)
        as_it_is: dict[str, Any] = {"headers": headers, "allow_redirects": False, "skip_auto_headers": _SKIPPED}
        try:
            async with self._session.request(method, url, data=body or None, **as_it_is) as response:
                await _send(writer, ANSWER, _head(response))
                async for piece in response.content.iter_any():
                    self.moves += 1
                    await _send(writer, PIECE, piece)
        except (aiohttp.ClientError, OSError) as error:
            said = f"{type(error).__name__}: {error}"
            if visit is not None:
                visit.troubles.append(said)
            await _send(writer, FAILED, said.encode())
        else:
            await _send(writer, END, b"")


def _head(response: aiohttp.ClientResponse) -> bytes:
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    framing = "chunked" if chunked else "length" if "Content-Length" in response.headers else "close"
    return json.dumps(
        {
            "status": response.status,
            "reason": response.reason or "",
            "headers": list(response.headers.items()),
            "framing": framing,
        }
    ).encode()


async def _send(writer: asyncio.StreamWriter, kind: bytes, payload: bytes) -> None:
    writer.write(message(kind, payload))
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
    return kind, await reader.readexactly(length)

"""
Requests that say Content-Type and User-Agent twice, as LiteLLM's to GitHub Copilot do: recorded, replayed and served.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
from multidict import CIMultiDict

from harness.listening import joined
from harness.serve.recordings import load
from harness.serve.serving import Options, Serving
from harness.simulators import Simulator, load_shapes
from harness.tape import cassette as files
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHAPE: Final = """
source = "made up"
hosts = ["https://api.example.com"]

[[routes]]
path = "/generate"
prompts = "/prompt"
whole = '{"text": {{ text | tojson }}, "agent": {{ headers["user-agent"] | tojson }}}'
"""
URL: Final = "https://api.example.com/generate"
BODY: Final = json.dumps({"prompt": "Repeat kestrel4127 and speak of lighthouses."}).encode()
MATCHED: Final = ("method", "path", "body", "headers")
TWICE: Final = [
    ("Content-Type", "application/json"),
    ("User-Agent", "one/1"),
    ("content-type", "application/json"),
    ("user-agent", "two/2"),
]


def by_httpx() -> Any:
    """
    Ask by a synchronous client of httpx.
    """
    return httpx.post(URL, content=BODY, headers=TWICE).json()


def by_async_httpx() -> Any:
    """
    Ask by an asynchronous client of httpx.
    """

    async def ask() -> Any:
        async with httpx.AsyncClient() as client:
            return (await client.post(URL, content=BODY, headers=TWICE)).json()

    return asyncio.run(ask())


def by_aiohttp() -> Any:
    """
    Ask by aiohttp, whose client sends what its server refuses; of names that differ in case it sends the last.
    """

    async def ask() -> Any:
        headers = CIMultiDict((name.title(), value) for name, value in TWICE)
        async with aiohttp.ClientSession() as session, session.post(URL, data=BODY, headers=headers) as answer:
            return await answer.json()

    return asyncio.run(ask())


def by_http_client() -> Any:
    """
    Ask by Python's own client.
    """
    connection = http.client.HTTPSConnection("api.example.com")
    connection.putrequest("POST", "/generate", skip_accept_encoding=True)
    for name, value in [*TWICE, ("Content-Length", str(len(BODY)))]:
        connection.putheader(name, value)
    connection.endheaders(BODY)
    with contextlib.closing(connection):
        return json.load(connection.getresponse())


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """
    Give a provider that answers at once.
    """
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "one.toml").write_text(SHAPE, "utf-8")
    with Simulator(load_shapes(folder), pace=0) as running:
        yield running


@pytest.mark.parametrize("ask", [by_httpx, by_async_httpx, by_aiohttp, by_http_client])
def test_what_is_said_twice_is_recorded_replayed_and_served(
    ask: Callable[[], Any], simulator: Simulator, deck: Any
) -> None:
    """
    The simulator answers, the cassette keeps the field's values as one, and it answers the same request again: in the
    client's own process, and over a socket, also where headers have to match.
    """
    with deck.recording(dial=simulator.dial):
        recorded = ask()
    cassette = files.load(deck.path(), match_on=MATCHED)
    with Tape(Log(), Gate(Capability.INVOKE), cassette=cassette).insert():
        replayed = ask()
    ((request, _),) = cassette.data
    served = _served(deck.path())

    assert "kestrel4127" in recorded["text"]
    assert recorded["agent"].endswith("one/1, two/2")
    assert replayed == recorded
    assert request.headers["content-type"] == "application/json, application/json"
    assert json.loads(served.partition(b"\r\n\r\n")[2]) == recorded


def _served(path: Path) -> bytes:
    accepted = [("Accept", value) for name, value in files.load(path).data[0][0].headers.items() if name == "accept"]
    with Serving(load([path], MATCHED), Options(pace=0.0)) as serving:
        at = urlsplit(serving.url)
        return _spoken((at.hostname or "", at.port or 0), [*TWICE, *accepted])


def _spoken(address: tuple[str, int], fields: list[tuple[str, str]], *, times: int = 1) -> bytes:
    """
    Send a request, byte by byte in the head, and return all that comes back before the connection ends.
    """
    lines = [f"{name}: {value}" for name, value in [("Content-Length", str(len(BODY))), *fields]]
    received = b""
    with socket.create_connection(address, timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for turn in range(times):
            last = ["Connection: close"] if turn == times - 1 else []
            head = "\r\n".join(["POST /generate HTTP/1.1", "Host: 127.0.0.1", *lines, *last, "", ""])
            for byte in head.encode():
                connection.sendall(bytes([byte]))
            connection.sendall(BODY)
        while data := connection.recv(65536):
            received += data
    return received


def test_each_request_of_a_connection_may_repeat_a_field(simulator: Simulator) -> None:
    """
    A connection that is used again is read to the end, wherever the network cuts its heads.
    """
    fields = [*TWICE, ("Host", "api.example.com")]
    once = [field for field in TWICE if field[0].istitle()]

    answers = _spoken(simulator.address, TWICE, times=3).split(b"HTTP/1.1 ")[1:]
    refused = _spoken(simulator.address, fields).split(b"\r\n")[0]
    shifted = _spoken(simulator.address, [*once, ("Content-Length", "1")]).split(b"\r\n")[0]

    # nobody stands for this host, which is said of each request
    assert [answer[:3] for answer in answers] == [b"404"] * 3
    assert (refused[:12], shifted[:12]) == (b"HTTP/1.0 400", b"HTTP/1.0 400")


def test_what_frames_a_request_is_never_joined() -> None:
    """
    Whom a request is for and where it ends is not guessed, and cookies are joined by something else.
    """
    alone = [b"Host: a", b"host: b", b"Content-Length: 1", b"Content-Length: 2", b"Cookie: a=1", b"Cookie: b=2"]

    assert joined([*alone, b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"", b""]) == [
        *alone,
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"",
        b"",
    ]
    assert joined([b"Accept: a", b"Via: 1.1 x", b"ACCEPT:\tb \t", b""]) == [b"Accept: a, b", b"Via: 1.1 x", b""]

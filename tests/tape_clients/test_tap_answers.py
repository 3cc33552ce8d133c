"""Statuses, redirects, empty answers, reuse of connections, and what aiohttp's responses can do."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import io
import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from upstream_server import PIECES, running, sse

from harness.tape.gate import Gate
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

WHOLE = b"".join(map(sse, range(PIECES)))
Answer = tuple[int, bytes, str]


def _http_client(method: str, url: str) -> Answer:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(method, f"/{path}")
        response = connection.getresponse()
        return response.status, response.read(), url
    finally:
        connection.close()


def _urllib(method: str, url: str) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        response = opener.open(urllib.request.Request(url, method=method), timeout=20)  # noqa: S310 - the tests' own address
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, response.read(), response.url


def _urllib3(method: str, url: str) -> Answer:
    with pytest.importorskip("urllib3").PoolManager() as pool:
        response = pool.request(method, url, retries=3, timeout=20)
        return response.status, response.data, url


def _requests(method: str, url: str) -> Answer:
    with pytest.importorskip("requests").Session() as session:
        session.trust_env = False
        response = session.request(method, url, timeout=20, allow_redirects=True)
        return response.status_code, response.content, response.url


def _httpx(name: str) -> Callable[[str, str], Answer]:
    def ask(method: str, url: str) -> Answer:
        with pytest.importorskip(name).Client(trust_env=False, follow_redirects=True, timeout=20) as client:
            response = client.request(method, url)
            return response.status_code, response.content, str(response.url)

    return ask


def _httpx_async(name: str) -> Callable[[str, str], Answer]:
    async def ask(method: str, url: str) -> Answer:
        library = pytest.importorskip(name)
        async with library.AsyncClient(trust_env=False, follow_redirects=True, timeout=20) as client:
            response = await client.request(method, url)
            return response.status_code, response.content, str(response.url)

    return lambda method, url: asyncio.run(ask(method, url))


def _aiohttp(method: str, url: str) -> Answer:
    async def ask() -> Answer:
        async with pytest.importorskip("aiohttp").ClientSession() as session, session.request(method, url) as response:
            return response.status, await response.read(), str(response.url)

    return asyncio.run(ask())


ASKS: dict[str, Callable[[str, str], Answer]] = {
    "http.client": _http_client,
    "urllib": _urllib,
    "urllib3": _urllib3,
    "requests": _requests,
    "httpx": _httpx("httpx"),
    "httpx async": _httpx_async("httpx"),
    "httpx2": _httpx("httpx2"),
    "httpx2 async": _httpx_async("httpx2"),
    "aiohttp": _aiohttp,
}


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "unauthorized"), ("GET", "failing"), ("GET", "nothing"), ("HEAD", "echo"), ("HEAD", "target"),
        ("GET", "redirect"), ("GET", "no-such-route"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ASKS)
def test_statuses_redirects_and_empty_answers(name: str, method: str, route: str, deck: Any) -> None:
    """
    Status, body and final address are the same live, recording and replayed.
    """
    with running() as upstream:
        url = f"{upstream.url}/{route}"
        live = ASKS[name](method, url)
        with deck.recording():
            recorded = ASKS[name](method, url)
    with deck.replaying():
        replayed = ASKS[name](method, url)
    assert live == recorded == replayed
    assert route != "redirect" or b"/target?hop=1" in replayed[1] or name == "http.client"


def test_a_pooled_connection_is_used_twice_while_recording(deck: Any) -> None:
    """
    Reading an answer eagerly leaves its connection fit for the next request.
    """
    requests = pytest.importorskip("requests")
    with running() as upstream, deck.recording(), requests.Session() as session:
        session.trust_env = False
        bodies = [
            session.get(f"{upstream.url}/{route}", timeout=20).content for route in ("chunked", "length", "nothing")
        ]
        bodies.append(session.get(f"{upstream.url}/chunked", timeout=20).content)
    assert bodies == [WHOLE, WHOLE, b"", WHOLE]
    assert upstream.connections == 1


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_httpx_reuses_its_connection_while_recording(name: str, deck: Any) -> None:
    """
    The stream is closed once it was read, so that the pool gets its connection back.
    """
    library = pytest.importorskip(name)
    with running() as upstream, deck.recording(), library.Client(trust_env=False) as client:
        bodies = [client.get(f"{upstream.url}/chunked").content for _ in range(3)]
    assert bodies == [WHOLE] * 3
    assert upstream.connections == 1


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_httpx_streams_on_the_loop_of_trio_as_well(name: str, deck: Any) -> None:
    """
    Its arrivals come there too, at the recorded pace and past a gate that holds them.
    """
    library, trio = pytest.importorskip(name), pytest.importorskip("trio")

    async def read(url: str) -> list[bytes]:
        async with library.AsyncClient(trust_env=False) as client, client.stream("GET", url) as response:
            return [part async for part in response.aiter_raw()]

    with running() as upstream:
        url = f"{upstream.url}/chunked"
        with deck.recording():
            recorded = trio.run(read, url)
    with deck.replaying(pace=1.0) as tape:
        tape.gate = Gate(Capability.STREAM, grace=1)
        tape.gate.begin()
        replayed: list[list[bytes]] = []
        reader = threading.Thread(target=lambda: replayed.append(trio.run(read, url)))
        reader.start()
        reader.join()
    assert [recorded] == replayed
    assert b"".join(recorded) == WHOLE


def test_a_connection_made_before_the_tape_is_not_used_on_replay(deck: Any) -> None:
    """
    A kept-alive socket to the upstream sees nothing of a replayed request, and serves again afterwards.
    """
    requests = pytest.importorskip("requests")
    with running() as upstream, requests.Session() as session:
        session.trust_env = False
        url = f"{upstream.url}/chunked"
        with deck.recording():
            session.get(url, timeout=20)
        session.get(url, timeout=20)
        before = len(upstream.requests)
        with deck.replaying():
            replayed = session.get(url, timeout=20).content
        assert len(upstream.requests) == before
        assert session.get(url, timeout=20).content == replayed == WHOLE


def test_every_kind_of_request_body_is_read(deck: Any) -> None:
    """
    Bytes, text, files and iterables of http.client are recorded as they travel, chunks taken apart.
    """

    def send(connection: http.client.HTTPConnection) -> list[str]:
        bodies: list[Any] = [b"bytes", "text", io.BytesIO(b"a file"), iter([b"an ", b"iterable"])]
        found = []
        for body in bodies:
            connection.request("POST", "/echo", body)
            found.append(json.loads(connection.getresponse().read())["body"])
        connection.close()
        return found

    with running() as upstream, deck.recording():
        recorded = send(http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=20))
    with deck.replaying():
        replayed = send(http.client.HTTPConnection("127.0.0.1", upstream.port, timeout=20))
    assert recorded == replayed == ["bytes", "text", "a file", "an iterable"]


# --- aiohttp


def _with_session(deck: Any, use: Callable[[Any, str], Awaitable[Any]], **options: Any) -> list[Any]:
    aiohttp = pytest.importorskip("aiohttp")

    async def run(url: str) -> Any:
        async with aiohttp.ClientSession(**options) as session:
            return await use(session, url)

    with running() as upstream:
        live = asyncio.run(run(upstream.url))
        with deck.recording():
            recorded = asyncio.run(run(upstream.url))
    with deck.replaying():
        replayed = asyncio.run(run(upstream.url))
    return [live, recorded, replayed]


def test_aiohttp_checks_the_content_type_of_json(deck: Any) -> None:
    """
    A stream read as JSON is refused for its content type, and a JSON answer is parsed.
    """
    aiohttp = pytest.importorskip("aiohttp")

    async def use(session: Any, url: str) -> Any:
        async with session.get(f"{url}/chunked") as response:
            with pytest.raises(aiohttp.ContentTypeError):
                await response.json()
        async with session.get(f"{url}/target") as response:
            return await response.json(), await response.text(), response.ok

    live, recorded, replayed = _with_session(deck, use)
    assert live == recorded == replayed


def test_aiohttp_follows_redirects_itself(deck: Any) -> None:
    """
    History, final address and arguments are those of a live response.
    """

    async def use(session: Any, url: str) -> Any:
        async with session.get(f"{url}/redirect") as response:
            return [hop.status for hop in response.history], response.url.path_qs, response.method

    live, recorded, replayed = _with_session(deck, use)
    assert live == recorded == replayed == ([302], "/target?hop=1", "GET")


def test_aiohttp_raises_for_a_status(deck: Any) -> None:
    """
    The session's `raise_for_status` acts on replay.
    """
    aiohttp = pytest.importorskip("aiohttp")

    async def use(session: Any, url: str) -> Any:
        with pytest.raises(aiohttp.ClientResponseError) as caught:
            await session.get(f"{url}/unauthorized")
        return caught.value.status

    assert _with_session(deck, use, raise_for_status=True) == [401, 401, 401]


def test_aiohttp_sends_every_kind_of_body(deck: Any) -> None:
    """
    JSON by the session's own serializer, forms, bytes and asynchronous iterators reach the upstream and match.
    """
    aiohttp = pytest.importorskip("aiohttp")

    async def pieces() -> Any:
        yield b"one "
        yield b"two"

    async def use(session: Any, url: str) -> Any:
        form = aiohttp.FormData()
        form.add_field("name", "value")
        found = []
        for options in ({"json": {"a": 1}}, {"data": form}, {"data": {"b": "2"}}, {"data": b"raw"}, {"data": pieces()}):
            async with session.post(f"{url}/echo", **options) as response:
                found.append((await response.json())["body"])
        return found

    expected = ['{"a":1}', "name=value", "b=2", "raw", "one two"]
    compact = lambda value: json.dumps(value, separators=(",", ":"))  # noqa: E731 - an argument with a name
    assert _with_session(deck, use, json_serialize=compact) == [expected] * 3


def test_aiohttp_reads_twice_releases_and_closes(deck: Any) -> None:
    """
    A body can be read twice; a response given up early leaves the session usable.
    """

    async def use(session: Any, url: str) -> Any:
        async with session.get(f"{url}/chunked") as response:
            twice = await response.read() == await response.read()
        early = await session.get(f"{url}/chunked")
        first = await early.content.readany()
        early.close()
        late = await session.get(f"{url}/length")
        late.release()
        async with session.get(f"{url}/target") as response:
            return twice, first[:6], early.closed, late.closed, response.status

    live, recorded, replayed = _with_session(deck, use)
    assert live == recorded == replayed == (True, b"data: ", True, True, 200)


@pytest.mark.parametrize("name", ["requests", "httpx", "aiohttp"])
def test_cookies_of_a_recording_reach_the_client(name: str, deck: Any) -> None:
    """
    A recording that has cookies (this project's own leave them out) sets them.
    """
    library = pytest.importorskip(name)
    deck.path().write_text(
        """\
interactions:
- request: {method: GET, uri: "http://api.example.com/cookies", body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {set-cookie: ["a=1; Path=/", "b=2; Path=/"], content-length: ["2"]}
    body: {string: ok}
version: 1
"""
    )
    url = "http://api.example.com/cookies"

    async def ask() -> dict[str, str]:
        async with library.ClientSession() as session, session.get(url) as response:
            return {key: morsel.value for key, morsel in response.cookies.items()}

    with deck.replaying():
        found = asyncio.run(ask()) if name == "aiohttp" else dict(importlib.import_module(name).get(url).cookies)
    assert found == {"a": "1", "b": "2"}

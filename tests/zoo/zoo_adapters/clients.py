"""
One small face for each HTTP client: post and get JSON, read the lines of a stream.

Each client library does its own parsing of the wire, so that every specimen meets the
harness through real library code.
"""

from __future__ import annotations

import http.client
import importlib
import json
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

_JSON: Final = {"content-type": "application/json"}


class UpstreamError(Exception):
    """
    Report a status that is not a success, or an error event.
    """


def _checked(status: int, data: bytes) -> Any:
    if status >= http.HTTPStatus.BAD_REQUEST:
        raise UpstreamError(f"{status}: {data[:200]!r}")
    return json.loads(data)


def _split(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode() for line in lines)
    if rest:
        yield rest.decode()


class HttpClient:
    """
    Talk through `http.client`, one connection a request.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url

    def _open(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        address = urlsplit(self._base + path)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
        query = f"?{address.query}" if address.query else ""
        connection.request(method, address.path + query, body=data, headers=headers)
        return connection, connection.getresponse()

    def _whole(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        connection, response = self._open(method, path, data, headers)
        with closing(connection):
            return _checked(response.status, response.read())

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        return self._whole("POST", path, json.dumps(body).encode(), {**_JSON, **(headers or {})})

    def get(self, path: str) -> Any:
        return self._whole("GET", path, None, {})

    def lines(self, path: str, body: object) -> Iterator[str]:
        connection, response = self._open("POST", path, json.dumps(body).encode(), _JSON)
        with closing(connection):
            for line in response:
                yield line.decode().rstrip("\r\n")


class Urllib:
    """
    Talk through `urllib.request`.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url

    def _open(self, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(self._base + path, data=data, headers=headers)  # noqa: S310 - loopback
        return urllib.request.urlopen(request, timeout=20)  # noqa: S310 - loopback

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        with self._open(path, json.dumps(body).encode(), {**_JSON, **(headers or {})}) as response:
            return json.loads(response.read())

    def get(self, path: str) -> Any:
        with self._open(path, None, {}) as response:
            return json.loads(response.read())

    def lines(self, path: str, body: object) -> Iterator[str]:
        with self._open(path, json.dumps(body).encode(), _JSON) as response:
            for line in response:
                yield line.decode().rstrip("\r\n")


class Requests:
    """
    Talk through a `requests` session.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self.session = importlib.import_module("requests").Session()

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        response = self.session.post(self._base + path, json=body, headers=headers, timeout=20)
        return _checked(response.status_code, response.content)

    def post_raw(self, path: str, data: bytes) -> Any:
        response = self.session.post(self._base + path, data=data, timeout=20)
        return _checked(response.status_code, response.content)

    def get(self, path: str) -> Any:
        response = self.session.get(self._base + path, timeout=20)
        return _checked(response.status_code, response.content)

    def text(self, path: str) -> str:
        return str(self.session.get(self._base + path, timeout=20).text)

    def lines(self, path: str, body: object) -> Iterator[str]:
        with self.session.post(self._base + path, json=body, stream=True, timeout=20) as response:
            if response.status_code >= http.HTTPStatus.BAD_REQUEST:
                raise UpstreamError(str(response.status_code))
            yield from (line.decode() for line in response.iter_lines())


class Urllib3:
    """
    Talk through an `urllib3` pool.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._pool = importlib.import_module("urllib3").PoolManager(retries=False)

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        sent = {**_JSON, **(headers or {})}
        response = self._pool.request("POST", self._base + path, body=json.dumps(body).encode(), headers=sent)
        return _checked(response.status, response.data)

    def get(self, path: str) -> Any:
        response = self._pool.request("GET", self._base + path)
        return _checked(response.status, response.data)

    def lines(self, path: str, body: object) -> Iterator[str]:
        data = json.dumps(body).encode()
        response = self._pool.request("POST", self._base + path, body=data, headers=_JSON, preload_content=False)
        yield from _split(response.stream())
        response.release_conn()


class Httpx:
    """
    Talk through a client of `httpx`, or of `httpx2`, which has the same face.

    Nothing is encrypted on loopback, and reading certificates costs 20 ms a client: hence `verify`.
    """

    def __init__(self, base_url: str, library: str = "httpx") -> None:
        self._client = importlib.import_module(library).Client(base_url=base_url, timeout=20, verify=False)

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        response = self._client.post(path, json=body, headers=headers)
        return _checked(response.status_code, response.content)

    def get(self, path: str) -> Any:
        response = self._client.get(path)
        return _checked(response.status_code, response.content)

    def lines(self, path: str, body: object) -> Iterator[str]:
        with self._client.stream("POST", path, json=body) as response:
            yield from response.iter_lines()


class Httpx2(Httpx):
    """
    Talk through a client of `httpx2`.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, "httpx2")


class AsyncHttpx:
    """
    Talk through an asynchronous client of `httpx`, or of `httpx2`.
    """

    def __init__(self, base_url: str, library: str = "httpx") -> None:
        self._client = importlib.import_module(library).AsyncClient(base_url=base_url, timeout=20, verify=False)

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        response = await self._client.post(path, json=body, headers=headers)
        return _checked(response.status_code, response.content)

    async def post_raw(self, path: str, data: bytes) -> Any:
        response = await self._client.post(path, content=data)
        return _checked(response.status_code, response.content)

    async def get(self, path: str) -> Any:
        response = await self._client.get(path)
        return _checked(response.status_code, response.content)

    async def text(self, path: str) -> str:
        return str((await self._client.get(path)).text)

    async def lines(self, path: str, body: object) -> AsyncIterator[str]:
        async with self._client.stream("POST", path, json=body) as response:
            if response.status_code >= http.HTTPStatus.BAD_REQUEST:
                raise UpstreamError(str(response.status_code))
            async for line in response.aiter_lines():
                yield line


class AsyncHttpx2(AsyncHttpx):
    """
    Talk through an asynchronous client of `httpx2`.
    """

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, "httpx2")


class Aiohttp:
    """
    Talk through `aiohttp`, one session a request.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._session = importlib.import_module("aiohttp").ClientSession

    async def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> Any:
        url = self._base + path
        async with self._session() as session, session.post(url, json=body, headers=headers) as response:
            return _checked(response.status, await response.read())

    async def get(self, path: str) -> Any:
        async with self._session() as session, session.get(self._base + path) as response:
            return _checked(response.status, await response.read())

    async def lines(self, path: str, body: object) -> AsyncIterator[str]:
        async with self._session() as session, session.post(self._base + path, json=body) as response:
            async for line in response.content:
                yield line.decode().rstrip("\r\n")


SYNC: Final[dict[str, Any]] = {
    "http.client": HttpClient,
    "urllib": Urllib,
    "urllib3": Urllib3,
    "requests": Requests,
    "httpx": Httpx,
    "httpx2": Httpx2,
}
ASYNC: Final[dict[str, Any]] = {"httpx": AsyncHttpx, "httpx2": AsyncHttpx2, "aiohttp": Aiohttp}


def piece(line: str) -> str:
    """
    Return the text in one line of an event stream or of NDJSON, which may be empty.

    Raises:
        UpstreamError: the line says that the upstream failed.
    """
    data = line.removeprefix("data: ")
    if not data.startswith("{"):
        return ""
    body = json.loads(data)
    failure = body.get("error") or body.get("response", {}).get("error")
    if failure:
        raise UpstreamError(failure["message"])
    if "message" in body:
        return str(body["message"]["content"])
    return str(body["choices"][0]["text"])


def finishes(line: str) -> bool:
    """
    Tell whether a line carries the finish mark (which comes before `[DONE]`).
    """
    return '"finish_reason": "stop"' in line or '"done": true' in line


def texts(body: Any) -> list[str]:
    """
    Return the texts of a whole completion, in the order of its choices.
    """
    return [choice["text"] for choice in sorted(body["choices"], key=lambda choice: choice["index"])]

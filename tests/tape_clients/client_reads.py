"""Every client library, read and asked the way its users do it."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import importlib.util
import json
import ssl
import urllib.request
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    Mark = Callable[[Any], None]


@dataclass(frozen=True)
class Target:
    """
    Say what to ask for, and whose certificates to trust.
    """

    url: str
    ca: str | None = None
    method: str = "GET"
    json: Any = None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """
        Return a context that trusts the authority, if one is named.
        """
        return ssl.create_default_context(cafile=self.ca) if self.ca else None

    @property
    def body(self) -> bytes | None:
        """
        Return the JSON body.
        """
        return None if self.json is None else json.dumps(self.json).encode()

    @property
    def headers(self) -> dict[str, str]:
        """
        Return the headers that the body needs.
        """
        return {} if self.json is None else {"content-type": "application/json"}


def _library(name: str) -> Any:
    return importlib.import_module(name)


# --- http.client and urllib


def _connection(target: Target) -> http.client.HTTPConnection:
    parts = urlsplit(target.url)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, context=target.tls, timeout=20)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)


def _http_client(target: Target, each: Callable[[http.client.HTTPResponse, Mark], None], mark: Mark) -> None:
    parts = urlsplit(target.url)
    connection = _connection(target)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(target.method, path, target.body, target.headers)
        each(connection.getresponse(), mark)
    finally:
        connection.close()


def _each_read1(response: Any, mark: Mark) -> None:
    while data := response.read1(65536):
        mark(data)


def _each_line(response: Any, mark: Mark) -> None:
    while line := response.readline():
        mark(line)


def http_client_read1(target: Target, mark: Mark) -> None:
    """
    Read as it comes.
    """
    _http_client(target, _each_read1, mark)


def http_client_readline(target: Target, mark: Mark) -> None:
    """
    Read line by line.
    """
    _http_client(target, _each_line, mark)


def http_client_read(target: Target, mark: Mark) -> None:
    """
    Read the whole.
    """
    _http_client(target, lambda response, mark: mark(response.read()), mark)


def _urllib(target: Target, each: Callable[[Any, Mark], None], mark: Mark) -> None:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=target.tls)
    )
    request = urllib.request.Request(target.url, target.body, target.headers, method=target.method)  # noqa: S310 - the tests' own address
    with opener.open(request, timeout=20) as response:
        each(response, mark)


def urllib_readline(target: Target, mark: Mark) -> None:
    """
    Read line by line.
    """
    _urllib(target, _each_line, mark)


def urllib_read(target: Target, mark: Mark) -> None:
    """
    Read the whole.
    """
    _urllib(target, lambda response, mark: mark(response.read()), mark)


# --- urllib3 and requests


def _urllib3(target: Target, each: Callable[[Any, Mark], None], mark: Mark) -> None:
    with _library("urllib3").PoolManager(ca_certs=target.ca, retries=False, timeout=20) as pool:
        response = pool.request(
            target.method, target.url, body=target.body, headers=target.headers, preload_content=False, redirect=False
        )
        try:
            each(response, mark)
        finally:
            response.release_conn()


def _each_of_stream(response: Any, mark: Mark) -> None:
    for data in response.stream(65536, decode_content=True):
        mark(data)


def urllib3_stream(target: Target, mark: Mark) -> None:
    """
    Stream, decoded.
    """
    _urllib3(target, _each_of_stream, mark)


def urllib3_read1(target: Target, mark: Mark) -> None:
    """
    Read as it comes.
    """
    _urllib3(target, _each_read1, mark)


def urllib3_read(target: Target, mark: Mark) -> None:
    """
    Read the whole.
    """
    _urllib3(target, lambda response, mark: mark(response.read(decode_content=True)), mark)


def _requests(target: Target, each: Callable[[Any, Mark], None], mark: Mark) -> None:
    with _library("requests").Session() as session:
        session.trust_env = False
        options: Any = {"json": target.json, "stream": True, "verify": target.ca or True, "timeout": 20}
        with session.request(target.method, target.url, **options) as response:
            each(response, mark)


def requests_iter_lines(target: Target, mark: Mark) -> None:
    """
    Read line by line.
    """
    _requests(target, lambda response, mark: deque(map(mark, response.iter_lines()), 0).clear(), mark)


def requests_iter_content(target: Target, mark: Mark) -> None:
    """
    Read as it comes.
    """
    _requests(target, lambda response, mark: deque(map(mark, response.iter_content(None)), 0).clear(), mark)


def requests_content(target: Target, mark: Mark) -> None:
    """
    Read the whole.
    """
    _requests(target, lambda response, mark: mark(response.content), mark)


# --- httpx and httpx2


def _httpx(name: str, method: str) -> Callable[[Target, Mark], None]:
    def read(target: Target, mark: Mark) -> None:
        library = _library(name)
        with library.Client(trust_env=False, verify=target.tls or target.url.startswith("https"), timeout=20) as client:
            request = client.build_request(target.method, target.url, content=target.body, headers=target.headers)
            response = client.send(request, stream=True)
            try:
                for item in getattr(response, method)():
                    mark(item)
            finally:
                response.close()

    return read


def _httpx_async(name: str, method: str) -> Callable[[Target, Mark], None]:
    async def read(target: Target, mark: Mark) -> None:
        library = _library(name)
        async with library.AsyncClient(
            trust_env=False, verify=target.tls or target.url.startswith("https"), timeout=20
        ) as client:
            request = client.build_request(target.method, target.url, content=target.body, headers=target.headers)
            response = await client.send(request, stream=True)
            try:
                async for item in getattr(response, method)():
                    mark(item)
            finally:
                await response.aclose()

    return lambda target, mark: asyncio.run(read(target, mark))


# --- aiohttp


def _aiohttp(each: Callable[[Any, Mark], Any]) -> Callable[[Target, Mark], None]:
    async def read(target: Target, mark: Mark) -> None:
        aiohttp = _library("aiohttp")
        timeout = aiohttp.ClientTimeout(total=20)
        connector = aiohttp.TCPConnector(ssl=target.tls) if target.ca else aiohttp.TCPConnector()
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(target.method, target.url, json=target.json) as response,
        ):
            await each(response, mark)

    return lambda target, mark: asyncio.run(read(target, mark))


async def _each_any(response: Any, mark: Mark) -> None:
    async for data in response.content.iter_any():
        mark(data)


async def _each_chunk(response: Any, mark: Mark) -> None:
    async for data, end in response.content.iter_chunks():
        mark((data, end) if data else b"")


async def _each_content_line(response: Any, mark: Mark) -> None:
    async for line in response.content:
        mark(line)


async def _whole(response: Any, mark: Mark) -> None:
    mark(await response.read())


@dataclass(frozen=True)
class Read:
    """
    Hold one way to read an answer.

    Attributes:
        decodes: the client takes gzip off by itself.
        whole: it waits for the whole answer.
    """

    run: Callable[[Target, Mark], None]
    library: str
    decodes: bool = True
    whole: bool = False

    @property
    def there(self) -> bool:
        """
        Tell whether the library is installed.
        """
        return importlib.util.find_spec(self.library) is not None

    def items(self, target: Target, mark: Mark = lambda _: None) -> list[Any]:
        """
        Return what came out, non-empty items only, after marking each.
        """
        found: list[Any] = []

        def take(item: Any) -> None:
            if item:
                found.append(item)
                mark(item)

        self.run(target, take)
        return found

    def body(self, target: Target) -> bytes:
        """
        Return everything as one.
        """
        parts = (item[0] if isinstance(item, tuple) else item for item in self.items(target))
        return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


READS = {
    "http.client read1": Read(http_client_read1, "http.client", decodes=False),
    "http.client readline": Read(http_client_readline, "http.client", decodes=False),
    "http.client read": Read(http_client_read, "http.client", decodes=False, whole=True),
    "urllib readline": Read(urllib_readline, "urllib", decodes=False),
    "urllib read": Read(urllib_read, "urllib", decodes=False, whole=True),
    "urllib3 stream": Read(urllib3_stream, "urllib3"),
    "urllib3 read1": Read(urllib3_read1, "urllib3", decodes=False),
    "urllib3 read": Read(urllib3_read, "urllib3", whole=True),
    "requests iter_lines": Read(requests_iter_lines, "requests"),
    "requests iter_content": Read(requests_iter_content, "requests"),
    "requests content": Read(requests_content, "requests", whole=True),
    **{
        f"{name} {method}": Read(_httpx(name, method), name, decodes=method != "iter_raw")
        for name in ("httpx", "httpx2")
        for method in ("iter_bytes", "iter_raw", "iter_lines", "iter_text")
    },
    **{
        f"{name} {method}": Read(_httpx_async(name, method), name, decodes=method != "aiter_raw")
        for name in ("httpx", "httpx2")
        for method in ("aiter_bytes", "aiter_raw", "aiter_lines", "aiter_text")
    },
    "aiohttp iter_any": Read(_aiohttp(_each_any), "aiohttp"),
    "aiohttp iter_chunks": Read(_aiohttp(_each_chunk), "aiohttp"),
    "aiohttp lines": Read(_aiohttp(_each_content_line), "aiohttp"),
    "aiohttp read": Read(_aiohttp(_whole), "aiohttp", whole=True),
}

MAIN = (
    "http.client read", "urllib read", "urllib3 read", "requests content", "httpx iter_bytes", "httpx aiter_bytes",
    "httpx2 iter_bytes", "httpx2 aiter_bytes", "aiohttp read",
)  # fmt: skip
"""One way for each client, for what does not depend on the way."""


def lacks(name: str) -> str | None:
    """
    Return why a way to read is not available here, if it is not.
    """
    read = READS[name]
    if not read.there:
        return f"{read.library} is not installed"
    if name == "urllib3 read1" and not hasattr(_library("urllib3").response.HTTPResponse, "read1"):
        return "urllib3 before 2.? has no read1"
    return None

"""
What runs in a cell of `served.py`: one call of an adapter, as a program makes it that knows nothing of the harness.

There is no tape. The adapter's own client library opens its own sockets; only where they lead is changed, and the bytes
are those that `harness serve` sends.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO
from urllib.parse import urlsplit

import aiohttp
import httpx
from yarl import URL

from harness.adapters.adapter import Adapter
from harness.adapters.build import build
from harness.battery.prompts import PROMPTS
from harness.battery.texts import text_of, type_of
from harness.serve.log import clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.battery.job import Job, Send
    from harness.words import Capability

TWINS: Final = {"invoke": "invoke", "ainvoke": "invoke", "stream": "stream", "astream": "stream"}
"""What a call is judged as from outside of its process, where its input and output cannot be seen."""


def run(job: Job, capability: Capability, send: Send) -> None:
    """
    Make the call, and write what came of it to the file that the job's option `told` names for it.
    """
    del send
    adapter = Adapter.from_dict(job.adapter)
    place = job.options["served"][capability.value]  # type: ignore[index]  # whoever made the job says so
    lead_to(place["url"])
    with Path(place["told"]).open("w", encoding="utf-8", buffering=1) as file:
        told = _Told(file)
        prompts = list(adapter.prompts or PROMPTS)
        call = _acall if capability.is_async else _call
        made = call(adapter, capability, prompts, told)
        if made is not None:
            asyncio.run(made)


class _Told:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, event: str, **more: object) -> None:
        self._file.write(json.dumps({"event": event, "clock": clock(), **more}) + "\n")

    def began(self, capability: Capability, prompts: list[str]) -> None:
        twin = "batch" if capability.batches else TWINS[capability.value]
        self("Started", capability=twin, inputs=prompts if capability.batches else prompts[:1])

    def raised(self, error: BaseException) -> None:
        self("Raised", type=type(error).__name__, message=str(error)[:400])


def _call(adapter: Adapter, capability: Capability, prompts: list[str], told: _Told) -> None:
    instance: Any = build(adapter)
    told.began(capability, prompts)
    try:
        made = getattr(instance, capability.value)(prompts if capability.batches else prompts[0])
        if capability.streams:
            for item in made:
                told("Item", text=text_of(item), type=type_of(item))
            told("Returned")
        else:
            told("Returned", texts=_texts(made, capability))
    except BaseException as error:  # noqa: BLE001 - whatever the adapter raises is what came of the call
        told.raised(error)


async def _acall(adapter: Adapter, capability: Capability, prompts: list[str], told: _Told) -> None:
    instance: Any = build(adapter)
    told.began(capability, prompts)
    try:
        made = getattr(instance, capability.value)(prompts if capability.batches else prompts[0])
        if capability.streams:
            async for item in made:
                told("Item", text=text_of(item), type=type_of(item))
            told("Returned")
        else:
            told("Returned", texts=_texts(await made, capability))
    except BaseException as error:  # noqa: BLE001 - as above
        told.raised(error)


def _texts(made: object, capability: Capability) -> list[str | None]:
    return [text_of(one) for one in (made if isinstance(made, list) and capability.batches else [made])]


# -- where connections lead ----------------------------------------------------------------------------------------


def lead_to(url: str) -> None:
    """
    Lead the requests of every client library to a server that speaks plain HTTP; their paths stay as they are.
    """
    at = urlsplit(url)
    _lead_httpx(at.hostname or "", at.port or 0)
    _lead_aiohttp(at.hostname or "", at.port or 0)
    _lead_http_client(at.hostname or "", at.port or 0)


def _lead_httpx(host: str, port: int) -> None:
    def led(request: httpx.Request) -> httpx.Request:
        request.url = request.url.copy_with(scheme="http", host=host, port=port)
        request.headers["host"] = f"{host}:{port}"
        return request

    plain, awaited = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request
    httpx.HTTPTransport.handle_request = lambda self, request: plain(self, led(request))  # type: ignore[method-assign]  # no tape here
    httpx.AsyncHTTPTransport.handle_async_request = lambda self, request: awaited(self, led(request))  # type: ignore[method-assign]  # no tape here


def _lead_aiohttp(host: str, port: int) -> None:
    request = aiohttp.ClientSession._request  # noqa: SLF001 - all of its requests come by it

    async def led(self: Any, method: str, url: str | URL, **more: Any) -> aiohttp.ClientResponse:  # noqa: ANN401 - aiohttp's own
        base = self._base_url
        to = (URL(url) if base is None else base.join(URL(url))).with_scheme("http").with_host(host).with_port(port)
        headers = dict(more.pop("headers", None) or {})
        kept = {name: value for name, value in headers.items() if str(name).lower() != "host"}
        self._base_url = None
        try:
            response: aiohttp.ClientResponse = await request(self, method, to, headers=kept, **more)
            return response
        finally:
            self._base_url = base

    aiohttp.ClientSession._request = led  # type: ignore[method-assign,assignment]  # noqa: SLF001 - as above


def _lead_http_client(host: str, port: int) -> None:
    def connect(self: http.client.HTTPConnection) -> None:
        self.sock = socket.create_connection((host, port))

    put: Callable[..., None] = http.client.HTTPConnection.putrequest

    def putrequest(self: http.client.HTTPConnection, method: str, url: str, *_: object, **__: object) -> None:
        put(self, method, url, skip_host=True, skip_accept_encoding=True)
        self.putheader("Host", f"{host}:{port}")

    http.client.HTTPConnection.putrequest = putrequest  # type: ignore[method-assign]  # no tape here
    classes: list[Any] = [http.client.HTTPConnection, http.client.HTTPSConnection]
    with suppress(ModuleNotFoundError):
        from urllib3 import connection

        classes += [connection.HTTPConnection, connection.HTTPSConnection]
    for one in classes:
        one.connect = connect

"""A client that is closed takes the answers with it that have not been read: the taps do as the libraries do."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from upstream_server import NEVER, PIECES, running, sse

from harness.events import Closed, Ended

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


def _sync(library: str, url: str, *, whole: bool) -> BaseException | None:
    client = importlib.import_module(library).Client()
    response = client.send(client.build_request("GET", url), stream=True)
    pieces = response.iter_bytes()
    read = next(pieces)
    read += b"".join(pieces) if whole else b""
    client.close()
    try:
        read += b"".join(pieces)
    except Exception as error:  # noqa: BLE001 - it is looked at
        return error
    assert read == b"".join(map(sse, range(PIECES)))
    return None


async def _rest(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def _async(library: str, url: str, *, whole: bool) -> BaseException | None:
    module = importlib.import_module(library)
    if library == "aiohttp":
        client = module.ClientSession()
        response = await client.get(url)
        pieces, close = response.content.iter_any(), client.close
    else:
        client = module.AsyncClient()
        response = await client.send(client.build_request("GET", url), stream=True)
        pieces, close = response.aiter_bytes(), client.aclose
    read = await anext(pieces)
    read += await _rest(pieces) if whole else b""
    await close()
    try:
        read += await _rest(pieces)
    except Exception as error:  # noqa: BLE001 - it is looked at
        return error
    finally:
        if library == "aiohttp":
            response.close()
    assert read == b"".join(map(sse, range(PIECES)))
    return None


def _awaited(library: str, url: str, *, whole: bool) -> BaseException | None:
    return asyncio.run(_async(library, url, whole=whole))


CLIENTS: Final[dict[str, tuple[Callable[..., BaseException | None], str]]] = {
    "httpx": (_sync, "httpx"),
    "httpx, async": (_awaited, "httpx"),
    "httpx2": (_sync, "httpx2"),
    "httpx2, async": (_awaited, "httpx2"),
    "aiohttp": (_awaited, "aiohttp"),
}


def _waits_for_ever(library: str) -> bool:
    """
    Tell whether a release of aiohttp does not notice that its connection is gone; a replay raises what later ones do.
    """
    return library == "aiohttp" and "Connection closed." not in inspect.getsource(
        importlib.import_module("aiohttp.streams")
    )


def _split(path: Path) -> None:
    """
    Take the arrivals out of a recording, which a busy machine may have joined: it is then split at its events.
    """
    recording = yaml.safe_load(path.read_text("utf-8"))
    for one in recording["interactions"]:
        del one["response"]["harness"]
    path.write_text(yaml.safe_dump(recording), "utf-8")


@pytest.mark.parametrize("name", CLIENTS)
def test_what_a_closed_client_has_not_read_is_lost_as_it_is_live(name: str, deck: Any) -> None:
    """
    Who reads on after the client was closed gets the library's own error, and the answer counts as given up.
    """
    read, library = CLIENTS[name]
    pytest.importorskip(library)
    with running() as upstream:
        url = f"{upstream.url}/chunked"
        upstream.restart(in_step=True, give_up=NEVER)
        live = RuntimeError() if _waits_for_ever(library) else read(library, url, whole=False)
        upstream.restart(in_step=False)
        with deck.recording():
            assert read(library, url, whole=True) is None
    _split(deck.path())
    with deck.replaying() as tape:
        replayed = read(library, url, whole=False)
    assert live is not None
    assert type(replayed) is type(live)
    assert [type(one) for one in tape.log.events if isinstance(one, Ended | Closed)] == [Closed]


@pytest.mark.parametrize("name", CLIENTS)
def test_what_was_read_before_is_whole(name: str, deck: Any) -> None:
    """
    A client that is closed after its answer was read takes nothing away.
    """
    read, library = CLIENTS[name]
    pytest.importorskip(library)
    with running() as upstream, deck.recording():
        url = f"{upstream.url}/chunked"
        assert read(library, url, whole=True) is None
    _split(deck.path())
    with deck.replaying() as tape:
        assert read(library, url, whole=True) is None
    assert [type(one) for one in tape.log.events if isinstance(one, Ended | Closed)] == [Ended]

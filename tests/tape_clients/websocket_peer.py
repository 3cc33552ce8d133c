"""A websocket server on loopback, and programs that talk to it."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = 12


async def speech(request: web.Request) -> web.StreamResponse:
    """
    Answer each message in pieces, and do on request what servers also do.
    """
    if request.query.get("key") == "wrong":
        return web.Response(status=403, text="no")
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    if "greet" in request.query:
        await socket.send_str("welcome")
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(b"\x00\xff" + message.data)
            continue
        asked = message.data
        for number in range(2 if asked.startswith("short") else PIECES):
            await socket.send_str(json.dumps({"text": f"{number} {asked}"}))
        if asked == "lines":
            await socket.send_str("two\nlines")
        if asked == "bye":
            await socket.close(code=4001, message=b"enough")
        if asked == "break":
            assert request.transport is not None
            request.transport.abort()
    return socket


@contextmanager
def serving() -> Iterator[str]:
    """
    Serve at an address until the block ends.
    """
    ready, addresses, stop = threading.Event(), [], []

    async def serve() -> None:
        application = web.Application()
        application.router.add_get("/speech", speech)
        runner = web.AppRunner(application, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        addresses.append(runner.addresses[0])
        over = asyncio.Event()
        stop.append((asyncio.get_running_loop(), over))
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield "ws://{}:{}/speech".format(*addresses[0])
    finally:
        stop[0][0].call_soon_threadsafe(stop[0][1].set)
        thread.join()


def talk_all(url: str) -> dict[str, Any]:
    """
    Talk in every way, and return what was heard.
    """
    import websocket  # noqa: PLC0415 - its import is what the taps wait for

    found: dict[str, Any] = {}
    with_greeting = websocket.create_connection(f"{url}?greet=1", timeout=120)
    found["greeting"] = with_greeting.recv()
    found["status"] = with_greeting.getstatus()
    with_greeting.close()
    connection = websocket.WebSocket()
    connection.connect(url, header=["Authorization: Bearer abcdefghijklmnop1234"])
    for word in ("a", "b"):
        connection.send(word)
        found[word] = [connection.recv() for _ in range(PIECES)]
    connection.send_binary(b"\x01\x02")
    found["binary"] = connection.recv()
    connection.send("lines")
    found["lines"] = [connection.recv() for _ in range(PIECES + 1)]
    connection.send("bye")
    found["bye"] = [connection.recv() for _ in range(PIECES + 1)]
    found["open"] = connection.connected
    connection.shutdown()
    found["broken"] = _broken(url, websocket)
    found["refused"] = _refused(url, websocket)
    found["app"] = _app(url, websocket)
    return found


def _broken(url: str, websocket: Any) -> Any:
    connection = websocket.create_connection(url)
    connection.send("break")
    heard = []
    try:
        while True:
            heard.append(connection.recv())
    except (websocket.WebSocketConnectionClosedException, OSError):
        return heard
    finally:
        connection.shutdown()


def _refused(url: str, websocket: Any) -> int:
    try:
        websocket.create_connection(f"{url}?key=wrong")
    except websocket.WebSocketBadStatusException as error:
        return int(error.status_code)
    return 0


def _app(url: str, websocket: Any) -> list[str]:
    heard: list[str] = []

    def on_message(app: Any, message: str) -> None:
        heard.append(message)
        if len(heard) == PIECES:
            app.close()

    websocket.WebSocketApp(url, on_open=lambda app: app.send("app"), on_message=on_message).run_forever()
    return heard


async def atalk_all(url: str) -> dict[str, Any]:
    """
    Talk in every way through the asyncio client of `websockets`, and return what was heard.
    """
    from websockets.asyncio.client import connect  # noqa: PLC0415 - its import is what the tap waits for
    from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: PLC0415 - as above

    found: dict[str, Any] = {}
    async with connect(f"{url}?greet=1", open_timeout=120) as connection:
        found["greeting"] = await connection.recv()
    headers = {"Authorization": "Bearer abcdefghijklmnop1234"}
    connection = await connect(url, additional_headers=headers, open_timeout=120)
    for word in ("a", "b"):
        await connection.send(word)
        found[word] = [await connection.recv() for _ in range(PIECES)]
    await connection.send(b"\x01\x02")
    found["binary"] = (await connection.recv(decode=False)).hex()
    await connection.send(["li", "nes"])
    found["lines"] = [await connection.recv() for _ in range(PIECES)]
    found["lines"] += ["".join([str(part) async for part in connection.recv_streaming()])]
    found["as bytes"] = await _as_bytes(connection)
    await connection.send("bye")
    found["bye"] = [message async for message in _until_closed(connection, ConnectionClosed)]
    found["code"] = (connection.close_code, connection.close_reason)
    await connection.close()
    async with connect(url, open_timeout=120) as connection:
        await connection.send("break")
        found["broken"] = [message async for message in _until_closed(connection, ConnectionClosed)]
        found["broken code"] = connection.close_code
    try:
        await connect(f"{url}?key=wrong", open_timeout=120)
    except InvalidStatus as error:
        found["refused"] = error.response.status_code
    return found


async def _as_bytes(connection: Any) -> list[str]:
    await connection.send("c")
    return [(await connection.recv(decode=False)).hex() for _ in range(PIECES)]


async def _until_closed(connection: Any, closed: type[Exception]) -> Any:
    try:
        while True:
            yield await connection.recv()
    except closed:
        return


def arun(url: str) -> dict[str, Any]:
    """
    Talk through the asyncio client on a loop of its own.
    """
    return asyncio.run(atalk_all(url))


def talk_in_threads(url: str) -> dict[str, Any]:
    """
    Talk in every way through the threading client of `websockets`, and return what was heard.
    """
    from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: PLC0415 - as above
    from websockets.sync.client import connect  # noqa: PLC0415 - as above

    found: dict[str, Any] = {}
    with connect(f"{url}?greet=1", open_timeout=120) as connection:
        found["greeting"] = connection.recv()
    with connect(
        url, additional_headers={"Authorization": "Bearer abcdefghijklmnop1234"}, open_timeout=120
    ) as connection:
        for word in ("a", "b"):
            connection.send(word)
            found[word] = [connection.recv() for _ in range(PIECES)]
        connection.send(b"\x01\x02")
        found["binary"] = connection.recv(decode=False).hex()
        connection.send(iter(["li", "nes"]))
        found["lines"] = [connection.recv() for _ in range(PIECES)]
        found["lines"] += ["".join(str(part) for part in connection.recv_streaming())]
        try:
            connection.recv(timeout=0.01)
        except TimeoutError:
            found["late"] = True
        connection.send("bye")
        found["bye"] = list(_heard_until(connection, ConnectionClosed))
        found["code"] = (connection.close_code, connection.close_reason)
    with connect(url, open_timeout=120) as connection:
        connection.send("break")
        found["broken"] = list(_heard_until(connection, ConnectionClosed))
        found["broken code"] = connection.close_code
    try:
        with connect(f"{url}?key=wrong", open_timeout=120):
            pass
    except InvalidStatus as error:
        found["refused"] = error.response.status_code
    return found


def _heard_until(connection: Any, closed: type[Exception]) -> Iterator[Any]:
    try:
        while True:
            yield connection.recv()
    except closed:
        return

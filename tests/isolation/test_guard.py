"""
The guard: every way out of Python is refused and told of, wherever it is tried; what stays inside goes on.
"""

from __future__ import annotations

import asyncio
import http.server
import pickle
import socket
import subprocess
import sys
import threading
import timeit
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import aiohttp
import anyio
import httpx
import pytest
import requests

from harness.tape import guard
from harness.tape.guard import NetworkRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def port() -> Iterator[int]:
    """
    Listen on loopback, and count it as a failure if anyone comes.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server.getsockname()[1]
        with pytest.raises(BlockingIOError):
            server.accept()


def _connect(port: int) -> None:
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", port))


def _connect_ex(port: int) -> None:
    with socket.socket() as sock:
        sock.connect_ex(("127.0.0.1", port))


def _send_to(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"hello", ("127.0.0.1", port))


def _send_message(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"hello"], [], 0, ("127.0.0.1", port))


def _by_asyncio(port: int) -> None:
    asyncio.run(_open_connection(port))


async def _open_connection(port: int) -> None:
    await asyncio.open_connection("127.0.0.1", port)


def _by_own_loop(port: int) -> None:
    loop = asyncio.SelectorEventLoop()
    try:
        loop.run_until_complete(_open_connection(port))
    finally:
        loop.close()


def _by_executor(port: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(_connect, port).result()


def _by_anyio(port: int) -> None:
    async def connect() -> None:
        await anyio.connect_tcp("127.0.0.1", port)

    anyio.run(connect)


def _by_urllib(port: int) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)


def _by_requests(port: int) -> None:
    requests.get(f"http://127.0.0.1:{port}/", timeout=5)


def _by_httpx(port: int) -> None:
    httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)


def _by_aiohttp(port: int) -> None:
    async def get() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/"):
            pass

    asyncio.run(get())


WAYS = [
    _connect,
    _connect_ex,
    _send_to,
    _send_message,
    _by_asyncio,
    _by_own_loop,
    _by_executor,
    _by_anyio,
    _by_urllib,
    _by_requests,
    _by_httpx,
    _by_aiohttp,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_every_way_out_is_refused_and_told_of(way: Callable[[int], None], port: int) -> None:
    """
    Loopback is refused as well, for it is somebody else's process; libraries see a connection failure of their own.
    """
    told: list[str] = []

    with guard.closed(told.append), pytest.raises(Exception, match=r"not dialled|connect"):
        way(port)

    assert set(told) == {f"127.0.0.1:{port}"}


@pytest.mark.parametrize(
    ("look_up", "expected"),
    [
        (lambda: socket.create_connection(("localhost", 80)), "127.0.0.1:80"),
        (lambda: socket.create_connection(("api.example.com", 443)), "api.example.com:443"),
        (lambda: socket.gethostbyaddr("192.0.2.7"), "192.0.2.7"),
        (lambda: socket.getnameinfo(("192.0.2.7", 80), 0), "192.0.2.7"),
        (lambda: asyncio.run(_open_to_name()), "api.example.com:443"),
    ],
)
def test_who_dials_what_was_looked_up_is_told_of_by_the_name(look_up: Callable[[], object], expected: str) -> None:
    """
    The stand-in for a host's address means nothing to people; to ask whose an address is, is refused.
    """
    told: list[str] = []

    with guard.closed(told.append), pytest.raises(NetworkRefused, match=expected.partition(":")[0]):
        look_up()

    assert told == [expected]


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: socket.getaddrinfo("api.example.com", 443)[0][4][0],
        lambda: socket.getaddrinfo(b"api.example.com", None)[0][4][0],
        lambda: socket.getaddrinfo("api.example.com", "https", type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)[0][
            4
        ][0],
        lambda: socket.getaddrinfo("api.example.com", 1, socket.AF_INET6)[0][4][0],
        lambda: socket.getaddrinfo("api.example.com", 1, flags=socket.AI_ADDRCONFIG)[0][4][0],
        lambda: socket.gethostbyname("api.example.com"),
        lambda: socket.gethostbyname_ex("api.example.com")[2][0],
        lambda: asyncio.run(_look_up_in_executor()),
    ],
)
def test_a_look_up_alone_is_no_dialling(look_up: Callable[[], str]) -> None:
    """
    Name look-ups get an address that no machine has; nobody was dialled, and afterwards names mean what they did.
    """
    told: list[str] = []

    with guard.closed(told.append):
        address = look_up()

    assert (told, address.startswith(("192.0.2.", "2001:db8::"))) == ([], True)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("name.invalid", 1)


def test_each_name_has_one_address_of_its_own() -> None:
    """
    Whoever compares or caches addresses finds them as steady as real ones.
    """
    with guard.closed():
        found = [socket.gethostbyname(name) for name in ("a.example", "b.example", "a.example")]

    assert (found[0] == found[2], found[0] == found[1]) == (True, False)


def test_threads_that_look_names_up_get_an_address_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    None of them is raised into, and no two names share an address: 20 rounds of 8 threads, one in eight of which went
    wrong without a lock.
    """
    names = [f"{number}.example" for number in range(250)]
    together = threading.Barrier(8)

    def look_up(first: int) -> dict[str, str]:
        together.wait(60)
        return {name: socket.gethostbyname(name) for name in names[first:] + names[:first]}

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-9)
    try:
        for _ in range(20):
            monkeypatch.setattr(guard, "_names", {})
            with guard.closed(), ThreadPoolExecutor(8) as pool:
                found = list(pool.map(look_up, range(0, 240, 30)))
            assert len({frozenset(one.items()) for one in found}) == 1
            assert len(set(found[0].values())) == len(names)
    finally:
        sys.setswitchinterval(before)


async def _look_up_in_executor() -> str:
    found = await asyncio.get_running_loop().getaddrinfo("api.example.com", 443)
    return str(found[0][4][0])


async def _open_to_name() -> None:
    await asyncio.open_connection("api.example.com", 443)


def test_an_ipv6_target_is_written_in_brackets() -> None:
    """
    The port cannot be taken for a part of the address.
    """
    told: list[str] = []

    with (
        guard.closed(told.append),
        socket.socket(socket.AF_INET6) as sock,
        pytest.raises(NetworkRefused, match=r"\[::1\]:81"),
    ):
        sock.connect(("::1", 81))

    assert told == ["[::1]:81"]


def test_unix_sockets_listening_and_looking_up_nobody_are_allowed() -> None:
    """
    What the kernel alone answers is no way out: socket pairs, servers, wildcard addresses, numeric look-ups.
    """
    told: list[str] = []

    with guard.closed(told.append):
        one, other = socket.socketpair()
        with (
            one,
            other,
            socket.create_server(("127.0.0.1", 0)),
            http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler),
        ):
            one.sendall(b"x")
            assert other.recv(1) == b"x"
        assert socket.getaddrinfo(None, 0, flags=socket.AI_PASSIVE)
        assert socket.getaddrinfo("127.0.0.1", 80)
        asyncio.run(_serve_nobody())

    assert told == []


async def _serve_nobody() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    server.close()
    await server.wait_closed()


def test_asking_for_ones_own_address_is_refused_but_is_no_dialling() -> None:
    """
    Programs ask for their own name to sign a log; that says nothing of an upstream.
    """
    told: list[str] = []

    with guard.closed(told.append):
        socket.getfqdn()
        with pytest.raises(NetworkRefused):
            socket.gethostbyname(socket.gethostname())

    assert told == []


def test_every_thread_is_covered(port: int) -> None:
    """
    Threads that ran before the guard was shut, and those started after, are refused alike.
    """
    told: list[str] = []
    shut, tried = threading.Event(), threading.Barrier(5)
    refused: list[BaseException] = []

    def dial() -> None:
        shut.wait(10)
        try:
            _connect(port)
        except NetworkRefused as error:
            refused.append(error)
        tried.wait(10)

    early = [threading.Thread(target=dial) for _ in range(2)]
    for thread in early:
        thread.start()
    with guard.closed(told.append):
        late = [threading.Thread(target=dial) for _ in range(2)]
        for thread in late:
            thread.start()
        shut.set()
        tried.wait(10)
    for thread in early + late:
        thread.join()

    assert len(refused) == len(told) == 4


def test_what_was_shut_can_be_opened_and_nested() -> None:
    """
    A block restores what was in force before it; afterwards connections work as they did.
    """
    outer: list[str] = []
    inner: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with guard.closed(outer.append):
            with guard.closed(inner.append), pytest.raises(NetworkRefused):
                _connect(port)
            with pytest.raises(NetworkRefused):
                _connect(port)
        _connect(port)

    assert len(outer) == len(inner) == 1


def test_shut_holds_until_it_is_opened_again() -> None:
    """
    A cell shuts the guard for its whole life, without a block.
    """
    told: list[str] = []
    guard.shut(told.append)
    try:
        with pytest.raises(NetworkRefused):
            _connect(9)
    finally:
        guard.open_again()
    with pytest.raises(ConnectionRefusedError):
        _connect(1)

    assert told == ["127.0.0.1:9"]


def test_who_is_hushed_refuses_and_tells_of_nobody(port: int) -> None:
    """
    What a thread that was left behind dials once the call is over is refused, and is no part of the call.
    """
    told: list[str] = []
    guard.shut(told.append)
    try:
        guard.hush()
        with pytest.raises(NetworkRefused):
            _connect(port)
    finally:
        guard.open_again()
    guard.hush()
    assert told == []
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_children_are_allowed_but_told_of() -> None:
    """
    A child process is not the guard's to stop; whoever shut it is told its name.
    """
    children: list[str] = []

    with guard.closed(on_child=children.append):
        subprocess.run([sys.executable, "-c", ""], check=True)

    assert sys.executable in children


def test_a_refusal_is_an_os_error_that_travels() -> None:
    """
    Libraries catch it as a failed connection, and process pools can send it home.
    """
    error = NetworkRefused("api.example.com:443")

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert isinstance(error, OSError)
    assert isinstance(error, ConnectionError)
    assert (copy.target, str(copy)) == (error.target, str(error))
    assert "api.example.com:443" in str(copy)


def test_an_open_guard_costs_next_to_nothing() -> None:
    """
    A hook cannot be removed, so an audit event may cost at most microseconds while the guard is open.
    """
    guard.shut()
    guard.open_again()

    best = min(timeit.repeat(lambda: sys.audit("harness.test", 1), number=10_000, repeat=5)) / 10_000

    # measured: 0.1 microseconds; the bound is wide enough for any machine that is busy
    assert best < 20e-6

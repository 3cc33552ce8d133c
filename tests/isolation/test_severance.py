"""
The kernel's cut: C code, children and grandchildren reach nobody, by either mechanism.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from harness.tape import severance
from harness.tape.severance import Cut, How

if TYPE_CHECKING:
    from collections.abc import Iterator

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the mechanisms are Linux's")

PROGRAM = """
import ctypes, json, os, socket, subprocess, sys, threading
from harness.tape import severance

port = int(sys.argv[1])
problem = getattr(severance, sys.argv[2])() if sys.argv[2] else None
if problem is not None:
    print(json.dumps({"problem": problem}))
    sys.exit()
libc = ctypes.CDLL(None, use_errno=True)

class Address(ctypes.Structure):
    _fields_ = [
        ("family", ctypes.c_ushort), ("port", ctypes.c_ushort), ("host", ctypes.c_uint32), ("rest", ctypes.c_char * 8)
    ]

def in_c():
    sock = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    address = Address(socket.AF_INET, socket.htons(port), socket.htonl(0x7F000001))
    return libc.connect(sock, ctypes.byref(address), ctypes.sizeof(address))

def in_c_thread():
    results = []
    thread = threading.Thread(target=lambda: results.append(in_c()))
    thread.start()
    thread.join()
    return results[0]

def look_up():
    found = ctypes.c_void_p()
    return libc.getaddrinfo(b"upstream.example.com", b"80", None, ctypes.byref(found))

def in_python():
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return -1
    return 0

def child(*command):
    return subprocess.run(command, capture_output=True).returncode

dial = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
one, other = socket.socketpair()
one.sendall(b"x")
print(json.dumps({
    "problem": None,
    "c": in_c(), "c thread": in_c_thread(), "look up": look_up(), "python": in_python(),
    "child": child(sys.executable, "-c", dial),
    "bash": child("bash", "-c", f"echo > /dev/tcp/127.0.0.1/{port}"),
    "grandchild": child("sh", "-c", f'"{sys.executable}" -c "{dial}"'),
    "unix": other.recv(1).decode(),
    "uid": os.getuid(),
}))
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """
    Listen on loopback without ever taking a call.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@LINUX
@pytest.mark.parametrize("mechanism", ["enter_empty_namespace", "refuse_sockets"])
def test_nothing_gets_past_the_cut(mechanism: str, listener: socket.socket) -> None:
    """
    C code, its threads and resolver, Python and all descendants fail; Unix sockets work; the user stays the same.
    """
    report = json.loads(_run(PROGRAM, str(listener.getsockname()[1]), mechanism))
    if report["problem"] is not None:
        pytest.skip(f"{mechanism}: {report['problem']}")

    with pytest.raises(BlockingIOError):
        listener.accept()
    assert report.pop("unix") == "x"
    assert report.pop("uid") == os.getuid()
    assert [way for way, result in report.items() if result == 0] == []


@LINUX
def test_without_a_cut_every_way_of_the_test_works(listener: socket.socket) -> None:
    """
    The test above would see a connection: without the cut, five of its ways reach the listener.
    """
    report = json.loads(_run(PROGRAM, str(listener.getsockname()[1]), ""))

    reached = {way for way, result in report.items() if result == 0}
    assert {"c", "c thread", "python", "child", "grandchild"} <= reached


@LINUX
@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="there is no filter for this machine")
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_PACKET", "AF_VSOCK"])
def test_the_filter_refuses_a_socket_when_it_is_made(family: str) -> None:
    """
    Every family but the two that stay in the kernel fails with the error for a missing permission.
    """
    program = """
    import socket, sys
    from harness.tape import severance
    problem = severance.refuse_sockets()
    assert problem is None, problem
    try:
        socket.socket(getattr(socket, sys.argv[1]), socket.SOCK_DGRAM)
    except PermissionError:
        print("refused")
    socket.socket(socket.AF_UNIX).close()
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
    """

    assert _run(program, family) == "refused\n"


@LINUX
def test_the_filter_refuses_rings() -> None:
    """
    An io_uring can connect without the system calls that are filtered, so there is none.
    """
    program = """
    import ctypes, errno
    from harness.tape import severance
    problem = severance.refuse_sockets()
    assert problem is None, problem
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(425), ctypes.c_long(1), ctypes.create_string_buffer(256))
    print(result, ctypes.get_errno() == errno.ENOSYS)
    """

    assert _run(program) == "-1 True\n"


SECCOMP_ONLY = """
import socket, sys
from harness.tape import guard, severance
severance.enter_empty_namespace = lambda: "not permitted"
cut = severance.sever()
told = []
guard.shut(told.append)
"""


@LINUX
def test_under_the_filter_a_socket_that_is_made_counts_as_dialling() -> None:
    """
    Its `connect` is never reached, so the attempt is told of when the socket is made.
    """
    program = """
    try:
        socket.socket(socket.AF_INET)
    except guard.NetworkRefused:
        print(cut.how, told)
    """

    assert _run(SECCOMP_ONLY + textwrap.dedent(program)) == "seccomp ['an AF_INET socket']\n"


@LINUX
def test_under_the_filter_an_import_that_probes_for_ipv6_does_not_dial() -> None:
    """
    Urllib3 makes a socket while it is imported, to see what the machine speaks; nobody is dialled by it.
    """
    assert _run(SECCOMP_ONLY + "import urllib3.util.connection\nprint(cut.how, told)") == "seccomp []\n"


@LINUX
def test_under_the_filter_a_server_does_not_dial() -> None:
    """
    It cannot listen, for a missing permission, but that is no attempt to reach anybody.
    """
    program = """
    import asyncio, http.server
    ways = [
        lambda: socket.create_server(("127.0.0.1", 0)),
        lambda: http.server.HTTPServer(("127.0.0.1", 0), None),
        lambda: asyncio.run(asyncio.start_server(print, "127.0.0.1", 0)),
    ]
    for way in ways:
        try:
            way()
        except OSError as error:
            print(type(error).__name__)
    print(told)
    """

    *refusals, told = _run(SECCOMP_ONLY + textwrap.dedent(program)).splitlines()

    # asyncio up to Python 3.12 serves nobody in silence, and later raises an error of its own
    assert refusals[:2] == ["PermissionError"] * 2
    assert told == "[]"


@LINUX
def test_what_tried_to_leave_the_namespace_is_counted() -> None:
    """
    The kernel counts what found no route, whoever sent it, so that a swallowed failure of C code is known of.
    """
    program = """
    import subprocess, sys
    from harness.tape import severance
    if severance.sever().how != "namespace":
        print("not permitted")
        sys.exit()
    before = severance.attempts()
    subprocess.run([sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80))"], stderr=-3)
    print(severance.attempts() - before)
    """

    assert _run(program) in {"1\n", "not permitted\n"}


@pytest.mark.parametrize("how", How)
def test_coverage_says_what_is_not_covered(how: How) -> None:
    """
    One sentence for each cut, which names what it leaves out.
    """
    said = severance.coverage(Cut(how=how))

    assert "not covered" in said
    assert said.count(". ") == 0
    assert said.endswith(".")


def test_nothing_is_cut_until_it_is_asked_for() -> None:
    """
    The process that runs the tests, like the one that runs the harness, keeps its network.
    """
    assert severance.in_force().how is How.NONE
    assert severance.attempts() == 0

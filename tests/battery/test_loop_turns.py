"""
What the battery notices of its event loop: computing, waiting, and sleeping on its thread.
"""

from __future__ import annotations

import asyncio
import select
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from toy_adapters import burn

from harness.battery.loop import Heartbeat, WaitWatch, new_loop
from harness.tape import guard


def test_a_turn_that_computes_is_told_in_processor_time() -> None:
    """
    Computing counts and sleeping does not, however long it takes.
    """
    loop, heartbeat = new_loop()
    turns: list[float] = []
    heartbeat.on_turn = turns.append

    async def work() -> None:
        await asyncio.sleep(0)
        burn(0.15)
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - what bad adapters do
        await asyncio.sleep(0)

    with closing(loop):
        loop.run_until_complete(work())
    assert sum(turns) >= 0.15
    assert max(turns) < 0.3


@pytest.mark.parametrize(("timer", "forever"), [(None, True), (30.0, False)])
def test_a_loop_that_waits_says_so(timer: float | None, forever: bool) -> None:
    """
    Seen from another thread a loop waits, for ever or for a timer; while it works it does not.
    """
    loop, heartbeat = new_loop()
    seen: list[tuple[bool, bool]] = []

    def look(done: asyncio.Event) -> None:
        give_up = time.monotonic() + 20
        while not heartbeat.waiting and time.monotonic() < give_up:
            time.sleep(0.005)
        seen.append((heartbeat.waiting, heartbeat.waiting_forever))
        loop.call_soon_threadsafe(done.set)

    async def work() -> None:
        seen.append((heartbeat.waiting, heartbeat.waiting_forever))
        done = asyncio.Event()
        alarm = loop.call_later(timer, done.set) if timer else None
        thread = threading.Thread(target=look, args=(done,))
        thread.start()
        await done.wait()
        if alarm is not None:
            alarm.cancel()

    with closing(loop):
        loop.run_until_complete(work())
    assert seen == [(False, False), (True, forever)]


def test_an_idle_heartbeat_reports_nothing() -> None:
    """
    A loop that only waits uses no processor time worth telling of.
    """
    loop, heartbeat = new_loop()
    turns: list[float] = []
    heartbeat.on_turn = turns.append
    with closing(loop):
        loop.run_until_complete(asyncio.sleep(0.05))
    assert isinstance(heartbeat, Heartbeat)
    assert turns == []


def test_synchronous_waits_are_told_on_the_watched_thread_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A sleep, a wait that comes to its time-out and a look-up of a name are told of; what takes no time, what another
    thread does or ends, a child that tells what machine this is, an address that needs no look-up, and what comes later
    are not.
    """
    monkeypatch.setattr(time, "sleep", time.sleep)
    monkeypatch.setattr(threading.Condition, "wait", threading.Condition.wait)
    monkeypatch.setattr(select, "select", select.select)
    with guard.closed():
        # nobody is asked here: the guard answers, and what it answers with stays in place afterwards
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            monkeypatch.setattr(socket, name, getattr(socket, name))
    watch = WaitWatch()
    told: list[str] = []
    watch.watch(told.append)
    time.sleep(0.01)
    time.sleep(0)
    threading.Event().wait(0.02)
    select.select([], [], [], 0.03)
    select.select([], [], [], 0)
    with guard.closed():
        for host in ("api.example.com", "127.0.0.1", "localhost", "::1", None):
            socket.getaddrinfo(host, 443)
        asyncio.run(_look_up())
    other = threading.Thread(target=time.sleep, args=(0.01,))
    other.start()
    other.join()
    subprocess.run([sys.executable, "-S", "-c", "input()"], input=b"go", check=False)
    with ThreadPoolExecutor(1) as pool:
        done = threading.Event()
        future = pool.submit(done.wait)
        pool.submit(time.sleep, 0)
        threading.Timer(0.05, done.set).start()
        future.result()
    watch.watch(None)
    time.sleep(0.01)
    assert told == [f"it {how} on the event loop's thread" for how in _WAITED]


async def _look_up() -> None:
    await asyncio.get_running_loop().getaddrinfo("b.example.com", 443)


_WAITED = (
    "slept synchronously for 0.01 s",
    "waited synchronously for 0.02 s",
    "waited synchronously for 0.03 s",
    "looked the name api.example.com up synchronously",
)

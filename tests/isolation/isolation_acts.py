"""
Cell functions for the isolation tests: each does one thing that an adapter might do to its process.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.battery.job import note
from harness.events import Item, Where, encode

if TYPE_CHECKING:
    from harness.battery.job import Job, Send
    from harness.words import Capability

COUNTED = {"cells": 0}


class Target:
    """
    Stand for an adapter's class; the acts need none of its methods.
    """


def _say(send: Send, text: str) -> None:
    send("event", encode(Item(at=1.5, real=2.5, where=Where(7), text=text, type="str")))


def speak(job: Job, capability: Capability, send: Send) -> None:
    """
    Send one frame of each kind and end well.
    """
    send("note", note("started"))
    _say(send, f"hello from {capability}")
    send("interaction", f"recorded {job.mode}".encode())
    send("note", note("process", str(os.getpid())))
    send("note", note("parent", str(os.getppid())))
    print("printed by", capability)  # noqa: T201 - what an adapter prints


def tell_importer(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Tell which process imported the module of an argument, and whose child this one is.
    """
    send("note", note("importer", str(importlib.import_module("isolation_objects").IMPORTED_BY)))
    send("note", note("parent", str(os.getppid())))


def count(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Tell how many cells this process has run, and in which environment.
    """
    COUNTED["cells"] += 1
    send("note", note("cells", str(COUNTED["cells"])))
    send("note", note("threads", str(threading.active_count())))
    send("note", note("environment", os.environ.get("ISOLATION_TEST", "")))
    send("note", note("directory", os.getcwd()))  # noqa: PTH109 - a text is wanted
    send("note", note("path", os.pathsep.join(sys.path[:2])))
    send("note", note("input", repr(sys.stdin.read())))


def tell_environment(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Tell the whole environment.
    """
    send("note", note("environment", json.dumps(dict(os.environ))))


def tell_process(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Tell what an adapter may see of how its process came to be.
    """
    main = sys.modules["__main__"].__spec__
    told = {
        "main": None if main is None else main.name,
        "program": sys.argv[0],
        "path": sys.path,
        "descriptors": len(list(Path("/dev/fd").iterdir())),
        "input": os.path.realpath("/dev/fd/0"),
        "of_the_command": [name for name in ("harness.cli", "harness.session") if name in sys.modules],
        "variable": os.environ.get("EARLY_TEST"),
    }
    send("note", note("process", json.dumps(told)))


def hang_in_python(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Sleep for ever in Python code.
    """
    send("note", note("started"))
    _say(send, "before")
    _sleep_here()


def _sleep_here() -> None:
    while True:
        time.sleep(60)


def hang_in_constructor(_job: Job, _capability: Capability, _send: Send) -> None:
    """
    Sleep for ever before the call has begun.
    """
    _sleep_here()


def hang_in_c(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Sleep in C without giving the interpreter up, so that no Python handler can run.
    """
    send("note", note("started"))
    ctypes.PyDLL(None).pause()
    ctypes.PyDLL(None).sleep(3600)


def hang_in_asyncio(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Wait in a task for what never comes.
    """
    send("note", note("started"))
    asyncio.run(_wait_for_nothing())


async def _wait_for_nothing() -> None:
    task = asyncio.create_task(_never_set(asyncio.Event()), name="the-one-that-hangs")
    await task


async def _never_set(event: asyncio.Event) -> None:
    await event.wait()


def slow_but_steady(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Take most of the time-out in the constructor, and again in the call.
    """
    time.sleep(2)
    send("note", note("started"))
    time.sleep(2)


def exit_at_once(_job: Job, _capability: Capability, send: Send) -> None:
    """
    End the process without a word to the interpreter.
    """
    _say(send, "before")
    os._exit(3)


def exit_zero(_job: Job, _capability: Capability, _send: Send) -> None:
    """
    End the process as if all were well.
    """
    os._exit(0)


def exit_politely(_job: Job, _capability: Capability, _send: Send) -> None:
    """
    Raise what `sys.exit` raises.
    """
    sys.exit("no licence")


def crash(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Read what is not there.
    """
    _say(send, "before")
    ctypes.string_at(0)


def crash_in_invoke(_job: Job, capability: Capability, send: Send) -> None:
    """
    Crash in one cell of several.
    """
    if capability == "invoke":
        ctypes.string_at(0)
    _say(send, "well")


def devour(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Take memory and more memory.
    """
    send("note", note("started"))
    kept = []
    while True:
        kept.append(b"x" * 8_000_000)
        time.sleep(0.005)


def claim(job: Job, _capability: Capability, send: Send) -> None:
    """
    Be somewhere for a while, and tell whether anybody else was there.
    """
    try:
        descriptor = os.open(str(job.options["place"]), os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        send("note", note("met", "somebody"))
        return
    time.sleep(1.0)
    os.close(descriptor)
    os.unlink(str(job.options["place"]))  # noqa: PTH108 - as it was made


def fail(_job: Job, _capability: Capability, _send: Send) -> None:
    """
    Raise what the entry ought to have caught.
    """
    msg = "the entry's own bug"
    raise LookupError(msg)


def flood(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Print far more than anyone wants to read.
    """
    send("note", note("started"))
    line = b"." * 65_535 + b"\n"
    for _ in range(400):
        os.write(1, line)
        time.sleep(0.001)
    print("the last line")  # noqa: T201 - what an adapter prints


def flood_of_frames(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Send frames from several threads at once, more than any pipe holds, then die in the middle.
    """
    threads = [threading.Thread(target=_send_many, args=(send, number)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(1, b"sent\n")
    os._exit(9)


def _send_many(send: Send, number: int) -> None:
    for turn in range(100):
        _say(send, f"{number}/{turn} " + "x" * 3000)


def leave_children(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Leave a child in a session of its own behind, and a forked one that holds every descriptor.
    """
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    fork = os.fork()
    if fork == 0:
        time.sleep(600)
        os._exit(0)
    send("note", note("children", f"{child.pid} {fork}"))


def linger(job: Job, capability: Capability, send: Send) -> None:
    """
    Leave children behind and hang.
    """
    leave_children(job, capability, send)
    send("note", note("started"))
    _say(send, "lingering")
    _sleep_here()


def dial_in_c(job: Job, _capability: Capability, send: Send) -> None:
    """
    Connect past Python, from C and from a child.
    """
    send("note", note("started"))
    port = str(job.options["port"])
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)


def listen(_job: Job, _capability: Capability, send: Send) -> None:
    """
    Look up no host at all, as a server does that listens everywhere.
    """
    import socket  # noqa: PLC0415 - only here

    send("note", note("found", str(len(socket.getaddrinfo(None, 0, flags=socket.AI_PASSIVE)))))
    try:
        socket.create_server(("127.0.0.1", 0)).close()
    except PermissionError as error:
        send("note", note("refused", str(error)))


def dial_in_python(job: Job, _capability: Capability, send: Send) -> None:
    """
    Connect by way of Python, and go on as if nothing had happened.
    """
    import socket  # noqa: PLC0415 - only here

    try:
        socket.create_connection(("127.0.0.1", int(str(job.options["port"]))))
    except OSError as error:
        send("note", note("error", str(error)))

"""
One cell in its process: the entry is called with a job, a capability and a way to send, and whatever it does is told.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from harness.battery.job import Job, note, read_note
from harness.events import Dialled, encode
from harness.isolation.learned import IMPORTED, Lesson
from harness.isolation.protocol import Frame, write_all
from harness.places import here
from harness.tape import guard
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.battery.job import Send

# sysexits.h: an internal software error; the parent goes by the note, the status is for whoever traces processes.
_FAULT_STATUS: Final = 70


class Sender:
    """
    Write the frames of one capability to a descriptor, each whole, from any thread.
    """

    def __init__(self, descriptor: int, capability: str) -> None:
        self._descriptor = descriptor
        self._capability = capability
        self._lock = threading.Lock()

    def __call__(self, kind: str, payload: bytes) -> None:
        """
        Send one frame.
        """
        data = Frame(kind=kind, capability=self._capability, payload=payload).encode()
        with self._lock:
            write_all(self._descriptor, data)


def run_cell(job: Job, capability: str, send: Send) -> int:
    """
    Run the entry to its end and return the status that the process should exit with.

    An entry that returns ends with the note `done`; one that raises is a fault of the harness and says so in the note
    `fault`, because what an adapter raises is the entry's to catch.
    """
    looked_up = guard.nameless_lookups()
    if job.mode == "replay":
        guard.shut(_announce(send))
    try:
        _load(job.entry)(job, Capability(capability), send)
    except SystemExit as error:
        return _status(error)
    except BaseException:  # noqa: BLE001 - told, with its traceback, to the parent
        send("note", note("fault", traceback.format_exc()))
        return _FAULT_STATUS
    finally:
        send("note", note("nameless", str(guard.nameless_lookups() - looked_up)))
        for stream in (sys.stdout, sys.stderr):
            # an adapter may have closed it, or put nothing in its place
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
    send("note", note("done"))
    return 0


def teaching(send: Send) -> Send:
    """
    Return a way to send that also tells the host, once the instance is made, which modules that imported.
    """
    lesson = Lesson()

    def tell(kind: str, payload: bytes) -> None:
        if kind == "note" and read_note(payload)[0] == "started":
            send("note", note(IMPORTED, " ".join(lesson.modules())))
        send(kind, payload)

    return tell


def _announce(send: Send) -> Callable[[str], None]:
    begun = time.monotonic()

    def on_dial(target: str) -> None:
        send("event", encode(Dialled(at=0.0, real=time.monotonic() - begun, where=here(), target=target)))

    return on_dial


def _load(entry: str) -> Callable[[Job, Capability, Send], object]:
    module, _, name = entry.partition(":")
    found: Callable[[Job, Capability, Send], object] = getattr(importlib.import_module(module), name)
    return found


def _status(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return (error.code or 0) & 0xFF
    print(error.code, file=sys.stderr)  # noqa: T201 - what the interpreter itself does with such a status
    return 1

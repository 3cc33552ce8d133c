"""
What the processes say to each other: how they are started, a job on the way in, frames on the way out.

A frame is its length (four bytes, big-endian), a line with its kind and its capability, and its payload. Frames leave a
cell one by one, so what happened before a crash is known; half a frame, which a killed cell leaves behind, is dropped.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from harness.battery.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A request for a host is one byte with two descriptors: the host's channel, and where its exit status is to be written.
REQUEST: Final = b"h"
_LENGTH: Final = struct.Struct(">I")
_MEMORY: Final = 2 * 1024**3


def zygote_command(control: int, entries: Iterable[str], failed: Mapping[str, str]) -> list[str]:
    """
    Return the command line of a zygote.

    Safe path (`-P`), because a file in the working directory must not stand in for a module of the standard library.
    """
    told = (str(control), json.dumps(list(entries)), json.dumps(dict(failed)))
    return [sys.executable, "-P", "-m", "harness.isolation", "zygote", *told]


def spawned_command() -> list[str]:
    """
    Return the command line of a spawned host; it takes its order on standard input and answers on standard output.
    """
    return [sys.executable, "-P", "-m", "harness.isolation", "spawned"]


def memory_limit(job: Job) -> int:
    """
    Return how many bytes a cell of this job may keep in memory.
    """
    return int(job.number("memory", _MEMORY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    Start one host: the job, the capabilities in their order, and the files that outlive a crash.

    Attributes:
        together: all of them run in the host's own process, one after the other.
        output: where the host's and the cells' standard output and error go.
        stacks: where a crash or a hang leaves its stack.
        directory: the working directory of whoever started the run.
    """

    job: Job
    capabilities: tuple[str, ...]
    together: bool
    output: str
    stacks: str
    directory: str

    def encode(self) -> bytes:
        """
        Return the order as a payload.
        """
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Order:
        """
        Return the order that `encode` wrote.
        """
        values = json.loads(payload)
        values["job"] = Job(**{**values["job"], "paths": tuple(values["job"]["paths"])})
        values["capabilities"] = tuple(values["capabilities"])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """
    Carry one message.

    Attributes:
        kind: `preload` (to a zygote that waits), `order` (to a host); `host` (payload: its process), `ready` (the
            import is over), `cell` (a cell begins; payload: its process, and how long the output and the stacks were
            before), `event` (an encoded event),
            `interaction` (a recording's text), `note` and `notes` (see there), `done` (a cell ended; payload: its exit
            status, a signal as its negative, and how long the output is now).
        capability: whose it is; empty for the host's own.
    """

    kind: str
    capability: str = ""
    payload: bytes = b""

    def encode(self) -> bytes:
        """
        Return the frame as it travels.
        """
        body = f"{self.kind} {self.capability}\n".encode() + self.payload
        return _LENGTH.pack(len(body)) + body


class Frames:
    """
    Cut a stream of bytes into frames, wherever it was split on its way.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """
        Return the frames that are complete with this data.
        """
        self._rest += data
        found = []
        while (size := self._complete()) is not None:
            found.append(_parse(bytes(self._rest[_LENGTH.size : size])))
            del self._rest[:size]
        return found

    def _complete(self) -> int | None:
        if len(self._rest) < _LENGTH.size:
            return None
        size = _LENGTH.size + int(_LENGTH.unpack_from(self._rest)[0])
        return size if len(self._rest) >= size else None


def _parse(body: bytes) -> Frame:
    head, _, payload = body.partition(b"\n")
    kind, _, capability = head.decode().partition(" ")
    return Frame(kind=kind, capability=capability, payload=payload)


def write_all(descriptor: int, data: bytes) -> None:
    """
    Write all of `data`, however little the pipe takes at a time.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_frame(descriptor: int) -> Frame | None:
    """
    Read one frame and not a byte more; None where the other side is gone.
    """
    head = _read_exactly(descriptor, _LENGTH.size)
    body = None if head is None else _read_exactly(descriptor, int(_LENGTH.unpack(head)[0]))
    return None if body is None else _parse(body)


def _read_exactly(descriptor: int, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        piece = os.read(descriptor, size - len(data))
        if not piece:
            return None
        data += piece
    return bytes(data)

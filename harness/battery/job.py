"""
What a cell is told to do, and how it tells what happened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode = Literal["replay", "record"]

_DEFAULT_ENTRY: Final = "harness.battery.cell:run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    Say what a host needs; everything in it can be written as JSON.

    Attributes:
        adapter: the registration's fields; the host itself reads `target`, `name` and `env`.
        root: directory of the registration's project; it becomes the working directory and comes first on `sys.path`.
        paths: further directories for `sys.path`, after the root.
        mode: `replay` cuts the network, `record` leaves it.
        cassettes: path of the cassette by capability.
        pace: 0 for instant, 1 for the recording's own, or a factor.
        timeout: seconds that the constructor, and then the call, may take.
        options: `entry` ("module:function" of the cell), `import_timeout` (seconds), `memory` (bytes), and what the
            entry reads itself.
    """

    adapter: Mapping[str, object]
    root: str
    paths: tuple[str, ...] = ()
    mode: Mode = "replay"
    cassettes: Mapping[str, str] = field(default_factory=dict)
    pace: float = 0.0
    timeout: float = 30.0
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def entry(self) -> str:
        """
        Return the cell's function as "module:function".
        """
        return str(self.options.get("entry", _DEFAULT_ENTRY))

    def number(self, option: str, default: float) -> float:
        """
        Return a number among the options.
        """
        value = self.options.get(option, default)
        return float(value) if isinstance(value, int | float) else default


class Send(Protocol):
    """
    Hand one frame of the running cell to the parent, at once, from any thread.
    """

    def __call__(self, kind: str, payload: bytes) -> None: ...  # noqa: D102 - the class says it


def note(name: str, value: str = "") -> bytes:
    """
    Return the payload of a note: a name without spaces, a space, a value.

    The parent itself reads `constructing` and `started` (the time-out of the constructor, and of the call, begins),
    `done` (the cell came to its end: whatever its process does now is no death) and `fault`; the rest it hands on.
    """
    return f"{name} {value}".encode()


def notes(told: Mapping[str, str]) -> bytes:
    """
    Return the payload of a frame of several notes, none of which the parent itself reads.
    """
    return json.dumps(dict(told)).encode()


def read_notes(payload: bytes) -> dict[str, str]:
    """
    Return the notes of a frame of several.
    """
    return {str(name): str(value) for name, value in json.loads(payload).items()}


def read_note(payload: bytes) -> tuple[str, str]:
    """
    Return a note's name and value.
    """
    name, _, value = payload.decode("utf-8", "replace").partition(" ")
    return name, value

"""
The server's log: what happened on the wire, in the words of the event log, as lines of JSON.

Every line has the system's monotonic clock, which other processes of the machine can read as
well. Requests are scrubbed before anything is logged; headers are not logged at all.
"""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from harness.events import KINDS, Answered, Event, Sent, Where
from harness.serve.errors import LogLineError, LogUnreadableError
from harness.tape.log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

SERVED: Final = ("Sent", "Answered", "Arrival", "Ended", "Closed", "Refused")
"""The events that a server can see."""
_UNTOLD: Final = frozenset({"real", "where", "hook", "phase", "through", "carries"})
"""What means something inside of the server's process only."""
_PLACE: Final = Where(thread=0)
_EVENTS_ARE_LISTED: Final = "docs/serve.md lists the events and what each has"


class ServerLog(Log):
    """
    Write each event down as it happens, and keep none: a server may run for days.

    Args:
        file: where the lines go; None for nowhere.

    Attributes:
        came: when the request came that is logged next; to look for its recording takes time.
    """

    def __init__(self, file: BinaryIO | None) -> None:
        super().__init__(self._written)
        self.came = 0.0
        self._file = file

    def _written(self, event: Event) -> None:
        self._rows.clear()
        self._events.clear()
        if self._file is not None:
            self._file.write(line_of(event, self.came if isinstance(event, Sent) else self._began + event.real))
            self._file.flush()


def clock() -> float:
    """
    Return the system's monotonic clock in seconds, as it stands in logs.
    """
    return time.perf_counter()


def line_of(event: Event, at_clock: float) -> bytes:
    """
    Return an event as a line of JSON.
    """
    told: dict[str, Any] = {"event": type(event).__name__, "clock": round(at_clock, 6)}
    told |= {one.name: getattr(event, one.name) for one in fields(event) if one.name not in _UNTOLD}
    if isinstance(event, Answered):
        told["body"] = base64.b64encode(event.body).decode()
    return json.dumps(told).encode() + b"\n"


def read_lines(path: Path) -> list[dict[str, Any]]:
    """
    Return the lines of a log, each with its event's name and its clock checked.

    Raises:
        LogUnreadableError: the file cannot be read.
        LogLineError: a line is no event.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LogUnreadableError(
            f"the log cannot be read: {getattr(error, 'strerror', None) or error}",
            where=str(path),
            hint="name what `harness serve --log` wrote, and then what the program logged",
        ) from error
    return list(_checked(path, lines))


def _checked(path: Path, lines: list[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        value: Any = None
        with suppress(ValueError):
            value = json.loads(line)
        known = isinstance(value, dict) and value.get("event") in KINDS
        if not known or type(value.get("clock")) not in {int, float}:
            raise LogLineError(
                'this is no event: a JSON object with "event", such as "Item", and "clock", in seconds',
                where=f"{path}, line {number}",
                hint=_EVENTS_ARE_LISTED,
            )
        yield value


def event_of(line: dict[str, Any], at_clock: float, where: str, **more: object) -> Event:
    """
    Return the event that a line tells of, at a place of execution that means nothing.

    Args:
        line: the line.
        at_clock: seconds that stand for both of the event's clocks, where it does not say its place on the recording's.
        where: the file, for errors.
        more: fields that the line does not have, or that count more than its own.

    Raises:
        LogLineError: the line lacks a field, or has one of the wrong type.
    """
    kind: Any = KINDS[line["event"]]
    values = {**_DEFAULTS.get(kind.__name__, {}), **line, **more, "where": _PLACE, "real": at_clock}
    values.setdefault("at", at_clock)
    hints = get_type_hints(kind)
    try:
        made: Event = kind(**{one.name: _value(values, one.name, str(hints[one.name])) for one in fields(kind)})
    except (KeyError, TypeError, ValueError) as error:
        msg = f"a line of {kind.__name__} lacks {error}, or it is of the wrong type"
        raise LogLineError(msg, where=where, hint=_EVENTS_ARE_LISTED) from None
    return made


def _value(values: dict[str, Any], name: str, hint: str) -> object:
    value = values[name]
    if name == "body":
        return base64.b64decode(value)
    if hint.startswith("tuple["):
        if isinstance(value, str):
            raise TypeError(name)
        return tuple(value)
    if hint in _PLAIN and not isinstance(value, _PLAIN[hint]):
        raise TypeError(name)
    return value


_PLAIN: Final[dict[str, Any]] = {
    "<class 'int'>": int,
    "<class 'str'>": str,
    "<class 'float'>": int | float,
    "str | None": str | None,
}
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    "Sent": {"hook": "sync", "asks_stream": None, "phase": "call", "text": "", "through": (), "carries": ()},
    "Arrival": {"hook": "sync"},
    "Ended": {"hook": "sync", "cut": None},
    "Item": {"type": "str", "thoughts": ""},
    "Returned": {"texts": (), "types": (), "plural": False, "errors": ()},
    "Raised": {"phase": "call", "message": "", "unsupported": False, "traceback": "", "line": "", "unreachable": False},
    "Died": {"stack": ""},
}

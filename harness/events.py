"""
The event log: the one thing that a run hands to the verdicts.

Every event says when it happened on the recording's clock (`at`, seconds) and on the
machine's (`real`, seconds since the log began), and where: in which thread, under which
running event loop, in which task.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Iterable

Hook = Literal["sync", "async"]
Phase = Literal["construction", "call"]


@dataclass(frozen=True, slots=True)
class Where:
    """
    Tell one place of execution from another; the numbers mean nothing else.
    """

    thread: int
    loop: int | None = None
    task: int | None = None


Spot = tuple[int, int | None, int | None]
"""A thread, its running loop and its task as bare numbers: what `Where` says, and made in a fraction of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    Say when and where something happened.
    """

    at: float
    real: float
    where: Where


E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constructed(Event):
    """
    The instance exists; what was sent before belongs to its constructor.
    """

    module: str
    qualname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    """
    The call begins, with these inputs, from the caller's place (`where`).
    """

    capability: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """
    An upstream request left the adapter.

    Attributes:
        request: its number in this log, from 0.
        carries: which inputs (by index) its method, address and body carry.
        hook: whether synchronous or asynchronous code sent it.
        asks_stream: what a readable request says of streaming; None where it says nothing.
        phase: whether the constructor or the call sent it.
        text: the request's readable content (address and body), for linking polls to uploads.
        through: top-level modules on the stack that sent it.
    """

    request: int
    method: str
    uri: str
    carries: tuple[int, ...]
    hook: Hook
    asks_stream: bool | None = None
    phase: Phase = "call"
    text: str = ""
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Event):
    """
    The head of the answer was handed out; `arrivals` pieces will follow, if the adapter reads them.

    Attributes:
        body: everything that the upstream answered, whether it will be read or not.
        untimed: the recording does not say in which pieces it came, nor how long it was to be.
        comments: how many of the pieces are comments of server-sent events, wherever they stand, and nothing else.
    """

    request: int
    status: int
    content_type: str
    arrivals: int
    body: bytes
    untimed: bool = False
    comments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(Event):
    """
    One piece of an answer was handed to the adapter's client library.
    """

    request: int
    index: int
    size: int
    hook: Hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """
    An answer was handed out to its end; `cut` says how the upstream broke it off, if it did.
    """

    request: int
    hook: Hook
    cut: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """
    The adapter closed an answer before its end was handed out.
    """

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Event):
    """
    The caller got one item of a stream; `text` is None where it carries no text at all.

    `thoughts` is what an item without a text tells of the model's thoughts.
    """

    text: str | None
    type: str
    thoughts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned(Event):
    """
    The call came back: the texts it returned (None where one was not text) and their types.

    A stream returns nothing; a single call one text. `plural` says that a sequence came back, and `errors` in which of
    its places exceptions stand.
    """

    texts: tuple[str | None, ...]
    types: tuple[str, ...]
    plural: bool = False
    errors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised(Event):
    """
    The adapter raised, in its constructor, in its import or in the call.

    `unreachable` where that began with a connection that the system could not make, or a name that it
    could not look up.
    """

    phase: Literal["import", "construction", "call"]
    type: str
    message: str
    unsupported: bool
    traceback: str
    line: str = ""
    unreachable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Event):
    """
    The adapter lacks the method, or the environment lacks a module that the adapter needs.
    """

    what: Literal["method", "module"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Event):
    """
    A request was refused in replay: no recording answers it. `why` names the nearest one.
    """

    method: str
    uri: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled(Event):
    """
    Something tried to leave the machine past the tape and was stopped.
    """

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamFailed(Event):
    """
    The upstream could not be reached, or failed, while recording.
    """

    request: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Event):
    """
    A request left the adapter for the program that stands between it and its upstream.

    Attributes:
        passage: its number among these, from 0.
        carries: which inputs (by index) it carries.
        through: top-level modules on the stack that sent it.
    """

    passage: int
    method: str
    uri: str
    carries: tuple[int, ...]
    hook: Hook
    phase: Phase = "call"
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied(Event):
    """
    The program's answer began, with this status.
    """

    passage: int
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Event):
    """
    One piece of the program's answer was handed to the adapter's client library.
    """

    passage: int
    size: int
    hook: Hook


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost(Event):
    """
    The program ended, or was ended, before the call did; `what` says how.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed(Event):
    """
    One turn of the caller's event loop used this much processor time (seconds, not wall).
    """

    seconds: float
    warm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled(Event):
    """
    Something made the caller's event loop wait synchronously; `what` says what.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawned(Event):
    """
    The adapter started a child process, whose traffic cannot be seen.
    """

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Event):
    """
    A stream was stopped by the battery after this many items.
    """

    items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Died(Event):
    """
    The cell's process ended, or was ended, before the call did.

    Attributes:
        how: `hung`, `signal`, `exit` or `memory`.
        detail: the signal's name, the exit status, the limit.
        stack: the stack where it hung or crashed, where one could be had.
    """

    how: Literal["hung", "signal", "exit", "memory"]
    detail: str
    stack: str = ""


KINDS: Final[dict[str, type[Event]]] = {
    kind.__name__: kind
    for kind in (
        Constructed, Started, Sent, Answered, Arrival, Ended, Closed, Item, Returned, Raised, Missing,
        Refused, Dialled, UpstreamFailed, Asked, Replied, Heard, Lost, Computed, Stalled, Spawned, Endless, Died,
    )
}  # fmt: skip


_NAMES: Final = {kind: tuple(field.name for field in fields(kind)) for kind in KINDS.values()}


def first(events: Iterable[Event], kind: type[E]) -> E | None:
    """
    Return the first event of a kind; None where there is none.
    """
    return next((event for event in events if isinstance(event, kind)), None)


def inputs_of(events: Iterable[Event]) -> tuple[str, ...]:
    """
    Return the inputs that the call was given; none where it did not start.
    """
    started = first(events, Started)
    return () if started is None else started.inputs


def home_of(events: Iterable[Event]) -> Where | None:
    """
    Return the place from which the call was made; None where it did not start.
    """
    started = first(events, Started)
    return None if started is None else started.where


def encode(event: Event) -> bytes:
    """
    Return an event as one line of JSON.
    """
    values = {name: getattr(event, name) for name in _NAMES[type(event)]}
    where = event.where
    values["where"] = (where.thread, where.loop, where.task)
    if isinstance(event, Answered):
        values["body"] = base64.b64encode(event.body).decode()
    return json.dumps([type(event).__name__, values]).encode()


def decode(line: bytes) -> Event:
    """
    Return the event that `encode` wrote.

    Raises:
        ValueError: the line is not an event.
    """
    name, values = json.loads(line)
    kind = KINDS.get(name)
    if kind is None:
        msg = f"no such event: {name!r}"
        raise ValueError(msg)
    values["where"] = Where(*values["where"])
    if kind is Answered:
        values["body"] = base64.b64decode(values["body"])
    for field in _tuples(kind):
        values[field] = tuple(values[field])
    return kind(**values)


def _tuples(kind: type[Event]) -> tuple[str, ...]:
    found = _TUPLES.get(kind)
    if found is None:
        hints: dict[str, Any] = get_type_hints(kind)
        found = _TUPLES[kind] = tuple(n for n, hint in hints.items() if str(hint).startswith("tuple["))
    return found


_TUPLES: dict[type[Event], tuple[str, ...]] = {}

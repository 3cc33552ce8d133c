"""
Shapes: a provider's wire format as data, one TOML file each.

The keys are described in docs/simulators.md. Every template is rendered once when its file is
read, so that a mistake shows then and not in the middle of a recording.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.simulators.answers import Pace, compose
from harness.simulators.context import answer_context, job_context, piece_context, request_context
from harness.simulators.samples import sample
from harness.simulators.tables import ShapeError, Table
from harness.simulators.templates import compile_template, try_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jinja2 import Template

    from harness.simulators.asked import Asked


class Kind(StrEnum):
    """
    Say what a route is for.
    """

    ANSWER = "answer"
    START = "start"
    POLL = "poll"
    LOOKUP = "lookup"
    REDIRECT = "redirect"


class Framing(StrEnum):
    """
    Say how the pieces of a stream are told apart.
    """

    SSE = "sse"
    NDJSON = "ndjson"
    AWS = "aws-event-stream"
    RAW = "raw"
    GRPC = "grpc"
    WEBSOCKET = "websocket"


_CONTENT_TYPES: Final = {
    Framing.SSE: "text/event-stream",
    Framing.NDJSON: "application/x-ndjson",
    Framing.AWS: "application/vnd.amazon.eventstream",
    Framing.RAW: "text/plain; charset=utf-8",
    Framing.GRPC: "application/grpc",
    Framing.WEBSOCKET: "",
}
_STREAMS: Final = ("always", "never")
_POINTERS: Final = "/?{@"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER: Final = re.compile(r"\{(\w+)(:path)?\}")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "grpc": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    Say how a provider refuses a request.
    """

    status: int
    body: Template
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """
    Say which header a request needs, and how its value begins.
    """

    header: str
    starts: str
    fault: Fault

    def is_in(self, asked: Asked) -> bool:
        """
        Tell whether a request has it; the names of authentication schemes know no case (RFC 9110, 11.1).
        """
        given = asked.headers.get(self.header, "")
        return given.lower().startswith(self.starts.lower()) and len(given) > len(self.starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    Keep one event of a stream: its name, if it has one, and its data.
    """

    data: Template
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """
    Say what a stream is made of.

    Attributes:
        asked: a pointer to the flag that asks for it, or `always`.
        prefix: what stands before the data of an SSE event.
        ending: what stands after each document of an NDJSON stream.
        opening: events before the first piece.
        piece: the event of one piece.
        closing: the event after the last piece of each prompt.
        final: events after the last piece.
    """

    asked: str
    framing: Framing
    content_type: str
    prefix: str
    ending: str
    opening: tuple[Event, ...]
    piece: Event
    closing: Event | None
    final: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    Say what is answered at one path.

    Attributes:
        grpc: the classes of request and answer, "module:Message" each, where the path is a gRPC method.
        job: a pointer to the name of the job that is polled.
        waits: a poll is answered when the job is done.
    """

    kind: Kind
    method: str
    path: str
    pattern: re.Pattern[str]
    status: int = 200
    prompts: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    whole: Template | None = None
    content_type: str = "application/json"
    headers: Mapping[str, Template] = field(default_factory=dict)
    stream: Stream | None = None
    to: str = ""
    grpc: tuple[str, ...] = ()
    job: str = "{job}"
    waits: bool = False

    @property
    def parameters(self) -> int:
        """
        Return how many parts of the path may be anything; fewer means a closer match.
        """
        return len(_PARAMETER.findall(self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """
    Describe one provider's wire format.

    Attributes:
        name: the file's name without its ending.
        source: where the format was looked up.
        hosts: the origins it stands for; `*` stands for one label.
        missing: how a request without something required is refused.
        beside: the shapes of other providers that a client of this one talks to as well.
    """

    name: str
    source: str
    hosts: tuple[str, ...]
    routes: tuple[Route, ...]
    pace: Pace
    credential: Credential | None = None
    missing: Fault | None = None
    beside: tuple[str, ...] = ()

    def origin_for(self, netloc: str) -> str | None:
        """
        Return the origin under which this shape answers for a host (and port, if it is not the usual one).
        """
        for origin in self.hosts:
            scheme, _, pattern = origin.partition("://")
            if re.fullmatch(re.escape(pattern).replace(r"\*", "[^.]+"), netloc):
                return f"{scheme}://{netloc}"
        return None


def read_shape(file: Path) -> Shape:
    """
    Return the shape that a file describes.

    Raises:
        ShapeError: the file cannot be read, or says something that makes no sense.
    """
    try:
        values = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ShapeError(
            f"the shape cannot be read: {error}", where=str(file), hint="it has to be TOML in UTF-8"
        ) from error
    return _shape(Table(values, str(file)), file.stem)


def _shape(table: Table, name: str) -> Shape:
    pace = _pace(table.table("pace"))
    credential = _credential(table.table("auth")) if table.has("auth") else None
    missing = _fault(table.table("missing")) if table.has("missing") else None
    shape = Shape(
        name=name,
        source=table.text("source"),
        hosts=tuple(_host(origin, table) for origin in table.texts("hosts")),
        routes=tuple(one for route in table.tables("routes") for one in _routes(route, pace)),
        pace=pace,
        credential=credential,
        missing=missing,
        beside=table.texts("beside", ()),
    )
    table.done()
    if not shape.routes or not shape.hosts:
        raise table.error("routes" if shape.hosts else "hosts", "there is none", "a shape has at least one of each")
    return shape


def _host(origin: str, table: Table) -> str:
    parts = urlsplit(origin)
    if parts.scheme not in _DEFAULT_PORTS or not parts.netloc or parts.path.strip("/"):
        raise table.error("hosts", f"{origin!r} is no origin", 'write scheme and host: "https://api.example.com"')
    return f"{parts.scheme}://{usual_netloc(parts.scheme, parts.netloc)}"


def usual_netloc(scheme: str, netloc: str) -> str:
    """
    Return host and port as a Host header has them: in lower case, without the scheme's own port.
    """
    return netloc.lower().removesuffix(f":{_DEFAULT_PORTS.get(scheme, '')}")


def _pace(table: Table) -> Pace:
    usual = Pace()
    pace = Pace(first=table.numbers("first", usual.first), between=table.numbers("between", usual.between))
    table.done()
    return pace


def _credential(table: Table) -> Credential:
    header, starts = table.text("header").lower(), table.text("starts", "")
    return Credential(header=header, starts=starts, fault=_fault(table, 401))


def _fault(table: Table, status: int = 400) -> Fault:
    fault = Fault(
        status=table.number("status", status),
        body=_template(table, "body"),
        content_type=table.text("content_type", "application/json"),
    )
    try_template(fault.body, {**request_context(sample()), "missing": "/model"}, table, "body")
    table.done()
    return fault


def _template(table: Table, key: str) -> Template:
    return compile_template(table.text(key), table, key)


def _routes(table: Table, pace: Pace) -> list[Route]:
    """
    Return a route for each of its paths.
    """
    paths = table.texts("path")
    if not paths:
        raise table.error("path", "there is none", 'name one: path = "/v1/generate"')
    return [_route(table.having("path", path), pace) for path in paths]


def _route(table: Table, pace: Pace) -> Route:
    kind = Kind(table.text("kind", Kind.ANSWER, among=[kind.value for kind in Kind]))
    asks = kind in {Kind.ANSWER, Kind.START}
    path = table.text("path")
    route = Route(
        kind=kind,
        method=table.text("method", "GET" if kind in {Kind.POLL, Kind.LOOKUP} else "POST", among=_METHODS),
        path=path,
        pattern=_pattern(path, table),
        status=table.number("status", 307 if kind is Kind.REDIRECT else 200),
        prompts=_pointers(table, "prompts") if asks else (),
        requires=_pointers(table, "requires", ()),
        whole=_whole(table, kind),
        content_type=table.text("content_type", "application/json"),
        headers={name: compile_template(text, table, "headers") for name, text in table.mapping("headers").items()},
        stream=_stream(table) if kind is Kind.ANSWER else None,
        to=table.text("to") if kind is Kind.REDIRECT else "",
        grpc=table.texts("grpc", ()),
        job=_job(table) if kind is Kind.POLL else "",
        waits=kind is Kind.POLL and table.flag("waits"),
    )
    table.done()
    _check(route, table)
    _rehearse(route, table, pace)
    return route


def _pattern(path: str, table: Table) -> re.Pattern[str]:
    if not path.startswith("/"):
        raise table.error("path", f"{path!r} does not begin with a slash", f"write /{path}")
    parts, at = "", 0
    for found in _PARAMETER.finditer(path):
        parts += re.escape(path[at : found.start()]) + f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})"
        at = found.end()
    try:
        return re.compile(parts + re.escape(path[at:]))
    except re.error as error:
        raise table.error("path", f"{path!r} is no pattern: {error}", "name each parameter once") from error


def _pointers(table: Table, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
    pointers = table.texts(key, default)
    for pointer in pointers:
        if pointer and pointer[0] not in _POINTERS:
            raise table.error(
                key, f"{pointer!r} is no pointer", f"for the field {pointer} of the body write /{pointer}"
            )
    return pointers


def _job(table: Table) -> str:
    pointers = _pointers(table, "job", ("{job}",))
    if len(pointers) != 1:
        raise table.error("job", "has to be one pointer", "for a field of the body: /job_id")
    return pointers[0]


def _whole(table: Table, kind: Kind) -> Template | None:
    # a route that only ever streams, and a redirect, have no whole answer
    optional = kind is Kind.REDIRECT or (kind is Kind.ANSWER and not table.has("whole") and table.has("piece"))
    return None if optional else _template(table, "whole")


def _stream(table: Table) -> Stream | None:
    asked = table.text("stream", "never")
    if asked == "never":
        return None
    if asked not in _STREAMS and asked[:1] not in set(_POINTERS):
        raise table.error("stream", f"{asked!r} says nothing", 'write "always", "never" or a pointer: "/stream"')
    framing = Framing(table.text("framing", among=[framing.value for framing in Framing]))
    return Stream(
        asked=asked,
        framing=framing,
        content_type=table.text("stream_type", _CONTENT_TYPES[framing]),
        prefix=table.text("prefix", "data: "),
        ending=table.text("ending", "\n"),
        opening=_events(table, "opening"),
        piece=_event(table.anything("piece"), table, "piece"),
        closing=_event(table.anything("closing"), table, "closing") if table.has("closing") else None,
        final=_events(table, "final"),
    )


def _events(table: Table, key: str) -> tuple[Event, ...]:
    value = table.anything(key)
    values = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(_event(element, table, key) for element in values)


def _event(value: object, table: Table, key: str) -> Event:
    if isinstance(value, str):
        return Event(data=compile_template(value, table, key))
    if not isinstance(value, dict):
        raise table.error(
            key,
            "has to be a template, or a table of event and data",
            f'for example {key} = {{ event = "ping", data = "{{}}" }}',
        )
    inner = Table(value, table.file, f"{table.key}.{key}")
    event = Event(data=_template(inner, "data"), name=inner.text("event"))
    inner.done()
    return event


def _check(route: Route, table: Table) -> None:
    if route.stream and route.stream.asked == "always" and route.whole:
        raise table.error("whole", "is never used: the route always streams", "leave it out, or name the stream's flag")
    if route.kind is Kind.ANSWER and not route.whole and not (route.stream and route.stream.asked == "always"):
        raise table.error("whole", "is missing", "a route that may answer without streaming needs a whole answer")
    if route.job == "{job}" and route.kind is Kind.POLL and "{job}" not in route.path:
        raise table.error(
            "path", "says not which job is polled", 'name it: /v1/jobs/{job}; or point to it: job = "/id"'
        )
    if route.grpc and (len(route.grpc) != 2 or not all(":" in one for one in route.grpc)):  # noqa: PLR2004 - see the message
        raise table.error("grpc", "has to name two messages", 'write grpc = ["module:Request", "module:Answer"]')
    if route.stream and (route.stream.framing is Framing.GRPC) is not bool(route.grpc):
        raise table.error(
            "framing", "does not fit", 'routes with the key grpc stream with framing = "grpc", others not'
        )


def _rehearse(route: Route, table: Table, pace: Pace) -> None:
    """
    Render every template of a route once.
    """
    asked = sample(dict.fromkeys(route.pattern.groupindex, "sample"))
    answers = [compose("Repeat kestrel4127 and write about bridges.", pace=pace)]
    context = answer_context(asked, answers)
    if route.kind in {Kind.START, Kind.POLL}:
        context = job_context(asked, answers, "sample", 1.0)
    elif route.kind is not Kind.ANSWER:
        context = request_context(asked)
    if route.whole:
        try_template(route.whole, context, table, "whole")
    for template in route.headers.values():
        try_template(template, context, table, "headers")
    if route.stream:
        for event in (*route.stream.opening, *route.stream.final):
            try_template(event.data, context, table, "opening" if event in route.stream.opening else "final")
        try_template(route.stream.piece.data, piece_context(context, answers[0], 0), table, "piece")
        if route.stream.closing:
            try_template(route.stream.closing.data, piece_context(context, answers[0], 0), table, "closing")

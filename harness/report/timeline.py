"""
A cell's timeline as a small picture: requests with their arrivals above, items below, one axis of seconds.

Text keeps its size while the picture stretches: labels stand in an outer SVG that has no view box, marks in an
inner one that is stretched in width only. Colours are the page's, by class.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from markupsafe import Markup

from harness.report.text import one_line
from harness.words import FEWEST_ARRIVALS, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cells import ItemLine, RequestLine, Timeline

_WIDE: Final = 320
_ROW: Final = 30
_BASE: Final = 22
_AXIS: Final = 18
_MOST_ROWS: Final = 6
_LABEL: Final = 44
_STEPS: Final = 3
_NEAR_EDGE: Final = 0.9
MARKS: Final = Markup(
    "<marker id=mark-a viewBox='-5 -5 10 10' markerWidth=10 markerHeight=10 markerUnits=userSpaceOnUse>"
    "<path d='M0-4.5v9'/></marker>"
    "<marker id=mark-i viewBox='-5 -5 10 10' markerWidth=10 markerHeight=10 markerUnits=userSpaceOnUse>"
    "<path d='M-1-4h2v8h-2z'/></marker>"
    "<marker id=mark-o viewBox='-5 -5 10 10' markerWidth=10 markerHeight=10 markerUnits=userSpaceOnUse>"
    "<path d='M-1-2h2v4h-2z'/></marker>"
)
"""The marks themselves, once a page: a picture then needs no more than two or three characters a mark."""


@dataclass(frozen=True, slots=True)
class Row:
    """
    Show requests on one line; more than a few of one kind share it.
    """

    label: str
    requests: tuple[RequestLine, ...]


def render_svg(timeline: Timeline) -> Markup:
    """
    Return a timeline as an SVG picture for the page; empty where nothing happened.

    Its marks are `.s` spans of requests, `.a` arrivals, `.i` items, `.o` items that do not count, `.m` the middle of
    the answer and `.g` the grid; the page's style sheet gives them their colours.
    """
    times = _times(timeline)
    if not times:
        return Markup()
    rows = _rows(timeline.requests)
    scale = _Scale(end=max(*times, 0.0) or 1.0)
    height = _ROW * (len(rows) + bool(timeline.items)) + _AXIS
    parts = [f"<title>{_described(timeline)}</title>"]
    parts += [_label(number, row.label) for number, row in enumerate(rows)]
    if timeline.items:
        parts.append(_label(len(rows), _items_label(timeline.items)))
    parts += _axis_labels(scale, height)
    parts.append(f'<svg viewBox="0 0 {_WIDE} {height}" preserveAspectRatio=none>')
    parts += [_path("g", _grid(scale, height)), *_marks(rows, timeline, scale, height), "</svg>"]
    return Markup(f"<svg class=t role=img height={height}>{''.join(parts)}</svg>")  # noqa: S704 - labels are escaped, all else is numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """
    Turn seconds since the call's first request into columns of the picture.
    """

    end: float

    def x(self, at: float) -> int:
        return round(max(0.0, at) / self.end * _WIDE)

    def percent(self, at: float) -> str:
        return f"{at / self.end * 100:.3g}%"

    def steps(self) -> list[float]:
        rough = self.end / _STEPS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        return [step * number for number in range(int(self.end / step + 1e-9) + 1)]


def _times(timeline: Timeline) -> list[float]:
    found = [item.at for item in timeline.items]
    for request in timeline.requests:
        found += [request.sent_at, *request.arrivals]
        found += [] if request.ends_at is None else [request.ends_at]
    return found


def _rows(requests: Sequence[RequestLine]) -> list[Row]:
    if len(requests) <= _MOST_ROWS:
        before = [None, *requests]
        return [Row(_request_label(request, last), (request,)) for last, request in zip(before, requests, strict=False)]
    groups: dict[tuple[str, str, str], list[RequestLine]] = defaultdict(list)
    for request in requests:
        groups[request.method, _place(request.uri), request.role].append(request)
    return [Row(_group_label(group), tuple(group)) for group in groups.values()]


def _request_label(request: RequestLine, before: RequestLine | None) -> str:
    """
    Return a request's name, or what tells it from the one before it where both have the same.
    """
    inputs = ", ".join(str(index + 1) for index in request.inputs)
    if before and inputs and _name(before) == _name(request):
        return f"input {inputs}"
    return _name(request) + (f" · inputs {inputs}" if len(request.inputs) > 1 else "")


def _group_label(group: Sequence[RequestLine]) -> str:
    return f"{len(group)} times {_name(group[0])}"


def _name(request: RequestLine) -> str:
    role = "" if request.role == "inference" else f" ({request.role})"
    return f"{one_line(request.method)} {_place(request.uri)}{role}"


def _place(uri: str) -> str:
    """
    Return an address's path, without its middle where it is long; the whole one is in matrix.json.
    """
    try:
        path = one_line(urlsplit(uri).path) or "/"
    except ValueError:
        path = one_line(uri)
    half = _LABEL // 2 - 1
    return path if len(path) <= _LABEL else f"{path[:half]}…{path[-half:]}"


def _items_label(items: Sequence[ItemLine]) -> str:
    idle = sum(not item.counts for item in items)
    return "items" + (f" · {idle} without content" if idle else "")


def _described(timeline: Timeline) -> str:
    arrivals = [at for request in timeline.requests for at in request.arrivals]
    said = [*_span(arrivals, "arrival"), *_span([item.at for item in timeline.items], "item")]
    return "; ".join(said or [counted(len(timeline.requests), "request")])


def _span(times: Sequence[float], noun: str) -> list[str]:
    return [f"{counted(len(times), noun)}, {min(times):.2f} to {max(times):.2f} s"] if times else []


def _label(row: int, text: str) -> Markup:
    return Markup("<text y={}>{}</text>").format(row * _ROW + 12, text)


def _axis_labels(scale: _Scale, height: int) -> list[str]:
    found = []
    for at in scale.steps()[1:]:
        edge = " class=e" if at > scale.end * _NEAR_EDGE else ""
        found.append(f"<text{edge} x={scale.percent(at)} y={height - 3}>{at:.6g} s</text>")
    return found


def _grid(scale: _Scale, height: int) -> str:
    tall = height - _AXIS
    return "".join(f"M{scale.x(at)} 0v{tall}" for at in scale.steps()[1:])


def _marks(rows: Sequence[Row], timeline: Timeline, scale: _Scale, height: int) -> list[str]:
    places = [(number * _ROW + _BASE, request) for number, row in enumerate(rows) for request in row.requests]
    below = len(rows) * _ROW + _BASE
    counting = [item.at for item in timeline.items if item.counts]
    idle = [item.at for item in timeline.items if not item.counts]
    return [
        _path("s", "".join(_bar(y, request, scale) for y, request in places)),
        _path("m", _middles(places, scale, height) if timeline.items else ""),
        _path("a", "".join(_points(y, request.arrivals, scale) for y, request in places)),
        _path("i", _points(below, counting, scale)),
        _path("o", _points(below, idle, scale)),
    ]


def _bar(y: int, request: RequestLine, scale: _Scale) -> str:
    ends = [request.sent_at, *request.arrivals, *([] if request.ends_at is None else [request.ends_at])]
    return f"M{scale.x(request.sent_at)} {y}H{scale.x(max(ends))}"


def _middles(places: Iterable[tuple[int, RequestLine]], scale: _Scale, height: int) -> str:
    """
    Mark the arrival before which a stream must have handed something out.
    """
    found = ""
    for y, request in places:
        if request.role == "inference" and len(request.arrivals) >= FEWEST_ARRIVALS:
            at = sorted(request.arrivals)[len(request.arrivals) // 2]
            found += f"M{scale.x(at)} {y - 8}V{height - _AXIS}"
    return found


def _points(y: int, times: Iterable[float], scale: _Scale) -> str:
    """
    Return one corner a mark, by relative moves: the shortest form that there is. Equal columns are marked once.
    """
    columns = sorted({scale.x(at) for at in times})
    if not columns:
        return ""
    gaps = " ".join(str(after - before) for before, after in pairwise(columns))
    return f"M{columns[0]} {y}h{gaps or '0'}"


def _path(kind: str, data: str) -> str:
    return f'<path class={kind} d="{data}"/>' if data else ""

"""One cell in words: what was sent, what arrived when, what came out when, and why that means its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.figures import figure, figures, versions
from harness.report.terminal import STYLES, rendered, symbol
from harness.report.text import UPSTREAMS, meaning, one_line, printable, word
from harness.words import State, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from harness.cells import Cell, Checked, Measured, RequestLine, Timeline

_BAR: Final = 24
_NARROW_BAR: Final = 12
_NARROW: Final = 72
_MARKS: Final = {"sent": ">", "arrival": "·", "end": "|", "item": "●", "placeholder": "○"}
_ASCII: Final = {"sent": ">", "arrival": "-", "end": "|", "item": "o", "placeholder": "."}
_COLOURS: Final = {"sent": "cyan", "arrival": "blue", "end": "cyan", "item": "green", "placeholder": "dim"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    Show one thing that happened, at a time on the recording's clock (seconds).

    `rank` orders what happened at one moment: an item comes after as many arrivals as its `after` says.
    """

    at: float
    rank: float
    kind: str
    text: str


def render_explain(
    cell: Cell,
    adapter: Measured,
    width: int = 80,
    colour: bool = True,  # noqa: FBT001, FBT002 - the shared signature of the renderers
    checks: Sequence[Checked] = (),
) -> str:
    """
    Return a cell's verdict, its sentence and its timeline, and what came of checks, as lines for a terminal.

    Args:
        cell: the cell to explain.
        adapter: the adapter that it belongs to.
        width: columns to use.
        colour: whether to use colours and symbols; plain ASCII of ours otherwise.
        checks: what came of those that were tried on it.
    """
    parts: list[RenderableType] = [_title(cell, colour), Text(printable(cell.reason)), Text()]
    lines = timeline_lines(cell.evidence.timeline)
    if lines:
        parts += [_timeline(lines, width, colour), Text()]
    parts.append(_facts(cell, adapter))
    if cell.evidence.error:
        parts += [Text(), Text("Error", style="bold"), Padding(Text(printable(cell.evidence.error)), (0, 0, 0, 2))]
    if checks:
        parts += [Text(), Text("Checks", style="bold"), _checks(cell, checks)]
    return rendered(Group(*parts), width, colour)


def timeline_lines(timeline: Timeline) -> list[Line]:
    """
    Return everything that happened, in its order.
    """
    found: list[Line] = []
    for number, request in enumerate(timeline.requests, 1):
        name = f"request {number}" if len(timeline.requests) > 1 else "request"
        found += _request_lines(request, name)
    for number, item in enumerate(timeline.items, 1):
        kind = "item" if item.counts else "placeholder"
        note = "" if item.counts else "does not count, "
        text = f'item {number} "{one_line(item.text)}" ({note}after {counted(item.after, "arrival")})'
        found.append(Line(at=item.at, rank=item.after + 0.5, kind=kind, text=text))
    return sorted(found, key=lambda line: (line.at, line.rank))


def _request_lines(request: RequestLine, name: str) -> Iterator[Line]:
    total = len(request.arrivals)
    yield Line(at=request.sent_at, rank=0, kind="sent", text=f"{name} sent: {_request(request)}")
    for index, at in enumerate(request.arrivals, 1):
        yield Line(at=at, rank=index, kind="arrival", text=f"arrival {index} of {total} ({name})")
    if request.ends_at is not None:
        yield Line(at=request.ends_at, rank=total + 0.25, kind="end", text=f"answer ends ({name})")


def _request(request: RequestLine) -> str:
    notes = [request.role]
    if request.inputs:
        notes.append(f"{'input' if len(request.inputs) == 1 else 'inputs'} {_numbers(request.inputs)}")
    if request.where:
        notes.append(request.where)
    if request.status is not None:
        notes.append(f"status {request.status}")
    return one_line(f"{request.method} {request.uri} ({', '.join(notes)})")


def _numbers(indexes: tuple[int, ...]) -> str:
    return ", ".join(str(index + 1) for index in indexes)


def _title(cell: Cell, colour: bool) -> Text:  # noqa: FBT001 - one flag that all the renderers pass on
    name = f"{one_line(cell.family)}/{one_line(cell.adapter)}, {cell.capability.heading}: "
    found = f"{symbol(cell.verdict, colour)} {cell.verdict}"
    how = f", {cell.mechanism}" if cell.mechanism else ""
    return Text.assemble((name, "bold"), (f"{found}{how}", STYLES[cell.verdict]))


def _timeline(lines: list[Line], width: int, colour: bool) -> Table:  # noqa: FBT001 - as above
    bar = _BAR if width >= _NARROW else _NARROW_BAR
    marks = _MARKS if colour else _ASCII
    start, end = min(0.0, lines[0].at), max(line.at for line in lines)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column(_axis(start, end, bar), no_wrap=True)
    table.add_column("what happened", overflow="fold")
    for line in lines:
        mark = Text(_place(line.at, start, end, bar) * " " + marks[line.kind], style=_COLOURS[line.kind])
        table.add_row(f"{line.at:.3f}", mark, Text(line.text))
    return table


def _axis(start: float, end: float, bar: int) -> str:
    last = f"{end:.3g}"
    first = f"{start:.3g}"
    return first + "-" * max(1, bar - len(first) - len(last)) + last


def _place(at: float, start: float, end: float, bar: int) -> int:
    return round((at - start) / (end - start) * (bar - 1)) if end > start else 0


def _facts(cell: Cell, adapter: Measured) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in (*_answers(cell), *_claims(cell), *_origin(cell, adapter)):
        table.add_row(name, Text(printable(text)))
    return table


def _checks(cell: Cell, checks: Sequence[Checked]) -> Table:
    """
    Say of each check how it ended and what was found, and of one that failed, what tells where to look.
    """
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for one in checks:
        found = printable(": ".join(filter(None, (one.state, one.sentence or one.figure))))
        table.add_row(one.check, Text(found))
        if one.state is State.FAILED:
            again = f"harness check {cell.family}/{cell.adapter} --check {one.check} --only {cell.capability}"
            table.add_row("", Text(f"where to look: {printable(again)}"))
    return table


def _answers(cell: Cell) -> Iterator[tuple[str, str]]:
    evidence = cell.evidence
    yield "means", f"{word(cell)}: {meaning(cell)}"
    if cell.capability.streams:
        yield "delivery", evidence.delivery or "no answer"
    yield "async I/O", evidence.async_io or ("no answer" if cell.capability.is_async else "none, a sync call")
    if cell.capability.batches:
        yield "fan-out", evidence.fan_out or "no answer"
    yield "figures", "; ".join(figure(name, value) for name, value in figures(cell))


def _claims(cell: Cell) -> Iterator[tuple[str, str]]:
    claims = {"declared": cell.declared, "overrides suggest": cell.reflected, "published": cell.published}
    said = ", ".join(f"{name} {value}" for name, value in claims.items() if value)
    if said:
        yield "claims", said
    if cell.expected:
        yield "expected", f"{cell.expected}: {cell.why_expected or 'no reason given'}"


def _origin(cell: Cell, adapter: Measured) -> Iterator[tuple[str, str]]:
    cassette = cell.evidence.cassette
    if cassette is None:
        yield "cassette", "none"
    else:
        yield "cassette", f"{cassette.path}, recorded {cassette.recorded or 'at an unknown time'}"
        yield "sha256", cassette.sha256
    if adapter.upstream:
        yield "upstream", f"{adapter.upstream}: {UPSTREAMS[adapter.upstream]}"
    if adapter.distributions:
        yield "versions", versions(adapter)
    if adapter.problem:
        yield "problem", adapter.problem

"""The table for a terminal: words beside the symbols, at eighty columns and at two hundred."""

from __future__ import annotations

import io
from itertools import repeat
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.report.columns import column_heading, column_names, entries, row_of
from harness.report.matrix import cells_of, sorted_adapters
from harness.report.text import one_line, printable, tally, verdict, width_of, word
from harness.words import Capability, State, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from harness.cells import Cell, Matrix, Measured
    from harness.report.columns import Entry

NARROWEST_TABLE: Final = 74
"""Below this many columns a table is unreadable, and a list is shown."""
STYLES: Final = {
    Verdict.NATIVE: "green",
    Verdict.FALLBACK: "yellow",
    Verdict.BROKEN: "bold red",
    Verdict.UNSUPPORTED: "dim",
    Verdict.BLOCKED: "red",
    Verdict.UNKNOWN: "blue",
}
_ASCII: Final = {"✅": "+", "❌": "x", "?": "?", "n/a": "n/a"}
_STATE_STYLES: Final = {
    State.PASSED: "green",
    State.FAILED: "bold red",
    State.SKIPPED: "dim",
    State.OFF: "dim",
    State.FAULT: "blue",
}
_NOT_ASKED: Final = "-"
"""A cell that the matrix of a part does not have: nobody asked for it."""
_ENDLESS: Final = 10_000
"""Columns to measure a table in."""
_HYPHENS: Final = {
    "buffered": ("buf-", "fered"),
    "sequential": ("sequen-", "tial"),
    "concurrent": ("concur-", "rent"),
    "worker-thread": ("worker-", "thread"),
    "single-item": ("single-", "item"),
    "blocks-loop": ("blocks-", "loop"),
    "other-loop": ("other-", "loop"),
    "unsupported": ("unsup-", "ported"),
}


def render_terminal(matrix: Matrix, width: int = 80, colour: bool = True) -> str:  # noqa: FBT001, FBT002 - the shared signature of the renderers
    """
    Return the table as lines for a terminal.

    Args:
        matrix: what was measured.
        width: columns to use.
        colour: whether to use colours, emoji and box characters; plain ASCII of ours otherwise. Whether
            NO_COLOR is set is the caller's to look up.
    """
    parts: list[RenderableType] = []
    for family in sorted({adapter.family for adapter in matrix.adapters}):
        parts += _family(matrix, family, width, colour)
    problems = [adapter for adapter in sorted_adapters(matrix) if adapter.problem]
    if problems:
        parts += [Text("Problems", style="bold"), *map(_problem, problems)]
    parts.append(_totals(matrix))
    return rendered(Group(*parts), width, colour)


def rendered(what: RenderableType, width: int, colour: bool) -> str:  # noqa: FBT001 - internal twin of the above
    """
    Return what rich makes of something, without trailing spaces, ending in one newline.
    """
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="standard" if colour else None, no_color=not colour,
        legacy_windows=False, emoji=False, markup=False, highlight=False, safe_box=True, force_interactive=False,
    )  # fmt: skip
    console.print(what)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().split("\n")) + "\n"


def symbol(found: Verdict, colour: bool) -> str:  # noqa: FBT001 - one flag that all the renderers pass on
    """
    Return a verdict's symbol, or its ASCII twin.
    """
    return found.symbol if colour else _ASCII[found.symbol]


def _family(matrix: Matrix, family: str, width: int, colour: bool) -> list[RenderableType]:  # noqa: FBT001 - as above
    cells, names, found = cells_of(matrix), column_names(matrix), entries(matrix)
    adapters = [adapter for adapter in sorted_adapters(matrix) if adapter.family == family]
    rows = [(one_line(adapter.name), cells.get((family, adapter.name), {})) for adapter in adapters]
    checks = [dict(zip(names, row_of(found, names, family, adapter.name), strict=True)) for adapter in adapters]
    title = Text(one_line(family), style="bold")
    if width < NARROWEST_TABLE:
        return [title, *(_listed(*row, colour, tried) for row, tried in zip(rows, checks, strict=True)), Text()]
    short = not _fits(rows, width)
    for one in (False, True) if names else ():
        whole = _table(rows, checks, colour, short=one)
        if _width_of(whole) <= width:
            return [title, whole, Text()]
    parts: list[RenderableType] = [title, _table(rows, [], colour, short=short), Text()]
    return [*parts, _apart([name for name, _ in rows], checks, colour), Text()] if names else parts


def _table(
    rows: Sequence[tuple[str, Mapping[Capability, Cell]]],
    checks: Sequence[Mapping[str, Entry]],
    colour: bool,  # noqa: FBT001 - as above
    *,
    short: bool,
) -> Table:
    table = _empty(colour)
    for capability in Capability:
        table.add_column(capability.heading.replace(" ", "\n") if short else capability.heading, overflow="fold")
    for name in checks[0] if checks else ():
        table.add_column(column_heading(name).replace(" ", "\n") if short else column_heading(name), overflow="fold")
    tried: Mapping[str, Entry]
    for (name, row), tried in zip(rows, checks or repeat({}), strict=False):
        verdicts = (_cell(row.get(capability), colour, short=short) for capability in Capability)
        table.add_row(Text(name), *verdicts, *(_entry(one, colour) for one in tried.values()))
    return table


def _apart(names: Sequence[str], checks: Sequence[Mapping[str, Entry]], colour: bool) -> Table:  # noqa: FBT001 - as above
    """
    Return the columns of checks as a table of their own, where they do not fit beside the calls.
    """
    table = _empty(colour)
    for name in checks[0]:
        table.add_column(column_heading(name), overflow="fold")
    for name, tried in zip(names, checks, strict=True):
        table.add_row(Text(name), *(_entry(one, colour) for one in tried.values()))
    return table


def _empty(colour: bool) -> Table:  # noqa: FBT001 - as above
    look = box.SIMPLE_HEAD if colour else box.ASCII2
    table = Table(box=look, padding=0, pad_edge=False, show_edge=False)
    table.add_column("Adapter", overflow="fold", min_width=8)
    return table


def _width_of(table: Table) -> int:
    return Console(file=io.StringIO(), width=_ENDLESS, legacy_windows=False).measure(table).maximum


def _entry(entry: Entry, colour: bool) -> Text:  # noqa: FBT001 - as above
    shown = entry.symbol if colour else _ASCII[entry.symbol]
    style = "blue" if entry.state is None else _STATE_STYLES[entry.state]
    return Text(f"{shown} {entry.figure}".rstrip(), style=style)


def _fits(rows: Sequence[tuple[str, Mapping[Capability, Cell]]], width: int) -> bool:
    names = max(width_of(name) for name, _ in rows) + 2
    columns = 0
    for capability in Capability:
        words = [len(word(row.get(capability))) + 3 for _, row in rows]
        columns += max(*words, len(capability.heading)) + 2
    return names + columns <= width


def _cell(cell: Cell | None, colour: bool, *, short: bool) -> Text:  # noqa: FBT001 - as above
    if cell is None:
        return Text(_NOT_ASKED, style="dim")
    found, text = verdict(cell), word(cell)
    before = f"{symbol(found, colour)} "
    # the second line stands below the word, not below the symbol
    shown = f"\n{' ' * width_of(before)}".join(_HYPHENS.get(text, (text,))) if short else text
    return Text(f"{before}{shown}", style=STYLES[found])


def _listed(
    name: str,
    row: Mapping[Capability, Cell],
    colour: bool,  # noqa: FBT001 - as above
    checks: Mapping[str, Entry],
) -> RenderableType:
    lines = [Text(name)]
    for capability in Capability:
        found = row.get(capability)
        if found is None:
            continue
        line = f"  {symbol(found.verdict, colour)} {capability.heading}: {word(found)}"
        lines.append(Text(line, style=STYLES[found.verdict]))
    for check, entry in checks.items():
        shown = entry.symbol if colour else _ASCII[entry.symbol]
        lines.append(Text(f"  {shown} {column_heading(check)}: {entry.figure or entry.state or Verdict.UNKNOWN}"))
    return Group(*lines)


def _problem(adapter: Measured) -> RenderableType:
    text = Text.assemble((one_line(adapter.name), "bold"), ": ", printable(adapter.problem or ""))
    return Padding(text, (0, 0, 0, 2))


def _totals(matrix: Matrix) -> Text:
    cells = cells_of(matrix)
    counts = tally(
        cell.verdict for adapter in matrix.adapters for cell in cells.get((adapter.family, adapter.name), {}).values()
    )
    words = ", ".join(f"{number} {each}" for each, number in counts.items() if number) or "nothing measured"
    partial = "" if matrix.complete else " (incomplete: not every registered cell was measured)"
    return Text(
        f"{counted(len(matrix.adapters), 'adapter')}, {counted(sum(counts.values()), 'cell')}: {words}{partial}"
    )

"""The table that a page's markers ask for: its rows and columns, its look, footnotes, links and stamp."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from harness.report.columns import Entry, column_heading, column_names, entries
from harness.report.figures import versions
from harness.report.markdown import escape, table
from harness.report.matrix import cells_of, sorted_adapters
from harness.report.page_markers import PageError, blocks, refilled
from harness.report.text import MECHANISMS, VERDICTS, anchor, verdict, word
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cells import Cell, Matrix, Measured
    from harness.report.page_markers import Block

_SHOW: Final = ("symbols", "words", "both")
_YES: Final = {"yes": True, "no": False}
_OPTIONS: Final = ("family", "adapters", "columns", "show", "footnotes", "evidence", "stamp", "heading")
_EXTRA: Final = {"upstream": "Upstream", "versions": "Versions"}
_CALLS: Final = frozenset(one.value for one in Capability)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """
    Hold the options of one table, as its marker has them.

    Attributes:
        adapters: the rows.
        columns: calls, checks that are columns of the matrix, and `upstream` or `versions`.
        show: `symbols`, `words` or `both`.
        footnotes: say below the table how what is not native is done.
        evidence: address of the page that shows the evidence; None for no links.
        stamp: say below the table what it was made of.
        heading: of the first column.
    """

    adapters: tuple[Measured, ...]
    columns: tuple[str, ...]
    show: str = "symbols"
    footnotes: bool = False
    evidence: str | None = None
    stamp: bool = True
    heading: str = "Model"


def rewritten(data: bytes, matrix: Matrix, name: str) -> bytes:
    """
    Return a page with its tables as the matrix has them; outside of its markers it stays as it is.

    Args:
        data: the page.
        matrix: what was measured.
        name: the file's name, for messages.

    Raises:
        PageError: markers or options cannot be used, or ask for what the matrix does not have.
    """
    found = blocks(data, name)
    return refilled(data, [(block, _filling(block, matrix, name)) for block in found])


def _filling(block: Block, matrix: Matrix, name: str) -> str:
    options = _Reader(block, matrix, f"{name}:{block.line}").read()
    return f"\n{render_table(matrix, options)}\n"


def render_table(matrix: Matrix, options: TableOptions) -> str:
    """
    Return the table that was asked for, with what stands below it.
    """
    cells, tried = cells_of(matrix), entries(matrix)
    rows = [
        Row(
            adapter=one,
            cells=cells.get((one.family, one.name), {}),
            checks={name: tried.get((one.family, one.name, name), Entry(results=())) for name in column_names(matrix)},
        )
        for one in options.adapters
    ]
    notes = _notes(rows, options) if options.footnotes else {}
    header = (escape(options.heading), *(_heading(column) for column in options.columns))
    body = (
        [escape(one.adapter.name), *(_shown(one, column, options, notes) for column in options.columns)] for one in rows
    )
    parts = [table(header, body), _footnotes(notes), _stamp(matrix, rows, options) if options.stamp else ""]
    return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    Hold an adapter, its cells, and what stands in the columns of checks.
    """

    adapter: Measured
    cells: Mapping[Capability, Cell]
    checks: Mapping[str, Entry]


def _heading(column: str) -> str:
    if column in _CALLS:
        return Capability(column).heading
    return _EXTRA.get(column) or escape(column_heading(column))


def _shown(row: Row, column: str, options: TableOptions, notes: Mapping[str, int]) -> str:
    adapter = row.adapter
    if column in _EXTRA:
        return escape(versions(adapter) if column == "versions" else adapter.upstream or "-")
    if column not in _CALLS:
        return _checked(row, row.checks[column], options)
    capability = Capability(column)
    cell = row.cells.get(capability)
    symbol, text = verdict(cell).symbol, word(cell)
    shown = {"symbols": symbol, "words": text, "both": f"{symbol} {text}"}[options.show]
    shown = _linked(shown, anchor(adapter.family, adapter.name, capability), options)
    number = notes.get(text)
    return shown if number is None else f"{shown} <sup>{number}</sup>"


def _checked(row: Row, entry: Entry, options: TableOptions) -> str:
    figure = escape(entry.figure or entry.state or "not tried")
    shown = {"symbols": entry.symbol, "words": figure, "both": f"{entry.symbol} {escape(entry.figure)}".strip()}
    return _linked(shown[options.show], f"{anchor(row.adapter.family, row.adapter.name)}--checks", options)


def _linked(shown: str, place: str, options: TableOptions) -> str:
    return shown if options.evidence is None else f"[{shown}]({options.evidence}#{place})"


def _notes(rows: Iterable[Row], options: TableOptions) -> dict[str, int]:
    """
    Return the words that need a note, numbered in the order of their severity.
    """
    used = {word(row.cells.get(Capability(one))) for row in rows for one in options.columns if one in _CALLS}
    ordered = [str(one) for one in (*Mechanism, *Verdict) if one is not Verdict.NATIVE and str(one) in used]
    return {text: number for number, text in enumerate(ordered, 1)}


def _footnotes(notes: Mapping[str, int]) -> str:
    meanings = {**{str(one): text for one, text in VERDICTS.items()}, **{str(one): t for one, t in MECHANISMS.items()}}
    return "".join(f"{number}. **{text}**: {meanings[text]}\n" for text, number in notes.items())


def _stamp(matrix: Matrix, rows: Sequence[Row], options: TableOptions) -> str:
    calls = [Capability(column) for column in options.columns if column in _CALLS]
    shown = [row.cells[call] for row in rows for call in calls if call in row.cells]
    checks = [column for column in options.columns if column not in _CALLS and column not in _EXTRA]
    recorded = [cell.evidence.cassette.recorded for cell in shown if cell.evidence.cassette]
    newest = max(filter(None, recorded), default=None)
    when = "over recordings without a date" if newest is None else f"newest recording {newest[:10]}"
    battery = "" if matrix.battery is None else f", battery {matrix.battery}"
    versions = f"harness {matrix.harness}{battery}"
    return escape(f"Measured with {versions}; {when}; digest {digest(rows, calls, checks)}.") + "\n"


def digest(rows: Iterable[Row], calls: Sequence[Capability], checks: Sequence[str] = ()) -> str:
    """
    Return twelve digits that change when a shown verdict, the recording behind one, or what came of a check does.
    """
    said = hashlib.sha256()
    for row in rows:
        name = (row.adapter.family, row.adapter.name)
        shown: list[tuple[str, ...]] = [(*name, call, *_state(row.cells.get(call))) for call in calls]
        shown += [(*name, one, row.checks[one].symbol, row.checks[one].figure) for one in checks]
        for parts in shown:
            said.update("\0".join((*parts, "\n")).encode(errors="replace"))
    return said.hexdigest()[:12]


def _state(cell: Cell | None) -> tuple[str, str, str]:
    recording = cell.evidence.cassette.sha256 if cell is not None and cell.evidence.cassette else ""
    return verdict(cell).value, word(cell), recording


class _Reader:
    """
    Read one marker's options against the matrix.
    """

    def __init__(self, block: Block, matrix: Matrix, where: str) -> None:
        self._options = block.options
        self._matrix = matrix
        self._where = where

    def read(self) -> TableOptions:
        for key in self._options:
            if key not in _OPTIONS:
                self._refuse(f"unknown option {key!r}{_meant(key, _OPTIONS)}", f"there are {', '.join(_OPTIONS)}")
        return TableOptions(
            adapters=self._adapters(),
            columns=self._columns(),
            show=self._one_of("show", _SHOW),
            footnotes=_YES[self._one_of("footnotes", ("no", "yes"))],
            evidence=self._evidence(),
            stamp=_YES[self._one_of("stamp", ("yes", "no"))],
            heading=self._options.get("heading", "Model"),
        )

    def _adapters(self) -> tuple[Measured, ...]:
        family = self._family()
        known = {one.name: one for one in sorted_adapters(self._matrix) if one.family == family}
        if "adapters" not in self._options:
            return tuple(known.values())
        return tuple(known[name] for name in self._named("adapters", list(known), "adapter"))

    def _family(self) -> str:
        families = sorted({one.family for one in self._matrix.adapters})
        if "family" in self._options:
            (family,) = self._named("family", families, "family", most=1)
            return family
        if len(families) != 1:
            why = "the matrix has several families" if families else "the matrix has no adapters"
            self._refuse(why, f"say which: family={families[0]}" if families else "measure them: `harness run`")
        return families[0]

    def _columns(self) -> tuple[str, ...]:
        calls = [one.value for one in Capability]
        if "columns" not in self._options:
            return tuple(calls)
        return tuple(self._named("columns", [*calls, *_EXTRA, *column_names(self._matrix)], "column"))

    def _named(self, key: str, known: Sequence[str], what: str, most: int | None = None) -> list[str]:
        given = self._options[key]
        names = [given] if most == 1 else [name.strip() for name in given.split(",")]
        for number, name in enumerate(names):
            if name not in known:
                self._refuse(f"unknown {what} {name!r}{_meant(name, known)}", f"there are {', '.join(known)}")
            if name in names[:number]:
                self._refuse(f"{what} {name!r} is named twice", "name it once")
        return names

    def _one_of(self, key: str, known: Sequence[str]) -> str:
        value = self._options.get(key, known[0])
        if value not in known:
            self._refuse(f"{key}={value}{_meant(value, known)}", f"say one of {', '.join(known)}")
        return value

    def _evidence(self) -> str | None:
        address = self._options.get("evidence")
        if address is None:
            return None
        if "#" in address:
            self._refuse("the address of the evidence has a fragment", "leave out what stands from the # on")
        # what stands in a link's brackets must not end them, nor be taken for Markdown or JSX
        return quote(address, safe="/:?&=%+,;@")

    def _refuse(self, message: str, hint: str) -> None:
        raise PageError(message, where=self._where, hint=hint)


def _meant(name: str, known: Iterable[str]) -> str:
    likely = get_close_matches(name, list(known), 1)
    return f"; did you mean {likely[0]!r}?" if likely else ""

"""Published tables: what a family's own page says, kept beside its registrations as CSV."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from harness.adapters.configuration import ConfigurationError, read_text
from harness.adapters.spelling import did_you_mean
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "the first line is: Model," + ",".join(capability.heading for capability in Capability)


def load_published(path: Path) -> dict[str, dict[Capability, Verdict]]:
    """
    Return a published table: by adapter's name, the verdict word of each capability that the table has.

    The first line has the headings (capabilities by their title or their name), each further line an adapter. A cell
    may be empty where the page says nothing.

    Raises:
        ConfigurationError: the file cannot be read or is not such a table; names line and column.
    """
    rows = csv.reader(read_text(path).splitlines())
    columns = _columns(next(rows, []), path)
    found: dict[str, dict[Capability, Verdict]] = {}
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        where = f"{path}:{rows.line_num}"
        name = row[0].strip()
        if name in found:
            raise ConfigurationError(f"{name!r} has a line already", where=where, hint="keep one of the two")
        found[name] = _verdicts(name, row, columns, where)
    return found


def _columns(heading: list[str], path: Path) -> tuple[Capability, ...]:
    known = {word.lower(): capability for capability in Capability for word in (capability.heading, capability.value)}
    titles = [title.strip() for title in heading[1:]]
    where = f"{path}:1"
    if not titles:
        raise ConfigurationError("has no columns", where=where, hint=_HINT)
    for title in titles:
        if title.lower() not in known:
            names = [capability.heading for capability in Capability]
            msg = f"unknown column {title!r}{did_you_mean(title, names)}"
            raise ConfigurationError(msg, where=where, hint=_HINT)
    columns = tuple(known[title.lower()] for title in titles)
    if len(set(columns)) < len(columns):
        raise ConfigurationError("has one column twice", where=where, hint=_HINT)
    return columns


def _verdicts(name: str, row: list[str], columns: tuple[Capability, ...], where: str) -> dict[Capability, Verdict]:
    cells = [cell.strip() for cell in row[1:]]
    if not name or len(cells) != len(columns):
        msg = f"must be a name and {len(columns)} verdicts, not {len(cells)}" if name else "has no name"
        raise ConfigurationError(msg, where=where, hint="is the line cut off, or a comma too many or too few?")
    words = [verdict.value for verdict in Verdict]
    for capability, cell in zip(columns, cells, strict=True):
        if cell and cell not in words:
            msg = f"{name}, {capability.heading}: unknown verdict {cell!r}{did_you_mean(cell, words)}"
            raise ConfigurationError(msg, where=where, hint=f"one of: {', '.join(words)}")
    return {capability: Verdict(cell) for capability, cell in zip(columns, cells, strict=True) if cell}

"""A difference as text, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from harness.report.difference import Way
from harness.report.markdown import escape
from harness.report.text import counted, one_line, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cells import Cell
    from harness.report.difference import Change, Difference

MARK: Final = "<!-- harness:diff -->"
"""First line of the Markdown: by it, whoever posts comments finds the one to replace."""
COMMENT_BYTES: Final = 65_000
"""What fits into a comment on a pull request, of which GitHub takes 65,536 characters."""
_HEADER: Final = "| | Adapter | Call | Before | Now | Why |\n| :- | :- | :- | :- | :- | :- |\n"


def summary(difference: Difference) -> str:
    """
    Return how many cells went which way, as `2 worse, 1 better`.
    """
    counts = [(way, difference.count(way)) for way in Way]
    words = ", ".join(f"{number} {way}" for way, number in counts if number)
    return words or f"no cell changed ({counted(difference.compared, 'cell')} compared)"


def render_text(difference: Difference) -> str:
    """
    Return a difference for a terminal or a log, a cell in two lines.
    """
    lines = []
    for change in difference.changes:
        cell = change.cell
        lines.append(f"{change.way}: {_name(cell)}: {_word(change.old)} -> {_word(change.new)}")
        if change.new is not None and change.new.reason:
            lines.append(f"  {one_line(change.new.reason)}")
    lines += _asides(difference)
    return "\n".join([*lines, summary(difference), ""])


def render_markdown(difference: Difference, limit: int = COMMENT_BYTES) -> str:
    """
    Return a difference as a section of Markdown, the worst first, cut where it would not fit.

    Args:
        difference: what to show.
        limit: bytes that it may take in UTF-8.
    """
    head = f"{MARK}\n### Capabilities: {escape(summary(difference))}\n\n"
    tail = "".join(f"\n{escape(line)}\n" for line in _asides(difference))
    if not difference.changes:
        return f"{head}{tail}"
    return head + fitted(_HEADER, map(_row, difference.changes), tail, limit - _size(head))


def fitted(header: str, rows: Iterable[str], tail: str, limit: int) -> str:
    """
    Return a table with as many of its rows as fit, and a line that says how many do not.
    """
    every = list(rows)
    left = limit - _size(header) - _size(tail) - 200  # what the note below may take
    kept: list[str] = []
    for row in every:
        left -= _size(row)
        if left < 0:
            break
        kept.append(row)
    note = "" if len(kept) == len(every) else f"\nand {len(every) - len(kept)} more, which do not fit here.\n"
    return header + "".join(kept) + note + tail


def render_json(difference: Difference) -> str:
    """
    Return a difference as JSON.
    """
    document = {
        "schema_version": 1,
        "regressions": difference.regressions,
        "compared": difference.compared,
        "unmeasured": difference.unmeasured,
        "rules": list(difference.rules),
        "added": _rows(difference.added),
        "removed": _rows(difference.removed),
        "changes": [_plain(change) for change in difference.changes],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _name(cell: Cell) -> str:
    return one_line(f"{cell.family}/{cell.adapter} {cell.capability}")


def _word(cell: Cell | None) -> str:
    if cell is None:
        return "not there"
    return f"{cell.verdict} ({cell.mechanism})" if cell.mechanism else cell.verdict.value


def _asides(difference: Difference) -> Iterator[str]:
    for what, rows in (("new rows", difference.added), ("rows that are gone", difference.removed)):
        if rows:
            yield f"{what}: {', '.join(one_line('/'.join(row)) for row in rows)}"
    if difference.unmeasured:
        yield f"the new matrix is that of a part: it lacks {counted(difference.unmeasured, 'cell')} of the old one"
    if difference.rules:
        yield f"judged by other versions: {'; '.join(difference.rules)}"


def _row(change: Change) -> str:
    cell = change.cell
    mark = "⚠️" if change.way.is_regression else ""
    reason = escape(change.new.reason) if change.new else ""
    shown = (_symbol(change.old), _symbol(change.new))
    name = escape(f"{cell.family}/{cell.adapter}")
    parts: Sequence[str] = (f"{mark} {change.way}".strip(), name, cell.capability.heading, *shown, reason)
    return f"| {' | '.join(parts)} |\n"


def _symbol(cell: Cell | None) -> str:
    return "-" if cell is None else f"{verdict(cell).symbol} {_word(cell)}"


def _rows(rows: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"family": family, "adapter": name} for family, name in rows]


def _plain(change: Change) -> dict[str, Any]:
    cell = change.cell
    return {
        "way": change.way.value,
        "regression": change.way.is_regression,
        "family": cell.family,
        "adapter": cell.adapter,
        "capability": cell.capability.value,
        "old": _state(change.old),
        "new": _state(change.new),
    }


def _state(cell: Cell | None) -> dict[str, str | None] | None:
    if cell is None:
        return None
    return {
        "verdict": cell.verdict.value,
        "mechanism": None if cell.mechanism is None else cell.mechanism.value,
        "reason": cell.reason,
    }

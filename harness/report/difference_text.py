"""A difference as text, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.report.columns import SYMBOLS, column_heading
from harness.report.difference import Way
from harness.report.markdown import escape
from harness.report.text import one_line, verdict
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cells import Cell, Checked
    from harness.report.difference import Change, CheckChange, Difference

MARK: Final = "<!-- harness:diff -->"
"""First line of the Markdown: by it, whoever posts comments finds the one to replace."""
COMMENT_BYTES: Final = 65_000
"""What fits into a comment on a pull request, of which GitHub takes 65,536 characters."""
_HEADER: Final = "| | Adapter | Call | Before | Now | Why |\n| :- | :- | :- | :- | :- | :- |\n"


def summary(difference: Difference) -> str:
    """
    Return how many cells, and entries of columns, went which way, as `2 worse, 1 better`.
    """
    counts = [(way, difference.count(way)) for way in Way]
    words = ", ".join(f"{number} {way}" for way, number in counts if number)
    return words or f"no cell changed ({counted(difference.compared, 'cell')} compared)"


def render_text(difference: Difference) -> str:
    """
    Return a difference for a terminal or a log, a cell in two lines.
    """
    lines = []
    for one in _lines(difference):
        lines.append(f"{one.way}: {one_line(f'{one.adapter} {one.call}')}: {one.old[1]} -> {one.new[1]}")
        if one.why:
            lines.append(f"  {one_line(one.why)}")
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
    lines = _lines(difference)
    if not lines:
        return f"{head}{tail}"
    return head + fitted(_HEADER, map(_row, lines), tail, limit - _size(head))


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
        "checks": [_plain_check(change) for change in difference.checks],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


class _Line(NamedTuple):
    """
    Hold what is shown of one change: a state is its symbol and its word.
    """

    way: Way
    adapter: str
    call: str
    heading: str
    old: tuple[str, str]
    new: tuple[str, str]
    why: str


def _lines(difference: Difference) -> list[_Line]:
    """
    Return the changes of cells and columns, the worst first; of those that went one way, the cells first.
    """
    ways = list(Way)
    both = [*map(_of_cell, difference.changes), *map(_of_check, difference.checks)]
    return sorted(both, key=lambda one: ways.index(one.way))


def _of_cell(change: Change) -> _Line:
    cell = change.cell
    return _Line(
        way=change.way,
        adapter=f"{cell.family}/{cell.adapter}",
        call=cell.capability.value,
        heading=cell.capability.heading,
        old=(_symbol(change.old), _word(change.old)),
        new=(_symbol(change.new), _word(change.new)),
        why=change.new.reason if change.new else "",
    )


def _of_check(change: CheckChange) -> _Line:
    new = change.new
    return _Line(
        way=change.way,
        adapter=f"{new.family}/{new.adapter}",
        call=f"{new.capability}, {new.check}",
        heading=f"{new.capability.heading}: {column_heading(new.check)}",
        old=(SYMBOLS[change.old.state], _ended(change.old)),
        new=(SYMBOLS[new.state], _ended(new)),
        why=new.sentence,
    )


def _ended(one: Checked) -> str:
    return one_line(f"{one.state} ({one.figure})" if one.figure else one.state.value)


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


def _row(one: _Line) -> str:
    mark = "⚠️" if one.way.is_regression else ""
    states = (f"{symbol} {escape(words)}".strip() if symbol else "-" for symbol, words in (one.old, one.new))
    parts = (f"{mark} {one.way}".strip(), escape(one.adapter), escape(one.heading), *states, escape(one.why))
    return f"| {' | '.join(parts)} |\n"


def _symbol(cell: Cell | None) -> str:
    return "" if cell is None else verdict(cell).symbol


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


def _plain_check(change: CheckChange) -> dict[str, Any]:
    one = change.new
    return {
        "way": change.way.value,
        "regression": change.way.is_regression,
        "family": one.family,
        "adapter": one.adapter,
        "capability": one.capability.value,
        "check": one.check,
        "old": _result(change.old),
        "new": _result(one),
    }


def _result(one: Checked) -> dict[str, str]:
    return {"state": one.state.value, "figure": one.figure, "sentence": one.sentence}


def _state(cell: Cell | None) -> dict[str, str | None] | None:
    if cell is None:
        return None
    return {
        "verdict": cell.verdict.value,
        "mechanism": None if cell.mechanism is None else cell.mechanism.value,
        "reason": cell.reason,
    }

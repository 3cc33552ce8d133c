"""GitHub Actions: annotations, of which it shows ten of a type, and a job summary, of which it takes a mebibyte."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.report.difference import differ
from harness.report.difference_text import MARK, render_markdown
from harness.report.markdown import escape, render_detailed
from harness.report.text import one_line
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cells import Matrix
    from harness.report.annotations import Annotation

MOST_SHOWN: Final = 10
"""Annotations of one type that a step shows; more are dropped without a word, so the last one says how many."""
SUMMARY_BYTES: Final = 1024 * 1024
"""What a step's summary may take; all of a longer one is lost."""
_DATA: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY: Final = {**_DATA, ":": "%3A", ",": "%2C"}
_CUT: Final = "\n\n*The rest does not fit into a job summary: the reports have all of it.*\n"


def render_annotations(annotations: Iterable[Annotation]) -> str:
    """
    Return workflow commands, never more of a type than are shown.
    """
    found = list(annotations)
    errors, notices = ([one for one in found if one.is_error is wanted] for wanted in (True, False))
    return "".join([*_commands("error", errors), *_commands("notice", notices)])


def _commands(kind: str, annotations: Sequence[Annotation]) -> Iterator[str]:
    fits = len(annotations) <= MOST_SHOWN
    for one in annotations if fits else annotations[: MOST_SHOWN - 1]:
        place = [] if one.path is None else [("file", one.path), ("line", str(one.line or 1))]
        properties = [*place, ("title", f"{one.subject}: {one.rule}")]
        shown = ",".join(f"{name}={_escaped(one_line(value), _PROPERTY)}" for name, value in properties)
        yield f"::{kind} {shown}::{_escaped(one_line(one.message), _DATA)}\n"
    if not fits:
        more = f"and {len(annotations) - MOST_SHOWN + 1} more, which the job summary lists"
        yield f"::{kind} title=capability-harness::{more}\n"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)


def render_summary(
    matrix: Matrix, baseline: Matrix | None, annotations: Iterable[Annotation] | None, limit: int = SUMMARY_BYTES
) -> str:
    """
    Return a job summary: what changed, what there is to do, then the table; cut where it does not fit.

    Args:
        matrix: what was measured.
        baseline: the committed matrix.
        annotations: what there is to do; None where nobody asked for it.
        limit: bytes that it may take.
    """
    to_do = "" if annotations is None else _to_do(list(annotations))
    parts = [_changes(matrix, baseline, limit), to_do, render_detailed(replace(matrix, complete=True))]
    return cut("\n".join(part for part in parts if part), limit)


def _changes(matrix: Matrix, baseline: Matrix | None, limit: int) -> str:
    if baseline is None:
        return ""
    # what a part lacks was not measured, and is no loss
    old = baseline if matrix.complete else _like(baseline, matrix)
    return render_markdown(differ(old, replace(matrix, complete=True)), limit // 2).removeprefix(f"{MARK}\n")


def _like(baseline: Matrix, matrix: Matrix) -> Matrix:
    """
    Return the part of the committed matrix that was measured again: the rest has not changed.
    """
    cells = {(cell.family, cell.adapter, cell.capability) for cell in matrix.cells}
    rows = {(one.family, one.name) for one in matrix.adapters}
    return replace(
        baseline,
        cells=tuple(one for one in baseline.cells if (one.family, one.adapter, one.capability) in cells),
        adapters=tuple(one for one in baseline.adapters if (one.family, one.name) in rows),
    )


def _to_do(annotations: Sequence[Annotation]) -> str:
    errors = [one for one in annotations if one.is_error]
    if not errors:
        return "### READY\n"
    lines = [f"### NOT READY: {counted(len(errors), 'thing')} to do\n"]
    for number, one in enumerate(errors, 1):
        place = "" if one.path is None else f" ({escape(f'{one.path}:{one.line}')})"
        lines.append(f"{number}. **{escape(one.subject)}**: {escape(one.message)}{place}")
    return "\n".join([*lines, ""])


def cut(text: str, limit: int) -> str:
    """
    Return a text that takes at most so many bytes, cut at the end of a line, with a word that says so.
    """
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return text
    kept = data[: max(limit - len(_CUT.encode()), 0)]
    return kept[: kept.rfind(b"\n") + 1].decode("utf-8", "ignore") + _CUT

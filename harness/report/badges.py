"""Badges: endpoint files for shields.io, with text as well as colour."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import ReportError
from harness.report.matrix import cells_of
from harness.report.text import one_line, safe_name, tally, verdict
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.cells import Cell, Matrix


def render_badge(matrix: Matrix, family: str, adapter: str | None = None) -> str:
    """
    Return the endpoint file of a family's badge, or of one adapter's.

    Raises:
        ReportError: the matrix has no such family or adapter.
    """
    names = [each.name for each in matrix.adapters if each.family == family and adapter in (None, each.name)]
    if not names:
        what = f"family {family!r}" if adapter is None else f"adapter {adapter!r} in family {family!r}"
        raise ReportError(f"the matrix has no {what}", hint="`harness list` names the families and adapters")
    return _badge(adapter or family, _counts(cells_of(matrix), family, names))


def badges(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """
    Yield every badge of a matrix: its path with forward slashes, and its content.
    """
    cells = cells_of(matrix)
    names: dict[str, list[str]] = {}
    for adapter in matrix.adapters:
        names.setdefault(adapter.family, []).append(adapter.name)
    for family in sorted(names):
        yield f"{safe_name(family)}.json", _badge(family, _counts(cells, family, names[family]))
    for adapter in matrix.adapters:
        path = f"{safe_name(adapter.family)}/{safe_name(adapter.name)}.json"
        yield path, _badge(adapter.name, _counts(cells, adapter.family, [adapter.name]))


def _counts(
    cells: Mapping[tuple[str, str], Mapping[Capability, Cell]], family: str, names: Iterable[str]
) -> dict[Verdict, int]:
    rows = (cells.get((family, name), {}) for name in names)
    return tally(verdict(row.get(capability)) for row in rows for capability in Capability)


def _badge(label: str, counts: dict[Verdict, int]) -> str:
    badge = {
        "schemaVersion": 1,
        "label": one_line(label),
        "message": _message(counts),
        "color": _colour(counts),
    }
    return json.dumps(badge, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _message(counts: dict[Verdict, int]) -> str:
    parts = [f"{counts[Verdict.NATIVE]}/{sum(counts.values())} native"]
    parts += [f"{counts[each]} {each}" for each in (Verdict.BROKEN, Verdict.BLOCKED, Verdict.UNKNOWN) if counts[each]]
    return ", ".join(parts)


def _colour(counts: dict[Verdict, int]) -> str:
    """
    Return green only where every cell is native: what is unknown is never green.
    """
    if counts[Verdict.BROKEN] or counts[Verdict.BLOCKED]:
        return "red"
    if counts[Verdict.UNKNOWN]:
        return "lightgrey"
    return "brightgreen" if counts[Verdict.NATIVE] == sum(counts.values()) else "blue"

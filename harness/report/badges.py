"""Badges: endpoint files for shields.io, with text as well as colour."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import ReportError
from harness.report.matrix import cells_of
from harness.report.text import one_line, safe_name, tally, verdict
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cells import Matrix


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
    cells = cells_of(matrix)
    counts = tally(
        verdict(cells.get((family, name), {}).get(capability)) for name in names for capability in Capability
    )
    badge = {
        "schemaVersion": 1,
        "label": one_line(adapter or family),
        "message": _message(counts),
        "color": _colour(counts),
    }
    return json.dumps(badge, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def badges(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """
    Yield every badge of a matrix: its path with forward slashes, and its content.
    """
    for family in sorted({adapter.family for adapter in matrix.adapters}):
        yield f"{safe_name(family)}.json", render_badge(matrix, family)
    for adapter in matrix.adapters:
        path = f"{safe_name(adapter.family)}/{safe_name(adapter.name)}.json"
        yield path, render_badge(matrix, adapter.family, adapter.name)


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

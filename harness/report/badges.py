"""Badges, with text as well as colour: endpoint files for shields.io, and pictures that need nobody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from harness.report.matrix import cells_of
from harness.report.text import one_line, safe_name, tally, verdict, width_of
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.cells import Cell, Matrix

_CHARACTER: Final = 6.6
"""Pixels of a character at this size; the text is fitted to it, whatever font there is."""
_MARGIN: Final = 12
_COLOURS: Final = {"brightgreen": "#1a7f37", "blue": "#0b63b5", "lightgrey": "#5c636a", "red": "#b42318"}
"""Shields' names in tones on which white text has a contrast of more than 4.5 to 1."""
_SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{label}: {message}">
<title>{label}: {message}</title>
<rect width="{whole}" height="20" rx="3" fill="{colour}"/>
<path d="M3 0H{left}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#444"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
<text x="{label_at:g}" y="14" textLength="{label_length}">{label}</text>
<text x="{message_at:g}" y="14" textLength="{message_length}">{message}</text>
</g>
</svg>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """
    Say what a badge shows.

    Attributes:
        label: whose it is.
        message: the counts.
        colour: one of shields' names.
    """

    label: str
    message: str
    colour: str


def render_badge(badge: Badge) -> str:
    """
    Return the endpoint file of a badge.
    """
    values = {"schemaVersion": 1, "label": badge.label, "message": badge.message, "color": badge.colour}
    return json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def render_svg(badge: Badge) -> str:
    """
    Return a badge as a picture that loads nothing.
    """
    left, right = (_MARGIN + round(width_of(text) * _CHARACTER) for text in (badge.label, badge.message))
    label, message = (escape(_drawable(text), quote=True) for text in (badge.label, badge.message))
    return _SVG.format(
        whole=left + right, left=left, label=label, message=message, colour=_COLOURS[badge.colour],
        label_at=left / 2, message_at=left + right / 2, label_length=left - _MARGIN, message_length=right - _MARGIN,
    )  # fmt: skip


def badges(matrix: Matrix) -> Iterator[tuple[str, str]]:
    """
    Yield every badge of a matrix, as an endpoint file and as a picture: its path with forward slashes, and its content.
    """
    cells = cells_of(matrix)
    names: dict[str, list[str]] = {}
    for adapter in matrix.adapters:
        names.setdefault(adapter.family, []).append(adapter.name)
    for family in sorted(names):
        yield from _files(safe_name(family), _badge(family, cells, family, names[family]))
    for adapter in matrix.adapters:
        path = f"{safe_name(adapter.family)}/{safe_name(adapter.name)}"
        yield from _files(path, _badge(adapter.name, cells, adapter.family, [adapter.name]))


def _files(path: str, badge: Badge) -> Iterator[tuple[str, str]]:
    yield f"{path}.json", render_badge(badge)
    yield f"{path}.svg", render_svg(badge)


def _badge(
    label: str, cells: Mapping[tuple[str, str], Mapping[Capability, Cell]], family: str, names: Iterable[str]
) -> Badge:
    rows = (cells.get((family, name), {}) for name in names)
    counts = tally(verdict(row.get(capability)) for row in rows for capability in Capability)
    return Badge(label=one_line(label), message=_message(counts), colour=_colour(counts))


def _drawable(text: str) -> str:
    # XML has no place for what no encoding has, nor for the two characters that are none
    return re.sub("[\ufffe\uffff]", "?", text.encode("utf-8", "replace").decode())


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

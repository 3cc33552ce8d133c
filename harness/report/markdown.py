"""Markdown: the published look with its two symbols, and the detailed look with words, footnotes and a legend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.report.columns import (
    STATES,
    SYMBOLS,
    UNTRIED,
    alike,
    column_heading,
    column_names,
    entries,
    row_of,
    untried,
    whose,
)
from harness.report.figures import versions
from harness.report.matrix import cells_of, sorted_adapters, sorted_cells
from harness.report.text import (
    MECHANISMS,
    UPSTREAMS,
    VERDICTS,
    WHERE_FROM,
    one_line,
    tally,
    verdict,
    without_figures,
    word,
)
from harness.words import Capability, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cells import Cell, Matrix, Measured

HEADER: Final = ("Model", *(capability.heading for capability in Capability))
_SPECIAL: Final = re.compile(r"([\\`*_\[\]|~!$^{}])")
_OPENERS: Final = re.compile(r"^(?:[#+\-=:]|\d+(?=[.)]))")
Kind = tuple[Verdict, str | None, str]


def render_markdown(matrix: Matrix, compared: Mapping[str, str] | None = None) -> str:
    """
    Return both looks, the published one first.

    Args:
        matrix: what was measured.
        compared: by family, the file that holds it against its published table.
    """
    links = "".join(
        f"\nHeld against its published table: [{escape(name)}]({file})\n" for name, file in (compared or {}).items()
    )
    return f"# Capability matrix\n\n{render_published(matrix)}{links}\n{render_detailed(matrix)}"


def render_published(matrix: Matrix, family: str | None = None) -> str:
    """
    Return the table of the published look: a check, a cross or a question mark a cell.

    Args:
        matrix: what was measured.
        family: the only family to show; None shows all, under a heading each where there are several.
    """
    families = _families(matrix) if family is None else [family]
    tables = [(name, table(_header(matrix), _published_rows(matrix, name))) for name in families]
    if len(tables) == 1:
        return tables[0][1]
    return "\n".join(f"### {escape(name)}\n\n{table}" for name, table in tables)


def render_detailed(matrix: Matrix) -> str:
    """
    Return words beside the symbols, how each emulated call is emulated, a legend and the adapters' versions.
    """
    notes = _notes(matrix)
    parts = ["## In detail\n", _provenance(matrix)]
    for family in _families(matrix):
        parts.append(f"### {escape(family)}: {_total(matrix, family)}\n")
        parts.append(table(_header(matrix), _detailed_rows(matrix, family, notes)))
    parts += [_footnotes(notes), _checks(matrix), _legend(matrix), _adapters(matrix)]
    return "\n".join(part for part in parts if part)


def _header(matrix: Matrix) -> tuple[str, ...]:
    return *HEADER, *map(column_heading, column_names(matrix))


def escape(text: str) -> str:
    """
    Return text that Markdown shows as it is, on one line, also inside a table.
    """
    line = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _OPENERS.sub(_guarded, _SPECIAL.sub(r"\\\1", line))


def _guarded(match: re.Match[str]) -> str:
    return f"&#{ord(match[0][0])};{match[0][1:]}"


def _families(matrix: Matrix) -> list[str]:
    return sorted({adapter.family for adapter in matrix.adapters})


def _of_family(matrix: Matrix, family: str) -> list[Measured]:
    return [adapter for adapter in sorted_adapters(matrix) if adapter.family == family]


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, centred: bool = True) -> str:
    """
    Return a table; every column but the first is centred, unless it holds sentences.

    Args:
        header: the columns' headings.
        rows: their cells, escaped already.
        centred: centre all columns but the first.
    """
    rule = [":-", *([":-:" if centred else ":-"] * (len(header) - 1))]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rule, *rows))


def _published_rows(matrix: Matrix, family: str) -> Iterable[list[str]]:
    cells, checks, names = cells_of(matrix), entries(matrix), column_names(matrix)
    for adapter in _of_family(matrix, family):
        found = cells.get((family, adapter.name), {})
        symbols = [one.symbol for one in row_of(checks, names, family, adapter.name)]
        yield [escape(adapter.name), *(verdict(found.get(capability)).symbol for capability in Capability), *symbols]


def _detailed_rows(matrix: Matrix, family: str, notes: Mapping[Kind, list[Cell]]) -> Iterable[list[str]]:
    cells, checks, names = cells_of(matrix), entries(matrix), column_names(matrix)
    numbers = {kind: number for number, kind in enumerate(notes, 1)}
    for adapter in _of_family(matrix, family):
        found = cells.get((family, adapter.name), {})
        told = [f"{one.symbol} {escape(one.figure)}".strip() for one in row_of(checks, names, family, adapter.name)]
        yield [escape(adapter.name), *(_worded(found.get(capability), numbers) for capability in Capability), *told]


def _worded(cell: Cell | None, numbers: Mapping[Kind, int]) -> str:
    text = f"{verdict(cell).symbol} {word(cell)}"
    number = None if cell is None else numbers.get(_kind(cell))
    return text if number is None else f"{text} <sup>{number}</sup>"


def _kind(cell: Cell) -> Kind:
    """
    Return what makes two notes one: verdict, mechanism and the reason without its figures.
    """
    return cell.verdict, cell.mechanism, without_figures(cell.reason)


def _notes(matrix: Matrix) -> dict[Kind, list[Cell]]:
    found: dict[Kind, list[Cell]] = {}
    for cell in sorted_cells(matrix):
        if cell.verdict is not Verdict.NATIVE:
            found.setdefault(_kind(cell), []).append(cell)
    return found


def _footnotes(notes: Mapping[Kind, list[Cell]]) -> str:
    return "".join(f"{number}. {_note(cells)}\n" for number, cells in enumerate(notes.values(), 1))


def _note(cells: Sequence[Cell]) -> str:
    first = cells[0]
    name = f"{first.verdict}, {first.mechanism}" if first.mechanism else str(first.verdict)
    alike = f" and {counted(len(cells) - 1, 'cell')} more" if len(cells) > 1 else ""
    return f"**{name}**: {escape(first.reason)} ({escape(first.adapter)}, {first.capability.heading}{alike})"


def _checks(matrix: Matrix) -> str:
    """
    Return what came of the checks whose columns are switched on, alike cells together.
    """
    lines = []
    for check, groups in alike(matrix).items():
        lines.append(f"#### {column_heading(check)}\n")
        lines += [f"- {SYMBOLS[each[0].state]} {escape(each[0].sentence)} ({escape(whose(each))})" for each in groups]
        lines.append("")
    return "\n".join(lines)


def _provenance(matrix: Matrix) -> str:
    kinds = sorted({adapter.upstream for adapter in matrix.adapters if adapter.upstream})
    upstreams = ", ".join(kinds) or "none"
    partial = "" if matrix.complete else " **Incomplete: not every registered cell was measured.**"
    versions = f"harness {escape(matrix.harness)}, Python {escape(matrix.python)}"
    return f"Measured with {versions}, over recordings of these kinds: {upstreams}.{partial}\n"


def _total(matrix: Matrix, family: str) -> str:
    names = {adapter.name for adapter in _of_family(matrix, family)}
    counts = tally(cell.verdict for cell in matrix.cells if cell.family == family and cell.adapter in names)
    return f"{counts[Verdict.NATIVE]} of {counted(len(names) * len(Capability), 'cell')} native"


def _legend(matrix: Matrix) -> str:
    lines = ["#### Legend\n"]
    lines += [f"- {each.symbol} **{each}**: {text}" for each, text in VERDICTS.items()]
    used = {cell.mechanism for cell in matrix.cells}
    lines += [f"- ❌ **{each}** (a fallback): {text}" for each, text in MECHANISMS.items() if each in used]
    kinds = {adapter.upstream for adapter in matrix.adapters}
    lines += [f"- upstream **{each}**: {text}" for each, text in UPSTREAMS.items() if each in kinds]
    states = {one.state for one in matrix.checks}
    lines += [f"- {SYMBOLS[each]} of a check: {text}" for each, text in STATES.items() if each in states]
    lines += [f"- ? of a check: {UNTRIED}"] if untried(matrix) else []
    return "\n".join(lines) + "\n"


def _adapters(matrix: Matrix) -> str:
    header = ("Adapter", "Family", "Versions", "Upstream", "Problem")
    return "#### Adapters\n\n" + table(header, map(_adapter_row, sorted_adapters(matrix)), centred=False)


def _adapter_row(adapter: Measured) -> list[str]:
    upstream = adapter.upstream or WHERE_FROM
    return [escape(text) for text in (adapter.name, adapter.family, versions(adapter), upstream, adapter.problem or "")]

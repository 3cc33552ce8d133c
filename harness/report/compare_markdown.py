"""The comparison in Markdown: totals, differences with evidence, the defaults, the published table as it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import compare_text as said
from harness.report.compare import compare
from harness.report.markdown import HEADER, escape, table
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cells import Claims, Matrix
    from harness.report.compare import Compared, Comparison


def render_comparison(matrix: Matrix, claims: Claims) -> str:
    """
    Return a family's published table held against what was measured.
    """
    found = compare(matrix, claims)
    parts = [
        f"# {escape(claims.family)}: published, overridden, measured\n",
        f"{said.extent(found)}{_besides(found)}\n",
        *_totals(found),
        *_differences(found),
        *_shipped(found),
        *_origin(found),
        *_defaults(found),
        f"## Every cell\n\n{said.HOW_TO_READ}\n",
        table(HEADER, _rows(found)),
        f"## The published table, as measured\n\n{said.regenerated(found)}\n",
        render_regenerated(found),
    ]
    return "\n".join(parts)


def render_regenerated(found: Comparison) -> str:
    """
    Return the published page's own table, in its own order, with what was measured.
    """
    return table(HEADER, ([escape(name), *symbols(row)] for name, row in found.models))


def symbols(row: dict[Capability, Compared]) -> list[str]:
    """
    Return a published row's six symbols, as measured; nothing for a call of which the page says nothing.
    """
    return [(row[each].measured or Verdict.UNKNOWN).symbol if each in row else "" for each in Capability]


def _besides(found: Comparison) -> str:
    if not found.besides:
        return ""
    return f" Measured besides, and not in the published table: {', '.join(map(escape, found.besides))}."


def _totals(found: Comparison) -> Iterator[str]:
    yield "## Totals\n"
    yield table(said.VERDICT_HEADER, ([name, *map(str, numbers)] for name, numbers in said.verdict_rows(found)))
    yield "".join(f"- {escape(sentence)}\n" for sentence in said.totals(found))
    yield table(said.CALL_HEADER, ([name, *map(str, numbers)] for name, numbers in said.call_rows(found)))


def _differences(found: Comparison) -> Iterator[str]:
    yield "## Where they differ\n"
    listed = {finding: found.of(finding) for finding in said.FINDINGS}
    if not any(listed.values()):
        yield "Nowhere, in what was measured.\n"
    for finding, cells in listed.items():
        if cells:
            heading, meaning = said.FINDINGS[finding]
            yield f"### {heading}: {len(cells)}\n\n{meaning}\n"
            yield table(said.DIFFERENCES_HEADER, map(_difference, cells), centred=False)


def _difference(one: Compared) -> list[str]:
    words = (said.named(one.published), said.named(one.reflected), said.measured_word(one))
    return [escape(one.adapter), one.capability.heading, *words, "" if one.cell is None else escape(one.cell.reason)]


def _shipped(found: Comparison) -> Iterator[str]:
    if found.failing:
        yield f"## Broken as shipped: {len(found.failing)}\n\n{said.SHIPPED}\n"
        yield table(said.SHIPPED_HEADER, (_escaped(row) for row in said.shipped(found)), centred=False)


def _origin(found: Comparison) -> Iterator[str]:
    yield "## How the published table came about\n"
    if found.claims.origin:
        yield f"{escape(found.claims.origin)}\n"
    yield "\n".join(said.origin(found)) + "\n"
    if found.departing:
        yield table(said.DEPARTURES_HEADER, (_escaped(row) for row in said.departures(found)), centred=False)


def _escaped(row: tuple[str, ...]) -> list[str]:
    return [escape(text) for text in row]


def _defaults(found: Comparison) -> Iterator[str]:
    if not found.practices:
        return
    source = f" Source: {escape(found.claims.source)}." if found.claims.source else ""
    yield f"## The documented defaults\n\n{said.DEFAULTS}{source}\n"
    rows = (
        [one.capability.heading, escape(one.default.says), one.default.mechanism, escape(said.practised(one))]
        for one in found.practices
    )
    yield table(said.DEFAULTS_HEADER, rows, centred=False)


def _rows(found: Comparison) -> Iterator[list[str]]:
    for name, row in found.models:
        yield [escape(name), *(_three(row[each]) if each in row else "" for each in Capability)]


def _three(one: Compared) -> str:
    return f"**{said.all_three(one)}**" if said.disagrees(one) else said.all_three(one)

"""A family's published table held against what was measured, and against what overriding alone would say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from harness.report.matrix import cells_of
from harness.report.text import safe_name, word
from harness.words import Capability, Upstream, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.cells import Cell, Claims, Default, Matrix

_OURS: Final = frozenset({"matrix", "index"})


class Finding(StrEnum):
    """
    Say how a published cell stands against what was measured.

    `promised` and `unseen` change the published symbol; `useless` keeps it, but the call that is published as a
    fallback does not work; `by_hand` is right where overriding alone would be wrong.
    """

    PROMISED = "promised"
    UNSEEN = "unseen"
    USELESS = "useless"
    BY_HAND = "by-hand"
    AGREES = "agrees"
    UNKNOWN = "unknown"
    NOT_MEASURED = "not-measured"


DIFFERING: Final = (Finding.PROMISED, Finding.UNSEEN, Finding.USELESS)
"""The findings of a cell that is not as published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """
    Hold one published cell beside what is known of it.

    Attributes:
        published: the page's word.
        cell: as measured; None where it was not.
    """

    adapter: str
    capability: Capability
    published: Verdict
    cell: Cell | None

    @property
    def reflected(self) -> Verdict | None:
        """
        Return what overriding alone would say; None where the class was not looked at.
        """
        return None if self.cell is None else self.cell.reflected

    @property
    def measured(self) -> Verdict | None:
        """
        Return the verdict; None where there is none.
        """
        return None if self.cell is None else self.cell.verdict

    @property
    def finding(self) -> Finding:
        """
        Return how the published word stands.
        """
        if self.measured is None:
            return Finding.NOT_MEASURED
        if self.measured is Verdict.UNKNOWN:
            return Finding.UNKNOWN
        if self.published.symbol != self.measured.symbol:
            return Finding.PROMISED if self.published is Verdict.NATIVE else Finding.UNSEEN
        if self.published.works and not self.measured.works:
            return Finding.USELESS
        wrong = self.reflected is not None and self.reflected.symbol != self.measured.symbol
        return Finding.BY_HAND if wrong else Finding.AGREES

    @property
    def departs(self) -> bool:
        """
        Tell whether the page says something else than overriding alone would.
        """
        return self.reflected is not None and self.reflected.symbol != self.published.symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """
    Hold a documented default beside what calls turned out to be whose class does not override them.

    Attributes:
        found: how many cells turned out to be what, the most frequent first.
        as_documented: how many of them are what the documentation says.
    """

    capability: Capability
    default: Default
    found: Mapping[str, int]
    as_documented: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    Hold all that can be said of a family's claims.

    Attributes:
        cells: every published cell, in the page's order.
        besides: measured adapters that the page does not have.
        upstreams: the published adapters, by what their recordings come from.
    """

    claims: Claims
    cells: tuple[Compared, ...]
    besides: tuple[str, ...]
    upstreams: Mapping[Upstream, tuple[str, ...]]

    def of(self, *findings: Finding) -> tuple[Compared, ...]:
        """
        Return the cells of these findings.
        """
        return tuple(one for one in self.cells if one.finding in findings)

    @property
    def models(self) -> Iterator[tuple[str, dict[Capability, Compared]]]:
        """
        Yield every published row's name, and its cells.
        """
        rows: dict[str, dict[Capability, Compared]] = {name: {} for name in self.claims.published}
        for one in self.cells:
            rows[one.adapter][one.capability] = one
        yield from rows.items()

    @property
    def judged(self) -> tuple[Compared, ...]:
        """
        Return the cells with a verdict other than unknown.
        """
        return tuple(one for one in self.cells if one.finding not in {Finding.UNKNOWN, Finding.NOT_MEASURED})

    @property
    def differing(self) -> tuple[Compared, ...]:
        """
        Return the cells that are not as published.
        """
        return self.of(*DIFFERING)

    @property
    def looked_into(self) -> tuple[Compared, ...]:
        """
        Return the cells of which it is known what overriding alone would say.
        """
        return tuple(one for one in self.cells if one.reflected is not None)

    @property
    def departing(self) -> tuple[Compared, ...]:
        """
        Return the cells in which the page says something else than overriding alone would.
        """
        return tuple(one for one in self.cells if one.departs)

    @property
    def failing(self) -> tuple[Compared, ...]:
        """
        Return the cells that do not work, as the adapters are shipped.
        """
        return tuple(one for one in self.cells if one.measured in {Verdict.BROKEN, Verdict.BLOCKED})

    @property
    def practices(self) -> tuple[Practice, ...]:
        """
        Return what became of the documented defaults.
        """
        return tuple(self._practice(call, default) for call, default in self.claims.defaults.items())

    def _practice(self, capability: Capability, default: Default) -> Practice:
        found = Counter(
            practice_of(one.cell)
            for one in self.judged
            if one.capability is capability and one.reflected is Verdict.FALLBACK and one.cell is not None
        )
        ordered = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
        return Practice(
            capability=capability, default=default, found=ordered, as_documented=found.get(default.mechanism, 0)
        )


def compare(matrix: Matrix, claims: Claims) -> Comparison:
    """
    Hold a family's claims against a matrix.
    """
    measured = {name: cells for (family, name), cells in cells_of(matrix).items() if family == claims.family}
    cells = tuple(
        Compared(
            adapter=name, capability=capability, published=row[capability], cell=measured.get(name, {}).get(capability)
        )
        for name, row in claims.published.items()
        for capability in Capability
        if capability in row
    )
    answered = {one.name: one.upstream for one in matrix.adapters if one.family == claims.family}
    return Comparison(
        claims=claims,
        cells=cells,
        besides=tuple(name for name in measured if name not in claims.published),
        upstreams={
            upstream: names
            for upstream in Upstream
            if (names := tuple(name for name in claims.published if answered.get(name) is upstream))
        },
    )


def practice_of(cell: Cell) -> str:
    """
    Return what a call does in place of a native one: for a batch, how its inputs travelled, whatever thread they took.
    """
    if cell.verdict is Verdict.FALLBACK and cell.capability.batches and cell.evidence.fan_out:
        return cell.evidence.fan_out
    return word(cell)


def by_verdict(verdicts: Iterable[Verdict | None]) -> dict[Verdict | None, int]:
    """
    Count verdicts, every one of them present, and last those that are not there.
    """
    found: dict[Verdict | None, int] = dict.fromkeys((*Verdict, None), 0)
    for each in verdicts:
        found[each] += 1
    return found


def page_name(family: str) -> str:
    """
    Return the name, without its ending, of the files that compare a family; no other report is called so.
    """
    name = safe_name(family)
    return f"family-{name}" if name.casefold() in _OURS or name.startswith(("family-", ".")) else name

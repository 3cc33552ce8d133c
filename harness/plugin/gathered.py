"""What a run of pytest gathered: cells from wherever they were measured, the matrix they make, and how it is told."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from harness.errors import ReportError, UserError
from harness.report.matrix import decode_matrix, encode_matrix, write_matrix
from harness.report.terminal import render_terminal
from harness.session.outputs import claims_of, joined, matrix_in, publish
from harness.session.rows import Row, matrix_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from harness.cells import Cell, Checked, Matrix, Measured, Shard
    from harness.plugin.asked import Asked
    from harness.plugin.desk import Found
    from harness.words import Capability

_ENDLESS: Final = 10_000


def pack(found: Found) -> str:
    """
    Return one cell and its row's head as text.
    """
    row = Row(adapter=found.adapter, cells=(found.cell,), checks=found.checks)
    return encode_matrix(matrix_of([row], complete=False)).decode()


class Gathered:
    """
    Gather cells until the run is over.

    Args:
        asked: the plugin's options.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._adapters: dict[str, Measured] = {}
        self._cells: dict[tuple[str, Capability], Cell] = {}
        self._checks: dict[tuple[str, Capability], tuple[Checked, ...]] = {}
        self._registered: dict[str, None] = {}
        self.knows = False
        """Whether it was found out which adapters there are."""
        self.shard: Shard | None = None
        """Which part of a run this is; None where it is no part."""
        self._told: list[str] = []

    @property
    def registered(self) -> list[str]:
        """
        Return the ids of all registered adapters.
        """
        return list(self._registered)

    def register(self, ids: Iterable[str]) -> None:
        """
        Learn which adapters there are, whether they are measured or not.
        """
        self.knows = True
        self._registered.update(dict.fromkeys(ids))

    def told_shard(self) -> dict[str, object] | None:
        """
        Return the shard's values, for another process.
        """
        return None if self.shard is None else asdict(self.shard)

    def add(self, packed: str) -> None:
        """
        Gather a cell that `pack` made.
        """
        part = decode_matrix(packed.encode(), where="a report of pytest")
        for adapter in part.adapters:
            self._merge(f"{adapter.family}/{adapter.name}", adapter)
        for cell in part.cells:
            self._cells[f"{cell.family}/{cell.adapter}", cell.capability] = cell
            self._checks[f"{cell.family}/{cell.adapter}", cell.capability] = part.checks

    def _merge(self, name: str, adapter: Measured) -> None:
        # two workers may each have measured a part of an adapter's cells, and a part may have shown fewer distributions
        known = self._adapters.get(name)
        if known is None or len(known.distributions) <= len(adapter.distributions):
            self._adapters[name] = adapter

    @property
    def matrix(self) -> Matrix:
        """
        Return the matrix of what was gathered; complete where every registered cell is there.
        """
        by_name: dict[str, list[Cell]] = {}
        for (name, _), cell in self._cells.items():
            by_name.setdefault(name, []).append(cell)
        rows = [Row(adapter=one, cells=tuple(by_name.get(name, ()))) for name, one in self._adapters.items()]
        checks = tuple(one for every in self._checks.values() for one in every)
        return joined(replace(matrix_of(rows, complete=False), checks=checks), None, self._keys())

    def _keys(self) -> list[tuple[str, str]]:
        return [(family, name) for family, _, name in (one.partition("/") for one in self._registered)]

    def write(self, *, interrupted: bool) -> None:
        """
        Write the matrix and the reports, where they were asked for; what cannot be written is told in the summary.

        Where no adapter is known, as with a configuration that cannot be read, what was written before stays.
        """
        # a part of a run may have no cell, and is missed all the same where it is not written
        if self._asked.json is not None and self._registered:
            self._try_json()
        if self._asked.reports is not None and self._cells:
            self._try_reports(interrupted=interrupted)

    def _try_json(self) -> None:
        assert self._asked.json is not None  # noqa: S101 - told to the type checker; the caller asked
        try:
            write_matrix(self._asked.json, replace(self.matrix, shard=self.shard))
            self._told.append(f"matrix: {self._asked.json}")
        except ReportError as error:
            self._told.append(f"error: {error}")

    def _try_reports(self, *, interrupted: bool) -> None:
        folder = self._asked.reports
        assert folder is not None  # noqa: S101 - told to the type checker; the caller asked
        if interrupted:
            self._told.append(f"reports: {folder} is as it was, because the run was interrupted")
            return
        try:
            matrix = self.matrix
            old = None if matrix.complete else matrix_in(folder)
            files = publish(folder, joined(matrix, old, self._keys()), claims_of(self._asked.project))
        except UserError as error:
            self._told.append(f"error: {error}")
            return
        why = "is as it was, because what was measured now is only a part"
        self._told.append(f"reports: {files[0].parent / 'index.html'}" if files else f"reports: {folder} {why}")

    def show(self, reporter: pytest.TerminalReporter) -> None:
        """
        Print the table in a section of its own; its last line alone with -q, nothing with -qq.
        """
        verbosity = reporter.config.get_verbosity()
        if verbosity < -1:
            return
        # the totals are one line where nothing makes them two
        width = reporter.config.get_terminal_writer().fullwidth if verbosity >= 0 else _ENDLESS
        text = self._text(reporter, width).rstrip("\n").split("\n")
        reporter.section("harness")
        for line in (*(text if verbosity >= 0 else text[-1:]), *self._told):
            reporter.write_line(line)

    def _text(self, reporter: pytest.TerminalReporter, width: int) -> str:
        if not self._registered:
            place = self._asked.project.file or self._asked.project.root
            return f"no adapter is registered: {place} registers none, nor does a package or a conftest.py"
        if not self._cells:
            return "no cell was measured"
        colour = reporter.config.get_terminal_writer().hasmarkup and _can_print_symbols()
        return render_terminal(self.matrix, width, colour=colour)


def _can_print_symbols() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"

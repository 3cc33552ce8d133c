"""
What is known: cells of the committed matrix that an adapter's calls may confirm in one process.

A fork for each call costs more than most calls, a third of a family's processor time. Calls that share a process could
see what an earlier one left behind (a token, a cache, an import that is slow once), so what such a process shows is
kept only where it changes nothing: every cell of the adapter is the committed one to the byte, over the same cassettes,
by the same versions of the harness, of Python and of every distribution that the row names. Anything else is measured
again, each call in a process of its own; and so is, from the start, what has no committed cell yet, an adapter whose
class is the project's own and may have changed since, and one that is broken in any way: what ends its own process or
its parent's has to be kept apart.
"""

from __future__ import annotations

import sysconfig
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.matrix import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell, Matrix, Measured
    from harness.words import Capability


class Known:
    """
    Hold a committed matrix's cells, by adapter.

    Args:
        matrix: measured by the versions that run now.
        shadows: folders of the project's from which modules are imported before what is installed.
    """

    def __init__(self, matrix: Matrix, shadows: Iterable[Path]) -> None:
        self._rows = {(one.family, one.name): one for one in matrix.adapters}
        self._cells = {(one.family, one.adapter, one.capability): one for one in matrix.cells}
        self._shadows = tuple(map(str, shadows))

    def has(self, adapter: Adapter, family: str, calls: Sequence[Capability]) -> bool:
        """
        Tell whether these calls of an adapter may be confirmed in one process.
        """
        return (
            len(calls) > 1
            and adapter.program is None
            and adapter.engine is None
            and all(self._works(family, adapter.name, call) for call in calls)
            and is_installed(adapter.target.partition(":")[0], self._shadows)
        )

    def _works(self, family: str, name: str, call: Capability) -> bool:
        cell = self._cells.get((family, name, call))
        return cell is not None and cell.verdict.works

    def confirmed_by(self, row: Measured, cells: Sequence[Cell], calls: Sequence[Capability]) -> bool:
        """
        Tell whether an adapter's row and the cells of all these calls are the committed ones to the byte.
        """
        if [one.capability for one in cells] != list(calls):
            return False
        before = self._rows.get((row.family, row.name))
        return plain(before) == plain(row) and all(
            plain(self._cells.get((one.family, one.adapter, one.capability))) == plain(one) for one in cells
        )


def is_installed(module: str, shadows: Sequence[str]) -> bool:
    """
    Tell whether a module comes from where packages are installed, and would be the same if it came again.

    One that is installed as editable is where its author works; nothing is imported to find out.

    Args:
        module: dotted.
        shadows: folders that are searched before.
    """
    top = module.partition(".")[0]
    if PathFinder.find_spec(top, list(shadows)) is not None:
        return False
    found = PathFinder.find_spec(top)
    places = [*(found.submodule_search_locations or ()), found.origin] if found is not None else []
    installed = {Path(sysconfig.get_path(one)).resolve() for one in ("purelib", "platlib")}
    files = [Path(place).resolve() for place in places if place is not None]
    return bool(files) and all(any(file.is_relative_to(folder) for folder in installed) for file in files)

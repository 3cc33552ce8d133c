"""A project of toy adapters that is recorded and replayed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.adapters.adapter import Adapter
from harness.session import Session, Settings
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toy_upstream import ToyUpstream

    from harness.adapters.project import Project
    from harness.cells import Cell
    from harness.session.rows import Row


@dataclass(frozen=True)
class Bench:
    """
    Record and replay toy adapters in one project.
    """

    project: Project
    upstream: ToyUpstream

    def adapter(self, name: str, **options: Any) -> Adapter:
        """
        Return a registration of one of the toys.
        """
        kwargs = {"base_url": self.upstream.base_url, **options.pop("kwargs", {})}
        return Adapter(name=options.pop("called", name), target=f"toy_adapters:{name}", kwargs=kwargs, **options)

    def rows(
        self, adapters: Sequence[Adapter], capabilities: Sequence[Capability] = tuple(Capability), **settings: Any
    ) -> list[Row]:
        """
        Measure some adapters in one session.
        """
        with Session(self.project, Settings(**{"jobs": 2, **settings})) as session:
            return session.rows(adapters, capabilities)

    def cell(self, adapter: Adapter, capability: Capability = Capability.INVOKE, **settings: Any) -> Cell:
        """
        Measure one cell.
        """
        (row,) = self.rows([adapter], [capability], **settings)
        (cell,) = row.cells
        return cell

    def files(self) -> list[str]:
        """
        Return what stands below the cassettes directory.
        """
        root = self.project.cassettes
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

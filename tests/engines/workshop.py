"""A project whose engine can be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.adapters.adapter import Adapter
from harness.adapters.project import Project
from harness.session import Session, Settings
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.cells import Cell

CALL = "murmur:Model().__call__"
ENGINES: dict[str, dict[str, Any]] = {
    "Plain": {"seams": {CALL: {}, "murmur:Model().batch": {"keep": ["text"]}}},
    "Awaits": {"seams": {CALL: {}, "murmur:Model().agenerate": {}, "murmur:Model().aspeak": {}}},
    "IsCalled": {"seams": {"murmur:Model().tell": {}}},
    "InNumbers": {"seams": {"murmur:Numbers().complete": {"keep": ["ids"], "text": "murmur:spelt"}}},
    "ByAndBy": {
        "seams": {
            "murmur:Numbers().begin": {},
            "murmur:Numbers().sample": {"continues": True, "text": "murmur:spelt"},
        },
        "inert": {"murmur:Numbers().begin": 1},
    },
    "Streams": {"seams": {"murmur:Model().write": {}, "murmur:Streamer().__iter__": {}}},
    "Failing": {"seams": {"murmur:Model().fail": {}, "murmur:Model().stumble": {}}},
}


@dataclass(frozen=True)
class Workshop:
    """
    Record with the engine and replay without it.
    """

    root: Path

    def adapter(self, name: str, **options: Any) -> Adapter:
        """
        Return a registration of one of the adapters.
        """
        engine = {"delay": 0.002, **ENGINES.get(name, ENGINES["Plain"])}
        return Adapter(name=name, target=f"engine_adapters:{name}", family="toys", **{"engine": engine, **options})

    def cells(
        self, adapters: Sequence[Adapter], calls: Sequence[Capability] = tuple(Capability), *, record: bool = False
    ) -> dict[tuple[str, str], Cell]:
        """
        Measure adapters; the engine can be imported while recording only.
        """
        paths = (self.root / "engine",) if record else ()
        project = Project(
            root=self.root, family="toys", cassettes=self.root / "cassettes", reports=self.root / "reports", paths=paths
        )
        with Session(project, Settings(jobs=2, record=record, keep_errors=True)) as session:
            return {
                (cell.adapter, cell.capability): cell for row in session.rows(adapters, calls) for cell in row.cells
            }

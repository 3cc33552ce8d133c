"""Where a cell's cassette stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.words import Capability


def family_of(project: Project, adapter: Adapter) -> str:
    """
    Return an adapter's family; the project's where it has none of its own.
    """
    return adapter.family or project.family


def cassette_path(project: Project, adapter: Adapter, capability: Capability) -> Path:
    """
    Return FAMILY/NAME/CAPABILITY.yaml below the project's cassettes.
    """
    return project.cassettes / family_of(project, adapter) / adapter.name / f"{capability.value}.yaml"

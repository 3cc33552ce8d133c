"""What the tests of the command share: a project recorded once, copies of it, and one that nobody recorded yet."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

TOYS = Path(__file__).resolve().parents[1] / "toys"
sys.path.insert(0, str(TOYS))

from toy_project import Done, Folder, write_project  # noqa: E402 - the line above finds it
from toy_upstream import ToyUpstream  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def upstream() -> Iterator[ToyUpstream]:
    """
    Give an upstream that all tests share.
    """
    with ToyUpstream() as serving:
        yield serving


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Done, Done]:
    """
    Record the project from an upstream that is gone afterwards, and replay it once.
    """
    with ToyUpstream() as serving:
        project = write_project(tmp_path_factory.mktemp("recorded") / "project", serving.base_url)
        recorded = project("record")
    return project, recorded, project("run")


@pytest.fixture
def project(recording: tuple[Folder, Done, Done], tmp_path: Path) -> Folder:
    """
    Give a copy of the recorded project, with its reports, whose upstream is gone.
    """
    shutil.copytree(recording[0].path, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    return Folder(tmp_path / "project")


@pytest.fixture
def fresh(upstream: ToyUpstream, tmp_path: Path) -> Folder:
    """
    Give the project before anything was recorded, with a living upstream.
    """
    return write_project(tmp_path / "fresh", upstream.base_url)

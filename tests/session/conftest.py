"""What the tests of the session share: an upstream, and a project of toy adapters that is recorded and replayed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.adapters.project import Project

TOYS = Path(__file__).resolve().parents[1] / "toys"
sys.path.insert(0, str(TOYS))

from toy_bench import Bench  # noqa: E402 - the line above finds it
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


@pytest.fixture
def bench(tmp_path: Path, upstream: ToyUpstream) -> Bench:
    """
    Give an empty project beside the toys' code.
    """
    shutil.copy(TOYS / "toy_adapters.py", tmp_path)
    project = Project(root=tmp_path, family="toys", cassettes=tmp_path / "cassettes", reports=tmp_path / "reports")
    return Bench(project=project, upstream=upstream)

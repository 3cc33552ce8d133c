"""What the tests of the server share: a cassette of all framings, and the server in a process or a thread."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from serve_parts import write_cassette

if TYPE_CHECKING:
    from pytest import TempPathFactory  # noqa: PT013 - a type


@pytest.fixture(scope="session")
def cassette(tmp_path_factory: TempPathFactory) -> Path:
    """
    Give a cassette with a chat, and an answer of each framing.
    """
    return write_cassette(tmp_path_factory.mktemp("served") / "all.yaml")

"""One matrix, whoever measures it: a busy machine, workers, another order, several shards."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from harness.report.matrix import encode_matrix, read_matrix
from harness.report.merge import merge
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugin.conftest import Place

BUSY = "while True: pass"
SHUFFLE = """
import random
import pytest

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    random.Random(7).shuffle(items)
"""


@pytest.fixture
def busy() -> Iterator[None]:
    """
    Keep two processors busy.
    """
    with ExitStack() as stack:
        for _ in range(2):
            burner = stack.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            stack.callback(burner.kill)
        yield


def command(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    """
    Run `harness` in the project.
    """
    return subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=place.root, env=place.environment(), capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


@pytest.mark.usefixtures("busy")
@pytest.mark.timeout(900)
def test_neither_load_nor_workers_nor_order_nor_shards_change_a_byte(place: Place) -> None:
    """
    With every processor busy, the command, two workers, and a shuffled shard with the other one write the same matrix.
    """
    command(place, "run", "--json", "command.json")
    place.pytest("--harness", "--harness-json", "workers.json", "-n", "2")
    place.write("conftest.py", SHUFFLE)
    shuffled = place.pytest("--harness", "--harness-json", "1.json", "--harness-shard", "1/2")
    command(place, "run", "--json", "2.json", "--shard", "2/2")
    merged = merge([read_matrix(place.root / name) for name in ("1.json", "2.json")])

    whole = (place.root / "command.json").read_bytes()
    assert (place.root / "workers.json").read_bytes() == whole
    assert encode_matrix(merged) == whole
    assert place.matrix("command.json")["complete"] is merged.complete is True
    assert list(shuffled.ids) != [f"toys.Emulated::{call}" for call in Capability]


def test_a_shard_of_other_cassettes_is_refused_by_name(place: Place) -> None:
    """
    A cassette that changed between two shards shows, although no cell was measured twice.
    """
    place.pytest("--harness", "--harness-json", "1.json", "--harness-shard", "1/2")
    cassette = place.root / "cassettes/toys/Emulated/invoke.yaml"
    cassette.write_text(cassette.read_text(encoding="utf-8") + "\n# touched\n", encoding="utf-8")
    command(place, "run", "--json", "2.json", "--shard", "2/2")

    merged = command(place, "report", "1.json", "2.json", "--out", "merged")

    assert merged.returncode == 2
    assert "1.json (shard 1/2)" in merged.stderr
    assert "other registrations or cassettes than 2.json (shard 2/2)" in merged.stderr
    assert "hint: run all the shards from one commit" in merged.stderr


@pytest.mark.parametrize("text", ["6/5", "0/5"])
def test_a_shard_that_cannot_be_is_a_usage_error(place: Place, text: str) -> None:
    """
    Both the command and pytest say what is meant by a shard.
    """
    ran = place.pytest("--harness", f"--harness-shard={text}")
    said = command(place, "run", f"--shard={text}")

    assert (ran.status, said.returncode) == (4, 2)
    assert "the second of five" in ran.said
    assert "the second of five" in said.stderr

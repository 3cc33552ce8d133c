"""Manners: beside xdist, asyncio, anyio, randomly, recording, and under strict settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness.words import Capability

if TYPE_CHECKING:
    from tests.plugin.conftest import Place

CALLS: Final = tuple(one.value for one in Capability)
ASYNCIO = """
import asyncio
import pytest

{mark}
async def test_of_asyncio():
    await asyncio.sleep(0)
"""
ANYIO = """
import anyio
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_of_anyio():
    await anyio.sleep(0)
"""


def test_workers_share_the_cells(place: Place) -> None:
    """
    With `-n 2` all cells run, once each, and the controller alone shows the table and writes the whole matrix. One
    process, and pytest-randomly with another order, write the same matrix byte for byte.
    """
    place.register("Honest", "Emulated", "Fails")
    place.write("test_own.py", "def test_mine():\n    pass\n")
    written = ("--harness", "--harness-json", "matrix.json", "--harness-reports", "shown")

    alone = place.pytest(*written, "--randomly-seed=1")
    first = (place.root / "matrix.json").read_bytes()
    ran = place.pytest(*written, "--randomly-seed=2", "-n", "2")

    assert dict.fromkeys(CALLS, "passed") == ran.of("Honest") == ran.of("Emulated"), ran.said
    assert ran.of("Fails")["invoke"] == "failed"
    assert ran.properties["toys.Emulated::stream"]["harness_mechanism"] == "single-item"
    assert len(ran.outcomes) == 19
    assert ran.out.count("= harness =") == 1
    assert alone.outcomes == ran.outcomes
    assert (place.root / "matrix.json").read_bytes() == first
    matrix = place.matrix()
    assert matrix["complete"] is True
    assert len(matrix["cells"]) == 18
    assert "index.html" in place.files("shown")


@pytest.mark.parametrize(
    "absent", [("xdist",), ("randomly", "asyncio", "anyio", "recording", "cacheprovider", "xdist")]
)
def test_it_needs_no_other_plugin(place: Place, absent: tuple[str, ...]) -> None:
    """
    Without xdist there is no hook of xdist's, and so on: the cells are measured whatever is switched off.
    """
    if "asyncio" in absent:
        place.write("pytest.ini", "[pytest]\n")  # its own setting would be unknown

    ran = place.pytest("--harness", "-k", "Honest and batch", *(f"-pno:{name}" for name in absent))

    assert ran.of("Honest") == {"batch": "passed", "abatch": "passed"}, ran.said
    assert "= harness =" in ran.out


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_beside_asyncio_and_anyio(place: Place, mode: str) -> None:
    """
    Async tests of pytest-asyncio, in both of its modes, and of anyio run in the same session as the cells.
    """
    place.ini(f"asyncio_mode = {mode}")
    place.write("test_a.py", ASYNCIO.format(mark="@pytest.mark.asyncio" if mode == "strict" else ""))
    place.write("test_b.py", ANYIO)

    ran = place.pytest("--harness", "-k", "of_ or (Honest and stream)")

    names = {"test_a::test_of_asyncio", "test_b::test_of_anyio", "toys.Honest::stream", "toys.Honest::astream"}
    assert dict.fromkeys(names, "passed") == ran.outcomes, ran.said


def test_beside_recording_that_blocks_the_network(place: Place) -> None:
    """
    pytest-recording's `--block-network` and its own cassettes change nothing for the cells.
    """
    place.write("test_own.py", "import pytest\n\n@pytest.mark.vcr\ndef test_mine():\n    pass\n")

    ran = place.pytest("--harness", "--block-network", "-k", "mine or Honest")

    assert dict.fromkeys(CALLS, "passed") == ran.of("Honest"), ran.said
    assert ran.outcomes["test_own::test_mine"] == "passed"


def test_under_strict_settings(place: Place) -> None:
    """
    `strict = true`, with its strict markers, configuration, ids and expected failures, holds for the plugin.
    """
    place.ini("strict = true", "harness = true")
    place.register("Fails", more='expects = { invoke = "broken" }\nreason = "known"')

    ran = place.pytest("--strict-markers", "--strict-config", "toys/Fails::invoke")

    assert ran.of("Fails") == {"invoke": "xfailed"}, ran.said
    assert ran.status == 0

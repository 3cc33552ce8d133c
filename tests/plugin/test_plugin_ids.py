"""Ids of cells, and everything that selects by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness.words import Capability

if TYPE_CHECKING:
    from tests.plugin.conftest import Place

CALLS: Final = tuple(one.value for one in Capability)
ALL = [f"toys/{name}::{call}" for name in ("Honest", "Emulated") for call in CALLS]


def ids_in(out: str) -> list[str]:
    """
    Return the ids that `--collect-only -q` printed.
    """
    return [line for line in out.splitlines() if "::" in line]


def test_ids_are_family_name_and_call(place: Place) -> None:
    """
    Each cell is one item, `FAMILY/NAME::CAPABILITY`, beside the ordinary tests; collecting measures nothing.
    """
    place.write("test_own.py", "def test_mine():\n    pass\n")

    ran = place.pytest("--harness", "--collect-only", "-q", "-p", "no:randomly")

    assert ["test_own.py::test_mine", *ALL] == ids_in(ran.out), ran.said
    assert "native" not in ran.out


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-k", "Honest and astream"], ["toys/Honest::astream"]),
        (["-k", "stream and not astream"], ["toys/Honest::stream", "toys/Emulated::stream"]),
        (["toys/Honest::stream"], ["toys/Honest::stream"]),
        (["toys/Emulated::batch", "toys/Honest::stream"], ["toys/Honest::stream", "toys/Emulated::batch"]),
        (["--deselect", "toys/Honest", "-k", "abatch"], ["toys/Emulated::abatch"]),
    ],
    ids=["k", "k-not", "id", "two-ids", "deselect"],
)
def test_ids_select(place: Place, options: list[str], expected: list[str]) -> None:
    """
    `-k`, `--deselect` and ids among the arguments select cells.
    """
    ran = place.pytest("--harness", "--collect-only", "-q", "-p", "no:randomly", *options)

    assert expected == ids_in(ran.out), ran.said


def test_only_what_is_selected_is_measured(place: Place) -> None:
    """
    What `-k` leaves out is not measured: the matrix has the two cells that ran, and says that it is not complete. With
    `--harness-json` alone, no reports are written.
    """
    ran = place.pytest("--harness", "--harness-json", "matrix.json", "-k", "Honest and batch")

    assert ran.of("Honest") == {"batch": "passed", "abatch": "passed"}, ran.said
    matrix = place.matrix()
    assert {"batch", "abatch"} == {cell["capability"] for cell in matrix["cells"]}
    assert matrix["complete"] is False
    assert not (place.root / "reports").exists()


def test_an_id_runs_alone_although_there_are_tests(place: Place) -> None:
    """
    An id among the arguments runs that cell, and no test of the folder.
    """
    place.write("test_own.py", "def test_mine():\n    assert False\n")

    ran = place.pytest("--harness", "toys/Honest::stream")

    assert ran.outcomes == {"toys.Honest::stream": "passed"}, ran.said
    assert ran.status == 0


def test_last_failed_runs_the_cells_that_failed(place: Place) -> None:
    """
    `--lf` runs again what failed, and nothing else.
    """
    place.register("Honest", "Fails")
    first = place.pytest("--harness")

    again = place.pytest("--harness", "--lf")

    assert set(first.of("Honest").values()) == {"passed"}, first.said
    assert {"failed"} == set(again.outcomes.values()), again.said
    assert {name for name, how in first.outcomes.items() if how == "failed"} == set(again.outcomes)


def test_exitfirst_stops_at_the_first_failure(place: Place) -> None:
    """
    `-x` ends the run at the first cell that is not as it should be.
    """
    place.register("Fails", "Honest")

    ran = place.pytest("--harness", "-x", "-p", "no:randomly")

    assert ran.outcomes == {"toys.Fails::invoke": "failed"}, ran.said
    assert ran.status == 1

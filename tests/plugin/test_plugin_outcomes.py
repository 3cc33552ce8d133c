"""How a cell's verdict becomes an outcome of pytest: nothing is green that was not measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from harness.words import Capability

if TYPE_CHECKING:
    from tests.plugin.conftest import Place

CALLS: Final = tuple(one.value for one in Capability)


def test_what_is_as_it_should_be_passes(place: Place) -> None:
    """
    Native, fallback and unsupported cells pass where nobody promised more; JUnit has verdict, mechanism and reason.
    """
    ran = place.pytest("--harness")

    assert dict.fromkeys(CALLS, "passed") == ran.of("Honest") == ran.of("Emulated"), ran.said
    assert ran.status == 0
    found = {call: ran.properties[f"toys.Emulated::{call}"] for call in CALLS}
    assert {call: (one["harness_verdict"], one["harness_mechanism"]) for call, one in found.items()} == {
        "invoke": ("native", ""),
        "ainvoke": ("fallback", "worker-thread"),
        "stream": ("fallback", "single-item"),
        "astream": ("fallback", "blocks-loop"),
        "batch": ("fallback", "sequential"),
        "abatch": ("unsupported", ""),
    }
    assert all(one["harness_reason"] for one in found.values())


def test_a_broken_cell_fails_with_what_is_known(place: Place) -> None:
    """
    The failure shows verdict, reason, the adapter's own error and where to read more, and no stack of the plugin.
    """
    place.register("Fails")

    ran = place.pytest("--harness", "-k", "invoke and not ainvoke")

    assert ran.of("Fails") == {"invoke": "failed"}, ran.said
    assert ran.status == 1
    failure = ran.out.partition("= FAILURES =")[2].partition("= harness =")[0]
    for part in ("broken: ", "ValueError: cannot do", "plugin_adapters.py", "`harness explain toys/Fails invoke`"):
        assert part in failure
    for part in ("harness/plugin", "CellFailure", "_pytest"):
        assert part not in failure


def test_a_broken_cell_that_is_expected_is_an_expected_failure(place: Place) -> None:
    """
    `expects` makes a broken cell xfailed, with the registration's reason.
    """
    place.register("Fails", more='expects = { invoke = "broken" }\nreason = "known since March"')

    ran = place.pytest("--harness", "toys/Fails::invoke", "-rx")

    assert ran.of("Fails") == {"invoke": "xfailed"}, ran.said
    assert ran.status == 0
    assert "known since March" in ran.out


def test_an_expectation_that_no_longer_holds_fails(place: Place) -> None:
    """
    A cell that is better than expected fails, so that the registration is brought up to date.
    """
    place.register("Honest", more='expects = { invoke = "broken" }\nreason = "known since March"')

    ran = place.pytest("--harness", "toys/Honest::invoke")

    assert ran.of("Honest") == {"invoke": "failed"}, ran.said
    assert "no longer holds" in ran.out


@pytest.mark.parametrize("on_ci", ["", "true"])
def test_blocked_cells_fail_with_one_root_cause(place: Place, on_ci: str) -> None:
    """
    All six cells of an adapter that cannot be made fail, and its traceback is shown once.

    So it is where CI is set, too: there pytest's summary does not shorten what a failure says.
    """
    place.register("CannotBeMade")
    place.env["CI"] = on_ci

    ran = place.pytest("--harness")

    assert dict.fromkeys(CALLS, "failed") == ran.of("CannotBeMade"), ran.said
    # the line that raises; other tracebacks, as of a resource that a library left to the collector, are not meant
    assert ran.out.count("raise RuntimeError(f") == 1, ran.said


def test_blocked_cells_that_are_expected_are_expected_failures(place: Place) -> None:
    """
    `expects` covers blocked cells too.
    """
    expected = ", ".join(f'{call} = "blocked"' for call in CALLS)
    place.register("CannotBeMade", more=f'expects = {{ {expected} }}\nreason = "no region here"')

    ran = place.pytest("--harness")

    assert dict.fromkeys(CALLS, "xfailed") == ran.of("CannotBeMade"), ran.said
    assert ran.status == 0


def test_what_was_not_measured_is_skipped_and_says_why(place: Place) -> None:
    """
    A cell without a cassette is skipped with its reason: never green, and not a failure.
    """
    (place.root / "cassettes/toys/Honest/stream.yaml").unlink()

    ran = place.pytest("--harness", "toys/Honest::stream", "-rs")

    assert ran.of("Honest") == {"stream": "skipped"}, ran.said
    assert "there is no cassette" in ran.out
    assert ran.properties["toys.Honest::stream"]["harness_verdict"] == "unknown"
    assert "harness/plugin" not in ran.out


def test_a_promise_that_is_not_kept_fails(place: Place) -> None:
    """
    A cell that `declares` promises to be native fails as a fallback; one that nobody promised does not.
    """
    place.register("Emulated", more='declares = ["invoke", "stream"]')

    ran = place.pytest("--harness", "-k", "invoke or stream")

    expected = {"invoke": "passed", "ainvoke": "passed", "stream": "failed", "astream": "passed"}
    assert expected == ran.of("Emulated"), ran.said
    assert "declared to be native, but it is fallback (single-item)" in ran.out


def test_falling_behind_the_committed_matrix_fails(place: Place) -> None:
    """
    A cell that the project's matrix.json says is native fails when it is that no longer.
    """
    place.pytest("--harness", "--harness-reports", "reports")
    matrix = place.matrix("reports/matrix.json")
    (cell,) = [one for one in matrix["cells"] if (one["adapter"], one["capability"]) == ("Emulated", "stream")]
    cell.update(verdict="native", mechanism=None)
    place.write("reports/matrix.json", json.dumps(matrix))

    ran = place.pytest("--harness", "-k", "Emulated and stream")

    assert ran.of("Emulated") == {"stream": "failed", "astream": "passed"}, ran.said
    assert "native in the committed matrix" in ran.out


def test_a_damaged_cassette_fails_its_own_cell_alone(place: Place) -> None:
    """
    A file that cannot be read is the user's to mend: its cell fails and names the file, the next one is measured.
    """
    place.write("cassettes/toys/Honest/stream.yaml", "version: 1\ninteractions: [")

    ran = place.pytest("--harness", "-k", "Honest and (stream or batch)")

    expected = {"stream": "failed", "astream": "passed", "batch": "passed", "abatch": "passed"}
    assert expected == ran.of("Honest"), ran.said
    assert "stream.yaml" in ran.out.partition("FAILURES")[2]

"""The user's mistakes: usage errors, with the place and the remedy, and without a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Place


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--harness-adapter", "Honst"], ["unknown adapter 'Honst'", "Honest"]),
        (["--harness-family", "toy"], ["unknown family 'toy'", "toys"]),
        (["--harness-pace", "fast"], ["'fast' is no pace", "instant, recorded"]),
        (["--harness-config", "nowhere.toml"], ["nowhere.toml"]),
        (["--harness-json", "cassettes"], ["cassettes", "folder"]),
        (["--harness-reports", "harness.toml"], ["harness.toml"]),
        (["toys/Nobody::stream"], ["unknown adapter 'toys/Nobody'"]),
    ],
    ids=["adapter", "family", "pace", "config", "json", "reports", "id"],
)
def test_a_mistaken_option_is_a_usage_error(place: Place, options: list[str], expected: list[str]) -> None:
    """
    What is misspelt, or cannot be written, ends the run before anything is measured.
    """
    ran = place.pytest("--harness", *options)

    assert ran.status == 4, ran.said
    for part in expected:
        assert part in ran.err
    assert "Traceback" not in ran.said
    assert "INTERNALERROR" not in ran.said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[adapters.A]\ntarget = "a:B"\nkwarg = {}\n', "kwarg"),
        ('[adapters.A]\ntarget = "a:B"\nmatch_on = ["mehtod"]\n', "mehtod"),
        ("[adapters.A\n", "harness.toml"),
    ],
    ids=["key", "matcher", "syntax"],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_mistaken_configuration_ends_the_run(place: Place, text: str, expected: str, workers: str) -> None:
    """
    A misspelt key, an unknown matcher and a half-written file are told as such, also by workers; no file is lost by it.
    """
    place.write("harness.toml", text)
    matrix = place.write("matrix.json", "precious")

    ran = place.pytest("--harness", "--harness-json", "matrix.json", "-n", workers)

    assert ran.status not in {0, 5}, ran.said
    assert matrix.read_text(encoding="utf-8") == "precious"
    assert expected in ran.said
    assert "INTERNALERROR" not in ran.said

"""The plugin's options, each beside its ini twin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from toy_upstream import ToyUpstream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.plugin.conftest import Place, Ran

LIST = ("--collect-only", "-q")
OTHERS = """
from harness import Adapter

def pytest_harness_adapters(config):
    return Adapter(name="Emulated", target="plugin_adapters:Emulated", family="others")
"""
TWINS = pytest.mark.parametrize("how", ["option", "ini"])


def run(place: Place, how: str, name: str, value: str, *options: str) -> Ran:
    """
    Run pytest with an option given on the command line, or in pytest's configuration.
    """
    if how == "ini":
        place.ini("harness = true", f"harness_{name} = {value}")
        return place.pytest(*options)
    flag = [f"--harness-{name}"] if value == "true" else [f"--harness-{name}", value]
    return place.pytest("--harness", *flag, *options)


def collected(ran: Ran) -> set[str]:
    """
    Return the adapters whose cells `--collect-only -q` printed.
    """
    return {line.partition("::")[0] for line in ran.out.splitlines() if "::" in line}


@pytest.mark.parametrize(("how", "name"), [("option", "Emulated"), ("ini", "toys/Emulated")])
def test_adapter_selects_by_name(place: Place, how: str, name: str) -> None:
    """
    `--harness-adapter` measures the adapters that it names, with or without their family.
    """
    ran = run(place, how, "adapter", name, *LIST)

    assert {"toys/Emulated"} == collected(ran), ran.said


def test_adapter_is_repeatable(place: Place) -> None:
    """
    Several `--harness-adapter` add up.
    """
    place.register("Honest", "Emulated", "Fails")

    ran = place.pytest("--harness", "--harness-adapter", "Emulated", "--harness-adapter", "Honest", *LIST)

    assert {"toys/Emulated", "toys/Honest"} == collected(ran), ran.said


@TWINS
def test_family_selects_by_family(place: Place, how: str) -> None:
    """
    `--harness-family` measures the adapters of that family.
    """
    place.write("conftest.py", OTHERS)

    ran = run(place, how, "family", "others", *LIST)

    assert {"others/Emulated"} == collected(ran), ran.said


@TWINS
def test_matrix_and_reports_are_written_where_asked(place: Place, how: str) -> None:
    """
    `--harness-json` writes a complete matrix where all cells were measured, and nothing beside it; `--harness-reports`
    writes matrix.json, matrix.md and index.html to the folder, and says where.
    """
    options = ["--harness", "--harness-json", "out/m.json", "--harness-reports", "shown"]
    if how == "ini":
        place.ini("harness = true", "harness_json = out/m.json", "harness_reports = shown")
        options = []

    ran = place.pytest(*options)

    matrix = place.matrix("out/m.json")
    assert matrix["complete"] is True, ran.said
    assert len(matrix["cells"]) == 12
    assert place.files("out") == ["m.json"]
    assert {"matrix.json", "matrix.md", "index.html"} <= set(place.files("shown")), ran.said
    assert "index.html" in ran.out


@TWINS
def test_column_adds_a_check_to_the_table(place: Place, how: str) -> None:
    """
    `--harness-column` tries the check on the cells that are measured; a name that there is not is the user's mistake.
    """
    ran = run(place, how, "column", "stream-joins", "--harness-json", "m.json", "toys/Honest::stream")

    (one,) = place.matrix("m.json")["checks"]
    assert (one["adapter"], one["capability"], one["state"]) == ("Honest", "stream", "passed"), ran.said
    assert "joins" in ran.out.partition("= harness =")[2]
    if how == "option":
        assert "did you mean 'stream-joins'" in run(place, how, "column", "stream-jins", *LIST).said


def test_a_part_does_not_spoil_complete_reports(place: Place) -> None:
    """
    Measuring one adapter again keeps the others in the reports.
    """
    place.pytest("--harness", "--harness-reports", "shown")

    place.pytest("--harness", "--harness-reports", "shown", "--harness-adapter", "Honest")

    matrix = place.matrix("shown/matrix.json")
    assert matrix["complete"] is True
    assert len(matrix["cells"]) == 12


def test_without_options_nothing_is_written(place: Place) -> None:
    """
    `--harness` alone leaves no report and changes no cassette.
    """
    before = place.files(".")

    place.pytest("--harness", "-k", "Honest and invoke", "-p", "no:cacheprovider")

    after = [name for name in place.files(".") if "__pycache__" not in name and name != "ran.xml"]
    assert [name for name in before if "__pycache__" not in name] == after


def test_pace_waits_as_the_upstream_did(place: Place) -> None:
    """
    `--harness-pace` with a factor takes as long as the recording times the factor; the verdict is the same.
    """
    began = time.monotonic()
    ran = run(place, "option", "pace", "40", "toys/Honest::stream")

    assert ran.of("Honest") == {"stream": "passed"}, ran.said
    # eight pauses of 10 ms were recorded
    assert time.monotonic() - began > 40 * 0.08


@TWINS
def test_config_names_the_configuration(place: Place, how: str) -> None:
    """
    `--harness-config` is read in place of the nearest configuration.
    """
    text = (place.root / "harness.toml").read_text(encoding="utf-8").replace("adapters.Honest", "adapters.Renamed")
    place.write("other/harness.toml", f'cassettes = "../cassettes"\n{text}')

    ran = run(place, how, "config", "other/harness.toml", *LIST)

    assert "toys/Renamed::invoke" in ran.out, ran.said
    assert "toys/Honest::invoke" not in ran.out


def test_record_talks_to_the_upstream(place: Place) -> None:
    """
    `--harness-record` writes the cassettes, and what it wrote is replayed when the upstream is gone.
    """
    with ToyUpstream() as serving:
        text = (place.root / "harness.toml").read_text(encoding="utf-8")
        place.write("harness.toml", text.replace(place.base_url, serving.base_url))
        (place.root / "cassettes/toys/Honest/stream.yaml").unlink()
        ran = run(place, "option", "record", "true", "toys/Honest::stream")
        seen = len(serving.seen)
    again = place.pytest("--harness", "toys/Honest::stream")

    assert {"stream": "passed"} == ran.of("Honest") == again.of("Honest"), ran.said + again.said
    assert seen == 1
    assert again.properties["toys.Honest::stream"]["harness_verdict"] == "native"


def test_record_and_pace_have_ini_twins(place: Place) -> None:
    """
    `harness_record` records, as the header says before anything is done; `harness_pace` is read as the option is.
    """
    recording = run(place, "ini", "record", "true", "--collect-only")
    mistaken = run(place, "ini", "pace", "fast", "--collect-only")

    assert "recording from the real upstreams" in recording.out, recording.said
    assert "'fast' is no pace" in mistaken.err, mistaken.said


def test_the_command_line_counts_before_the_ini(place: Place, tmp_path: Path) -> None:
    """
    An option that is given twice counts as given on the command line.
    """
    place.ini("harness = true", "harness_adapter = Honest", f"harness_json = {tmp_path / 'no.json'}")

    ran = place.pytest("--harness-adapter", "Emulated", "--harness-json", "yes.json", "-k", "invoke")

    assert ran.of("Emulated") == {"invoke": "passed", "ainvoke": "passed"}, ran.said
    assert not ran.of("Honest")
    assert (place.root / "yes.json").exists()
    assert not (tmp_path / "no.json").exists()

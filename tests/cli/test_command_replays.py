"""
Commands over a recorded project whose upstream is gone: list, run, explain and report, with every option.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from toy_project import Done, Folder

GOOD = {
    "invoke": "native",
    "ainvoke": "native",
    "stream": "native",
    "astream": "native",
    "batch": "native",
    "abatch": "native",
}
PLAIN = {
    "invoke": "native",
    "ainvoke": "fallback worker-thread",
    "stream": "fallback single-item",
    "astream": "fallback single-item",
    "batch": "fallback sequential",
    "abatch": "fallback worker-thread",
}
FAULTY = {**GOOD, "invoke": "broken"}


def _cells(matrix: dict[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cell in matrix["cells"]:
        words = f"{cell['verdict']} {cell['mechanism'] or ''}".strip()
        found.setdefault(cell["adapter"], {})[cell["capability"]] = words
    return found


def _matrix(project: Folder, name: str = "reports/matrix.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / name).read_text(encoding="utf-8"))
    return found


def test_a_recorded_project_replays_to_the_same_table(recording: tuple[Folder, Done, Done]) -> None:
    """
    What was judged live comes out of the replay, the expected failure is none, and every report is there.
    """
    project, recorded, replayed = recording
    assert (recorded.status, replayed.status) == (0, 0), recorded.said + replayed.said
    matrix = _matrix(project)
    assert _cells(matrix) == {"Good": GOOD, "Plain": PLAIN, "Faulty": FAULTY}
    assert matrix["complete"] is True
    assert {adapter["upstream"] for adapter in matrix["adapters"]} == {"live"}
    names = {path.name for path in project.reports.iterdir()}
    assert {"matrix.json", "matrix.md", "index.html", "badges"} <= names
    assert "toys/Plain" in recorded.said
    assert "single-item" in replayed.out


def test_equal_runs_leave_equal_reports(project: Folder) -> None:
    """
    A second replay, with other workers, writes the same bytes.
    """
    before = project.digests("reports")
    assert project("run", "--jobs", "1").status == 0
    assert project.digests("reports") == before


@pytest.mark.parametrize(
    "options",
    [
        ("--pace", "recorded"),
        ("--pace", "0.5"),
        ("--pace=instant", "-j", "3", "--memory", "1024"),
        ("--spawn", "--timeout", "60"),
    ],
)
def test_how_it_is_run_changes_no_cell(project: Folder, options: tuple[str, ...]) -> None:
    """
    Pace, workers, limits and the way processes are started leave every cell as it is.
    """
    done = project("run", "Good", "Plain", "--only", "stream", "--only", "abatch", *options, "--json", "-")
    assert done.status == 0, done.err
    picked = {"stream", "abatch"}
    wanted = {
        name: {call: words for call, words in row.items() if call in picked}
        for name, row in (("Good", GOOD), ("Plain", PLAIN))
    }
    assert _cells(json.loads(done.out)) == wanted


def test_json_leaves_nothing_else(project: Folder) -> None:
    """
    With --json the matrix is written there, or to standard output and nothing but it, and no report is touched.
    """
    before = project.digests("reports")
    to_file = project("run", "Good", "--only", "invoke", "--json", "made/m.json")
    to_output = project("run", "Good", "--only", "invoke", "--json", "-")
    assert (to_file.status, to_output.status) == (0, 0)
    matrix = json.loads(to_output.out)
    assert matrix == _matrix(project, "made/m.json")
    assert matrix["complete"] is False
    assert project.digests("reports") == before
    assert not list((project.path / "made").glob(".*"))


def test_reports_go_where_they_are_wanted(project: Folder) -> None:
    """
    --reports writes a folder that is made on the way, and leaves the project's as it is.
    """
    before = project.digests("reports")
    assert project("run", "Good", "--only", "invoke", "--reports", "a/b").status == 0
    assert _cells(_matrix(project, "a/b/matrix.json")) == {"Good": {"invoke": "native"}}
    assert project.digests("reports") == before


def test_a_part_is_put_into_the_reports(project: Folder) -> None:
    """
    A part that is run again leaves the rest of complete reports, byte for byte; they stay complete. Its job summary
    tells of that part alone, and of no cell that would be lost.
    """
    before = project.digests("reports")
    summary = project.path / "summary.md"
    environ = project.env(GITHUB_STEP_SUMMARY=str(summary))
    done = project("run", "toys/Plain", "--only", "astream", "--github", env=environ)
    assert done.status == 0, done.err
    assert project.digests("reports") == before
    assert summary.read_text().startswith("### Capabilities: no cell changed (1 cell compared)")
    assert "Faulty" not in summary.read_text()


def test_a_check_is_a_column_where_it_is_switched_on(project: Folder) -> None:
    """
    By the project's key, or by an option that comes before it; without either the reports are what they were.
    """
    before = project.digests("reports")
    text = project.toml.read_text(encoding="utf-8")
    project.toml.write_text('columns = ["stream-joins"]\n' + text, encoding="utf-8")
    done = project("run", "Good", "Plain", "--only", "stream", "--only", "invoke")
    assert done.status == 0, done.err
    assert "Stream joins" in done.out
    checks = _matrix(project)["checks"]
    assert [(one["adapter"], one["check"], one["capability"], one["state"]) for one in checks] == [
        ("Good", "stream-joins", "stream", "passed"),
        ("Plain", "stream-joins", "stream", "passed"),
    ]
    assert "Stream joins" in (project.reports / "matrix.md").read_text(encoding="utf-8")
    assert project("report", "reports/matrix.json", "--out", "again").status == 0
    assert project.digests("again") == {
        name.replace("reports/", "again/", 1): digest for name, digest in project.digests("reports").items()
    }

    asked = project("run", "Good", "--only", "stream", "--column", "stop", "--json", "-")
    assert {one["check"] for one in json.loads(asked.out)["checks"]} == {"stop"}

    project.toml.write_text(text, encoding="utf-8")
    assert project("run", "Good", "Plain").status == 0
    assert project.digests("reports") == before


def test_parts_become_complete(project: Folder) -> None:
    """
    Parts run one after the other add up: only with the last of them is the matrix complete.
    """
    shutil.rmtree(project.reports)
    complete = []
    for part in (("Good",), ("Plain", "--only", "invoke"), ("Plain",), ("Faulty",)):
        assert project("run", *part).status == 0
        complete.append(_matrix(project)["complete"])
    assert complete == [False, False, False, True]
    assert _cells(_matrix(project)) == {"Good": GOOD, "Plain": PLAIN, "Faulty": FAULTY}


def test_a_newcomer_is_added_to_complete_reports(project: Folder) -> None:
    """
    Two adapters were registered since: running one of them adds it, and the reports are complete no longer.
    """
    for name in ("New", "Newer"):
        project.add(f'[adapters.{name}]\ntarget = "toy_adapters:Honest"\nkwargs = {{ base_url = "http://nowhere" }}')
    done = project("run", "New")
    assert done.status == 0, done.err
    matrix = _matrix(project)
    assert set(_cells(matrix)) == {"Good", "Plain", "Faulty", "New"}
    assert set(_cells(matrix)["New"].values()) == {"unknown"}
    assert matrix["complete"] is False


def test_what_is_no_longer_registered_leaves_the_reports(project: Folder) -> None:
    """
    A part that is run drops the cells of adapters that were taken out of the configuration.
    """
    text = project.toml.read_text()
    project.toml.write_text(text.replace("[adapters.Plain]", "[adapters.Renamed]"))
    assert project("run", "Good", "--only", "invoke").status == 0
    assert set(_cells(_matrix(project))) == {"Good", "Faulty"}


def test_another_pythons_reports_are_not_lost_to_a_part(project: Folder) -> None:
    """
    Cells of another version cannot stand beside new ones: a part leaves such reports as they are, and says so.
    """
    file = project.reports / "matrix.json"
    matrix = _matrix(project)
    matrix["generator"]["python"] = "3.99"
    file.write_text(json.dumps(matrix), encoding="utf-8")
    before = project.digests("reports")
    done = project("run", "Good", "--only", "invoke")
    assert done.status == 0, done.err
    assert "as it was" in done.said
    assert project.digests("reports") == before


def test_names_families_and_calls_select(project: Folder) -> None:
    """
    NAME, FAMILY/NAME, --family and --only select cells, alone and together.
    """
    for words in (("Plain",), ("toys/Plain",), ("Plain", "--family", "toys"), ("toys/Plain", "Plain")):
        done = project("list", *words, "--only", "stream", "--json")
        (found,) = json.loads(done.out)["adapters"]
        assert (found["name"], found["cassettes"]) == ("Plain", ["stream"])


def test_an_environment_selects_its_adapters(project: Folder) -> None:
    """
    --environment runs the adapters of one locked environment; those that name none belong to the project's, and the
    parts make the whole.
    """
    text = project.toml.read_text()
    project.toml.write_text(
        f'environment = "main"\n{text}'.replace('"plain:Plain"', '"plain:Plain"\nenvironment = "old"')
    )
    assert "environment" in project("list").out.lower()
    for name, adapters in (("old", {"Plain"}), ("main", {"Good", "Faulty"})):
        done = project("run", "--environment", name, "--json", f"{name}.json")
        assert done.status == 0, done.err
        assert set(_cells(_matrix(project, f"{name}.json"))) == adapters
    whole = project("report", "old.json", "main.json", "--out", "whole")
    assert whole.status == 0, whole.err
    assert (project.path / "whole" / "matrix.json").read_bytes() == (project.reports / "matrix.json").read_bytes()


def test_the_configuration_stands_before_or_after_the_command(project: Folder, tmp_path: Path) -> None:
    """
    --config names the configuration from any folder, on either side of the command's name.
    """
    project.toml.rename(project.path / "other.toml")
    elsewhere = type(project)(tmp_path)
    file = str(project.path / "other.toml")
    first = elsewhere("--config", file, "list")
    second = elsewhere("list", "--config", file)
    assert first == second
    assert first.status == 0
    assert "plain:Plain" in first.out


def test_the_nearest_configuration_is_found_upwards(project: Folder) -> None:
    """
    A pyproject.toml with a table [tool.harness] counts, from any folder below it.
    """
    text = project.toml.read_text().replace("[adapters.", "[tool.harness.adapters.")
    project.toml.unlink()
    (project.path / "pyproject.toml").write_text(f"[tool.harness]\n{text}", encoding="utf-8")
    below = project.path / "deep" / "down"
    below.mkdir(parents=True)
    done = type(project)(below)("list", "--json")
    assert [one["name"] for one in json.loads(done.out)["adapters"]] == ["Good", "Plain", "Faulty"]


def test_list_says_who_is_there_and_what_is_recorded(project: Folder) -> None:
    """
    Family, target, origin of the cassettes and the cells that have some, as a table and as JSON; nothing is imported.
    """
    project.cassette("Plain", "batch").unlink()
    (project.path / "plain.py").write_text("raise SystemExit('imported')", encoding="utf-8")
    table, plain = project("list"), project("list", "--json")
    assert (table.status, plain.status) == (0, 0)
    for words in ("plain:Plain", "toy_adapters:Honest", "live", "all six", "toys"):
        assert words in table.said
    good, plainly, faulty = json.loads(plain.out)["adapters"]
    assert good["cassettes"] == list(GOOD)
    assert plainly["cassettes"] == [call for call in GOOD if call != "batch"]
    assert faulty["cassettes"] == [call for call in GOOD if call != "invoke"]
    assert (good["target"], good["family"], good["upstream"]) == ("toy_adapters:Honest", "toys", "live")
    assert "harness.toml" in good["registered"]
    assert not [line for line in table.out.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("name", ["Plain", "toys/Plain"])
def test_explain_shows_a_cell(project: Folder, name: str) -> None:
    """
    The same is said from a replay and from the matrix: the sentence, the times, what was sent, what came out.
    """
    replayed = project("explain", name, "stream")
    file = str(project.reports / "matrix.json")
    read = type(project)(project.path.parent)("explain", name, "stream", "--matrix", file)
    assert (replayed.status, read.status) == (0, 0), replayed.err + read.err
    assert replayed.out == read.out
    for words in ("toys/Plain", "fallback", "single-item", "seconds", "request sent: POST", "item 1", "stream.yaml"):
        assert words in replayed.said


def test_explain_shows_what_came_of_checks(project: Folder) -> None:
    """
    A check that is asked for is tried on the cell; from a matrix are told those that it has, and to ask for another is
    a mistake.
    """
    tried = project("explain", "Good", "stream", "--column", "stream-rebuilds")
    project("run", "Good", "--only", "stream", "--column", "stream-rebuilds", "--json", "part.json")
    read = project("explain", "Good", "stream", "--matrix", "part.json")
    both = project("explain", "Good", "stream", "--matrix", "part.json", "--column", "stop")

    assert "Checks stream-rebuilds passed: put together by joining text" in tried.said
    assert (tried.status, read.status, both.status) == (0, 0, 2)
    assert read.out == tried.out
    assert "--column is for a replay" in both.said


def test_explain_shows_what_an_expected_failure_said(project: Folder) -> None:
    """
    A broken cell is explained with its error and with why it is expected; that it is broken is no failure of `explain`.
    """
    done = project("explain", "Faulty", "invoke", "--pace", "2")
    assert done.status == 0
    assert "ValueError: cannot do" in done.said
    assert "issue 7" in done.said


def test_report_renders_again_and_merges(project: Folder) -> None:
    """
    Two matrices of parts give the table of both; one matrix gives the reports that the run wrote, byte for byte.
    """
    before = project.digests("reports")
    assert project("report", "reports/matrix.json", "--out", "again").status == 0
    assert {path.removeprefix("again/"): digest for path, digest in project.digests("again").items()} == {
        path.removeprefix("reports/"): digest for path, digest in before.items()
    }
    for name in ("Good", "Plain"):
        assert project("run", name, "--json", f"{name}.json").status == 0
    merged = project("report", "Good.json", "Plain.json", "--out", "both")
    assert merged.status == 0, merged.err
    assert _cells(_matrix(project, "both/matrix.json")) == {"Good": GOOD, "Plain": PLAIN}
    assert _matrix(project, "both/matrix.json")["complete"] is False
    assert "single-item" in merged.out
    assert project.digests("reports") == before
    assert project("report", "Good.json").status == 0
    assert _cells(_matrix(project)) == {"Good": GOOD}


def test_parts_that_make_the_whole_are_reported_complete(project: Folder) -> None:
    """
    Merged matrices of parts are complete where they hold every cell that the project registers.
    """
    for name in ("Good", "Plain", "Faulty"):
        assert project("run", name, "--json", f"{name}.json").status == 0
    assert project("report", "Faulty.json", "Good.json", "Plain.json", "--out", "all").status == 0
    assert (project.path / "all/matrix.json").read_bytes() == (project.reports / "matrix.json").read_bytes()


def test_the_schema_is_printed_and_fits(project: Folder) -> None:
    """
    `report --schema` prints a JSON Schema by which the matrix of a run is valid; it needs no project.
    """
    done = type(project)(project.path.parent)("report", "--schema")
    assert done.status == 0
    jsonschema.validate(_matrix(project), json.loads(done.out))


@pytest.mark.parametrize(("seed", "as_if"), [(None, "0"), ("random", "0"), ("7", "7")])
def test_sets_have_an_order_that_the_next_run_has_as_well(
    seed: str | None, as_if: str, project: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever the command's own interpreter drew; the shell's seed counts where it names one.
    """
    told = "from pathlib import Path\nPath('seen').write_text(str(hash('order')))\n"
    with (project.path / "toy_adapters.py").open("a", encoding="utf-8") as file:
        file.write(told)
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    if seed is not None:
        monkeypatch.setenv("PYTHONHASHSEED", seed)

    done = project("run", "Good", "--json", "m.json")

    known = [sys.executable, "-c", "print(hash('order'))"]
    wanted = subprocess.run(
        known, env={**os.environ, "PYTHONHASHSEED": as_if}, capture_output=True, text=True, check=True
    )
    assert done.status == 0, done.said
    assert (project.path / "seen").read_text() == wanted.stdout.strip()


@pytest.mark.parametrize("name", ["measure.py", "harness"])
def test_a_program_that_calls_the_command_runs_once(
    name: str, project: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    One of another name is not started again, nor is one that somebody follows step by step.
    """
    followed = "sys.settrace(lambda *_: None)" if name == "harness" else ""
    program = project.path / name
    program.write_text(
        f"import sys\nprint('begun', flush=True)\n{followed}\n"
        "sys.argv[1:] = ['run', 'Good', '--json', 'm.json']\nfrom harness.cli import main\nmain()\n",
        encoding="utf-8",
    )
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)

    done = subprocess.run([sys.executable, str(program)], cwd=project.path, capture_output=True, text=True, check=True)

    assert done.stdout.count("begun") == 1
    assert "Good" in done.stdout

"""
Bad input: each mistake is told with what, where and how to mend it, has the status of its kind, and loses nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from toy_project import Done, Folder

NEW = '[adapters.New]\ntarget = "toy_adapters:Honest"\nkwargs = { base_url = "http://nowhere" }\n'
CALLS = tuple(one.value for one in Capability)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def _told(done: Done, status: int, *words: str) -> None:
    assert done.status == status, done.said
    for word in words:
        assert word in done.said, done.said
    assert "Traceback" not in done.said
    assert "harness's fault" not in done.said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("lst",), ("no command 'lst'", "did you mean 'list'")),
        (("run", "--jsn", "x"), ("--jsn", "--json", "harness run")),
        (("run", "--only"), ("--only", "requires an argument", "harness COMMAND --help")),
        (("run", "Goood"), ("unknown adapter 'Goood'", "did you mean 'Good'", "Plain")),
        (("explain", "toys/Goo", "stream"), ("unknown adapter 'toys/Goo'", "toys/Good")),
        (("list", "--family", "toy"), ("unknown family 'toy'", "did you mean 'toys'")),
        (("run", "--only", "strem"), ("'strem'", "did you mean 'stream'", "abatch")),
        (("explain", "Good", "Stream!"), ("'Stream!'", "six calls")),
        (("explain", "Good"), ("CAPABILITY", "harness explain")),
        (("run", "--pace", "fast"), ("'fast'", "instant, recorded")),
        (("run", "--pace", "-1"), ("--pace", "instant")),
        (("run", "--jobs", "0"), ("--jobs", "0")),
        (("run", "--timeout", "nan"), ("--timeout", "nan")),
        (
            ("run", "--column", "stream-joints"),
            ("unknown check 'stream-joints'", "did you mean 'stream-joins'", "--column"),
        ),
        (("report",), ("no matrix",)),
        (("report", "none.json"), ("none.json", "No such file", "harness run")),
        (("--config", "none.toml", "list"), ("none.toml", "no such file", "hint")),
        (("list", "--config", "."), ("is a directory",)),
        (("record", "--simulate"), ("no simulators", "simulators =")),
        ((), ("Usage", "record")),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_words(
    recording: tuple[Folder, Done, Done], command: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """
    What is unknown is named beside what was probably meant, and the status is 2.
    """
    project = recording[0]
    before = project.digests("reports", "cassettes")
    _told(project(*command), 2, *words)
    assert project.digests("reports", "cassettes") == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("no adapter is registered", "harness.toml", "harness new NAME", "[adapters.MyLLM]")),
        ('[adapters.Good]\ntarget = "toy_ad', ("harness.toml:2:", "not valid TOML")),
        ("[adapters.Good\n", ("harness.toml:1:", "not valid TOML")),
        ("[adapters.Good]\ntargte = 'a:B'", ("'targte'", "did you mean 'target'", "[adapters.Good]")),
        ("[adapters.Good]\ntarget = 'a.B'", ("'a.B'", "a:B", "[adapters.Good]")),
        ("[adapters.Good]\ntarget = 'a:B'\ndeclares = ['strem']", ("'strem'", "did you mean 'stream'")),
        ("[adapters.Good]\ntarget = 'a:B'\nexpects = { stream = 'broken' }", ("reason", "[adapters.Good]")),
        ("[adapters.Good]\ntarget = 'a:B'\nmatch_on = ['methd']", ("'methd'", "match_on", "method")),
        ("[adapters.Good]\ntarget = 'a:B'\n[adapters.Good]\n", ("harness.toml:3:", "not valid TOML")),
        ("[tool.harness.adapters.Good]\ntarget = 'a:B'", ("'tool'", "without the prefix")),
        ("columns = ['stop ']\n[adapters.Good]\ntarget = 'a:B'", ("unknown check 'stop '", "harness.toml", "columns")),
        (
            "columns = { stop = ['God'] }\n[adapters.Good]\ntarget = 'a:B'",
            ("unknown adapter 'God'; did you mean 'Good'?", "stop"),
        ),
        ("[adapters.Good]\ntarget = 'a:B'\nrebuild = 'joined'", ("'joined'", "rebuild", "[adapters.Good]")),
        ("[adapters.Good]\ntarget = 'a:B'\nusage = true", ("usage", "must be a table")),
        ("family = '../up'\n[adapters.Good]\ntarget = 'a:B'", ("family", "../up")),
    ],
)
def test_a_configuration_that_says_nothing_useful_names_place_and_remedy(
    project: Folder, text: str, words: tuple[str, ...]
) -> None:
    """
    Empty, half-written, misspelt: file, line or table, and what to write instead.
    """
    before = project.digests("reports", "cassettes")
    project.toml.write_text(text, encoding="utf-8")
    _told(project("run"), 2, *words)
    assert project.digests("reports", "cassettes") == before


def test_a_configuration_in_another_encoding_is_told(project: Folder) -> None:
    """
    Bytes that are no UTF-8 are told with their position.
    """
    project.toml.write_bytes(b'family = "\xff\xfe"')
    _told(project("list"), 2, "harness.toml", "not UTF-8", "save it as UTF-8")


def test_a_project_of_another_tool_is_none(project: Folder) -> None:
    """
    A pyproject.toml that says nothing to the harness is not said to be missing.
    """
    project.toml.unlink()
    (project.path / "pyproject.toml").write_text("[tool.black]\nline-length = 80\n")
    _told(project("check"), 2, "neither harness.toml nor a table [tool.harness] in pyproject.toml from", "harness new")


def test_a_variable_that_is_not_set_is_the_users_and_no_line_of_ours(project: Folder) -> None:
    """
    The registration is named and the remedy; the evidence has no traceback through the harness.
    """
    project.add('[adapters.Keyed]\ntarget = "toy_adapters:Honest"\nkwargs = { base_url = "${NOT_SET}" }')
    shutil.copytree(project.cassette("Good", "invoke").parent, project.cassette("Keyed", "invoke").parent)
    _told(project("run", "Keyed", "--only", "invoke"), 2, "NOT_SET is not set", "export NOT_SET", "[adapters.Keyed]")
    shown = project("explain", "Keyed", "invoke")
    assert "NOT_SET is not set" in shown.said
    assert "variables.py" not in shown.said


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read, root neither")
def test_a_cassette_that_cannot_be_read_is_the_users_mistake(project: Folder) -> None:
    """
    It costs its own cell, names the file and the reason, and is no fault of the harness.
    """
    path = project.cassette("Good", "stream")
    path.unlink()
    path.symlink_to("/proc/self/mem")
    only = ("--only", "stream", "--only", "invoke")
    done = project("run", "Good", *only, "--json", "m.json")
    _told(done, 2, "stream.yaml: the cassette cannot be read", "check the path and its permissions")
    cells = {cell["capability"]: cell["verdict"] for cell in json.loads((project.path / "m.json").read_text())["cells"]}
    assert cells == {"invoke": "native", "stream": "unknown"}
    _told(project("check", "Good", *only, "--no-checks"), 2, "the cassette cannot be read")


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def _beyond(path: Path) -> None:
    text = path.read_text()
    start = text.index("arrivals: ") + len("arrivals: ")
    path.write_text(f"{text[:start]}0.001+3{text[text.index(chr(10), start) :]}")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": _truncate,
    "foreign": lambda path: path.write_text("version: 3\nservices: {web: {image: nginx}}\n"),
    "nock": lambda path: path.write_text(
        json.dumps([{"scope": "https://api.x.com:443", "method": "POST", "path": "/"}])
    ),
    "binary": lambda path: path.write_bytes(bytes(range(256))),
    "tags": lambda path: path.write_text(
        "interactions:\n- !!python/object/apply:os.system ['touch pwned']\nversion: 1\n"
    ),
    "bomb": lambda path: path.write_text(f"{BOMB}interactions: *i\nversion: 1\n"),
    "counts": _beyond,
    "folder": _folder,
}


def test_a_damaged_cassette_costs_its_own_cell_alone(project: Folder) -> None:
    """
    The cell is unknown, never broken; the file is named and left as it is, nothing in it is run, others are measured.
    """
    cells = [("Good", call) for call in CALLS] + [("Plain", call) for call in CALLS]
    damaged = dict(zip(DAMAGES, cells, strict=False))
    for damage, cell in damaged.items():
        DAMAGES[damage](project.cassette(*cell))
    before = project.digests("cassettes")
    done = project("run", "Good", "Plain", "--json", "m.json")
    _told(done, 2, *(f"toys/{adapter}/{call}.yaml" for adapter, call in damaged.values()), "hint")
    matrix = json.loads((project.path / "m.json").read_text())["cells"]
    verdicts = {(cell["adapter"], cell["capability"]): cell["verdict"] for cell in matrix}
    assert {damage: verdicts.pop(cell) for damage, cell in damaged.items()} == dict.fromkeys(DAMAGES, "unknown")
    assert set(verdicts.values()) <= {"native", "fallback"}
    assert len(verdicts) == len(cells) - len(damaged)
    assert project.digests("cassettes") == before
    assert not (project.path / "pwned").exists()


def test_a_missing_cassette_is_unknown_and_says_how_to_record(project: Folder) -> None:
    """
    A cell without a cassette was not measured: no mistake, no fault, and a reason that names the command.
    """
    shutil.rmtree(project.reports)
    project.cassette("Good", "stream").unlink()
    done = project("run", "Good", "--only", "stream", "--json", "m.json")
    _told(done, 0, "unknown")
    (cell,) = json.loads((project.path / "m.json").read_text())["cells"]
    assert "harness record" in cell["reason"]


def test_a_damaged_note_of_an_attempt_is_told(project: Folder) -> None:
    """
    What is kept of a recording without a cassette is a file like any other: damaged, it is named, and its cell unknown.
    """
    note = project.cassette("Faulty", "invoke").with_suffix(".attempt.json")
    assert note.exists()
    note.write_text('{"verdict": "nat', encoding="utf-8")
    done = project("run", "Faulty", "--only", "invoke", "--json", "m.json")
    _told(done, 2, "invoke.attempt.json", "record the adapter again")
    (cell,) = json.loads((project.path / "m.json").read_text())["cells"]
    assert cell["verdict"] == "unknown"
    assert note.read_text() == '{"verdict": "nat'


def test_a_missing_dependency_is_unknown_and_names_what_to_install(project: Folder) -> None:
    """
    An adapter whose package is not there says nothing about itself: six unknowns, the package, and no failure.
    """
    (project.path / "needy.py").write_text("import colossal_llm_client\nclass Needy: pass\n", encoding="utf-8")
    project.add('[adapters.Needy]\ntarget = "needy:Needy"\n')
    done = project("run", "Needy", "--json", "m.json")
    _told(done, 0, "pip install", "colossal-llm-client")
    cells = json.loads((project.path / "m.json").read_text())["cells"]
    assert [cell["verdict"] for cell in cells] == ["unknown"] * 6


UNBUILT = {
    'target = "nowhere.llms:New"': ("no module 'nowhere'", "installed in this environment"),
    'target = "toy_adapters:Honst"': ("no 'Honst'", "did you mean 'Honest'"),
    'target = "toy_adapters:Honest"\nkwargs = { base_url = "${NOT_SET}" }': ("NOT_SET is not set", "export NOT_SET"),
    'target = "toy_adapters:Honest"\nenv = { A = "${NO_ENV}" }': ("NO_ENV is not set", "export NO_ENV"),
}


def test_a_registration_that_cannot_be_built_is_the_users_to_mend(project: Folder) -> None:
    """
    A target that does not import and a variable that is not set are told with table and remedy, status 2.
    """
    whole = project.toml.read_text()
    before = project.digests("reports", "cassettes")
    for number, (registration, words) in enumerate(UNBUILT.items()):
        # a variable that `env` lacks is told before anything runs, so each has a run of its own
        project.toml.write_text(whole)
        project.add(f"[adapters.New{number}]\n{registration}\n")
        done = project("run", f"New{number}", "--only", "invoke", "--json", "m.json")
        _told(done, 2, f"[adapters.New{number}]", *words)
    assert project.digests("reports", "cassettes") == before


def test_two_adapters_of_one_name_are_refused(project: Folder, tmp_path: Path) -> None:
    """
    A package that registers a name that the project has is told with both places.
    """
    info = tmp_path / "site" / "rival-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rival\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[harness.adapters]\none = rival:adapters\n", encoding="utf-8")
    (info.parent / "rival.py").write_text(
        "from harness import Adapter\nadapters = [Adapter(name='Good', family='toys', target='a:B')]\n",
        encoding="utf-8",
    )
    done = project("list", env=project.env(PYTHONPATH=str(info.parent)))
    _told(done, 2, "toys/Good is registered twice", "harness.toml", "rival", "rename")


@pytest.mark.parametrize("option", [(), ("--reports", "reports")])
def test_a_reports_path_that_is_a_file_is_told_before_the_run(project: Folder, option: tuple[str, ...]) -> None:
    """
    Nothing is measured for reports that nobody could write, and the file stays as it is.
    """
    shutil.rmtree(project.reports)
    project.reports.write_text("precious", encoding="utf-8")
    done = project("run", *option)
    _told(done, 2, "reports", "cannot be written", "hint")
    assert "[1/" not in done.err
    assert project.reports.read_text() == "precious"


def test_a_json_file_that_cannot_be_written_is_told_before_the_run(project: Folder) -> None:
    """
    A folder, or a path below a file, cannot take a matrix: told at once, for `run` and for `record`.
    """
    (project.path / "file").write_text("precious", encoding="utf-8")
    for target, named in (("reports", "reports"), ("file/m.json", "file:"), ("/proc/m.json", "/proc")):
        for command in ("run", "record"):
            done = project(command, "Good", "--only", "invoke", "--json", target)
            _told(done, 2, named, "cannot be written", "hint")
            assert "[1/" not in done.err
    assert (project.path / "file").read_text() == "precious"


@pytest.mark.parametrize("content", [b"", b'{"schema_version": 1, "comp', b"[]", b'{"schema_version": 9}', b"\xff\xfe"])
def test_a_damaged_matrix_is_named_and_left_alone(project: Folder, content: bytes) -> None:
    """
    `report`, `explain --matrix` and a run of a part refuse it, say which file it is, and write nothing.
    """
    file = project.reports / "matrix.json"
    file.write_bytes(content)
    before = project.digests("reports")
    _told(project("report", "reports/matrix.json"), 2, "reports/matrix.json", "hint")
    if content.startswith(b"{"):
        explain = ("explain", "Good", "stream", "--matrix", "reports/matrix.json")
        _told(project(*explain), 2, "reports/matrix.json", "hint")
        done = project("run", "Good", "--only", "invoke")
        _told(done, 2, "reports/matrix.json", "hint", "restore")
        assert "[1/" not in done.err
    assert project.digests("reports") == before


def test_a_damaged_committed_matrix_is_told_as_such(project: Folder) -> None:
    """
    Where the damaged one is git's, mending the file on disk does not help; the message says which it is.
    """
    file = project.reports / "matrix.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:500])
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "reports"), ("commit", "-qm", "damaged")):
        subprocess.run(["git", *who, *words], cwd=project.path, check=True)  # noqa: S607 - git, as the user has it
    file.write_bytes(whole)
    _told(project("run", "Good", "--only", "invoke"), 2, "matrix.json (as committed)", "hint")
    _told(project("run", "Good", "--only", "invoke", "--no-baseline"), 0, "native")
    assert file.read_bytes() == whole

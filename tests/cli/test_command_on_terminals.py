"""
How the command looks: on a terminal, on a dumb one, in a pipe that closes, and how soon its help is there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from toy_project import bare

if TYPE_CHECKING:
    from toy_project import Done, Folder

ESCAPE = "\x1b["


def test_help_needs_none_of_the_heavy_libraries(project: Folder) -> None:
    """
    Neither the help of the command nor that of any of its commands imports vcrpy, rich, jinja2 or yaml.
    """
    program = (
        "import sys\n"
        "from harness.cli.app import run\n"
        "for words in (['--help'], *([name, '--help'] for name in ('list', 'record', 'run', 'explain', 'report'))):\n"
        "    sys.argv = ['harness', *words]\n"
        "    assert run() == 0\n"
        "heavy = {'vcr', 'rich', 'jinja2', 'yaml', 'asyncio', 'importlib.metadata'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for words in ("Usage: harness", "Examples:", "Exit status:", "harness explain MyLLM astream", "--json FILE"):
        assert words in done.stdout


def test_the_parent_of_a_run_needs_no_client_library(project: Folder) -> None:
    """
    The process that collects what the cells tell imports neither vcrpy nor what that patches.
    """
    program = (
        "import sys\n"
        "from harness.cli.app import run\n"
        "sys.argv = ['harness', 'run', '--json', 'matrix.json']\n"
        "assert run() == 0\n"
        "heavy = {'vcr', 'httpx', 'aiohttp', 'requests', 'urllib3', 'jinja2'} & set(sys.modules)\n"
        "sys.exit(f'imported {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_help_and_version_are_said_on_standard_output(project: Folder) -> None:
    """
    Both give status 0 and leave standard error empty.
    """
    for word, said in (("--help", "Commands:"), ("-h", "Commands:"), ("--version", "harness ")):
        done = project(word)
        assert (done.status, done.err) == (0, "")
        assert said in done.out


def test_a_pipe_gets_plain_text(project: Folder) -> None:
    """
    Where nobody looks on there are neither colours nor moving bars: a line for each adapter, and the table.
    """
    done = project("run", "Plain", "--only", "stream")
    assert ESCAPE not in done.out + done.err
    assert "\r" not in done.err
    assert "[1/1]" in done.err
    assert "single-item" in done.out
    assert "❌" not in done.out


def test_a_terminal_sees_who_is_at_work(project: Folder) -> None:
    """
    On a terminal the bar names the adapter and the call at work, and the table has colours and symbols.
    """
    done = project.on_terminal("run", "Plain", "--only", "stream", "--pace", "20")
    assert done.status == 0
    assert ESCAPE in done.out
    assert "Plain stream" in bare(done.out)
    assert "❌" in done.out


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_plain_terminals_get_plain_text(project: Folder, env: dict[str, str]) -> None:
    """
    NO_COLOR takes the colours and the symbols; a dumb terminal gets no escape sequence at all.
    """
    done = project.on_terminal("run", "Plain", "--only", "stream", env=env)
    assert done.status == 0
    assert "single-item" in done.out
    assert "❌" not in done.out
    assert not [code for code in ("\x1b[3", "\x1b[9", "\x1b[1m") if code in done.out]
    if "TERM" in env:
        assert ESCAPE not in done.out


@pytest.mark.parametrize("columns", [20, 60, 80, 120])
def test_no_line_is_longer_than_the_terminal(recording: tuple[Folder, Done, Done], columns: int) -> None:
    """
    Tables, lists and explanations fit into the terminal, from forty columns on.
    """
    project = recording[0]
    file = "reports/matrix.json"
    for words in (("list",), ("explain", "Plain", "stream", "--matrix", file), ("report", file, "--out", "elsewhere")):
        done = project.on_terminal(*words, columns=columns, env={"NO_COLOR": "1"})
        assert done.status == 0, done.out
        lines = [line for line in bare(done.out).splitlines() if not line.startswith("reports: ")]
        assert max(map(len, lines)) <= max(columns, 40), max(lines, key=len)


def test_an_encoding_without_symbols_is_no_error(project: Folder) -> None:
    """
    Where the terminal speaks ASCII alone the table is ASCII too, and what is not becomes a question mark.
    """
    _rename_plain(project)
    done = project.on_terminal("list", env={"PYTHONIOENCODING": "ascii"})
    assert done.status == 0
    assert "Pl?n" in done.out


def _rename_plain(project: Folder) -> None:
    project.toml.write_text(project.toml.read_text().replace("[adapters.Plain]", '[adapters."Plän"]'), encoding="utf-8")
    project.cassette("Plain", "stream").parent.rename(project.cassette("Plän", "stream").parent)


def test_names_need_no_locale(project: Folder) -> None:
    """
    In the C locale Python speaks UTF-8 with files: names of all scripts are found and measured.
    """
    _rename_plain(project)
    done = project("run", "Plän", "--only", "stream", "--json", "m.json", env=project.env(LC_ALL="C", LANG=""))
    assert done.status == 0, done.err
    assert "single-item" in done.out


def test_a_locale_that_cannot_name_a_cassette_is_told(project: Folder) -> None:
    """
    Where Python is told to do without UTF-8, the name is refused with the way out: no cassette that is there counts as
    missing, and nothing is written.
    """
    _rename_plain(project)
    before = project.digests()
    for words in (("list",), ("run", "Good", "--only", "stream"), ("record", "Good", "--yes", "--again")):
        done = project(*words, env=project.env(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))
        assert done.status == 2, done.said
        assert '[adapters."Pl?n"]: no file can be named' in done.err
        assert "hint: set PYTHONUTF8=1" in done.err
    assert project.digests() == before


def test_a_closed_pipe_costs_nothing(project: Folder) -> None:
    """
    Who reads one line and goes, as `head -1` does, leaves the run its reports and its status; nothing is complained of.
    """
    before = project.digests("reports")
    (project.reports / "matrix.md").unlink()
    process = project.start("run", "Plain", "--only", "stream")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read().decode()
    assert (process.wait(200), project.digests("reports")) == (0, before), err
    assert "Broken pipe" not in err
    assert "Exception ignored" not in err
    process.stderr.close()


def test_standard_output_takes_json_alone_on_a_terminal_too(project: Folder) -> None:
    """
    `--json -` prints the matrix and nothing else, whatever standard error shows.
    """
    done = project("run", "Plain", "--only", "stream", "--json", "-")
    assert json.loads(done.out)["cells"][0]["verdict"] == "fallback"
    assert "[1/1]" in done.err

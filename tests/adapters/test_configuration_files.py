"""Configuration files: which one is taken, what it says, and how its errors teach."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.configuration import ConfigurationError
from harness.adapters.project import Project, load_project
from harness.errors import RegistrationError, UserError
from harness.words import Upstream

EXAMPLE = """
[project]
name = "my-package"

[tool.harness]
cassettes = "tapes"

[tool.harness.adapters.MyLLM]
target = "my_package.llms:MyLLM"
kwargs = { model = "m-1", base_url = "https://api.example.com", api_key = "${MY_API_KEY:-placeholder}" }
env = { MY_REGION = "eu" }
declares = ["invoke", "ainvoke", "stream"]
prompts = ["a", "b", "c"]
match_on = ["method", "path", "stream"]
"""


def load(folder: Path, text: str | bytes, name: str = "harness.toml") -> Project:
    """
    Write a configuration and load it from its folder.
    """
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_project(cwd=folder)


def refused(folder: Path, text: str | bytes, name: str = "harness.toml") -> str:
    """
    Return the message of a configuration that must be refused.
    """
    with pytest.raises(UserError) as caught:
        load(folder, text, name)
    message = str(caught.value)
    assert str(folder / name) in message
    assert caught.value.hint
    return message


def test_a_pyproject_table_says_everything(tmp_path):
    """
    A registration like that of docs/configuration.md is read as it stands there, without importing the target.
    """
    project = load(tmp_path, EXAMPLE, "pyproject.toml")

    [adapter] = project.adapters
    assert (project.family, project.package) == ("my-package", "my-package")
    assert (project.root, project.file) == (tmp_path, tmp_path / "pyproject.toml")
    assert (project.cassettes, project.reports) == (tmp_path / "tapes", tmp_path / "reports")
    assert adapter.id == "my-package/MyLLM"
    assert adapter.kwargs["api_key"] == "${MY_API_KEY:-placeholder}"
    assert adapter.env == {"MY_REGION": "eu"}
    assert adapter.declares == ("invoke", "ainvoke", "stream")
    assert adapter.match_on == ("method", "path", "stream")
    assert adapter.place == f"{tmp_path / 'pyproject.toml'} [tool.harness.adapters.MyLLM]"
    assert "my_package" not in sys.modules


def test_both_files_mean_the_same(tmp_path):
    """
    harness.toml has the same tables without the prefix.
    """
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    first = load(one, EXAMPLE, "pyproject.toml")
    bare = (
        EXAMPLE.replace("tool.harness.", "")
        .replace("[tool.harness]", "")
        .replace('[project]\nname = "my-package"\n', "")
    )
    second = load(other, 'family = "my-package"\n' + bare)

    assert first.adapters == second.adapters
    assert first.family == second.family


def test_a_project_sets_defaults_for_its_adapters(tmp_path):
    """
    What the project says of upstream, time-out, environment and usage holds where an adapter says nothing of its own.
    """
    project = load(
        tmp_path,
        """
        family = "f"
        upstream = "simulated"
        timeout = 5
        environment = "main"
        usage = { count = true }
        published = "published.csv"
        simulators = "sims"
        preload = ["httpx", "my_package.llms"]
        [adapters.A]
        target = "m:A"
        [adapters.B]
        target = "m:B"
        upstream = "engine"
        timeout = 7.5
        environment = "second"
        usage = {}
        """,
    )

    assert [(one.upstream, one.timeout, one.environment, one.usage) for one in project.adapters] == [
        (Upstream.SIMULATED, 5.0, "main", {"count": True}),
        (Upstream.ENGINE, 7.5, "second", {}),
    ]
    assert (project.published, project.simulators) == (tmp_path / "published.csv", (tmp_path / "sims",))
    assert project.preload == ("httpx", "my_package.llms")


def test_a_variable_of_the_project_is_one_of_each_adapter(tmp_path, monkeypatch):
    """
    The project's environment is every adapter's, which may set a variable to something else.
    """
    monkeypatch.setenv("PLACE", "here")
    project = load(
        tmp_path,
        """
        env = { OFFLINE = "1", REGION = "${PLACE}" }
        adapters.A = { target = "m:A", env = { REGION = "us" } }
        adapters.B = { target = "m:B" }
        """,
    )

    assert project.expanded_env() == {"OFFLINE": "1", "REGION": "here"}
    assert [one.env["REGION"] for one in project.adapters] == ["us", "${PLACE}"]
    assert all(one.env["OFFLINE"] == "1" for one in project.adapters)


def test_the_nearest_configuration_is_taken(tmp_path):
    """
    From the working directory upwards, past a pyproject.toml that does not speak of the harness.
    """
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "pyproject.toml").write_text('[project]\nname = "inner"\n')
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.harness]\nfamily = "middle"\n')
    (tmp_path / "harness.toml").write_text('family = "outer"\n')

    assert load_project(cwd=inner).family == "middle"
    assert load_project(cwd=inner).root == tmp_path / "a"


def test_harness_toml_comes_before_pyproject(tmp_path):
    """
    In one folder the harness's own file is taken.
    """
    (tmp_path / "pyproject.toml").write_text('[tool.harness]\nfamily = "from-pyproject"\n')

    assert load(tmp_path, 'family = "own"\n').family == "own"


def test_the_family_defaults_to_the_projects_name(tmp_path):
    """
    harness.toml takes it from the pyproject.toml beside it, and else the folder's name.
    """
    folder = tmp_path / "my-folder"
    folder.mkdir()

    assert load(folder, "").family == "my-folder"
    (folder / "pyproject.toml").write_text('[project]\nname = "my-dist"\n')
    assert load(folder, "").family == "my-dist"


def test_without_a_configuration_the_folder_is_the_project(tmp_path):
    """
    Nothing has to be written to have entry points and hooks found.
    """
    folder = tmp_path / "plain"
    folder.mkdir()

    assert load_project(cwd=folder) == Project(
        root=folder, family="plain", cassettes=folder / "cassettes", reports=folder / "reports"
    )


def test_a_named_file_is_taken_relative_to_the_working_directory(tmp_path):
    """
    `--config` may name any TOML file; its folder is the root.
    """
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.toml").write_text('[adapters.A]\ntarget = "m:A"\n')

    project = load_project(Path("sub/other.toml"), tmp_path)

    assert project.root == tmp_path / "sub"
    assert [adapter.name for adapter in project.adapters] == ["A"]


def test_a_project_that_is_not_installed_is_imported_from_its_folders(tmp_path):
    """
    The root and its `src`, if there is one.
    """
    assert load(tmp_path, "").import_paths == (tmp_path,)
    (tmp_path / "src").mkdir()
    assert load(tmp_path, "").import_paths == (tmp_path, tmp_path / "src")


@given(st.lists(st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_ ()äß中-]{0,12}[A-Za-z0-9]", fullmatch=True), unique=True))
def test_names_come_back_as_written_and_in_their_order(tmp_path_factory, names):
    """
    An adapter may have any name that can name a folder, and the file's order is the table's.
    """
    text = "".join(f'[adapters.{json.dumps(name, ensure_ascii=False)}]\ntarget = "m:A"\n' for name in names)

    project = load(tmp_path_factory.mktemp("names"), text)

    assert [adapter.name for adapter in project.adapters] == names


@pytest.mark.parametrize(
    ("text", "essentials"),
    [
        ("familly = 'x'", ["unknown key 'familly'; did you mean 'family'?", "cassettes"]),
        ("zzz = 1", ["unknown key 'zzz'", "keys here: family, cassettes"]),
        ("target = 'm:A'", ["unknown key 'target'", "it belongs in [adapters.NAME]"]),
        ("[tool.harness.adapters.A]\ntarget = 'm:A'", ["unknown key 'tool'", "without the prefix"]),
        ("family = 3", [", family: must be a string, not a whole number: 3"]),
        ("family = 'a/b'", [", family:", "cannot name the folder"]),
        ("cassettes = []", [", cassettes: must be a string, not a list"]),
        ("published = ''", [", published: must not be empty"]),
        ("preload = 'httpx'", [", preload: must be a list of strings", '["httpx"]']),
        ("preload = ['not a module']", ["'not a module' is not the name of a module"]),
        ("upstream = 'lice'", ["unknown upstream 'lice'; did you mean 'live'?"]),
        ("timeout = '30'", [", timeout: must be a number of seconds, not a string"]),
        ("words = 0", [", words: must be a positive whole number"]),
        ("adapters = 3", ["adapters must be a table", "[adapters.MyLLM]"]),
        ("[[adapters]]\nname = 'A'", ["adapters must be a table"]),
        ("[adapters]\nA = 'm:A'", ["[adapters.A]: an adapter must be a table, not 'm:A'"]),
        ("[adapters.A]\nkwargs = {}", ["[adapters.A]: has no target", "target ="]),
        ("[adapters.gpt-4.1]\ntarget = 'm:A'", ["[adapters.gpt-4]: has a table '1'", 'quotes: [adapters."gpt-4.1"]']),
        ("cassettes = 'harness.toml'", [", cassettes:", "harness.toml is a file", "name a folder"]),
        ("[adapters.A]\ntarget = 'm:A'\nkwarg = {}", ["[adapters.A]: unknown key 'kwarg'; did you mean 'kwargs'?"]),
        ("[adapters.A]\ntarget = 'm:A'\nfamily = 'f'", ["unknown key 'family'", "the top of the file"]),
        ("[adapters.A]\ntarget = 'm:A'\norigin = 'f'", ["unknown key 'origin'"]),
        ("[adapters.A]\ntarget = 'm.A'", ["[adapters.A], target: 'm.A' has no ':'", '"m:A"']),
        ("[adapters.A]\ntarget = 'm:A'\ndeclares = ['invok']", ["[adapters.A], declares: unknown capability 'invok'"]),
        ("[adapters.A]\ntarget = 'm:A'\nenv = { P = 1 }", ["[adapters.A], env.P: must be a string", 'P = "1"']),
        ("[adapters.A]\ntarget = 'm:A'\nkwargs = { d = 2023-11-21 }", ["kwargs.d:", "a date"]),
        ("[adapters.A]\ntarget = 'm:A'\nexpects = { stream = 'broken' }", ["expects needs a reason"]),
        ("[adapters.'a/b']\ntarget = 'm:A'", ['[adapters."a/b"], name:', "cannot name the folder"]),
    ],
)
def test_a_wrong_entry_is_refused_with_file_key_and_remedy(tmp_path, text, essentials):
    """
    Each error names the file, the table, the key and what to write instead.
    """
    message = refused(tmp_path, text)

    assert [part for part in essentials if part not in message] == []


def test_pyproject_errors_name_the_tables_as_they_stand_there(tmp_path):
    """
    The prefix is part of the table's name in pyproject.toml.
    """
    message = refused(tmp_path, "[tool.harness]\n[tool.harness.adapters.A]\ntarget = 1\n", "pyproject.toml")
    assert "pyproject.toml [tool.harness.adapters.A], target: must be a class, a function" in message

    message = refused(tmp_path, "[tool.harness]\ntarget = 1\n", "pyproject.toml")
    assert "it belongs in [tool.harness.adapters.NAME]" in message

    assert "tool.harness must be a table" in refused(tmp_path, "[tool]\nharness = 3\n", "pyproject.toml")


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("family = 'x'\ncassettes = = 'y'\nreports = 'z'\n", ":2:13:", "mend that line"),
        ("family = 'x'\n[adapters.A]\ntarget = 'm:", ":3:13:", "cut off"),
        ("family = 'x'\nkwargs = {", ":2:11:", "cut off"),
        ("family = 'x'\n[adapters.A", ":2:12:", "cut off"),
        ("family = 'x'\nfamily = 'y'\n", ":2:", "mend that line"),
        ("x = " + "[" * 50_000, ":", ""),
    ],
)
def test_broken_toml_is_refused_with_line_and_column(tmp_path, text, position, hint):
    """
    A syntax error is located, and a half-written file recognised as such.
    """
    message = refused(tmp_path, text)

    assert f"harness.toml{position}" in message
    assert hint in message


@given(cut=st.integers(min_value=0, max_value=len(EXAMPLE)))
def test_a_half_written_file_never_ends_in_a_traceback(tmp_path_factory, cut):
    """
    Wherever writing stopped, the file is read as far as it makes sense or refused as the user's to mend.
    """
    folder = tmp_path_factory.mktemp("cut")
    (folder / "pyproject.toml").write_text(EXAMPLE[:cut])
    try:
        project = load_project(cwd=folder)
    except UserError as error:
        told = str(error)
    else:
        told = str(folder / "pyproject.toml") if len(project.adapters) <= 1 else "too many"

    assert str(folder / "pyproject.toml") in told


def test_a_broken_pyproject_on_the_way_is_not_passed_over(tmp_path):
    """
    It might be the one that speaks of the harness.
    """
    assert ":1:" in refused(tmp_path, "[tool.harness", "pyproject.toml")


def test_what_is_not_text_is_refused(tmp_path):
    """
    The first byte that cannot be read is named.
    """
    assert "not UTF-8: byte 3" in refused(tmp_path, b"a='\xff'")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    """
    Some editors put one in front.
    """
    assert load(tmp_path, b"\xef\xbb\xbffamily = 'x'").family == "x"


def test_a_named_file_must_exist_and_speak_of_the_harness(tmp_path):
    """
    What `--config` names is never silently replaced by another file.
    """
    (tmp_path / "harness.toml").write_text("family = 'x'")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_project(Path("none.toml"), tmp_path)
    with pytest.raises(ConfigurationError, match="is a directory"):
        load_project(Path("sub"), tmp_path)
    with pytest.raises(ConfigurationError, match=r"has no table \[tool.harness\]") as caught:
        load_project(Path("sub/pyproject.toml"), tmp_path)
    assert "[tool.harness.adapters.MyLLM]" in str(caught.value)


@pytest.mark.skipif(
    sys.platform == "win32" or getattr(os, "geteuid", int)() == 0, reason="needs a user whom permissions bind"
)
def test_an_unreadable_file_is_refused(tmp_path):
    """
    A file without permission to read is the user's to mend.
    """
    (tmp_path / "harness.toml").touch(mode=0)

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_project(cwd=tmp_path)


def test_a_file_that_the_system_cannot_read_is_refused(tmp_path):
    """
    Whatever the operating system says is passed on; a loop of links fails for every user.
    """
    (tmp_path / "loop.toml").symlink_to("loop.toml")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_project(Path("loop.toml"), tmp_path)


def test_a_registration_error_is_the_users(tmp_path):
    """
    It ends with exit status 2, under a code of its own.
    """
    with pytest.raises(RegistrationError) as caught:
        load(tmp_path, "familly = 'x'")

    assert (caught.value.code, caught.value.exit_status) == ("registration", 2)

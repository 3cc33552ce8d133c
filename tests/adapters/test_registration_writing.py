"""A registration at the end of a configuration file: what was there stays, and what was written reads back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.adapter import Adapter
from harness.adapters.configuration import ConfigurationError
from harness.adapters.writing import file_for, read_value, registered, toml

HARNESS, PYPROJECT = Path("harness.toml"), Path("pyproject.toml")
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES.filter(lambda value: value is not None),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)
LINES = st.lists(
    st.sampled_from(["", "# a word", "[tool.other]", 'x = "y"', "[[many]]", "[tool.harness]", "[adapters.First]"]),
    max_size=8,
)


def _adapter(name: str = "MyLLM", **more: Any) -> Adapter:
    return Adapter(name=name, target="my_package.llms:MyLLM", **more)


@given(value=VALUES)
def test_every_plain_value_reads_back(value: Any) -> None:
    """
    Strings of any characters, numbers, lists and tables are written as TOML that means the same.
    """
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


def _is_toml(data: bytes) -> bool:
    try:
        tomllib.loads(data.removeprefix(b"\xef\xbb\xbf").decode())
    except tomllib.TOMLDecodeError:
        return False
    return True


@given(
    lines=LINES,
    newline=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    file=st.sampled_from([HARNESS, PYPROJECT]),
    kwargs=st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=3),
)
def test_what_was_there_stays_and_the_rest_is_the_registration(  # noqa: PLR0913, PLR0917 - hypothesis
    lines: list[str], newline: str, last: bool, bom: bytes, file: Path, kwargs: dict[str, Any]
) -> None:
    """
    Whatever a file holds, it begins as before, its tables mean what they meant, and one more is registered; a file that
    cannot take a table is refused and named.
    """
    data = bom + (newline.join(lines) + (newline if last else "")).encode()
    adapter = _adapter("My LLM.2", kwargs=kwargs)
    if not _is_toml(data):
        with pytest.raises(ConfigurationError, match="not valid TOML"):
            registered(data, file, adapter)
        return
    new = registered(data, file, adapter)
    assert new.startswith(data)
    added = new.removeprefix(data)
    assert added.count(b"\n") == added.count(newline.encode()) or b"\r\n" not in data
    expected, after = (tomllib.loads(text.removeprefix(bom).decode()) for text in (data, new))
    ours = expected.setdefault("tool", {}).setdefault("harness", {}) if file is PYPROJECT else expected
    table = {"target": "my_package.llms:MyLLM", **({"kwargs": kwargs} if kwargs else {})}
    ours.setdefault("adapters", {})["My LLM.2"] = table
    assert after == expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'[adapters.MyLLM]\ntarget = "a:b"\n', "registered already"),
        (b"adapters = { A = { target = 'a:b' } }\n", "cannot be put in"),
        (b"adapters = 1\n", "cannot be put in"),
        (b"[adapters\n", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
    ],
)
def test_a_file_that_cannot_take_it_is_refused(data: bytes, words: str) -> None:
    """
    Nothing is overwritten, and what has to be done by hand is said.
    """
    with pytest.raises(ConfigurationError) as raised:
        registered(data, HARNESS, _adapter())
    assert words in raised.value.message
    assert raised.value.hint


def test_the_family_is_written_into_a_new_file_only() -> None:
    """
    A file that says its family already is not contradicted.
    """
    new = registered(b"", HARNESS, _adapter(), "mine")
    assert tomllib.loads(new.decode())["family"] == "mine"
    assert registered(new, HARNESS, _adapter("Other"), "mine").startswith(new)
    with pytest.raises(ConfigurationError, match="its family is 'mine'"):
        registered(new, HARNESS, _adapter("Other"), "yours")
    project = registered(b'[project]\nname = "p"\n', PYPROJECT, _adapter(), "mine")
    assert tomllib.loads(project.decode())["tool"]["harness"]["family"] == "mine"


def test_it_goes_into_the_projects_own_file(tmp_path: Path) -> None:
    """
    The nearest configuration upwards, otherwise the pyproject.toml that is there, otherwise a new harness.toml.
    """
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert file_for(None, inner) == inner / "harness.toml"
    (inner / "pyproject.toml").write_text("[project]\nname = 'p'\n")
    assert file_for(None, inner) == inner / "pyproject.toml"
    (tmp_path / "harness.toml").write_text("")
    assert file_for(None, inner) == tmp_path / "harness.toml"
    assert file_for(Path("x.toml"), inner) == inner / "x.toml"


@pytest.mark.parametrize(
    ("text", "value"),
    [("m-1", "m-1"), ("1", 1), ("0.5", 0.5), ("true", True), ('"1"', "1"), ('["a"]', ["a"]),
     ("2024-01-01", "2024-01-01"), ("${KEY:-x}", "${KEY:-x}"), ("", "")],
)  # fmt: skip
def test_values_are_read_as_people_type_them(text: str, value: object) -> None:
    """
    What is no TOML value is the text itself.
    """
    assert read_value(text) == value

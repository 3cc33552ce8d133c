"""The reports folder and its badges: all of it or none, the same bytes for the same matrix."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hostile import matrices, names
from hypothesis import given
from made_up import made_up

from harness.errors import ReportError
from harness.report.badges import badges
from harness.report.text import anchor, safe_name
from harness.report.write import write_reports
from harness.words import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cells import Matrix


def contents(folder: Path) -> dict[str, bytes]:
    """
    Return every file under a folder.
    """
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_matrices_give_equal_folders(tmp_path: Path):
    """
    A second run changes no byte, whatever the order of its results.
    """
    matrix = made_up(3, families=2)
    turned = replace(matrix, adapters=matrix.adapters[::-1], cells=matrix.cells[::-1])
    written = write_reports(tmp_path / "a", matrix)
    write_reports(tmp_path / "b", turned)

    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert [path.relative_to(tmp_path / "a").as_posix() for path in written][:3] == [
        "matrix.json", "matrix.md", "index.html",
    ]  # fmt: skip
    assert set(written) == {path for path in (tmp_path / "a").rglob("*") if path.is_file()}


def test_a_folder_that_cannot_be_written_loses_nothing(tmp_path: Path):
    """
    Where one report cannot be written, the old ones are all still there, and no drafts are.
    """
    write_reports(tmp_path, made_up(1))
    before = contents(tmp_path)
    for path in [one for one in (tmp_path / "badges").rglob("*") if one.is_file()]:
        path.unlink()
    for path in sorted((tmp_path / "badges").rglob("*"), reverse=True):
        path.rmdir()
    (tmp_path / "badges").rmdir()
    (tmp_path / "badges").write_text("in the way")

    with pytest.raises(ReportError, match="cannot be written") as caught:
        write_reports(tmp_path, made_up(2))
    assert caught.value.hint
    after = contents(tmp_path)
    assert after.pop("badges") == b"in the way"
    assert {name: data for name, data in before.items() if not name.startswith("badges/")} == after


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may write everywhere")
def test_a_read_only_folder_is_explained(tmp_path: Path):
    """
    The message says what to do about it.
    """
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(ReportError, match="Permission denied"):
            write_reports(tmp_path, made_up(1))
    finally:
        tmp_path.chmod(0o700)


@given(matrices())
def test_any_matrix_can_be_written_as_bytes(matrix: Matrix):
    """
    Badges of hostile names have safe paths, each its own, valid JSON and well-formed pictures that load nothing.
    """
    found = list(badges(matrix))

    assert len({path for path, _ in found}) == len(found)
    for path, text in found:
        assert set(path) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
        assert not {"", ".", ".."} & set(path.split("/"))
        if path.endswith(".json"):
            assert json.loads(text)["schemaVersion"] == 1
            continue
        picture = ET.fromstring(text)  # noqa: S314 - our own picture
        assert {part.tag.rpartition("}")[2] for part in picture.iter()} == {"svg", "title", "rect", "path", "g", "text"}
        assert not [name for part in picture.iter() for name in part.attrib if "href" in name or "style" in name]


@given(names, names)
def test_different_names_have_different_anchors(one: str, other: str):
    """
    No two adapters of a family lead to the same evidence or share a file.
    """
    assert (safe_name(one) == safe_name(other)) == (one == other)
    assert "--" not in safe_name(one)


def test_an_anchor_is_family_adapter_and_capability():
    """
    Ordinary names are left as they are, so that links can be written by hand.
    """
    capability = made_up(1).cells[3].capability

    assert anchor("langchain-0.0.337", "OpenAI", capability) == "langchain-0.0.337--OpenAI--astream"


def test_badges_say_in_words_what_they_colour():
    """
    Green is for all native only; what is unknown, broken or blocked is said.
    """
    matrix = made_up(12)

    files = dict(badges(matrix))

    def badge(adapter: str | None) -> tuple[str, str]:
        found = json.loads(files[f"langchain-0.0.337/{adapter}.json" if adapter else "langchain-0.0.337.json"])
        return found["message"], found["color"]

    assert badge("Fireworks") == ("6/6 native", "brightgreen")
    assert badge("OpenAI") == ("4/6 native", "blue")
    assert badge("Petals") == ("1/6 native, 1 unknown", "lightgrey")
    assert badge("VertexAI") == ("0/6 native, 6 blocked", "red")
    assert badge(None) == ("33/72 native, 1 broken, 6 blocked, 1 unknown", "red")


def test_a_cell_that_was_not_measured_is_unknown_on_a_badge():
    """
    Five native cells and no sixth are not six.
    """
    matrix = made_up(10)
    cells = tuple(cell for cell in matrix.cells if cell.adapter == "Fireworks" and cell.verdict is Verdict.NATIVE)[:5]
    found = json.loads(dict(badges(replace(matrix, cells=cells)))["langchain-0.0.337/Fireworks.json"])

    assert (found["message"], found["color"]) == ("5/6 native, 1 unknown", "lightgrey")


def test_a_picture_says_what_the_endpoint_file_says():
    """
    The picture of a badge has its words, for eyes and for screen readers, and its colour.
    """
    picture = ET.fromstring(dict(badges(made_up(12)))["langchain-0.0.337/Petals.svg"])  # noqa: S314 - as above

    assert picture.get("aria-label") == "Petals: 1/6 native, 1 unknown"
    assert [part.text for part in picture.iter() if part.tag.endswith("}text")] == ["Petals", "1/6 native, 1 unknown"]
    assert "#5c636a" in {part.get("fill") for part in picture.iter()}

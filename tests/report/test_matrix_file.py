"""matrix.json: what is written reads back, equal matrices are equal bytes, and bad files are refused with advice."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hostile import matrices
from hypothesis import given
from hypothesis import strategies as st
from made_up import made_up, with_checks

from harness.cells import Evidence, ItemLine, Matrix, Timeline
from harness.errors import ReportError
from harness.report.matrix import (
    decode_matrix,
    encode_matrix,
    read_matrix,
    sorted_adapters,
    sorted_cells,
    write_matrix,
)
from harness.report.merge import merge
from harness.words import Verdict

if TYPE_CHECKING:
    import random
    from pathlib import Path


def in_order(matrix: Matrix) -> Matrix:
    """
    Return a matrix as a file gives it back: sorted.
    """
    return replace(matrix, adapters=tuple(sorted_adapters(matrix)), cells=tuple(sorted_cells(matrix)))


def part(matrix: Matrix, number: int) -> Matrix:
    """
    Return a matrix of one of its adapters.
    """
    adapter = matrix.adapters[number]
    cells = tuple(cell for cell in matrix.cells if (cell.family, cell.adapter) == (adapter.family, adapter.name))
    return replace(matrix, adapters=(adapter,), cells=cells)


def refusal(data: bytes) -> str:
    """
    Return what is said when these bytes are read.
    """
    with pytest.raises(ReportError) as caught:
        decode_matrix(data, where="m.json")
    assert caught.value.hint
    return str(caught.value)


def test_what_is_written_reads_back(tmp_path: Path):
    """
    A matrix survives being written and read, whatever it holds.
    """
    matrix = made_up(12, families=3)
    write_matrix(tmp_path / "new" / "matrix.json", matrix)

    assert in_order(matrix) == read_matrix(tmp_path / "new" / "matrix.json")


@given(matrices())
def test_hostile_text_survives_the_file(matrix: Matrix):
    """
    Names, reasons and errors come back as they were, lone surrogates included; a second writing changes nothing.
    """
    data = encode_matrix(matrix)
    again = decode_matrix(data, where="m.json")

    assert [cell.reason for cell in sorted_cells(matrix)] == [cell.reason for cell in again.cells]
    assert [adapter.name for adapter in sorted_adapters(matrix)] == [adapter.name for adapter in again.adapters]
    assert data == encode_matrix(again)


@given(st.randoms(use_true_random=False))
def test_equal_matrices_are_equal_bytes(dice: random.Random):
    """
    The order in which adapters and cells were measured leaves no trace.
    """
    matrix = made_up(5, families=2)
    adapters, cells = list(matrix.adapters), list(matrix.cells)
    dice.shuffle(adapters)
    dice.shuffle(cells)

    assert encode_matrix(matrix) == encode_matrix(replace(matrix, adapters=tuple(adapters), cells=tuple(cells)))


def test_a_whole_number_of_seconds_is_the_same_bytes_as_a_float():
    """
    Equal times give equal bytes, with at most six digits and without a negative zero.
    """
    matrix = part(made_up(1), 0)

    def at(time: float) -> bytes:
        timeline = Timeline(items=(ItemLine(at=time, text="", counts=True, after=0),))
        evidence = Evidence(first_item_at=time, timeline=timeline)
        return encode_matrix(replace(matrix, cells=(replace(matrix.cells[0], evidence=evidence),)))

    assert at(1) == at(1.0) == at(1.00000004)
    assert at(0.0) == at(-0.0)


def test_the_file_is_readable_text():
    """
    It ends in a newline, keeps letters as they are and has no line for every number.
    """
    data = encode_matrix(made_up(2))

    assert data.endswith(b"}\n")
    assert len(data.splitlines()) < 1500
    assert "Zoë" in encode_matrix(replace(made_up(1), harness="Zoë")).decode()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_off_file_is_named_as_one(share: float):
    """
    Wherever a file breaks off, the message says so or calls it empty.
    """
    data = encode_matrix(made_up(2))
    said = refusal(data[: int(len(data) * share)])

    assert "is cut off" in said or "is empty" in said or "is not JSON" in said


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"[1, 2]", "no schema_version"),
        (b'{"log": {"entries": []}}', "no schema_version"),
        (b'{"schema_version": 2}', "schema_version 2; this harness reads 1"),
        (b'{"schema_version": true}', "schema_version true"),
        (b"\xff\xfe", "not UTF-8"),
        (b"name: yaml", "is not JSON"),
        (b'{"schema_version": NaN}', "NaN is not a JSON number"),
        (b'{"schema_version": 1, "x": 1e999}', "1e999 is not a JSON number"),
        (b"[" * 100_000, "m.json"),
        (b'{"schema_version": 1}', "complete: this key is missing"),
    ],
)
def test_foreign_files_are_refused_with_advice(data: bytes, words: str):
    """
    What is no matrix, or one of another version, is called what it is.
    """
    assert words in refusal(data)


def test_a_bad_key_is_named_by_its_path():
    """
    The message leads to the value, not to the file.
    """
    document = json.loads(encode_matrix(made_up(1)))
    document["cells"][3]["evidence"]["items"] = -1

    assert "cells[3].evidence.items: -1 is less than 0" in refusal(json.dumps(document).encode())


def test_a_cell_without_adapter_and_doubled_ones_are_refused():
    """
    Cells belong to adapters, each once.
    """
    document = json.loads(encode_matrix(made_up(1)))

    assert "has no adapter" in refusal(json.dumps({**document, "adapters": []}).encode())
    assert "twice" in refusal(json.dumps({**document, "cells": document["cells"] * 2}).encode())
    assert "twice" in refusal(json.dumps({**document, "adapters": document["adapters"] * 2}).encode())


def test_a_check_without_adapter_and_doubled_ones_are_refused():
    """
    Of a check there is one result for each cell; without checks the file has no such key.
    """
    matrix = with_checks(made_up(2))
    for checks in ((replace(matrix.checks[0], adapter="Nobody"),), (*matrix.checks, matrix.checks[0])):
        with pytest.raises(ReportError, match="loop-guard"):
            decode_matrix(encode_matrix(replace(matrix, checks=checks)), where="here")
    assert decode_matrix(encode_matrix(matrix), where="here").checks == matrix.checks
    assert b'"checks"' not in encode_matrix(made_up(2))


def test_keys_of_a_newer_harness_are_ignored():
    """
    What the schema leaves open may grow without breaking older readers.
    """
    document = json.loads(encode_matrix(made_up(1)))
    document["cells"][0]["evidence"]["tokens"] = 7
    document["host"] = "somewhere"

    assert in_order(made_up(1)) == decode_matrix(json.dumps(document).encode(), where="m.json")


def test_a_missing_file_is_the_users_mistake(tmp_path: Path):
    """
    The message names the file and how to get one.
    """
    with pytest.raises(ReportError, match=r"none.json: cannot be read") as caught:
        read_matrix(tmp_path / "none.json")

    assert caught.value.exit_status == 2


def test_the_old_file_survives_a_failed_write(tmp_path: Path):
    """
    A folder that cannot be written leaves the old matrix whole and no draft behind.
    """
    target = tmp_path / "matrix.json"
    target.mkdir()
    (target / "keep").write_text("old")

    with pytest.raises(ReportError, match="cannot be written: it is a folder"):
        write_matrix(target, made_up(1))
    assert [target] == list(tmp_path.iterdir())
    assert (target / "keep").read_text() == "old"


def test_a_file_in_place_of_the_folder_is_explained(tmp_path: Path):
    """
    The hint names the folder.
    """
    (tmp_path / "reports").write_text("not a folder")

    with pytest.raises(ReportError, match=r"make .*reports a folder"):
        write_matrix(tmp_path / "reports" / "matrix.json", made_up(1))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this platform")
def test_a_device_is_written_and_not_replaced(tmp_path: Path):
    """
    `--json /dev/stdout` and its like work.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        matrix = replace(made_up(1), cells=())
        write_matrix(pipe, matrix)
        assert encode_matrix(matrix) == os.read(reader, 1 << 16)
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_merging_the_parts_gives_the_whole():
    """
    Runs of parts, in any order and with overlaps that agree, make up the whole.
    """
    whole = made_up(4, families=2)
    parts = [part(whole, number) for number in (2, 0, 3, 1, 2)]

    assert encode_matrix(whole) == encode_matrix(merge(parts))


def test_a_merge_is_complete_only_if_all_parts_are():
    """
    One interrupted run makes the whole incomplete.
    """
    whole = made_up(2)

    assert merge([part(whole, 0), part(whole, 1)]).complete
    assert not merge([part(whole, 0), replace(part(whole, 1), complete=False)]).complete


def test_contradicting_runs_are_refused_by_name():
    """
    The same cell or adapter measured twice with different outcomes is named; versions must agree.
    """
    one = made_up(1)
    other_cells = (replace(one.cells[2], verdict=Verdict.UNKNOWN, mechanism=None), *one.cells[3:])

    with pytest.raises(ReportError, match=r"langchain-0.0.337/OpenAI::stream was measured twice"):
        merge([one, replace(one, cells=other_cells)])
    with pytest.raises(ReportError, match=r"langchain-0.0.337/OpenAI was measured twice"):
        merge([one, replace(one, adapters=(replace(one.adapters[0], target="other:Other"),))])
    with pytest.raises(ReportError, match=r"harness versions differ: 0\.1\.0 in matrix 1; 0\.2\.0 in matrix 2"):
        merge([one, replace(one, harness="0.2.0")])
    with pytest.raises(ReportError, match="no matrix"):
        merge([])

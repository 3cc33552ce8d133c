"""Shards of a run: together they are the run, byte for byte; what does not belong together is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from made_up import made_up, with_checks

from harness.cells import Matrix, Shard
from harness.errors import ReportError
from harness.report.matrix import decode_matrix, encode_matrix
from harness.report.merge import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE = replace(with_checks(made_up(12, families=2)), battery=1)
FILES = ("a.json", "b.json", "c.json", "d.json", "e.json")


def shard(number: int, of: int = 5, *, inputs: str = "0" * 64, whole: bool = True) -> Matrix:
    """
    Return every so-manieth adapter of the whole.
    """
    adapters = WHOLE.adapters[number - 1 :: of]
    names = {(one.family, one.name) for one in adapters}
    cells = tuple(cell for cell in WHOLE.cells if (cell.family, cell.adapter) in names)
    told = Shard(number=number, of=of, cells=len(cells), whole=whole, inputs=inputs)
    checks = tuple(one for one in WHOLE.checks if (one.family, one.adapter) in names)
    made = replace(WHOLE, complete=False, adapters=adapters, cells=cells, shard=told, checks=checks)
    return decode_matrix(encode_matrix(made), where="a file")


def refused(parts: Sequence[Matrix]) -> str:
    """
    Return why parts cannot be merged.
    """
    with pytest.raises(ReportError) as caught:
        merge(parts, FILES[: len(parts)])
    assert caught.value.hint
    return str(caught.value)


def test_five_shards_are_the_run_without_shards():
    """
    In any order they give its bytes; where they were a part of what is registered, the result is one too.
    """
    merged = merge([shard(number) for number in (3, 1, 5, 2, 4)])

    assert encode_matrix(merged) == encode_matrix(WHOLE)
    assert not merge([shard(number, whole=False) for number in range(1, 6)]).complete


def test_a_missing_shard_is_named():
    """
    The message says which one, which ones are there, and how to run it.
    """
    said = refused([shard(1), shard(2), shard(4), shard(5)])

    assert said.startswith("shard 3/5 is missing; there are a.json (shard 1/5), b.json (shard 2/5)")
    assert "--shard 3/5" in said
    assert "shards 2/5, 3/5, 4/5, 5/5 are missing; there is a.json (shard 1/5)" in refused([shard(1)])


def test_a_doubled_shard_is_named():
    """
    Both files are named, although what they hold is the same.
    """
    assert "shard 2/5 is there twice: b.json and e.json" in refused([shard(number) for number in (1, 2, 3, 4, 2)])


def test_a_shard_that_was_cut_short_is_named():
    """
    An interrupted run left fewer cells than it was to measure.
    """
    short = replace(shard(2), cells=shard(2).cells[:-1])

    assert "b.json: shard 2/5 was cut short: it has 17 of its 18 cells" in refused([shard(1), short])


def test_a_shard_of_other_inputs_is_named():
    """
    The odd one out is told from the others, by its cassettes, its number of shards or its battery.
    """
    others = [shard(number) for number in (1, 2, 3, 4)]

    assert "e.json (shard 5/5) measured other registrations or cassettes than a.json (shard 1/5)" in refused(
        [*others, shard(5, inputs="1" * 64)]
    )
    assert "e.json (shard 2/4) is of another number of shards than a.json" in refused([*others, shard(2, of=4)])
    assert "battery versions differ: 1 in a.json, b.json, c.json, d.json; 2 in e.json" in refused(
        [*others, replace(shard(5), battery=2)]
    )


def test_several_runs_may_each_have_their_shards():
    """
    Two environments, each with all its shards, and a part without any, are merged like any parts.
    """
    half = [replace(shard(number, of=2), complete=False) for number in (1, 2)]
    other = replace(made_up(1), battery=1)
    named = replace(other.adapters[0], name="Other")
    cells = tuple(replace(cell, adapter="Other") for cell in other.cells)
    alone = Shard(number=1, of=1, cells=6, whole=True, inputs="2" * 64)

    merged = merge([*half, replace(other, adapters=(named,), cells=cells, shard=alone)])

    assert len(merged.cells) == len(WHOLE.cells) + 6
    assert merged.shard is None

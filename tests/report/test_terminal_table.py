"""The terminal's table: whole words at any width, plain text without colour, nothing that steers a terminal."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import replace

import pytest
from hostile import matrices
from hypothesis import given
from made_up import NAMES, made_up, with_checks

from harness.cells import Matrix
from harness.report.matrix import sorted_adapters
from harness.report.terminal import render_terminal
from harness.report.text import one_line, width_of

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def bare(text: str) -> str:
    """
    Return text without its colours.
    """
    return ESCAPES.sub("", text)


@pytest.mark.parametrize("width", [40, 60, 74, 80, 100, 140, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, colour: bool):
    """
    Six columns fit eighty columns, and fewer.
    """
    text = bare(render_terminal(made_up(12, families=2), width, colour))

    assert max(width_of(line) for line in text.splitlines()) <= width
    assert "…" not in text


@pytest.mark.parametrize(("width", "apart"), [(40, False), (80, True), (120, True), (220, False)])
def test_columns_of_checks_stand_beside_the_calls_or_below(width: int, apart: bool):
    """
    Beside them where all of it fits, otherwise in a table of their own; on a narrow terminal in each adapter's list.
    """
    text = bare(render_terminal(with_checks(made_up(6)), width, colour=False))
    heads = [line for line in text.splitlines() if line.startswith("Adapter")]

    assert max(width_of(line) for line in text.splitlines()) <= width
    assert len(heads) == (0 if width == 40 else 2 if apart else 1)
    for words in ("guard", "rebuilds", "LoopError", "+ ", "x ", "n/a ", "?"):
        assert words in text


@pytest.mark.parametrize("width", [40, 80, 140])
def test_no_name_is_cut(width: int):
    """
    A long name is folded over several lines; every letter of it is there.
    """
    text = bare(render_terminal(made_up(12), width, colour=False))
    first = "".join(line.split("|")[0].strip() if "|" in line else line.strip() for line in text.splitlines())

    assert all(name in first for name in NAMES)


def test_a_wide_table_has_symbol_and_word():
    """
    Each cell says in one word what it is.
    """
    text = bare(render_terminal(made_up(12), 160, colour=True))

    assert all(
        words in text for words in ("✅ native", "❌ worker-thread", "❌ unsupported", "? unknown", "❌ blocked")
    )


def test_eighty_columns_keep_symbol_and_word():
    """
    Long words are broken at a syllable, not shortened.
    """
    text = bare(render_terminal(made_up(12), 80, colour=True))

    assert all(words in text for words in ("✅ native", "❌ worker-", "thread", "❌ sequen-", "tial", "❌ blocked"))
    lines = text.splitlines()
    first, second = next(pair for pair in itertools.pairwise(lines) if "❌ sequen-" in pair[0])
    # an emoji takes two columns and is one character
    ahead = first[: first.index("sequen-")]
    assert width_of(second[: second.index("tial")]) == width_of(ahead)


def test_without_colour_all_of_ours_is_ascii():
    """
    A log file or an old terminal gets plain characters and no escapes.
    """
    text = render_terminal(made_up(12, families=3), 80, colour=False)

    assert text.isascii()
    assert "\x1b" not in text
    assert "+ native" in text


def test_totals_and_problems_are_told():
    """
    The last lines count every cell and name the root cause of what is blocked.
    """
    text = " ".join(bare(render_terminal(made_up(12), 80, colour=False)).split())

    assert "VertexAI: ImportError" in text
    assert "12 adapters, 72 cells: 33 native, 30 fallback, 1 broken, 1 unsupported, 6 blocked, 1 unknown" in text


def test_an_incomplete_run_says_so_and_an_empty_one_is_no_error():
    """
    What was not measured is not passed over.
    """
    assert "incomplete" in render_terminal(replace(made_up(1), complete=False), 120, colour=False)
    whole = made_up(1)
    part = replace(whole, complete=False, cells=tuple(one for one in whole.cells if one.capability == "stream"))
    for width in (60, 80, 120):
        text = render_terminal(part, width, colour=False)
        assert "1 adapter, 1 cell: 1 " in " ".join(text.split())
        assert "unknown" not in text
    assert "0 adapters" in render_terminal(Matrix(complete=True, harness="", python="", adapters=(), cells=()))


@given(matrices())
def test_strangers_text_cannot_steer_the_terminal(matrix: Matrix):
    """
    The only control characters are line ends and our own colours.
    """
    for colour in (True, False):
        text = bare(render_terminal(matrix, 80, colour))
        steering = {char for char in text if unicodedata.category(char) in {"Cc", "Cs"} or char in "\u202e\u2066"}
        assert steering <= {"\n"}


@given(matrices())
def test_hostile_names_are_all_there(matrix: Matrix):
    """
    Markup of the terminal library in a name is text like any other; nothing of a name is lost.
    """
    text = "".join(render_terminal(matrix, 300, colour=False).split())

    for adapter in sorted_adapters(matrix):
        assert "".join(one_line(adapter.name).split()) in text

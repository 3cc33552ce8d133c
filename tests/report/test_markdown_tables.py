"""matrix.md: parsed by a Markdown parser, every cell is where it belongs and every text is as it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostile import matrices, texts
from hypothesis import given
from made_up import made_up, with_checks
from markdown_it import MarkdownIt

from harness.report.markdown import escape, render_detailed, render_markdown, render_published
from harness.report.matrix import cells_of, sorted_adapters
from harness.report.text import one_line
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markdown_it.token import Token

    from harness.cells import Matrix

HEADER = "| Model | Invoke | Async invoke | Stream | Async stream | Batch | Async batch |"


def parse(text: str) -> list[Token]:
    """
    Return the tokens of a Markdown text, tables included.
    """
    return MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)


def shown(token: Token) -> str:
    """
    Return what a reader sees of an inline token; a tag that came through is seen as one.
    """
    children = token.children or []
    return "".join(
        child.content if child.type in {"text", "text_special", "html_inline"} else "\n" for child in children
    )


def tables(tokens: Iterable[Token]) -> list[list[list[str]]]:
    """
    Return the tables of a text, as rows of what a reader sees in their cells.
    """
    found: list[list[list[str]]] = []
    for token in tokens:
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type == "inline" and token.level >= 4 and found:
            found[-1][-1].append(shown(token))
    return found


def rows_of(matrix: Matrix, family: str) -> list[list[str]]:
    """
    Return the rows that the published table of a family must have.
    """
    cells = cells_of(matrix)
    rows = []
    for adapter in sorted_adapters(matrix):
        if adapter.family == family:
            own = cells.get((family, adapter.name), {})
            symbols = [own[each].verdict.symbol if each in own else "?" for each in Capability]
            rows.append([one_line(adapter.name).strip(), *symbols])
    return rows


def test_the_published_look_is_the_published_one():
    """
    Header, rule and symbols are what the old pages had, to the letter.
    """
    lines = render_published(made_up(3)).splitlines()

    assert lines[:2] == [HEADER, "| :- | :-: | :-: | :-: | :-: | :-: | :-: |"]
    assert "| OpenAI | ✅ | ❌ | ✅ | ❌ | ✅ | ✅ |" in lines
    assert len(lines) == 5


def test_one_family_can_be_asked_for():
    """
    A page about one family gets its table and nothing else.
    """
    matrix = made_up(6, families=2)
    found = tables(parse(render_published(matrix, "litellm")))

    assert [rows_of(matrix, "litellm")] == [table[1:] for table in found]
    assert len(tables(parse(render_published(matrix)))) == 2


@given(matrices())
def test_every_symbol_stands_in_its_cell(matrix: Matrix):
    """
    Whatever adapters are called, a parser finds seven cells a row, with the name as it was, and one a column of checks.
    """
    for family in {adapter.family for adapter in matrix.adapters}:
        (table,) = tables(parse(render_published(matrix, family)))
        assert rows_of(matrix, family) == [row[:7] for row in table[1:]]
        assert {len(row) for row in table} == {7 + len({one.check for one in matrix.checks})}


@given(texts)
def test_any_text_round_trips_through_a_table(text: str):
    """
    Pipes, line ends, tags, back-ticks and the rest are seen as they were.
    """
    (table,) = tables(parse(f"| a | b |\n| - | - |\n| x{escape(text)}x | y |\n"))

    assert [[f"x{one_line(text)}x", "y"]] == table[1:]


@given(texts)
def test_any_text_round_trips_in_a_list(text: str):
    """
    A reason that looks like a list, a heading or a rule does not become one.
    """
    tokens = [token for token in parse(f"- {escape(text)} end\n") if token.type != "inline"]

    assert [token.type for token in tokens[:3]] == ["bullet_list_open", "list_item_open", "paragraph_open"]
    assert len(tokens) == 6


@given(matrices())
def test_no_tag_of_a_stranger_comes_through(matrix: Matrix):
    """
    The only HTML in the file is the small numbers of its notes.
    """
    for token in parse(render_markdown(matrix)):
        assert token.type != "html_block"
        for child in token.children or []:
            assert child.type != "html_inline" or child.content in {"<sup>", "</sup>"}
            assert child.type not in {"link_open", "image"}


def test_checks_are_columns_and_what_came_of_them_stands_below():
    """
    A symbol in the published look, symbol and figure in the other, and each sentence once for all that differ in
    figures; without checks the text is what it was.
    """
    plain = made_up(6)
    text = render_markdown(with_checks(plain))

    assert "Async batch | Loop guard | Stream rebuilds |" in text
    assert "| ❌ stream: LoopError after 1, astream: LoopError after 2 |" in text
    assert "- n/a loop-guard was tried with 2 pieces (Ollama, Stream and 1 cell more)" in text
    assert "- ? of a check: it was not tried there: its column is switched on for others" in text
    assert "not tried there" not in render_markdown(replace(with_checks(plain), adapters=plain.adapters[1:]))
    assert "Loop guard" not in render_markdown(plain)


def test_notes_are_numbered_and_not_repeated():
    """
    Cells of one verdict, mechanism and kind of reason share a note, figures apart; every number has its note.
    """
    matrix = made_up(12)
    text = render_detailed(matrix)
    notes = [line for line in text.splitlines() if line[:1].isdigit()]
    numbers = {part.split("<")[0] for part in text.split("<sup>")[1:]}

    assert {str(number) for number in range(1, len(notes) + 1)} == numbers
    assert len(notes) < 12
    assert sum("**fallback, sequential**" in note for note in notes) == 1


def test_the_detailed_look_names_versions_upstreams_and_problems():
    """
    Provenance, legend and the root cause of what is blocked are there; simulated is said, not live.
    """
    text = render_detailed(made_up(11))

    assert "over recordings of these kinds: live, simulated." in text
    assert "openai 1.3.3" in text
    assert "install google-cloud-aiplatform" in text
    assert "❌ **worker-thread** (a fallback)" in text

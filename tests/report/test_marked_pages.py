"""Hand-written pages: what stands outside of the markers stays, what stands between them is the table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import made_up, with_checks
from markdown_it import MarkdownIt

from harness.errors import HarnessError
from harness.report.page_markers import PageError, blocks
from harness.report.page_table import rewritten

MATRIX = replace(made_up(4), battery=1)
TWO = made_up(6, families=2)
FAMILY = "langchain-0.0.337"
BEGIN, END = "<!-- harness:begin -->", "<!-- harness:end -->"

FORMS = st.sampled_from(
    [
        ("<!-- harness:begin -->", "<!-- harness:end -->"),
        ("{/* harness:begin show=both */}", "{/* harness:end */}"),
        ("  <!--harness:begin show=words footnotes=yes-->", "\t<!--   harness:end   -->"),
        ("> <!-- harness:begin columns=stream,upstream stamp=no evidence=r/index.html -->", "> <!-- harness:end -->"),
    ]
)
# no fence may open or close by chance, and no marker may come about: what those do has tests of its own
PROSE = st.binary(max_size=60).filter(lambda data: not any(sign in data for sign in (b"harness:", b"```", b"~~~")))
NEWLINES = st.sampled_from([b"\n", b"\r\n"])
OLD = st.binary(max_size=80).filter(lambda data: not any(sign in data for sign in (b"harness:", b"```", b"~~~")))


@st.composite
def pages(draw: st.DrawFn) -> tuple[bytes, bytes, bytes, bytes]:
    """
    Draw a page: what stands before its markers (with the first), between, after (with the last), and the newline.
    """
    (begin, end), newline = draw(FORMS), draw(NEWLINES)
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    lines = draw(st.lists(PROSE, max_size=6))
    above = b"".join(line + newline for line in lines)
    below = newline.join(draw(st.lists(PROSE, max_size=6)))
    last = newline if below else draw(st.sampled_from([b"", newline]))
    old = b"".join(line + newline for line in draw(st.lists(OLD, max_size=4)))
    return bom + above + begin.encode() + newline, old, end.encode() + last + below, newline


@given(page=pages())
def test_everything_outside_of_the_markers_is_unchanged(page: tuple[bytes, bytes, bytes, bytes]) -> None:
    """
    Whatever bytes a page is made of, it begins and ends as before, and what is new ends its lines as the page does.
    """
    above, old, below, newline = page
    new = rewritten(above + old + below, MATRIX, "page.md")
    assert new.startswith(above)
    assert new.endswith(below)
    inside = new[len(above) : len(new) - len(below)]
    assert inside.count(b"\n") == inside.count(newline) > 5
    assert b"Anthropic" in inside


@given(page=pages())
def test_twice_is_the_same_as_once(page: tuple[bytes, bytes, bytes, bytes]) -> None:
    """
    A page that was rewritten is as it should be, so nothing is left to do; and what stood there has no influence.
    """
    above, old, below, _ = page
    once = rewritten(above + old + below, MATRIX, "page.md")
    assert rewritten(once, MATRIX, "page.md") == once
    assert rewritten(above + below, MATRIX, "page.md") == once


@given(data=st.binary(max_size=300))
def test_any_bytes_are_a_page_or_a_mistake_that_is_told(data: bytes) -> None:
    """
    Nothing that is fed in as a page crashes; a page without markers comes back as it was.
    """
    try:
        new = rewritten(data, MATRIX, "page.md")
    except HarnessError as error:
        told = error
    else:
        assert blocks(data, "page.md") or new == data
        return
    assert told.where
    assert told.hint


def _page(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ((BEGIN, "text"), 1, "never closed"),
        (("text", END), 2, "without a harness:begin"),
        ((BEGIN, "a", BEGIN, END), 3, "inside of the one in line 1"),
        ((BEGIN, END, END), 3, "without a harness:begin"),
        ((BEGIN, END, "", BEGIN, END), 4, "doubled"),
        ((f"text {BEGIN}", END), 1, "line of its own"),
        (("<!-- harness:begin", "show=words -->", END), 1, "line of its own"),
        (("<!-- harness:start -->", END), 1, "no marker harness:start"),
        ((BEGIN, "<!-- harness:end show=words -->"), 2, "takes no options"),
        (("<!-- harness:begin shw=words -->", END), 1, "unknown option 'shw'; did you mean 'show'"),
        (("<!-- harness:begin show=word -->", END), 1, "did you mean 'words'"),
        (("<!-- harness:begin show -->", END), 1, "'show' is no option"),
        (("<!-- harness:begin show=words show=both -->", END), 1, "given twice"),
        (('<!-- harness:begin heading="a -->', END), 1, "quotation mark"),
        (("<!-- harness:begin columns=strem -->", END), 1, "unknown column 'strem'; did you mean 'stream'"),
        (("<!-- harness:begin columns=stream,stream -->", END), 1, "named twice"),
        (("<!-- harness:begin adapters=OpenIA -->", END), 1, "did you mean 'OpenAI'"),
        (("<!-- harness:begin family=langchain -->", END), 1, "unknown family 'langchain'"),
        (("<!-- harness:begin evidence=r.html#x -->", END), 1, "fragment"),
        (("<!-- harness:begin stamp=maybe -->", END), 1, "stamp=maybe"),
    ],
)
def test_markers_that_cannot_be_used_are_told(lines: tuple[str, ...], line: int, words: str) -> None:
    """
    A missing, doubled, nested, unclosed or unknown marker or option is named with file and line, and how to mend it.
    """
    with pytest.raises(PageError) as raised:
        rewritten(_page(*lines), MATRIX, "docs/page.md")
    assert raised.value.where == f"docs/page.md:{line}"
    assert words in raised.value.message
    assert raised.value.hint


def test_markers_that_are_shown_are_no_markers() -> None:
    """
    In a block of code, of any fence, and in a code span a marker is text; in a directive of MyST it is a marker.
    """
    shown = _page(
        "```md", BEGIN, END, "```", "~~~~", "```", BEGIN, "~~~~", f"Write `{BEGIN}` and ``{END}``.",
        "````{code-block} md", BEGIN, "````",
    )  # fmt: skip
    assert rewritten(shown, MATRIX, "page.md") == shown
    directive = _page("````{note}", "```", BEGIN, "```", BEGIN, END, "````", "```", BEGIN, "```")
    assert [block.line for block in blocks(directive, "page.md")] == [5]


def test_several_families_need_a_name() -> None:
    """
    Where the matrix has two families the marker has to say which; each gets its own table.
    """
    with pytest.raises(PageError, match="several families"):
        rewritten(_page(BEGIN, END), TWO, "page.md")
    both = [f"<!-- harness:begin family={name} stamp=no -->" for name in (FAMILY, "litellm")]
    text = rewritten(_page(both[0], END, "and", both[1], END), TWO, "page.md").decode()
    first, _, second = text.partition("\nand\n")
    assert ("OpenAI" in first, "Anthropic" in first) == (True, False)
    assert ("OpenAI" in second, "Anthropic" in second) == (False, True)


def _filled(options: str) -> str:
    return rewritten(_page(f"<!-- harness:begin {options} -->", END), MATRIX, "page.md").decode()


def test_options_choose_rows_columns_and_look() -> None:
    """
    Adapters and columns come in the order in which they are named, with symbols, words or both.
    """
    text = _filled('adapters=OpenAI,Cohere columns=astream,upstream,stream show=both heading="My model" stamp=no')
    header, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert header == "| My model | Async stream | Upstream | Stream |"
    assert [row.split(" | ")[0] for row in rows] == ["| OpenAI", "| Cohere"]
    assert "✅ native" in rows[0]
    assert "live" in rows[1]
    assert "✅" not in _filled("show=words stamp=no")


def test_footnotes_say_how_what_is_not_native_is_done() -> None:
    """
    Every number in the table has its note, the worst mechanism first, and native has none.
    """
    text = _filled("show=words footnotes=yes")
    numbers = {line.partition(".")[0] for line in text.splitlines() if line[:1].isdigit()}
    assert numbers
    assert all(f"<sup>{number}</sup>" in text for number in numbers)
    assert text.count("<sup>") > len(numbers)
    assert "native <sup>" not in text
    notes = [line for line in text.splitlines() if line[:1].isdigit()]
    assert "single-item" in notes[0]


def test_cells_link_to_their_evidence() -> None:
    """
    A cell's link leads to its own anchor, and an address cannot break out of it.
    """
    text = _filled('evidence="../re ports/(x)/index.html" stamp=no')
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert html.count("<a href=") == 4 * 6
    assert '<a href="../re%20ports/%28x%29/index.html#langchain-0.0.337--OpenAI--astream">' in html


def test_the_stamp_depends_on_what_is_shown() -> None:
    """
    The date is the newest recording's, and the digest changes with a verdict or a recording that is shown, alone.
    """
    text = _filled("columns=stream")
    assert "Measured with harness 0.1.0, battery 1; newest recording 2026-11-21; digest " in text
    page = _page("<!-- harness:begin columns=stream -->", END)
    other = replace(MATRIX, cells=tuple(replace(one, reason="other figures") for one in MATRIX.cells))
    assert rewritten(page, other, "page.md").decode() == text
    unseen = replace(MATRIX, cells=tuple(one for one in MATRIX.cells if one.capability != "batch"))
    assert rewritten(page, unseen, "page.md").decode() == text
    changed = replace(MATRIX, cells=tuple(one for one in MATRIX.cells if one.adapter != "OpenAI"))
    assert rewritten(page, changed, "page.md").decode() != text


def test_the_table_is_a_table_in_a_list_and_in_a_quotation() -> None:
    """
    What stands before the marker stands before each line, so that the table belongs where its marker does.
    """
    for prefix, mark in (("> ", "blockquote"), ("  ", "<li>")):
        lead = "- item\n\n" if prefix == "  " else ""
        page = f"{lead}{prefix}{BEGIN}\n{prefix}{END}\n".encode()
        html = MarkdownIt("commonmark").enable("table").render(rewritten(page, MATRIX, "page.md").decode())
        opening = html.index(mark)
        assert opening < html.index("<table>") < html.index("</table>") < html.rindex("</")


def test_columns_of_checks_stand_in_a_page() -> None:
    """
    A check whose column the matrix has is a column by its name, with its figure where words are asked for, and the
    digest changes with what came of it; one that it has not is unknown.
    """
    matrix = with_checks(MATRIX)
    marked = "<!-- harness:begin columns=stream,loop-guard show=both evidence=r/index.html -->"
    text = rewritten(_page(marked, END), matrix, "page.md").decode()

    header, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert header == "| Model | Stream | Loop guard |"
    assert "[❌ stream: LoopError after " in "".join(rows)
    assert "/index.html#langchain-0.0.337--" in rows[0]
    assert rows[0].endswith("--checks) |")
    changed = replace(matrix, checks=tuple(replace(one, figure="another") for one in matrix.checks))
    other = rewritten(_page(marked, END), changed, "page.md").decode()
    assert text.partition("; digest ")[2][:12] != other.partition("; digest ")[2][:12]
    with pytest.raises(PageError, match="unknown column 'loop-guard'"):
        rewritten(_page(marked, END), MATRIX, "page.md")

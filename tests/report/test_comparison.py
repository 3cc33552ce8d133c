"""A published table held against what was measured: counts, kinds of difference, the regenerated table, safe text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hostile import NASTY, matrices
from hypothesis import given
from made_up import made_up
from test_markdown_tables import HEADER, parse, tables
from test_page_source import Page

from harness.cells import Claims, Default
from harness.report.compare import Finding, compare, page_name
from harness.report.compare_html import render_comparison_html
from harness.report.compare_markdown import render_comparison
from harness.report.write import write_reports
from harness.words import Capability, FanOut, Mechanism, Upstream, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cells import Cell, Matrix

FAMILY = "langchain-0.0.337"
ALL_NATIVE = dict.fromkeys(Capability, Verdict.NATIVE)
ALL_FALLBACK = dict.fromkeys(Capability, Verdict.FALLBACK)
WORDS = {
    Finding.PROMISED: (Verdict.NATIVE, Verdict.NATIVE, Verdict.FALLBACK),
    Finding.UNSEEN: (Verdict.FALLBACK, Verdict.FALLBACK, Verdict.NATIVE),
    Finding.USELESS: (Verdict.FALLBACK, Verdict.FALLBACK, Verdict.BROKEN),
    Finding.BY_HAND: (Verdict.FALLBACK, Verdict.NATIVE, Verdict.FALLBACK),
    Finding.AGREES: (Verdict.NATIVE, None, Verdict.NATIVE),
    Finding.UNKNOWN: (Verdict.NATIVE, Verdict.NATIVE, Verdict.UNKNOWN),
}
"""What is published, what overriding alone would say, and what was measured, for each finding."""


def turned(cell: Cell, reflected: Verdict | None, measured: Verdict) -> Cell:
    """
    Return a cell with other words.
    """
    mechanism = Mechanism.SEQUENTIAL if measured is Verdict.FALLBACK else None
    return replace(cell, reflected=reflected, verdict=measured, mechanism=mechanism, reason=f"because {measured}")


def one_of_each() -> tuple[Matrix, Claims]:
    """
    Return an adapter with one cell of each finding, and a second one that is published and not measured.
    """
    matrix = made_up(1)
    words = dict(zip(Capability, WORDS.values(), strict=True))
    cells = tuple(turned(cell, *words[cell.capability][1:]) for cell in matrix.cells)
    table = {"Zeta": ALL_NATIVE, "OpenAI": {call: published for call, (published, _, _) in words.items()}}
    return replace(matrix, cells=cells), Claims(family=FAMILY, published=table)


def test_each_kind_of_difference_is_told_from_the_others():
    """
    A wrong symbol, a fallback that does not work, and a cell that was not tried are four different things.
    """
    found = compare(*one_of_each())

    assert [one.finding for one in found.cells if one.adapter == "OpenAI"] == list(WORDS)
    assert {one.finding for one in found.cells if one.adapter == "Zeta"} == {Finding.NOT_MEASURED}
    assert [one.finding for one in found.differing] == [Finding.PROMISED, Finding.UNSEEN, Finding.USELESS]


def test_the_published_table_comes_back_in_its_own_form_and_order():
    """
    Header and rule are the page's; what was not measured or is unknown is a question mark and never a cross.
    """
    lines = render_comparison(*one_of_each()).splitlines()
    start = lines.index("## The published table, as measured")

    assert lines[start + 4 :] == [
        HEADER,
        "| :- | :-: | :-: | :-: | :-: | :-: | :-: |",
        "| Zeta | ? | ? | ? | ? | ? | ? |",
        "| OpenAI | ❌ | ✅ | ❌ | ❌ | ✅ | ? |",
    ]


def test_where_the_page_says_nothing_nothing_stands():
    """
    A call that was measured, and of which the page says nothing, is no question mark and no line of noughts.
    """
    matrix, claims = one_of_each()
    said = {name: {Capability.STREAM: row[Capability.STREAM]} for name, row in claims.published.items()}
    claims = replace(claims, published=said)
    text = render_comparison(matrix, claims)

    assert text.splitlines()[-2:] == ["| Zeta |  |  | ? |  |  |  |", "| OpenAI |  |  | ❌ |  |  |  |"]
    assert [row[0] for row in tables(parse(text))[1][1:]] == ["Stream"]
    assert "Where nothing stands, the page says nothing" in text
    assert "Where nothing stands" in " ".join(Page(render_comparison_html(matrix, claims)).texts)
    assert "Where nothing stands" not in render_comparison(*one_of_each())


def test_the_totals_add_up():
    """
    Every published cell is counted once, whether it was measured or not.
    """
    text = render_comparison(*one_of_each())
    verdicts, calls = tables(parse(text))[:2]

    assert "The published table has 2 models and 12 cells; 6 of them were measured, and 6 were not." in text
    assert "2 of 5 cells with a verdict are as published, 3 are not." in text
    assert [sum(map(int, row[1:])) for row in verdicts[1:]] == [12, 12, 12]
    assert [sum(map(int, row[4:])) for row in calls[1:]] == [2] * 6


def test_what_answered_is_told_and_named_where_it_is_few():
    """
    Nobody takes a stand-in for the vendor's library, on this page either; many of one kind are only counted.
    """
    matrix, claims = one_of_each()
    adapters = tuple(replace(one, upstream=Upstream.STAND_IN) for one in matrix.adapters)
    text = render_comparison(replace(matrix, adapters=adapters), claims)
    many = made_up(14)
    simulated = tuple(replace(one, upstream=Upstream.SIMULATED) for one in many.adapters)
    table = {one.name: ALL_NATIVE for one in many.adapters}

    assert "- What answered the models: 1 stand-in (OpenAI)." in text
    assert "What answered the models: 14 simulated." in " ".join(
        Page(render_comparison_html(replace(many, adapters=simulated), Claims(family=FAMILY, published=table))).texts
    )


def test_a_difference_comes_with_its_evidence():
    """
    Both the Markdown and the page give the cell's own sentence, and the page leads to the rest.
    """
    matrix, claims = one_of_each()
    page = Page(render_comparison_html(matrix, claims))

    assert ["OpenAI", "Stream", "❌ fallback", "❌ fallback", "❌ broken", "because broken"] in [
        row for table in tables(parse(render_comparison(matrix, claims))) for row in table
    ]
    assert "because broken" in {text.strip() for text in page.texts}
    assert f"index.html#{FAMILY}--OpenAI--stream" in page.links


def test_what_is_broken_as_shipped_stands_together_with_the_reason_why_that_is_expected():
    """
    Calls that fail in one way are one line; a failure that no registration expects is told from the others.
    """
    matrix, claims = one_of_each()
    why = {Capability.INVOKE: "line 4 of it", Capability.AINVOKE: "line 4 of it", Capability.STREAM: None}
    cells = tuple(
        replace(
            cell, verdict=Verdict.BROKEN, mechanism=None, reason="it raises at 4", why_expected=why[cell.capability]
        )
        if cell.capability in why
        else cell
        for cell in matrix.cells
    )
    broken = replace(matrix, cells=cells)
    text = render_comparison(broken, claims)

    assert "## Broken as shipped: 3" in text
    rows = [row for table in tables(parse(text)) if table[0][-1] == "Expected, because" for row in table[1:]]
    assert rows == [
        ["OpenAI", "Invoke, Async invoke", "❌ broken", "it raises at 4", "line 4 of it"],
        ["OpenAI", "Stream", "❌ broken", "it raises at 4", "nobody expects it"],
    ]
    page = {one.strip() for one in Page(render_comparison_html(broken, claims)).texts}
    assert {"line 4 of it", "nobody expects it"} <= page
    native = replace(matrix, cells=tuple(replace(cell, verdict=Verdict.NATIVE) for cell in matrix.cells))
    assert "Broken as shipped" not in render_comparison(native, claims)


def test_a_documented_default_is_held_against_calls_that_are_not_overridden():
    """
    For a batch it counts how the inputs travelled; calls that the class overrides say nothing of a default.
    """
    matrix = made_up(4)
    travelled = {FanOut.CONCURRENT: "Cohere", FanOut.SEQUENTIAL: "Ollama"}
    cells = []
    for cell in matrix.cells:
        if cell.capability is not Capability.BATCH:
            continue
        how = next((how for how, name in travelled.items() if name == cell.adapter), None)
        reflected = Verdict.FALLBACK if how else Verdict.NATIVE
        evidence = replace(cell.evidence, fan_out=how)
        one = turned(cell, reflected, Verdict.FALLBACK)
        cells.append(replace(one, mechanism=Mechanism.WORKER_THREAD, evidence=evidence))
    claims = Claims(
        family=FAMILY,
        published=dict.fromkeys(("OpenAI", "Cohere", "Ollama"), ALL_FALLBACK),
        defaults={Capability.BATCH: Default(says="runs in a thread pool", mechanism=Mechanism.CONCURRENT)},
    )

    text = render_comparison(replace(matrix, cells=tuple(cells)), claims)

    assert "| Batch | runs in a thread pool | concurrent | 1 of 2 as documented: 1 concurrent, 1 sequential |" in text


@given(matrices())
def test_hostile_names_and_texts_stay_texts(matrix: Matrix):
    """
    Whatever a name, a reason or a documented sentence holds, tables keep their columns and the page its tags.
    """
    family = matrix.adapters[0].family
    evil = " ".join(NASTY)
    names = dict.fromkeys([each.name for each in matrix.adapters if each.family == family] + list(NASTY))
    claims = Claims(
        family=family,
        published=dict.fromkeys(names, ALL_NATIVE),
        defaults={Capability.BATCH: Default(says=evil, mechanism=Mechanism.CONCURRENT)},
        source=evil,
        origin=evil,
        exceptions=dict.fromkeys(names, evil),
    )

    for table in tables(parse(render_comparison(matrix, claims))):
        assert {len(row) for row in table} == {len(table[0])}
    page = Page(render_comparison_html(matrix, claims))
    assert page.handlers == []
    assert {"script", "img"}.isdisjoint(page.tags)
    assert all(link.startswith(("index.html", "#", "data:,")) for link in page.links)


def test_the_files_stand_beside_the_matrix_and_are_the_same_every_time(tmp_path: Path):
    """
    A family with a published table has its two files, the table's page leads there, and order leaves no trace.
    """
    matrix, claims = one_of_each()
    turned_round = replace(matrix, cells=matrix.cells[::-1])
    write_reports(tmp_path / "a", matrix, [claims])
    write_reports(tmp_path / "b", turned_round, [claims])
    names = [f"{FAMILY}.md", f"{FAMILY}.html", "index.html", "matrix.md"]

    assert [(tmp_path / "a" / name).read_bytes() for name in names] == [
        (tmp_path / "b" / name).read_bytes() for name in names
    ]
    assert f"{FAMILY}.html" in Page((tmp_path / "a" / "index.html").read_text("utf-8")).links
    assert f"]({FAMILY}.md)" in (tmp_path / "a" / "matrix.md").read_text("utf-8")


def test_no_familys_file_takes_the_place_of_another_report():
    """
    A family may be called as the other reports are.
    """
    names = ["matrix", "Matrix", "index", "family-matrix", "..", "langchain-1"]

    assert len({page_name(name).casefold() for name in names} | {"matrix", "index"}) == len(names) + 1
    assert page_name(FAMILY) == FAMILY

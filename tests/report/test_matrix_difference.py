"""What changed between two matrices: which cells, which way, and what it looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hostile import NASTY
from hypothesis import given
from hypothesis import strategies as st
from made_up import made_up
from markdown_it import MarkdownIt

from harness.cells import Cell, Checked, Matrix, Measured
from harness.report.difference import Way, differ
from harness.report.difference_text import MARK, render_json, render_markdown, render_text, summary
from harness.words import Capability, Mechanism, State, Verdict

STATES = [
    (Verdict.NATIVE, None),
    *((Verdict.FALLBACK, mechanism) for mechanism in Mechanism),
    (Verdict.UNSUPPORTED, None),
    (Verdict.BROKEN, None),
    (Verdict.BLOCKED, None),
    (Verdict.UNKNOWN, None),
]
STATE = st.sampled_from(STATES)


def _cell(state: tuple[Verdict, Mechanism | None], reason: str = "seen", adapter: str = "Toy") -> Cell:
    verdict, mechanism = state
    return Cell(
        family="toys", adapter=adapter, capability=Capability.STREAM, verdict=verdict, mechanism=mechanism,
        reason=reason,
    )  # fmt: skip


def _matrix(*cells: Cell, complete: bool = True, battery: int | None = 1) -> Matrix:
    names = sorted({cell.adapter for cell in cells})
    rows = tuple(Measured(name=name, family="toys", target="toy:Toy") for name in names)
    return Matrix(complete=complete, harness="0.1.0", python="3.11", adapters=rows, cells=cells, battery=battery)


def _way(old: tuple[Verdict, Mechanism | None], new: tuple[Verdict, Mechanism | None]) -> Way | None:
    changes = differ(_matrix(_cell(old)), _matrix(_cell(new))).changes
    return changes[0].way if changes else None


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ("native", "fallback", Way.WORSE),
        ("native", "unknown", Way.WORSE),
        ("fallback", "unknown", Way.WORSE),
        ("fallback", "unsupported", Way.WORSE),
        ("unknown", "broken", Way.WORSE),
        ("broken", "blocked", Way.WORSE),
        ("unknown", "native", Way.BETTER),
        ("broken", "fallback", Way.BETTER),
        ("fallback", "native", Way.BETTER),
        ("unknown", "fallback", Way.OTHER),
        ("broken", "unknown", Way.OTHER),
        ("unsupported", "unknown", Way.OTHER),
    ],
)
def test_every_change_goes_one_way(old: str, new: str, way: Way) -> None:
    """
    Down is worse, up is better, and what cannot be compared with what was is neither.
    """
    states = {verdict.value: (verdict, mechanism) for verdict, mechanism in STATES}
    assert _way(states[old], states[new]) is way


@given(old=STATE, new=STATE)
def test_who_goes_back_goes_the_other_way(
    old: tuple[Verdict, Mechanism | None], new: tuple[Verdict, Mechanism | None]
) -> None:
    """
    Nothing is worse in both directions, what is the same is no change, and among the known a way back is its opposite.
    """
    there, back = _way(old, new), _way(new, old)
    assert (there is None) is (old == new)
    assert {there, back} != {Way.WORSE}
    if Verdict.UNKNOWN not in {old[0], new[0]} and there:
        assert {there, back} == {Way.WORSE, Way.BETTER}


def test_a_worse_mechanism_is_worse() -> None:
    """
    Each mechanism hurts more than those after it in the order of `Mechanism`.
    """
    for worse, better in pairwise(Mechanism):
        assert _way((Verdict.FALLBACK, better), (Verdict.FALLBACK, worse)) is Way.WORSE


def test_figures_alone_are_no_change() -> None:
    """
    A recording made anew changes reasons and times, and nobody is told of them.
    """
    state = (Verdict.NATIVE, None)
    found = differ(_matrix(_cell(state, "21 items")), _matrix(_cell(state, "22 items")))
    assert (found.changes, found.compared, summary(found)) == ((), 1, "no cell changed (1 cell compared)")


def test_rows_come_and_go() -> None:
    """
    A new row is told, a row that worked and is gone is a regression, and what a part did not measure is neither.
    """
    native, broken = (Verdict.NATIVE, None), (Verdict.BROKEN, None)
    old = _matrix(_cell(native, adapter="Gone"), _cell(broken, adapter="Bad"))
    new = _matrix(_cell(native, adapter="Fresh"))
    found = differ(old, new)
    assert [(change.way, change.cell.adapter) for change in found.changes] == [
        (Way.LOST, "Gone"),
        (Way.REMOVED, "Bad"),
        (Way.ADDED, "Fresh"),
    ]
    assert (found.added, found.removed) == ((("toys", "Fresh"),), (("toys", "Bad"), ("toys", "Gone")))
    assert found.regressions == 1

    part = differ(old, replace(new, complete=False))
    assert ([change.way for change in part.changes], part.removed, part.unmeasured) == ([Way.ADDED], (), 2)
    assert part.regressions == 0


@given(seed=st.integers(0, 50), other=st.integers(0, 50))
def test_the_worst_come_first(seed: int, other: int) -> None:
    """
    Ways never go back to a more urgent one, and a matrix has no difference from itself, whatever its order.
    """
    old, new = made_up(8, families=2, seed=seed), made_up(9, families=2, seed=other)
    ways = [list(Way).index(change.way) for change in differ(old, new).changes]
    assert ways == sorted(ways)
    shuffled = replace(old, cells=old.cells[::-1], adapters=old.adapters[::-1])
    assert differ(old, shuffled).changes == ()
    assert render_json(differ(old, new)) == render_json(differ(shuffled, new))


def test_other_rules_are_told() -> None:
    """
    Where another battery judged, the reader learns that a change may come from it.
    """
    native = _cell((Verdict.NATIVE, None))
    found = differ(_matrix(native, battery=1), _matrix(native, battery=2))
    assert found.rules == ("battery 1 before, 2 now",)
    assert "battery 1 before, 2 now" in render_text(found)
    assert differ(_matrix(native, battery=None), _matrix(native, battery=2)).rules == ()


def _falls(number: int, reason: str = "one item") -> Matrix:
    fallback = (Verdict.FALLBACK, Mechanism.SINGLE_ITEM)
    return _matrix(*(_cell(fallback, reason, adapter=f"Toy{index:05}") for index in range(number)))


def _natives(number: int) -> Matrix:
    return _matrix(*(_cell((Verdict.NATIVE, None), adapter=f"Toy{index:05}") for index in range(number)))


def test_markdown_is_a_table_of_changed_cells_alone() -> None:
    """
    A pull request shows what was and what is, in one row a cell, with nothing that an answer could break out with.
    """
    text = render_markdown(differ(_natives(2), _falls(2, " ".join(NASTY))))
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert text.startswith(MARK)
    assert html.count("<tr>") == 1 + 2
    assert html.count("<td") == 2 * 6
    assert "fallback (single-item)" in html
    assert "<script" not in html


@pytest.mark.parametrize("number", [5, 3000])
def test_markdown_fits_and_says_what_it_leaves_out(number: int) -> None:
    """
    Shown and left out are all there is, and the size is kept.
    """
    text = render_markdown(differ(_natives(number), _falls(number)), limit=20_000)
    shown = text.count("| ⚠️ worse |")
    assert len(text.encode()) <= 20_000
    assert shown == number or f"and {number - shown} more" in text


def test_json_says_what_was_and_what_is() -> None:
    """
    A program finds the way, both states and the count of regressions.
    """
    document = json.loads(render_json(differ(_natives(1), _falls(1))))
    (change,) = document["changes"]
    assert document["regressions"] == 1
    assert (change["way"], change["regression"], change["capability"]) == ("worse", True, "stream")
    assert change["old"]["verdict"] == "native"
    assert change["new"] == {"verdict": "fallback", "mechanism": "single-item", "reason": "one item"}


def _checked(state: State, figure: str = "", check: str = "loop-guard", adapter: str = "Toy") -> Checked:
    return Checked(
        family="toys", adapter=adapter, check=check, capability=Capability.STREAM, state=state, figure=figure,
        sentence=f"it | {state}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        ((State.PASSED, "Alarm after 100"), (State.FAILED, "not stopped"), Way.WORSE),
        ((State.SKIPPED, ""), (State.FAILED, ""), Way.WORSE),
        ((State.FAILED, ""), (State.PASSED, ""), Way.BETTER),
        ((State.PASSED, ""), (State.SKIPPED, ""), Way.OTHER),
        ((State.PASSED, "Alarm after 100"), (State.PASSED, "Error after 100"), Way.OTHER),
        ((State.PASSED, "74 tokens"), (State.PASSED, "74 tokens"), None),
    ],
)
def test_what_stands_in_a_column_goes_a_way_too(
    old: tuple[State, str], new: tuple[State, str], way: Way | None
) -> None:
    """
    What fails now is worse, what passes now is better, another figure is told, and the same is no change.
    """
    cells = _matrix(_cell((Verdict.NATIVE, None)))
    found = differ(replace(cells, checks=(_checked(*old),)), replace(cells, checks=(_checked(*new),)))
    assert [change.way for change in found.checks] == ([] if way is None else [way])
    assert found.regressions == (way is Way.WORSE)


def test_a_column_that_is_in_one_matrix_only_is_no_change() -> None:
    """
    To switch a column on or off says nothing of any adapter.
    """
    cells = _matrix(_cell((Verdict.NATIVE, None)))
    columns = replace(cells, checks=(_checked(State.FAILED),))
    assert differ(cells, columns).checks == differ(columns, cells).checks == ()


def test_changes_of_columns_stand_among_those_of_cells() -> None:
    """
    As text, as Markdown and as JSON, by call and check, the worst first, with what was measured before and now.
    """
    unknown, native = _cell((Verdict.UNKNOWN, None)), _cell((Verdict.NATIVE, None))
    old = replace(_matrix(unknown), checks=(_checked(State.PASSED, "Alarm after 100"),))
    found = differ(old, replace(_matrix(native), checks=(_checked(State.FAILED, "not stopped"),)))

    assert render_text(found).splitlines() == [
        "worse: toys/Toy stream, loop-guard: passed (Alarm after 100) -> failed (not stopped)",
        "  it | failed",
        "better: toys/Toy stream: unknown -> native",
        "  seen",
        "1 worse, 1 better",
    ]
    rows = [line for line in render_markdown(found).splitlines() if line.startswith("| ")]
    row = (
        r"| ⚠️ worse | toys/Toy | Stream: Loop guard | ✅ passed (Alarm after 100) | ❌ failed (not stopped) "
        r"| it \| failed |"
    )
    assert rows[2] == row
    (told,) = json.loads(render_json(found))["checks"]
    assert (told["way"], told["regression"], told["check"], told["new"]["figure"]) == (
        "worse", True, "loop-guard", "not stopped",
    )  # fmt: skip

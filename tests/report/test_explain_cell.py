"""Explaining one cell: one time axis with everything on it, in the order in which it happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hostile import matrices
from hypothesis import given
from made_up import made_up

from harness.cells import Cell, Checked, Evidence, ItemLine, Matrix, Measured, RequestLine, Timeline
from harness.report.explain import render_explain, timeline_lines
from harness.words import Capability, State, Verdict

MATRIX = made_up(12)


def cell_of(adapter: str, capability: Capability) -> tuple[Cell, Measured]:
    """
    Return a cell of the made-up matrix and its adapter.
    """
    cell = next(cell for cell in MATRIX.cells if (cell.adapter, cell.capability) == (adapter, capability))
    return cell, next(row for row in MATRIX.adapters if row.name == adapter)


def explained(adapter: str, capability: Capability, *, width: int = 100) -> str:
    """
    Return the explanation of a cell, white space as single spaces.
    """
    return " ".join(render_explain(*cell_of(adapter, capability), width, colour=False).split())


def test_everything_is_told_in_its_order():
    """
    Request, arrivals, items and the end stand where they happened; an item stands after the arrivals it came after.
    """
    request = RequestLine(
        method="POST", uri="http://u/v1", role="inference", sent_at=0.0, arrivals=(0.4, 0.4, 0.9), ends_at=0.9
    )
    items = (
        ItemLine(at=0.4, text="a", counts=True, after=1),
        ItemLine(at=0.4, text="b", counts=True, after=2),
        ItemLine(at=0.9, text="c", counts=True, after=3),
    )
    lines = timeline_lines(Timeline(requests=(request,), items=items))

    assert [line.kind for line in lines] == [
        "sent", "arrival", "item", "arrival", "item", "arrival", "end", "item",
    ]  # fmt: skip


def test_verdict_reason_answers_and_figures_are_told():
    """
    The sentence that decides comes first, the three answers and the figures after the timeline.
    """
    text = explained("OpenAI", Capability.ASTREAM)

    assert text.startswith("langchain-0.0.337/OpenAI, Async stream: x fallback, worker-thread The first of 28 items")
    assert (
        "request sent: POST https://api.example.com/v1/completions (inference, input 1, worker-thread, status" in text
    )
    assert "arrival 30 of 30 (request)" in text
    assert 'item 1 "word2" (after 2 arrivals)' in text
    assert "delivery incremental async I/O worker-thread" in text
    assert "items 28; arrivals 30; first item at 0.529 s" in text
    assert "claims overrides suggest native, published native" in text


def test_only_a_stream_is_said_to_be_delivered():
    """
    A call that gives one answer has no delivery, and is not said to have had no answer.
    """
    assert "no answer" not in explained("OpenAI", Capability.INVOKE)
    assert "delivery" not in explained("OpenAI", Capability.BATCH)


def test_the_recordings_provenance_is_whole():
    """
    Path, time, digest and the kind of upstream are there.
    """
    cell, _ = cell_of("OpenAI", Capability.STREAM)
    text = explained("OpenAI", Capability.STREAM, width=200)

    assert cell.evidence.cassette is not None
    assert "langchain-0.0.337/OpenAI/stream.yaml, recorded 2026-11-21T05:34:00Z" in text
    assert cell.evidence.cassette.sha256 in text
    assert "simulated: recorded from a simulator" in text


def test_several_requests_are_told_apart():
    """
    A batch of three has three numbered requests, each with its input, and its fan-out.
    """
    text = explained("Anthropic", Capability.BATCH)

    assert "request 3 sent: POST https://api.example.com/v1/completions (inference, input 3," in text
    assert "fan-out concurrent" in text


def test_a_broken_cell_shows_its_error_and_a_blocked_one_its_problem():
    """
    The stack is there, line by line; what has no timeline is explained without one.
    """
    broken = render_explain(*cell_of("AzureMLOnlineEndpoint", Capability.ASTREAM), 100, colour=False)

    assert '  KeyError: "choices" <in chunk>\n' in broken
    assert "problem ImportError: no module named 'vertexai'" in explained("VertexAI", Capability.INVOKE)


def test_an_expectation_is_told_with_its_reason():
    """
    Who expects a cell to be broken said why.
    """
    cell, adapter = cell_of("OpenAI", Capability.INVOKE)
    expected = replace(cell, expected=Verdict.BROKEN, why_expected="issue 12")

    assert "broken: issue 12" in render_explain(expected, adapter, 80, colour=False)


@pytest.mark.parametrize("width", [50, 80, 160])
def test_it_fits_the_terminal(width: int):
    """
    No line is wider than asked for, and without colour all of it is ASCII.
    """
    text = render_explain(*cell_of("OpenAI", Capability.ASTREAM), width, colour=False)

    assert max(map(len, text.splitlines())) <= width
    assert text.isascii()


@given(matrices())
def test_hostile_text_is_harmless(matrix: Matrix):
    """
    Whatever an upstream or an exception says, no control character reaches the terminal.
    """
    rows = {(adapter.family, adapter.name): adapter for adapter in matrix.adapters}
    for cell in matrix.cells:
        text = render_explain(cell, rows[cell.family, cell.adapter], 80, colour=False)
        assert all(char == "\n" or char >= " " for char in text)
        assert "\u202e" not in text


def test_a_cell_without_evidence_is_explained():
    """
    An unknown cell has a reason and no figures to invent.
    """
    cell, adapter = cell_of("OpenAI", Capability.INVOKE)
    text = render_explain(replace(cell, evidence=Evidence()), adapter, 80, colour=True)

    assert "cassette" in text
    assert "none" in text


def test_checks_of_the_cell_are_told_below_it():
    """
    How each ended and what it found, and of one that failed the command that tells where to look.
    """
    cell, adapter = cell_of("OpenAI", Capability.STREAM)
    failed = Checked(
        family=cell.family, adapter=cell.adapter, check="loop-guard", capability=cell.capability, state=State.FAILED,
        sentence="not stopped\x1b[2J",
    )  # fmt: skip
    checks = [failed, replace(failed, check="stream-rebuilds", state=State.PASSED, sentence="", figure="by addition")]

    text = " ".join(render_explain(cell, adapter, 200, colour=False, checks=checks).split())

    again = "where to look: harness check langchain-0.0.337/OpenAI --check loop-guard --only stream"
    assert "Checks loop-guard failed: not stopped" in text
    assert f"{again} stream-rebuilds passed: by addition" in text
    assert "\x1b" not in text
    assert "Checks" not in explained("OpenAI", Capability.STREAM)

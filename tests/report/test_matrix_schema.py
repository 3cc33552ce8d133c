"""matrix.schema.json: complete by the standard, and the small checker agrees with a full one."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hostile import matrices
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from made_up import made_up

from harness.cells import Cell, Checked, Evidence, ItemLine, Matrix, Measured, Provenance, RequestLine, Timeline
from harness.report.matrix import encode_matrix
from harness.report.schema import first_problem, schema_text
from harness.words import AsyncIO, Capability, Delivery, FanOut, Mechanism, State, Upstream, Verdict

SCHEMA = json.loads(schema_text())
FULL = Draft202012Validator(SCHEMA)
DOCUMENT = json.loads(encode_matrix(made_up(3)))
DEFINITIONS = SCHEMA["$defs"]
FIRST_KEYS = {
    "schema_version": 1, "complete": True, "generator": {"harness": "0.1", "python": "3.11"},
    "adapters": [{"name": "OpenAI", "family": "langchain-0.0.337", "target": "langchain.llms.openai:OpenAI",
                  "distributions": {"langchain": "0.0.337"}, "upstream": "simulated", "problem": None}],
    "cells": [{"family": "langchain-0.0.337", "adapter": "OpenAI", "capability": "astream",
               "verdict": "native", "mechanism": None, "reason": "one sentence with the figures that decided it",
               "declared": None, "reflected": "native", "published": "native",
               "evidence": {"delivery": "incremental", "async_io": "event-loop", "fan_out": None,
                            "items": 21, "arrivals": 23, "requests": 1, "inference_requests": 1, "inputs": 1,
                            "most_inputs_in_a_request": 1, "peak_in_flight": 1,
                            "first_item_at": 0.412, "last_item_at": 2.871, "answer_ends_at": 2.902,
                            "cassette": {"path": "langchain-0.0.337/OpenAI/astream.yaml", "sha256": "0" * 64,
                                         "recorded": "2026-11-21T05:34:00Z"}}}],
}  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """
    Return the path of every value in a document, but not of its root.
    """
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        found += places(item, (*path, key))
    return found


PLACES = places(DOCUMENT)
values = st.sampled_from([
    None, True, 0, 1, -1, 1.0, 1.5, "", "native", "fallback", "buffered", "x", "0" * 64, [], {}, [1], {"name": "x"},
])  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """
    Draw a document with one value changed, removed or added.
    """
    document = copy.deepcopy(DOCUMENT)
    *way, last = draw(st.sampled_from(PLACES))
    owner = document
    for key in way:
        owner = owner[key]
    change = draw(st.sampled_from(["set", "remove", "add"]))
    if change == "set":
        owner[last] = draw(values)
    elif change == "remove":
        del owner[last]
    elif isinstance(owner, dict):
        owner["extra"] = draw(values)
    return document


def test_the_schema_is_a_schema():
    """
    It is valid by its own standard.
    """
    Draft202012Validator.check_schema(SCHEMA)


def test_a_matrix_with_the_first_keys_alone_is_valid():
    """
    The shape that the first release had needs none of the keys that came later.
    """
    assert list(FULL.iter_errors(FIRST_KEYS)) == []
    assert first_problem(FIRST_KEYS) is None


@given(matrices())
def test_what_is_written_is_valid(matrix: Matrix):
    """
    Every matrix is written as the schema says.
    """
    document = json.loads(encode_matrix(matrix))

    assert list(FULL.iter_errors(document)) == []
    assert first_problem(document) is None


@given(spoilt())
def test_the_small_checker_agrees_with_a_full_one(document: Any):
    """
    What one refuses, the other refuses, for every value changed, removed or added.
    """
    assert FULL.is_valid(document) == (first_problem(document) is None)


@given(spoilt())
def test_a_problem_has_a_path_that_leads_somewhere(document: Any):
    """
    The path's last step that exists is in the document.
    """
    problem = first_problem(document)
    if problem is not None:
        assert problem.message
        assert problem.path == "" or problem.path.split(".")[0].split("[")[0] in {*document, "schema_version"} | {
            *DOCUMENT
        }


@pytest.mark.parametrize(
    ("name", "words"),
    [("capability", Capability), ("verdict", Verdict), ("mechanism", Mechanism)],
)
def test_the_schemas_words_are_those_of_the_code(name: str, words: Any):
    """
    An enumeration lists every word, in the order of `harness.words`.
    """
    assert [word.value for word in words] == DEFINITIONS[name]["enum"]
    assert [state.value for state in State] == DEFINITIONS["check"]["properties"]["state"]["enum"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (Delivery, DEFINITIONS["evidence"]["properties"]["delivery"]["enum"]),
        (AsyncIO, DEFINITIONS["async_io"]["enum"]),
        (FanOut, DEFINITIONS["evidence"]["properties"]["fan_out"]["enum"]),
        (Upstream, DEFINITIONS["adapter"]["properties"]["upstream"]["enum"]),
        (Verdict, DEFINITIONS["verdict_or_null"]["enum"]),
    ],
)
def test_words_that_may_be_absent_are_complete_too(words: Any, found: list[str | None]):
    """
    Each of these enumerations is the words of `harness.words` and null.
    """
    assert [*(word.value for word in words), None] == found


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Measured, "adapter"), (Cell, "cell"), (Evidence, "evidence"), (Provenance, "cassette"), (Timeline, "timeline"),
        (RequestLine, "request"), (ItemLine, "item"), (Checked, "check"),
    ],
)  # fmt: skip
def test_the_schema_knows_every_field(kind: Any, name: str):
    """
    What travels in a class stands in the schema, and nothing else does.
    """
    assert set(kind.__dataclass_fields__) == set(DEFINITIONS[name]["properties"])


@pytest.mark.parametrize(
    ("verdict", "mechanism", "valid"),
    [("fallback", "buffered", True), ("fallback", None, False), ("native", "buffered", False), ("native", None, True)],
)
def test_a_mechanism_belongs_to_a_fallback_and_to_nothing_else(verdict: str, mechanism: str | None, valid: bool):
    """
    A fallback says how; no other verdict does.
    """
    document = copy.deepcopy(DOCUMENT)
    document["cells"][0] |= {"verdict": verdict, "mechanism": mechanism}

    assert valid == (first_problem(document) is None) == FULL.is_valid(document)

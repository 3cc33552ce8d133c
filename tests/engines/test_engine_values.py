"""Values on their way into a cassette and out of it."""

from __future__ import annotations

import json
import math
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tape.engines import plain
from harness.tape.engines.plain import NotKeptError, Packer, unpack

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
KEYS = st.text() | st.sampled_from(sorted(plain.MARKS))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(st.integers() | st.none(), inner)
        | st.frozensets(st.integers() | st.text()).map(set)
    ),
    max_leaves=20,
)


def through(value: Any, **options: Any) -> Any:
    """
    Return a value as it comes out of a cassette.
    """
    packer = Packer(lambda one, _: {"object": type(one).__name__}, **options)
    return unpack(json.loads(plain.line(packer.pack(value))), lambda name: f"<{name}>")


@given(VALUES)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    """
    Whatever is made of Python's own values is the same after it was written and read.
    """
    assert through(value) == value
    assert plain.is_plain(Packer(lambda *_: {"object": ""}).pack(value)) or "object" in str(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_numbers_that_json_has_not_come_back(value: float) -> None:
    """
    Scores of minus infinity are common.
    """
    assert through([value]) == [value]


def test_objects_that_are_their_fields_are_kept_and_others_named() -> None:
    """
    Dataclasses and named tuples are records, scalars of numpy's kind numbers, and anything else has a name only.
    """

    @dataclass
    class Piece:
        text: str

    class Scalar:
        shape = ()

        def item(self) -> float:
            return 0.5

    Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - what engines return
    found = through({"piece": Piece("a"), "pair": Pair(1, "b"), "number": Scalar(), "other": object()})

    assert found["piece"].text == "a"
    assert (found["pair"].right, found["pair"][0], list(found["pair"])) == ("b", 1, [1, "b"])
    assert found["number"] == 0.5
    assert found["other"] == "<object>"


def test_attributes_are_kept_as_the_registration_says() -> None:
    """
    What was not kept is told of by name, so that nobody takes nothing for an answer.
    """

    class Compiled:
        __slots__ = ("score", "text")

        def __init__(self) -> None:
            self.text, self.score = "a", 1.0

    found = through(Compiled(), keep=("text",))

    assert found.text == "a"
    with pytest.raises(NotKeptError, match=r"no attribute 'score' of Compiled; it has text"):
        _ = found.score


class OddError(KeyError):
    pass


@pytest.mark.parametrize(
    ("error", "kind"), [(ValueError("no"), ValueError), (OddError("no"), KeyError), (StopIteration(), StopIteration)]
)
def test_an_error_comes_back_as_what_can_be_caught(error: BaseException, kind: type[BaseException]) -> None:
    """
    Python's own errors are themselves; an engine's own have their name, and are of the nearest kind of Python's.
    """
    found = plain.unpack_error(plain.pack_error(error)["error"])
    assert isinstance(found, kind)
    assert type(found).__name__ == type(error).__name__

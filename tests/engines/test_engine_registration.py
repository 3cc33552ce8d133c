"""The table of an engine: what is misspelt in it is refused, with the key and the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from harness.adapters.adapter import Adapter
from harness.errors import RegistrationError


def adapter(engine: Any) -> Adapter:
    """
    Return a registration with this table.
    """
    return Adapter(name="A", target="module:Class", engine=engine)


@pytest.mark.parametrize(
    ("engine", "place", "said"),
    [
        ({}, "engine", "names no seam"),
        ({"seams": {}}, "engine", "names no seam"),
        ({"seam": {"m:f": {}}}, "engine", "did you mean 'seams'"),
        ({"seams": {"m.f": {}}}, "engine.seams", "not the path of a call"),
        ({"seams": {"m:f(x)": {}}}, "engine.seams", "not the path of a call"),
        ({"seams": {"m:f": {"keeps": ["a"]}}}, "engine.seams.m:f", "did you mean 'keep'"),
        ({"seams": {"m:f": {"keep": "a"}}}, "engine.seams.m:f.keep", "list of strings"),
        ({"seams": {"m:f": {"text": "words"}}}, "engine.seams.m:f.text", "module:function"),
        ({"seams": {"m:f": {"continues": "yes"}}}, "engine.seams.m:f.continues", "a boolean"),
        ({"seams": {"m:f": {}}, "inert": {"m:f": 0}}, "engine.inert", "above zero"),
        ({"seams": {"m:f": {}}, "modules": ["a b"]}, "engine.modules", "not the name of a module"),
        ({"seams": {"m:f": {}}, "delay": "long"}, "engine.delay", "number of seconds"),
        ("murmur", "engine", "a table"),
    ],
)
def test_a_mistake_in_an_engines_table_is_told_with_its_place(engine: Any, place: str, said: str) -> None:
    """
    The error names the key, and says what is expected there.
    """
    with pytest.raises(RegistrationError) as raised:
        adapter(engine)
    assert raised.value.where is not None
    assert place in raised.value.where
    assert said in str(raised.value)


def test_an_engine_travels_to_another_process_as_it_was_registered() -> None:
    """
    What `as_dict` writes, `from_dict` takes back.
    """
    engine = {"seams": {"m:F().g": {"keep": ["text"], "continues": True}}, "modules": ["n"], "inert": {"m:h": 2}}
    one = adapter(engine)
    assert Adapter.from_dict(one.as_dict()) == one
    assert one.engine == engine

"""The registry: unique names, order, and finding what was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Adapter
from harness.adapters.project import Project
from harness.adapters.registry import AmbiguousNameError, Registry, UnknownNameError, find_adapters, flatten
from harness.errors import RegistrationError

PROJECT = Project(root=Path("root"), family="own", cassettes=Path("c"), reports=Path("r"), timeout=9.0)


def adapter(name: str, family: str | None = None, origin: str = "") -> Adapter:
    """
    Return an adapter of no further interest.
    """
    return Adapter(name=name, target="m:A", family=family, origin=origin)


def registry(*ids: str) -> Registry:
    """
    Return a registry of adapters given as FAMILY/NAME.
    """
    return Registry(tuple(adapter(name, family) for family, _, name in (one.partition("/") for one in ids)))


THREE = registry("f/OpenAI", "g/Anthropic", "g/OpenAI", "f/Cohere")


def ids(adapters) -> list[str]:
    """
    Return adapters as FAMILY/NAME.
    """
    return [one.id for one in adapters]


@pytest.mark.parametrize(
    ("names", "families", "expected"),
    [
        ([], [], ["f/OpenAI", "g/Anthropic", "g/OpenAI", "f/Cohere"]),
        (["Cohere", "OpenAI", "Cohere"], [], ["f/OpenAI", "g/OpenAI", "f/Cohere"]),
        (["g/OpenAI"], [], ["g/OpenAI"]),
        (["OpenAI"], ["g"], ["g/OpenAI"]),
        ([], ["g"], ["g/Anthropic", "g/OpenAI"]),
        ([], ["g", "f"], ["f/OpenAI", "g/Anthropic", "g/OpenAI", "f/Cohere"]),
    ],
)
def test_what_is_asked_for_comes_in_the_order_of_registration(names, families, expected):
    """
    Names stand for themselves in every family that is looked in.
    """
    assert ids(THREE.select(names, families)) == expected


@pytest.mark.parametrize(
    ("names", "families", "essentials"),
    [
        (["Opnai"], [], ["unknown adapter 'Opnai'; did you mean 'OpenAI'?", "Anthropic"]),
        (["openai"], [], ["unknown adapter 'openai'; did you mean 'OpenAI'?"]),
        (["g/Cohere"], [], ["unknown adapter 'g/Cohere'", "did you mean"]),
        (["Cohere"], ["g"], ["unknown adapter 'Cohere' here", "it is registered as f/Cohere"]),
        (["Zzz"], [], ["unknown adapter 'Zzz'\n", "registered adapters: OpenAI, Anthropic, Cohere"]),
        ([], ["ff"], ["unknown family 'ff'; did you mean 'f'?", "registered families: f, g"]),
    ],
)
def test_an_unknown_name_is_refused_with_what_was_meant(names, families, essentials):
    """
    The nearest name is offered, and what there is.
    """
    with pytest.raises(UnknownNameError) as caught:
        THREE.select(names, families)

    assert [part for part in essentials if part not in str(caught.value)] == []
    assert caught.value.exit_status == 2


def test_an_environment_selects_the_adapters_that_run_in_it():
    """
    The others are as if they were not registered, but a name among them is said to be elsewhere; a typo is told.
    """
    several = Registry(
        tuple(Adapter(name=name, target="m:A", family="f", environment=where) for name, where in ("Aa", "Bb", "Ca"))
    )

    assert several.environments == ("a", "b")
    assert ids(several.select(environment="a")) == ["f/A", "f/C"]
    assert ids(several.select(["C"], ["f"], "a")) == ["f/C"]
    with pytest.raises(UnknownNameError, match=r"it is registered as f/B \(environment b\)"):
        several.select(["B"], environment="a")
    with pytest.raises(UnknownNameError, match="unknown environment 'aa'; did you mean 'a'"):
        several.select(environment="aa")
    with pytest.raises(UnknownNameError, match="no registration names one"):
        THREE.select(environment="a")


def test_an_empty_registry_says_how_to_begin():
    """
    A name cannot be found where nothing is registered.
    """
    with pytest.raises(UnknownNameError, match="harness new NAME"):
        Registry().select(["OpenAI"])
    assert Registry().select() == ()


def test_one_adapter_is_found_only_if_the_name_is_clear():
    """
    A name in two families asks for the family.
    """
    assert THREE.find("Cohere").id == "f/Cohere"
    assert THREE.find("OpenAI", ["g"]).id == "g/OpenAI"
    with pytest.raises(AmbiguousNameError, match="say which: f/OpenAI, g/OpenAI"):
        THREE.find("OpenAI")


def test_two_adapters_of_one_name_are_refused_with_both_places():
    """
    Within a family a name stands for one adapter; across families it may be used again.
    """
    with pytest.raises(RegistrationError) as caught:
        Registry((adapter("A", "f", "harness.toml [adapters.A]"), adapter("A", "f", "entry point 'a' of p")))

    message = str(caught.value)
    assert message.startswith("entry point 'a' of p: f/A is registered twice")
    assert "harness.toml [adapters.A]" in message
    assert "rename one" in message
    assert len(registry("f/A", "g/A")) == 2


def test_the_projects_family_stands_in_before_names_are_compared():
    """
    An adapter without a family cannot hide behind that.
    """
    with pytest.raises(RegistrationError, match="own/A is registered twice"):
        find_adapters(PROJECT, [adapter("A"), adapter("A", "own")])


def test_the_hooks_adapters_become_the_projects():
    """
    What a conftest.py returns gets the project's values where it has none, and says where it comes from.
    """
    [found] = find_adapters(PROJECT, [adapter("A")])

    assert (found.family, found.timeout, found.origin) == ("own", 9.0, "pytest_harness_adapters")


@given(st.lists(st.from_regex("[A-Za-z]{1,6}", fullmatch=True), unique=True))
def test_the_order_of_registration_is_kept(names):
    """
    Families and adapters come in the order in which they were registered.
    """
    found = find_adapters(PROJECT, [[adapter(name, f"f-{name}")] for name in names])

    assert [one.name for one in found] == names
    assert list(found.families) == [f"f-{name}" for name in names]


def test_adapters_may_be_given_in_three_shapes():
    """
    An adapter, an iterable, or a callable that returns either, nested as pytest nests the results of its hooks.
    """
    one, two, three = adapter("A"), adapter("B"), adapter("C")

    assert flatten([one, lambda: [two], (lambda: three,)], "here") == (one, two, three)
    assert flatten((item for item in (one, two)), "here") == (one, two)


class MyLLM:
    pass


async def register():
    """
    Register nothing, and too late.
    """
    return []


def broken():
    """
    Fail.
    """
    raise KeyError("gone")


@pytest.mark.parametrize(
    ("given_value", "essentials"),
    [
        (MyLLM, ["gives the class MyLLM", "harness.Adapter(name='MyLLM', target=MyLLM)"]),
        ("my_package:MyLLM", ["gives 'my_package:MyLLM', not an adapter", "harness.Adapter"]),
        ({"name": "A"}, ["gives {'name': 'A'}"]),
        ([None], ["gives None"]),
        (broken, ["raised KeyError: 'gone'", "without arguments"]),
        (lambda required: required, ["raised TypeError"]),
        (register, ["is an async function"]),
    ],
)
def test_anything_else_is_refused_with_the_right_form(given_value, essentials):
    """
    The error names where it came from, what it is, and what to give instead.
    """
    with pytest.raises(RegistrationError) as caught:
        flatten(given_value, "entry point 'x'")

    message = str(caught.value)
    assert message.startswith("entry point 'x': ")
    assert [part for part in essentials if part not in message] == []

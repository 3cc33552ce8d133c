"""The Python form of a registration: what it takes, what it keeps, what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Adapter, Capability, Verdict
from harness.errors import RegistrationError
from harness.words import Upstream

TARGET = "my_package.llms:MyLLM"


class Specimen:
    @classmethod
    def from_environment(cls) -> Specimen:
        return cls()


def refused(**values: Any) -> str:
    """
    Return the message of a registration that must be refused.
    """
    with pytest.raises(RegistrationError) as caught:
        Adapter(**{"name": "MyLLM", "target": TARGET, **values})
    assert caught.value.exit_status == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "essentials"),
    [
        ({"targt": TARGET}, ["(name='A'): unknown key 'targt'; did you mean 'target'?", "keys here: name, target"]),
        ({"target": TARGET, "model": "m"}, ["(name='A'): unknown key 'model'", "name, target, kwargs"]),
        ({}, ["(name='A'): has no target", "my_package.llms:MyLLM"]),
    ],
)
def test_a_misspelt_or_missing_argument_is_told_like_a_key_of_the_file(values: Any, essentials: list[str]):
    """
    The Python form names the adapter, the argument and the remedy, as the configuration does.
    """
    with pytest.raises(RegistrationError) as caught:
        Adapter(name="A", **values)

    for essential in essentials:
        assert essential in str(caught.value)


def test_plain_strings_become_words():
    """
    Capabilities, verdicts and upstreams may be given as strings and are kept as members of the enumerations.
    """
    adapter = Adapter(
        name="MyLLM",
        target=TARGET,
        declares=["stream", "invoke", "stream"],
        expects={"astream": "broken"},
        reason="loses a piece",
        upstream="engine",
        timeout=3,
    )

    assert adapter.declares == (Capability.STREAM, Capability.INVOKE)
    assert adapter.expects == {Capability.ASTREAM: Verdict.BROKEN}
    assert adapter.upstream is Upstream.ENGINE
    assert adapter.timeout == 3.0


def test_nothing_declared_differs_from_declared_to_be_nothing():
    """
    An absent `declares` is kept apart from an empty one.
    """
    assert Adapter(name="A", target=TARGET).declares is None
    assert Adapter(name="A", target=TARGET, declares=[]).declares == ()


def test_a_class_or_a_method_is_kept_by_its_name():
    """
    A class, or a class method as a factory, becomes "module:qualname".
    """
    assert Adapter(name="A", target=Specimen).target == f"{__name__}:Specimen"
    assert Adapter(name="A", target=Specimen.from_environment).target == f"{__name__}:Specimen.from_environment"


def test_what_another_process_cannot_find_is_refused():
    """
    Lambdas, local classes and objects that are neither class nor function are refused with the way out.
    """

    class Local:
        pass

    assert "top level of a module" in refused(target=lambda: None)
    assert "cannot be found again by its name" in refused(target=Local)
    assert "must be a class, a function" in refused(target=3)


def test_a_class_of_the_program_itself_is_refused():
    """
    What `__main__` defines cannot be imported by the adapter's process.
    """
    stray = type("Stray", (), {"__module__": "__main__"})

    assert "defined in the program itself" in refused(target=stray)


@pytest.mark.parametrize(
    ("values", "essentials"),
    [
        ({"target": "my_package.llms.MyLLM"}, ["no ':'", '"my_package.llms:MyLLM"', "MyLLM'), target"]),
        ({"target": "MyLLM"}, ["no ':'", "my_package.llms:MyLLM"]),
        ({"target": "m:MyLLM()"}, ["not of the form", "leave the brackets out"]),
        ({"target": ""}, ["no ':'"]),
        ({"name": 3}, ["must be a string, not a whole number: 3"]),
        ({"name": " "}, ["must not be empty"]),
        ({"name": "a/b"}, ["cannot name the folder", "'/'"]),
        ({"name": ".."}, ["cannot name the folder", "a dot"]),
        ({"name": "a::b"}, ["cannot name the folder", "':'"]),
        ({"family": "x\\y"}, ["family", "cannot name the folder"]),
        ({"environment": "x/y"}, ["environment", "cannot name the files of an environment", "'/'"]),
        ({"declares": "invoke"}, ["declares", "must be a list of strings", '["invoke"]']),
        ({"declares": ["invok"]}, ["unknown capability 'invok'; did you mean 'invoke'?", "abatch"]),
        ({"declares": ["invoke", 3]}, ["declares[1]", "a whole number: 3"]),
        ({"expects": {"stream": "borken"}, "reason": "r"}, ["expects.stream", "did you mean 'broken'?", "unknown"]),
        ({"expects": {"streem": "broken"}, "reason": "r"}, ["expects", "did you mean 'stream'?"]),
        ({"expects": {"stream": "broken"}}, ["expects needs a reason", "reason ="]),
        ({"expects": ["stream"]}, ["expects", "must be a table, not a list"]),
        ({"unsteady": {"streem": "r"}}, ["unsteady", "did you mean 'stream'?"]),
        ({"unsteady": "it asks"}, ["unsteady", "must be a table, not a string"]),
        ({"upstream": "simulate"}, ["unknown upstream 'simulate'; did you mean 'simulated'?", "stand-in"]),
        ({"prompts": ["one", "two"]}, ["prompts", "must be 3 prompts, not 2"]),
        ({"prompts": ["one", "two", "Two!"]}, ["prompts", "'two', 'Two!'", "code word of its own"]),
        ({"prompts": ["kites4127 a", "kites4127 b", "c"]}, ["'kites4127 a', 'kites4127 b'"]),
        ({"prompts": ["one", "two", ""]}, ["prompts[2]", "must not be empty"]),
        ({"match_on": []}, ["match_on", "every request would match"]),
        ({"env": {"PORT": 8080}}, ["env.PORT", "must be a string", 'PORT = "8080"']),
        ({"env": {"ON": True}}, ["env.ON", 'ON = "true"']),
        ({"env": {"A=B": "c"}}, ["cannot name an environment variable"]),
        ({"kwargs": [1]}, ["kwargs", "must be a table"]),
        ({"kwargs": {"a": {"b": [object()]}}}, ["kwargs.a.b[0]", "travel to the adapter's own process", "objects"]),
        ({"objects": {"a": "Thing"}}, ["objects.a", "module:Class()"]),
        ({"objects": {"a": "m:Thing()"}, "kwargs": {"a": 1}}, ["'a' stands in kwargs too"]),
        ({"preload": ["no module"]}, ["preload", "not the name of a module"]),
        ({"timeout": True}, ["timeout", "a boolean: True"]),
        ({"timeout": 0}, ["timeout", "positive"]),
        ({"timeout": float("nan")}, ["timeout", "positive"]),
    ],
)
def test_a_wrong_value_is_refused_with_key_and_remedy(values, essentials):
    """
    Each error names where, what and what to write instead.
    """
    message = refused(**values)

    assert [part for part in essentials if part not in message] == []


def test_messages_name_the_file_where_there_is_one():
    """
    The origin of a registration stands in front of its errors.
    """
    assert refused(origin="harness.toml [adapters.MyLLM]", timeout=-1).startswith(
        "harness.toml [adapters.MyLLM], timeout:"
    )


def test_what_was_given_can_change_without_changing_the_adapter():
    """
    Mappings and lists are copied, at any depth.
    """
    inner = [1]
    adapter = Adapter(name="A", target=TARGET, kwargs={"a": inner})
    inner.append(2)

    assert adapter.kwargs == {"a": [1]}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def letters_and_digits(text: str) -> str:
    """
    Return what is left of a prompt where it is looked for.
    """
    return "".join(filter(str.isalnum, text)).casefold()


@given(
    kwargs=st.dictionaries(st.text(), PLAIN),
    declares=st.none() | st.lists(st.sampled_from(list(Capability))),
    expects=st.dictionaries(st.sampled_from(list(Capability)), st.sampled_from(list(Verdict))),
    upstream=st.none() | st.sampled_from(list(Upstream)),
    prompts=st.none()
    | st.lists(st.text(min_size=1).filter(str.strip), min_size=3, max_size=3, unique_by=letters_and_digits),
)
def test_an_adapter_survives_json(kwargs, declares, expects, upstream, prompts):
    """
    What crosses to another process as JSON comes out as the same adapter.
    """
    adapter = Adapter(
        name="A",
        target=TARGET,
        kwargs=kwargs,
        declares=declares,
        expects=expects,
        reason="known",
        upstream=upstream,
        prompts=prompts,
        origin="here",
    )

    again = Adapter.from_dict(json.loads(json.dumps(adapter.as_dict())))

    assert again == adapter
    assert again.origin == "here"
    assert hash(again) == hash(adapter)

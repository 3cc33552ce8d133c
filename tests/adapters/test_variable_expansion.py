"""Variables in registered strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.adapters.adapter import Adapter
from harness.adapters.build import apply_env, expanded_env
from harness.adapters.variables import expand
from harness.errors import RegistrationError

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text().filter(lambda text: "${" not in text)
DEFAULTS = TEXTS.filter(lambda text: "}" not in text)


@given(TEXTS)
def test_text_without_variables_is_left_alone(text):
    """
    A dollar, a brace or a percent sign alone means nothing.
    """
    assert expand(text, "here", {}) == text


@given(name=NAMES, setting=st.text(), before=TEXTS.filter(lambda text: not text.endswith("$")), after=TEXTS)
def test_a_variable_is_replaced_by_its_setting_once(name, setting, before, after):
    """
    The setting is taken as it is, also where it looks like a variable itself.
    """
    assert expand(f"{before}${{{name}}}{after}", "here", {name: setting}) == before + setting + after


@given(name=NAMES, setting=st.none() | st.text(), default=DEFAULTS)
def test_a_default_stands_in_for_what_is_unset_or_empty(name, setting, default):
    """
    As in a shell, `:-` covers both.
    """
    environ = {} if setting is None else {name: setting}

    assert expand(f"${{{name}:-{default}}}", "here", environ) == (setting or default)


@given(TEXTS)
def test_two_dollars_stand_for_one_that_is_meant(text):
    """
    `$${` is the way to write `${`.
    """
    assert expand(f"$${{{text}", "here", {}) == f"${{{text}"


@given(
    st.recursive(
        st.just("${KEY}") | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_variables_are_found_at_any_depth(value):
    """
    Lists and tables are gone through; what is no string stays.
    """

    def by_hand(item):
        if isinstance(item, list):
            return [by_hand(one) for one in item]
        if isinstance(item, dict):
            return {key: by_hand(one) for key, one in item.items()}
        return "secret" if item == "${KEY}" else item

    assert expand(value, "here", {"KEY": "secret"}) == by_hand(value)


def test_an_unset_variable_is_named_with_both_remedies():
    """
    The error says where it stands, how to set it and how to give a default.
    """
    with pytest.raises(RegistrationError) as caught:
        expand({"keys": ["${MY_API_KEY}"]}, "harness.toml [adapters.A], kwargs", {})

    message = str(caught.value)
    assert message.startswith("harness.toml [adapters.A], kwargs.keys[0]: ")
    assert "MY_API_KEY is not set" in message
    assert "export MY_API_KEY=" in message
    assert "${MY_API_KEY:-placeholder}" in message


@pytest.mark.parametrize("text", ["${", "${NAME", "${1}", "${}", "${A-B}", "a ${NAME:default}"])
def test_a_malformed_variable_is_refused(text):
    """
    What begins like a variable and is none is a slip, unless it is escaped.
    """
    with pytest.raises(RegistrationError, match="cannot read the variable") as caught:
        expand(text, "here", {"NAME": "x"})

    assert "$${" in str(caught.value)


def test_environment_variables_are_expanded_and_set(monkeypatch):
    """
    An adapter's environment may be made of the environment that is there.
    """
    adapter = Adapter(name="A", target="m:A", env={"SPECIMEN_URL": "${SPECIMEN_HOST:-localhost}/v1", "EMPTY": ""})
    monkeypatch.setenv("SPECIMEN_URL", "before")
    monkeypatch.setenv("EMPTY", "before")

    apply_env(adapter)

    assert expanded_env(adapter, {"SPECIMEN_HOST": "h"}) == {"SPECIMEN_URL": "h/v1", "EMPTY": ""}
    assert expand("${SPECIMEN_URL}${EMPTY}", "here") == "localhost/v1"


def test_reading_a_registration_expands_nothing(monkeypatch):
    """
    A variable that is not set only matters when the instance is built.
    """
    monkeypatch.delenv("SPECIMEN_KEY", raising=False)

    assert Adapter(name="A", target="m:A", kwargs={"key": "${SPECIMEN_KEY}"}).kwargs == {"key": "${SPECIMEN_KEY}"}

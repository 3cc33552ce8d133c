"""The labels say what the contract allows them to say."""

from __future__ import annotations

import importlib
import tomllib
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from labels import CALLS, ZOO, Specimen, write_project

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 55
# The others say so themselves, or have no class to look at.
PLAIN = [one for one in ZOO if one.name not in {"MissingDependency", "SaysSo", "Decorated", "Factory"}]
MECHANISMS = {
    "ainvoke": {"worker-thread", "other-loop", "blocks-loop"},
    "stream": {"single-item", "buffered"},
    "astream": {"single-item", "buffered", "worker-thread", "other-loop", "blocks-loop"},
    "batch": {"concurrent", "sequential"},
    "abatch": {"concurrent", "sequential", "worker-thread", "other-loop", "blocks-loop"},
}


def test_zoo_is_large_and_its_names_are_unique() -> None:
    """
    There are enough specimens, and a name means one of them.
    """
    names = Counter(specimen.name for specimen in ZOO)
    assert len(names) >= LEAST
    assert names.most_common(1)[0][1] == 1


@pytest.mark.parametrize("specimen", ZOO, ids=lambda specimen: specimen.name)
def test_labels_use_the_words_of_the_contract(specimen: Specimen) -> None:
    """
    Each of six calls has a verdict, and a mechanism that the contract's table has, exactly when it is a fallback.
    """
    assert set(specimen.labels) == set(CALLS)
    assert specimen.why.endswith(".")
    for call, label in [*specimen.labels.items(), *specimen.recorded.items()]:
        verdict, _, mechanism = label.partition("/")
        assert verdict in {"native", "fallback", "broken", "unsupported", "blocked", "unknown"}
        assert (mechanism in MECHANISMS.get(call, ())) == (verdict == "fallback")
        assert bool(mechanism) == (verdict == "fallback")


def _target(specimen: Specimen) -> object:
    module, attribute = specimen.target.split(":")
    return getattr(importlib.import_module(module), attribute)


@pytest.mark.parametrize("specimen", PLAIN, ids=lambda specimen: specimen.name)
def test_a_call_that_is_defined_is_labelled(specimen: Specimen) -> None:
    """
    A specimen that lacks a method calls it unsupported, and nothing else by accident.
    """
    target = _target(specimen)
    lacks = {call for call in CALLS if not hasattr(target, call)}
    assert {call for call, label in specimen.labels.items() if label == "unsupported"} == lacks


def test_project_registers_each_specimen(tmp_path: Path) -> None:
    """
    The written configuration is TOML and names every specimen with its target.
    """
    written = tomllib.loads(write_project(tmp_path, "http://127.0.0.1:9").read_text())
    assert {name: table["target"] for name, table in written["adapters"].items()} == {
        specimen.name: specimen.target for specimen in ZOO
    }

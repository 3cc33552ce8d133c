"""The labels say what docs/verdicts.md allows them to say."""

from __future__ import annotations

import importlib
import tomllib
from collections import Counter
from typing import TYPE_CHECKING

from labels import CALLS, ZOO, Specimen, write_project

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 55
# The others say so themselves, or have no class to look at.
PLAIN = [
    one for one in ZOO if one.name not in {"MissingDependency", "SaysSo", "SaysSoWhenAwaited", "Decorated", "Factory"}
]
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


def test_labels_use_the_words_of_the_rules() -> None:
    """
    Each of six calls has a verdict, and exactly where that is a fallback, a mechanism that the call can have.
    """
    labels = [(one.name, call, label) for one in ZOO for call, label in (*one.labels.items(), *one.recorded.items())]

    assert [one.name for one in ZOO if set(one.labels) != set(CALLS) or not one.why.endswith(".")] == []
    assert [one for one in labels if not _is_label(*one[1:])] == []


def _is_label(call: str, label: str) -> bool:
    verdict, _, mechanism = label.partition("/")
    if verdict == "fallback":
        return mechanism in MECHANISMS[call]
    return label in {"native", "broken", "unsupported", "blocked", "unknown"}


def test_a_call_that_is_defined_is_labelled() -> None:
    """
    A specimen that lacks a method calls it unsupported, and nothing else by accident.
    """
    lacks = {one.name: {call for call in CALLS if not hasattr(_target(one), call)} for one in PLAIN}

    assert lacks == {one.name: {call for call, label in one.labels.items() if label == "unsupported"} for one in PLAIN}


def _target(specimen: Specimen) -> object:
    module, attribute = specimen.target.split(":")
    return getattr(importlib.import_module(module), attribute)


def test_project_registers_each_specimen(tmp_path: Path) -> None:
    """
    The written configuration is TOML and names every specimen with its target.
    """
    written = tomllib.loads(write_project(tmp_path, "http://127.0.0.1:9").read_text())
    assert {name: table["target"] for name, table in written["adapters"].items()} == {
        specimen.name: specimen.target for specimen in ZOO
    }

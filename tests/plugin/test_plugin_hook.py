"""The ways of registering besides the configuration: a conftest.py, and an installed package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Place

MADE = """
from harness import Adapter
import plugin_adapters


def adapter(name):
    return Adapter(name=name, target="plugin_adapters:Emulated", family="toys", kwargs={{"base_url": {url!r}}})
"""


def test_the_hook_of_a_conftest_registers(place: Place) -> None:
    """
    What `pytest_harness_adapters` returns is measured beside what the file registers: one adapter, or several.
    """
    place.register("Honest")
    made = MADE.format(url=place.base_url)
    place.write("conftest.py", f"{made}\ndef pytest_harness_adapters(config):\n    return [adapter('Emulated')]\n")
    one = f"{made}\ndef pytest_harness_adapters(config):\n    return adapter('Other')\n"
    place.write("below/conftest.py", one)
    place.write("below/test_own.py", "def test_mine():\n    pass\n")

    # a conftest.py imports its neighbours only where the folder is on the path
    there = replace(place, env={"PYTHONPATH": str(place.root)})
    ran = there.pytest("--harness", "-k", "invoke or mine")

    assert set(ran.of("Honest").values()) == {"passed"}, ran.said
    assert ran.of("Emulated") == {"invoke": "passed", "ainvoke": "passed"}
    assert ran.of("Other") == {"invoke": "skipped", "ainvoke": "skipped"}


def test_entry_points_of_installed_packages_register(place: Place) -> None:
    """
    An installed package's adapters are measured too.
    """
    made = MADE.format(url=place.base_url)
    place.write("site/brought.py", f"{made}\ndef adapters():\n    return [adapter('Emulated')]\n")
    place.write("site/brought-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: brought\nVersion: 1.0\n")
    place.write("site/brought-1.0.dist-info/entry_points.txt", "[harness.adapters]\nall = brought:adapters\n")
    place.register("Honest")
    path = f"{place.root / 'site'}:{place.root}"

    ran = replace(place, env={"PYTHONPATH": path}).pytest("--harness", "-k", "batch")

    assert {"batch": "passed", "abatch": "passed"} == ran.of("Honest") == ran.of("Emulated"), ran.said


def test_a_hook_that_raises_is_a_usage_error(place: Place) -> None:
    """
    The error has the line of the conftest.py and what was raised there, and is no internal error of pytest.
    """
    place.write(
        "conftest.py",
        "import harness\n\n\ndef pytest_harness_adapters(config):\n    return harness.Adapter(name='A', kwarg={})\n",
    )

    ran = place.pytest("--harness")

    assert ran.status == 4, ran.said
    assert "conftest.py:5: raised TypeError" in ran.err
    assert "'kwarg'" in ran.err
    assert "hint: mend the hook" in ran.err
    assert "INTERNALERROR" not in ran.said


def test_a_hook_that_returns_something_else_is_a_usage_error(place: Place) -> None:
    """
    The error says what was returned, and what should be.
    """
    place.write("conftest.py", "def pytest_harness_adapters(config):\n    return 'Honest'\n")

    ran = place.pytest("--harness")

    assert ran.status == 4, ran.said
    assert "pytest_harness_adapters" in ran.err
    assert "'Honest', not an adapter" in ran.err
    assert "hint:" in ran.err

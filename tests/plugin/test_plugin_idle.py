"""The plugin where nobody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Place

CONFTEST = "def pytest_harness_adapters(config):\n    raise AssertionError('nobody asked')\n"
# pytest refuses hooks that nobody knows; this is its way to say that the plugin may be absent
OPTIONAL = f"import pytest\n\n@pytest.hookimpl(optionalhook=True)\n{CONFTEST}"
LOOKS = """
import sys

def test_what_is_loaded():
    ours = {name for name in sys.modules if name.partition(".")[0] == "harness"}
    assert ours <= {"harness", "harness.plugin", "harness.plugin.hooks"}, ours
    assert not {"click", "rich", "vcr", "jinja2", "yaml"} & set(sys.modules)
"""


def test_an_idle_plugin_loads_nothing_and_does_nothing(place: Place) -> None:
    """
    Without `--harness` nothing of the harness but the plugin's entry is imported, and no library that it needs.
    """
    place.write("test_own.py", LOOKS)

    # pytest-recording imports vcrpy by itself
    ran = place.pytest("-p", "no:recording", "-p", "no:hypothesispytest")

    assert ran.outcomes == {"test_own::test_what_is_loaded": "passed"}, ran.said
    assert "harness" not in ran.out.replace("capability-harness", "")


def test_an_idle_plugin_knows_its_hook(place: Place) -> None:
    """
    A conftest.py that registers adapters is no error without `--harness`, and its function is not called.
    """
    place.write("conftest.py", CONFTEST)
    place.write("test_own.py", "def test_mine():\n    pass\n")

    ran = place.pytest()

    assert ran.outcomes == {"test_own::test_mine": "passed"}, ran.said


def test_a_plugin_that_is_switched_off_is_not_there(place: Place) -> None:
    """
    With `-p no:harness` the ordinary tests run, also with an optional hook in conftest.py; the options are unknown.
    """
    place.write("conftest.py", OPTIONAL)
    place.write("test_own.py", "def test_mine():\n    pass\n")

    ran = place.pytest("-p", "no:harness")
    asked = place.pytest("-p", "no:harness", "--harness")

    assert ran.outcomes == {"test_own::test_mine": "passed"}, ran.said
    assert asked.status == 4
    assert "unrecognized arguments: --harness" in asked.err

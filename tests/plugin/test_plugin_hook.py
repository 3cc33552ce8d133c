"""The ways of registering besides the configuration: a conftest.py, and an installed package."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("raise KeyError('no such model')", ("conftest.py:5: raised KeyError", "hint: mend the hook")),
        (
            "return harness.Adapter(name='A', targt='a:B')",
            (
                "conftest.py:5: harness.Adapter(name='A'): unknown key 'targt'; did you mean 'target'?",
                "hint: keys here",
            ),
        ),
        (
            "return [harness.Adapter(name='A', target='a:B') for _ in '12']",
            ("conftest.py, pytest_harness_adapters: ", "/A is registered twice\n", "hint: rename"),
        ),
        (
            "return 'Honest'",
            ("conftest.py, pytest_harness_adapters: gives 'Honest', not an adapter", "hint: give a harness.A"),
        ),
    ],
)
def test_a_mistake_in_a_hook_is_a_usage_error(place: Place, line: str, words: tuple[str, ...]) -> None:
    """
    The error has the conftest.py, where it can the line, and what is wrong there; it is no internal error of pytest.
    """
    place.write("conftest.py", f"import harness\n\n\ndef pytest_harness_adapters(config):\n    {line}\n")

    ran = place.pytest("--harness")

    assert ran.status == 4, ran.said
    for word in words:
        assert word in ran.err
    assert "INTERNALERROR" not in ran.said


def test_what_a_hook_registers_is_named_by_its_file_and_shown_by_pytest(place: Place) -> None:
    """
    A target that does not import is told with the conftest.py; the hint is no command that would not know the adapter.
    """
    registered = "harness.Adapter(name='Lost', family='toys', target='no_such_module:A')"
    place.write("conftest.py", f"import harness\n\n\ndef pytest_harness_adapters(config):\n    return {registered}\n")

    ran = place.pytest("--harness", "toys/Lost::stream")

    assert ran.of("Lost") == {"stream": "failed"}, ran.said
    assert f"error: {place.root / 'conftest.py'}, pytest_harness_adapters, target: there is no module" in ran.out
    assert "hint: `pytest --harness -v toys/Lost::stream` shows" in ran.out


@pytest.mark.parametrize("addopts", ["", "-p no:harness"])
def test_the_command_knows_what_a_conftest_registers(place: Place, addopts: str) -> None:
    """
    Three ways, one meaning: it is listed and measured like any other, also where the plugin is switched off.
    """
    place.register("Honest")
    place.ini(f"    {addopts}")  # goes on with what the file has for addopts
    made = MADE.format(url=place.base_url)
    hook = (
        "@pytest.hookimpl(optionalhook=True)\ndef pytest_harness_adapters(config):\n    return [adapter('Emulated')]\n"
    )
    place.write("tests/conftest.py", f"import pytest\n{made}\n{hook}")
    there = replace(place, env={"PYTHONPATH": str(place.root)})

    listed = there.harness("list")
    ran = there.harness("run", "Emulated", "--only", "invoke", "--no-baseline", "--json", "-")

    assert "plugin_adapters:Emulated" in listed.stdout, listed.stderr
    assert [cell["verdict"] for cell in json.loads(ran.stdout)["cells"]] == ["native"], ran.stderr


def test_the_command_tells_of_a_mistake_in_a_conftest(place: Place) -> None:
    """
    A hook that registers amiss, and a file that pytest cannot read, are the user's mistakes, told with the file.
    """
    hook = "import harness\ndef pytest_harness_adapters(config):\n    return harness.Adapter(name='A', targt='a:B')\n"
    for text, words in (
        (hook, "conftest.py:3: harness.Adapter(name='A'): unknown key"),
        (f"1 / 0\n{hook}", "division"),
    ):
        place.write("conftest.py", text)
        done = place.harness("list")
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr

"""The section with the table at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.plugin.conftest import Place


def section(out: str) -> list[str]:
    """
    Return the lines of the plugin's section.
    """
    after = out.partition("= harness =")[2].splitlines()[1:]
    ends = [at for at, line in enumerate(after) if line.startswith("==") or " passed in " in line]
    return after[: ends[0] if ends else None]


def test_the_table_shows_every_cell(place: Place) -> None:
    """
    A row for each adapter, words beside the symbols, and the totals in the last line; plain where it is no terminal.
    """
    ran = replace(place, env={"COLUMNS": "130"}).pytest("--harness")

    table = "\n".join(section(ran.out))
    assert "Honest" in table, ran.said
    assert "worker-thread" in table
    assert "2 adapters, 12 cells: 7 native, 4 fallback, 1 unsupported" in table
    assert "\x1b[" not in ran.out


def test_quiet_shows_the_totals_alone_and_more_quiet_nothing(place: Place) -> None:
    """
    `-q` leaves the line of totals, `-qq` nothing of the plugin's.
    """
    quiet = place.pytest("--harness", "-q", "toys/Honest::invoke")
    silent = place.pytest("--harness", "-qq", "toys/Honest::invoke")

    assert any("1 native" in line for line in section(quiet.out)), quiet.said
    assert not any("Async" in line for line in section(quiet.out))
    assert "= harness =" not in silent.out
    assert "native" not in silent.out


def test_colour_and_width_are_the_terminals(place: Place) -> None:
    """
    Colour is used where pytest uses it, and no line of the section is wider than the terminal.
    """
    ran = replace(place, env={"COLUMNS": "60"}).pytest("--harness", "--color=yes", "toys/Honest::invoke")
    plain = replace(place, env={"COLUMNS": "60"}).pytest("--harness", "toys/Honest::invoke")

    assert "\x1b[32m✅ native" in ran.out or "✅ Invoke: native" in ran.out, ran.said
    assert section(plain.out), plain.said
    assert max(map(len, section(plain.out))) <= 60


def test_a_project_without_adapters_is_told_so(place: Place) -> None:
    """
    Asking for cells where none is registered says where was looked.
    """
    place.write("harness.toml", 'family = "toys"\n')
    place.write("test_own.py", "def test_mine():\n    pass\n")

    ran = place.pytest("--harness")

    assert "no adapter is registered" in ran.out, ran.said
    assert ran.status == 0

"""The pages that list what there is, held against the code: configuration, options, formats, links."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import jsonschema
import pytest
from markdown_it import MarkdownIt

from harness.adapters import engine, project
from harness.adapters.adapter import Adapter
from harness.adapters.project import load_project
from harness.cli.app import group
from harness.report.schema import schema_text
from harness.session.settings import TIMEOUT
from harness.tape import cassette
from harness.tape.matchers import DEFAULT_MATCH_ON
from harness.tape.timing import read_timing

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = {"docs": "pages", "judge-log": "serve"}
SHARED: Final = "run.md#options-that-commands-share"
PARSER: Final = MarkdownIt("commonmark").enable("table")


def _tables(page: str) -> Iterator[list[list[str]]]:
    """
    Give the tables of a page, each row as the texts of its cells, headings first.
    """
    rows: list[list[str]] = []
    for token in PARSER.parse((DOCS / page).read_text(encoding="utf-8")):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and token.level > 2 and rows:
            rows[-1].append(token.content)
        elif token.type == "table_close":
            yield rows


def _fences(page: str, language: str) -> list[str]:
    tokens = PARSER.parse((DOCS / page).read_text(encoding="utf-8"))
    return [one.content for one in tokens if one.type == "fence" and one.info.split()[0] == language]


def _default(value: object) -> str:
    return "" if value is None else json.dumps(list(value) if isinstance(value, tuple) else value)


def _adapter_defaults() -> dict[str, str]:
    keys = project._ADAPTER_KEYS  # noqa: SLF001 - the page lists what the reader takes
    known = {"target": "mandatory", "prompts": "the standard prompts", "match_on": f"`{_default(DEFAULT_MATCH_ON)}`"}
    found = {}
    for one in dataclasses.fields(Adapter):
        if one.name in keys:
            made = one.default if one.default_factory is dataclasses.MISSING else one.default_factory()
            shown = "" if made is dataclasses.MISSING else _default(made)
            found[one.name] = known.get(one.name, f"`{shown}`" if shown else "")
    return found


def test_the_reference_has_every_key_and_its_default() -> None:
    """
    The configuration's tables name the keys that are read, no other, with the defaults that the code has.
    """
    ours, adapters, engines, seams = (
        {row[0].strip("`"): row for row in rows[1:]} for rows in _tables("configuration.md")
    )
    assert ours.keys() == set(project._PROJECT_KEYS)  # noqa: SLF001 - as above
    assert (ours["timeout"][2], ours["cassettes"][2]) == (f"`{TIMEOUT:g}`", '`"cassettes"`')
    assert {key: row[2] for key, row in adapters.items()} == _adapter_defaults()
    assert engines.keys() == set(engine._KEYS)  # noqa: SLF001 - as above
    assert seams.keys() == set(engine._OPTIONS)  # noqa: SLF001 - as above


def test_the_examples_of_the_reference_are_read(tmp_path: Path) -> None:
    """
    Each configuration that the page shows can be loaded, and the two ways to write the first one mean the same.
    """
    made = []
    for text in _fences("configuration.md", "toml"):
        tables = tomllib.loads(text)
        if "project" in tables:
            assert "harness.adapters" in tables["project"]["entry-points"]
            continue
        file = tmp_path / ("pyproject.toml" if "tool" in tables else "harness.toml")
        file.write_text(text, encoding="utf-8")
        (adapter,) = load_project(file).adapters
        made.append(dataclasses.replace(adapter, origin=""))
    assert made[0] == made[1]
    assert made[2].reason


def _options(command: click.Command) -> set[str]:
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {name for one in options for name in one.opts if name.startswith("--")}


def _commands() -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def _named(page: str) -> set[str]:
    """
    Return the options that the first column of a page's tables names.
    """
    cells = [row[0] for rows in _tables(page) if rows[0][0].startswith("option") for row in rows[1:]]
    return {word.split()[0] for cell in cells for word in cell.split("`")[1::2] if word.startswith("--")}


@pytest.mark.parametrize("name", list(_commands()))
def test_each_command_has_a_page_with_its_options(name: str) -> None:
    """
    The page of a command names each of its options, or leads to those that commands share, and names none that is not.
    """
    command, page = _commands()[name], f"{PAGES.get(name, name)}.md"
    text = (DOCS / page).read_text(encoding="utf-8")
    assert f"harness {name}" in text
    shared = _named("run.md") if SHARED in text else set()
    missing = {option for option in _options(command) if option not in text}
    assert missing <= shared
    known = set().union(*map(_options, _commands().values()))
    assert _named(page) <= known


def test_the_cassette_and_the_matrix_of_the_pages_are_ones(tmp_path: Path) -> None:
    """
    The cassette that is shown can be loaded, arrivals and all; the matrix keeps to the schema.
    """
    (text,) = _fences("cassettes.md", "yaml")
    file = tmp_path / "stream.yaml"
    file.write_text(text, encoding="utf-8")
    (response,) = (one for _, one in cassette.load(file).data)
    timing = read_timing(response)
    assert ([one.at for one in timing.arrivals], timing.made_up, timing.battery) == ([0.412, 0.455], False, 1)

    (text,) = _fences("matrix.md", "json")
    validator: Any = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.validate(json.loads(text))


def _links(root: Path) -> tuple[int, list[str]]:
    command = [sys.executable, str(DOCS / "links.py"), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    return done.returncode, done.stdout.splitlines()


def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    """
    No page has a link to a file or a heading that is not there; a page that has one is told of, with the line.
    """
    status, said = _links(ROOT)
    assert status == 0, said
    page = tmp_path / "README.md"
    page.write_text(
        "# One `two`, three\n\n# One `two`, three\n\n[a](#one-two-three-1) [b](#one-two-three-2)\n\n"
        "* [c](none.md)\n* [d](../x.md)\n* [e](http://example.com)\n* ![f](https://exa mple)\n* [g](https://localhost/)\n",
        encoding="utf-8",
    )
    status, said = _links(tmp_path)
    assert status == 1
    assert [line.split(": ")[:2] for line in said[:-1]] == [
        ["README.md:5", "#one-two-three-2"],
        ["README.md:7", "none.md"],
        ["README.md:8", "../x.md"],
        ["README.md:9", "http://example.com"],
        ["README.md:11", "https://localhost/"],
    ]

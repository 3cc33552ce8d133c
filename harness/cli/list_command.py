"""`harness list`: who is registered, and which cells have cassettes."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from harness.cli.options import Selection, select, selecting
from harness.cli.screen import has_colour, say, width
from harness.words import Capability, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.adapters.adapter import Adapter

_HEADINGS: Final = ("Adapter", "Target", "Upstream", "Cassettes", "Environment")
"""The last only where an adapter names one."""


@click.command("list")
@selecting
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    List the registered adapters: family, target, where their cassettes come from, and which cells have some.

    No adapter is imported, and nothing is run.

    \b
    Examples:
      harness list
      harness list --family langchain-0.0.337 --environment second
      harness list --json
    """  # noqa: D301 - click looks for this very character
    selection = select(ctx, given)
    if as_json:
        adapters = [_plain(one, selection) for one in selection.adapters]
        say(json.dumps({"adapters": adapters}, indent=2, ensure_ascii=False))
    else:
        say(_table(selection))


def _recorded(adapter: Adapter, selection: Selection) -> list[Capability]:
    from harness.session.paths import cassette_path  # noqa: PLC0415 - `--help` does without

    return [one for one in selection.capabilities if cassette_path(selection.project, adapter, one).is_file()]


def _upstream(adapter: Adapter, selection: Selection, recorded: list[Capability]) -> str | None:
    """
    Return where an adapter's cassettes come from: as registered, or as one of them says.
    """
    if adapter.upstream is not None:
        return adapter.upstream.value
    if not recorded:
        return None
    from harness.errors import CassetteError  # noqa: PLC0415 - as above
    from harness.session.paths import cassette_path  # noqa: PLC0415 - as above
    from harness.tape.checked import read_interactions  # noqa: PLC0415 - slow, and only such adapters need it
    from harness.tape.timing import read_timing  # noqa: PLC0415 - as above

    try:
        interactions = read_interactions(cassette_path(selection.project, adapter, recorded[0]))
        return read_timing(interactions[0]["response"]).upstream if interactions else None
    except CassetteError:
        return None


def _plain(adapter: Adapter, selection: Selection) -> dict[str, object]:
    recorded = _recorded(adapter, selection)
    return {
        "name": adapter.name,
        "family": adapter.family,
        "target": adapter.target,
        "upstream": _upstream(adapter, selection, recorded),
        "simulator": adapter.simulator,
        "environment": adapter.environment,
        "declares": None if adapter.declares is None else [one.value for one in adapter.declares],
        "cassettes": [one.value for one in recorded],
        "registered": adapter.place,
    }


def _table(selection: Selection) -> str:
    from rich.console import Group  # noqa: PLC0415 - `--json` does without
    from rich.text import Text  # noqa: PLC0415 - as above

    from harness.report.terminal import NARROWEST_TABLE, rendered  # noqa: PLC0415 - as above
    from harness.report.text import one_line  # noqa: PLC0415 - as above

    families: dict[str, list[list[str]]] = {}
    for adapter in selection.adapters:
        row = [one_line(text) for text in _row(adapter, selection)]
        families.setdefault(adapter.family or selection.project.family, []).append(row)
    headings = _HEADINGS if any(one.environment for one in selection.adapters) else _HEADINGS[:-1]
    shape = partial(_aligned, headings) if width() >= NARROWEST_TABLE else partial(_stacked, headings)
    parts = [
        part for family, rows in families.items() for part in (Text(one_line(family), style="bold"), shape(rows), "")
    ]
    found = f"{counted(len(selection.adapters), 'adapter')} of {counted(len(families), 'family', 'families')}"
    return rendered(Group(*parts, found), width(), has_colour()).rstrip("\n")


def _row(adapter: Adapter, selection: Selection) -> tuple[str, ...]:
    recorded = _recorded(adapter, selection)
    upstream = _upstream(adapter, selection, recorded) or "-"
    return adapter.name, adapter.target, upstream, _cassettes(recorded, selection), adapter.environment or "-"


def _aligned(headings: Sequence[str], rows: list[list[str]]) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row[: len(headings)]))
    return table


def _stacked(headings: Sequence[str], rows: list[list[str]]) -> RenderableType:
    from rich.text import Text  # noqa: PLC0415 - as above

    lines = [
        f"{name}\n  {target}\n  upstream {upstream}, cassettes: {kept}"
        + (f"\n  environment {environment}" if len(headings) == len(_HEADINGS) else "")
        for name, target, upstream, kept, environment in rows
    ]
    return Text("\n".join(lines), overflow="fold")


def _cassettes(recorded: list[Capability], selection: Selection) -> str:
    if not recorded:
        return "none"
    if len(recorded) == len(selection.capabilities) == len(Capability):
        return "all six"
    missing = [one.value for one in selection.capabilities if one not in recorded]
    if len(missing) < len(recorded):
        return f"all but {', '.join(missing)}" if missing else ", ".join(recorded)
    return ", ".join(recorded)

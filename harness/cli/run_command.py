"""`harness run`: replay the battery, print the table, write the reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from harness.cli.options import in_part, pace_option, running, select, selecting, settings_of, shard_option
from harness.cli.summary import github_option


@click.command("run")
@selecting
@running
@pace_option
@shard_option
@click.option(
    "--json", "target", metavar="FILE", help="Write the matrix there (- for standard output), and nothing else."
)
@click.option(
    "--reports", type=click.Path(path_type=Path), metavar="DIR", help="Where the reports go, if not to the project's."
)
@click.option(
    "--column", "columns", multiple=True, metavar="CHECK", help="Add a check to the table as a column; repeatable."
)
@click.option("--no-baseline", is_flag=True, help="Do not compare with the committed matrix.")
@click.option("--alone", is_flag=True, help="Make each call in its own process, also where the matrix knows it.")
@github_option
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    Replay the battery, print the table, write the reports.

    Needs no network and no key. Where a part is run, the other cells of the reports stay as they are.

    \b
    Examples:
      harness run
      harness run MyLLM --only astream
      harness run --json matrix.json
      harness run --json - | jq '.cells[] | .verdict'
      harness run --pace recorded
      harness run --column stream-rebuilds --column loop-guard
      harness run --shard 2/5 --json shard-2.json
    """  # noqa: D301 - click looks for this very character
    selection = in_part(select(ctx, given), given["shard"])

    from harness.cli.running import run  # noqa: PLC0415 - imports vcrpy, and a mistake is told without

    folder = given["reports"]
    options = RunOptions(
        target=given["target"],
        folder=folder or (None if given["target"] else selection.project.reports),
        compare=not given["no_baseline"],
        alone=given["alone"],
        columns=given["columns"],
        github=given["github"],
    )
    ctx.exit(run(selection, settings_of(given, pace=given["pace"]), options))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """
    Hold the options of `harness run` that say what it compares, shows and writes.

    Attributes:
        target: where the matrix goes, if it was asked for: a file, or `-`.
        folder: where the reports go; None where none are wanted.
        compare: compare with the committed matrix.
        alone: no two calls share a process, whatever the committed matrix says.
        columns: checks that are columns of the table; the project's where none is named.
        github: append to the job summary.
    """

    target: str | None
    folder: Path | None
    compare: bool
    alone: bool = False
    columns: tuple[str, ...] = ()
    github: bool = False

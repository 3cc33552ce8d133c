"""`harness diff`: which cells changed between two matrices."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.summary import github_option, summarize

if TYPE_CHECKING:
    from harness.cells import Matrix


@click.command("diff")
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.json")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW.json")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Markdown is for a pull request and fits into a comment.",
)
@github_option
@click.pass_context
def command(ctx: click.Context, /, old: Path, new: Path, *, form: str, github: bool) -> None:
    """
    Show the cells that changed between two matrices, the worst first, and the rows that came or went.

    A cell changed where its verdict or its mechanism did. The status is 1 if one is worse than before: it fell from
    native to fallback or below, it is emulated in a way that hurts more, it worked and is not measured any more, or
    it worked and is gone from a complete matrix.

    \b
    Examples:
      harness diff old.json new.json
      git show main:reports/matrix.json | harness diff - reports/matrix.json --format markdown
    """  # noqa: D301 - click looks for this very character
    from harness.cli.screen import say  # noqa: PLC0415 - `--help` does without
    from harness.report import difference_text  # noqa: PLC0415 - as above
    from harness.report.difference import differ  # noqa: PLC0415 - as above

    if str(old) == str(new) == "-":
        raise click.UsageError("only one of the two can come from standard input", ctx)
    before, after = _read(old), _read(new)
    found = differ(before, after)
    render = {
        "text": difference_text.render_text,
        "markdown": difference_text.render_markdown,
        "json": difference_text.render_json,
    }[form]
    say(render(found).rstrip("\n"))
    if github:
        summarize(after, before)
    ctx.exit(1 if found.regressions else 0)


def _read(path: Path) -> Matrix:
    from harness.report.matrix import decode_matrix, read_matrix  # noqa: PLC0415 - as above

    if str(path) != "-":
        return read_matrix(path)
    return decode_matrix(sys.stdin.buffer.read(), where="standard input")

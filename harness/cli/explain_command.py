"""`harness explain`: one cell, and why it is what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import capability, config_option, pace_option, project_of, registry_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cells import Cell, Checked, Matrix, Measured
    from harness.words import Capability


@click.command("explain")
@click.argument("name")
@click.argument("call", metavar="CAPABILITY")
@click.option(
    "--matrix",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read a matrix.json instead of replaying; no project is needed.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="CHECK",
    help="Try this check on the cell as well, instead of the project's columns; repeatable.",
)
@pace_option
@config_option
@click.pass_context
def command(ctx: click.Context, /, *, name: str, call: str, source: Path | None, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    Explain one cell: what was sent, what arrived when, what came out when, and why that means its verdict.

    \b
    Examples:
      harness explain MyLLM astream
      harness explain langchain-0.0.337/DeepInfra stream
      harness explain MyLLM batch --matrix reports/matrix.json
      harness explain MyLLM stream --column loop-guard
    """  # noqa: D301 - click looks for this very character
    from harness.cli.screen import has_colour, say, width  # noqa: PLC0415 - `--help` does without
    from harness.report.explain import render_explain  # noqa: PLC0415 - as above

    wanted = capability(call, "CAPABILITY")
    status = 0
    if source is None:
        cell, adapter, checks, status = _replayed(ctx, given, name, wanted)
    elif given["columns"]:
        raise click.UsageError("a matrix has its columns: --column is for a replay", ctx)
    else:
        cell, adapter, checks = _read(source, name, wanted)
    say(render_explain(cell, adapter, width(), has_colour(), checks).rstrip("\n"))
    ctx.exit(status)


def _replayed(
    ctx: click.Context, given: Mapping[str, Any], name: str, wanted: Capability
) -> tuple[Cell, Measured, Sequence[Checked], int]:
    from harness.cli.progress import progress  # noqa: PLC0415 - as above
    from harness.cli.screen import show_problems  # noqa: PLC0415 - as above
    from harness.session.checks import check_matching, columns_of  # noqa: PLC0415 - as above
    from harness.session.session import Session  # noqa: PLC0415 - as above
    from harness.session.settings import Settings  # noqa: PLC0415 - as above
    from harness.session.standing import exit_status  # noqa: PLC0415 - as above

    project = project_of(ctx, given["config"])
    adapter = registry_of(project).find(name)
    check_matching([adapter])
    tried = columns_of(project, [adapter], given["columns"])
    settings = Settings(pace=given["pace"], jobs=1)
    with (
        progress({adapter.id: 1}) as shown,
        Session(project, settings, shown, tried, adapters=1) as session,
    ):
        row = session.measure(adapter, [wanted])
    show_problems(adapter.id, row.problems)
    return row.cells[0], row.adapter, row.checks, exit_status((), row.problems)


def _read(source: Path, name: str, wanted: Capability) -> tuple[Cell, Measured, Sequence[Checked]]:
    from harness.report.matrix import read_matrix, sorted_checks  # noqa: PLC0415 - as above

    matrix = read_matrix(source)
    adapter = _adapter(matrix, name, source)
    for cell in matrix.cells:
        if (cell.family, cell.adapter, cell.capability) == (adapter.family, adapter.name, wanted):
            return cell, adapter, [one for one in sorted_checks(matrix) if _is_of(one, cell)]
    from harness.cli.errors import UnmeasuredCellError  # noqa: PLC0415 - as above

    hint = "it is the matrix of a part: `harness run` measures every cell"
    raise UnmeasuredCellError(f"{name} {wanted} was not measured", where=str(source), hint=hint)


def _is_of(one: Checked, cell: Cell) -> bool:
    return (one.family, one.adapter, one.capability) == (cell.family, cell.adapter, cell.capability)


def _adapter(matrix: Matrix, name: str, source: Path) -> Measured:
    from harness.adapters.registry import AmbiguousNameError, UnknownNameError  # noqa: PLC0415 - as above
    from harness.adapters.spelling import did_you_mean, listed  # noqa: PLC0415 - as above

    found = [one for one in matrix.adapters if name in {one.name, f"{one.family}/{one.name}"}]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(f"{one.family}/{one.name}" for one in found)
        raise AmbiguousNameError(
            f"{name!r} stands in more than one family", where=str(source), hint=f"say which: {choices}"
        )
    known = [f"{one.family}/{one.name}" if "/" in name else one.name for one in matrix.adapters]
    msg = f"unknown adapter {name!r}{did_you_mean(name, known)}"
    raise UnknownNameError(msg, where=str(source), hint=f"it has {listed(dict.fromkeys(known)) or 'none at all'}")

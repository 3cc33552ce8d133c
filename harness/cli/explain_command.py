"""`harness explain`: one cell, and why it is what it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import capability, config_option, pace_option, project_of, registry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.cells import Cell, Matrix, Measured
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
    """  # noqa: D301 - click looks for this very character
    from harness.cli.screen import has_colour, say, width  # noqa: PLC0415 - `--help` does without
    from harness.report.explain import render_explain  # noqa: PLC0415 - as above

    wanted = capability(call)
    status = 0
    if source is None:
        cell, adapter, status = _replayed(ctx, given, name, wanted)
    else:
        cell, adapter = _read(source, name, wanted)
    say(render_explain(cell, adapter, width(), has_colour()).rstrip("\n"))
    ctx.exit(status)


def _replayed(
    ctx: click.Context, given: Mapping[str, Any], name: str, wanted: Capability
) -> tuple[Cell, Measured, int]:
    from harness.cli.progress import progress  # noqa: PLC0415 - as above
    from harness.cli.screen import show_problems  # noqa: PLC0415 - as above
    from harness.session.checks import check_matching  # noqa: PLC0415 - as above
    from harness.session.session import Session  # noqa: PLC0415 - as above
    from harness.session.settings import Settings  # noqa: PLC0415 - as above
    from harness.session.standing import exit_status  # noqa: PLC0415 - as above

    project = project_of(ctx, given["config"])
    adapter = registry_of(project).find(name)
    check_matching([adapter])
    with (
        progress({adapter.id: 1}) as shown,
        Session(project, Settings(pace=given["pace"], jobs=1), shown, adapters=1) as session,
    ):
        row = session.measure(adapter, [wanted])
    show_problems(adapter.id, row.problems)
    return row.cells[0], row.adapter, exit_status((), row.problems)


def _read(source: Path, name: str, wanted: Capability) -> tuple[Cell, Measured]:
    from harness.report.matrix import read_matrix  # noqa: PLC0415 - as above

    matrix = read_matrix(source)
    adapter = _adapter(matrix, name, source)
    for cell in matrix.cells:
        if (cell.family, cell.adapter, cell.capability) == (adapter.family, adapter.name, wanted):
            return cell, adapter
    from harness.errors import UserError  # noqa: PLC0415 - as above

    hint = "it is the matrix of a part: `harness run` measures every cell"
    raise UserError(f"{name} {wanted} was not measured", where=str(source), hint=hint)


def _adapter(matrix: Matrix, name: str, source: Path) -> Measured:
    from harness.adapters.registry import UnknownNameError  # noqa: PLC0415 - as above
    from harness.adapters.spelling import did_you_mean, listed  # noqa: PLC0415 - as above

    found = [one for one in matrix.adapters if name in {one.name, f"{one.family}/{one.name}"}]
    if len(found) == 1:
        return found[0]
    if found:
        choices = ", ".join(f"{one.family}/{one.name}" for one in found)
        raise UnknownNameError(
            f"{name!r} stands in more than one family", where=str(source), hint=f"say which: {choices}"
        )
    known = [f"{one.family}/{one.name}" if "/" in name else one.name for one in matrix.adapters]
    msg = f"unknown adapter {name!r}{did_you_mean(name, known)}"
    raise UnknownNameError(msg, where=str(source), hint=f"it has {listed(dict.fromkeys(known)) or 'none at all'}")

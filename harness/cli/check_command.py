"""`harness check`: the merge gate for one adapter, or several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import Selection, running, select, selecting, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command("check")
@selecting
@running
@click.option("--check", "checks", multiple=True, metavar="CHECK", help="Only this check; repeatable.")
@click.option("--list-checks", is_flag=True, help="List the checks, what each promises, and nothing else.")
@click.option("--no-checks", is_flag=True, help="Only the verdicts.")
@click.option("--no-baseline", is_flag=True, help="Do not compare with the committed matrix.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE", help="Write what there is to do as SARIF.")
@click.option("--github", is_flag=True, help="On GitHub Actions: a job summary, and annotations on the source lines.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    Say READY or NOT READY, with a numbered list of what there is to do.

    Beside the verdicts it tries what applications rely on, over the same recordings: refused requests, broken
    connections, early ends. What does not apply to an adapter is left out with a reason in its registration:
    without = { stop = "the provider has no stop words" }.

    \b
    Examples:
      harness check MyLLM
      harness check MyLLM --check stream-closes --only astream
      harness check --sarif harness.sarif --github
    """  # noqa: D301 - click looks for this very character
    if given["as_json"] and given["github"]:
        raise click.UsageError("--json and --github both write to standard output: run them apart", ctx)
    selection = select(ctx, given)
    if given["list_checks"]:
        _list(selection)
        return
    ctx.exit(_gate(selection, given))


def _list(selection: Selection) -> None:
    from harness.checks.registry import find_checks  # noqa: PLC0415 - `--help` does without
    from harness.cli.screen import say  # noqa: PLC0415 - as above

    for name, found in find_checks(selection.project).items():
        asked = "; only where it is asked for" if found.check.asked else ""
        say(f"{name}: {found.check.promise}\n  on {', '.join(found.check.calls)}{asked}; {found.spec}")


def _gate(selection: Selection, given: Mapping[str, Any]) -> int:
    from harness.checks.registry import chosen, find_checks, modules, switched_off  # noqa: PLC0415 - `--help` does without
    from harness.session.fleets import fleet_for  # noqa: PLC0415 - as above

    settings = settings_of(given)
    with fleet_for(selection.project, settings, len(selection.adapters), modules()) as fleet:
        # while the fork server comes up
        from harness.cli import gate  # noqa: PLC0415 - as above

        # what a registration leaves out is held against all checks, whichever are tried
        known = find_checks(selection.project)
        checks = {} if given["no_checks"] else chosen(known, given["checks"])
        options = gate.GateOptions(
            compare=not given["no_baseline"], as_json=given["as_json"], sarif=given["sarif"], github=given["github"]
        )
        off = {adapter.id: switched_off(adapter, known) for adapter in selection.adapters}
        return gate.run(selection, settings, gate.Checks(tried=checks, off=off), options, fleet)

"""`harness record`: run the battery against the real upstream and write the cassettes."""

from __future__ import annotations

from typing import Any

import click

from harness.cli.options import running, select, selecting, settings_of


@click.command("record")
@selecting
@running
@click.option("--simulate", is_flag=True, help="Record from the project's simulators instead of the real upstream.")
@click.option("--missing", is_flag=True, help="Only cells that have no cassette; so it is where no adapter is named.")
@click.option("--again", is_flag=True, help="Also cells that have one; so it is for adapters that are named.")
@click.option("--yes", "-y", is_flag=True, help="Make the requests without asking.")
@click.option("--keep-errors", is_flag=True, help="Keep also refusals, broken answers and redirects.")
@click.option(
    "--no-entropy", is_flag=True, help="Let pass what is only random; what is known to be a secret still stops."
)
@click.option("--json", "target", metavar="FILE", help="Write the matrix of this run there (- for standard output).")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    Run the battery against the real upstream and write the cassettes.

    Says first how many inference requests that takes, and asks on a terminal whether to go on. Keys come from the
    environment, as the registration says. What looks like a secret never reaches a file. A cassette that is there is
    replaced only by a complete new one.

    \b
    Examples:
      MY_API_KEY=... harness record MyLLM
      harness record MyLLM --only astream
      harness record --missing --yes
      harness record --simulate --config families/langchain-0.0.337/harness.toml
    """  # noqa: D301 - click looks for this very character
    if given["missing"] and given["again"]:
        raise click.UsageError("--missing and --again exclude each other")
    selection = select(ctx, given)

    from harness.cli.recording import RecordOptions, record  # noqa: PLC0415 - imports vcrpy, and a mistake is told without

    settings = settings_of(given, record=True, keep_errors=given["keep_errors"], entropy=not given["no_entropy"])
    options = RecordOptions(
        target=given["target"],
        simulate=given["simulate"],
        # to ask a simulator again costs nothing
        anew=given["again"] or (bool(given["names"] or given["simulate"]) and not given["missing"]),
        yes=given["yes"],
    )
    ctx.exit(record(selection, settings, options))

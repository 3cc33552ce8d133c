"""`harness import`: cassettes that were recorded elsewhere become this project's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from harness.cli.options import capability, config_option, project_of, registry_of


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--adapter", "name", required=True, metavar="NAME", help="The registered adapter that they are for.")
@click.option(
    "--as",
    "calls",
    multiple=True,
    metavar="CAPABILITY",
    help="The call that they become, such as stream; repeatable. By default those that a recording shows.",
)
@click.option("--again", is_flag=True, help="Replace cassettes that are there.")
@click.option("--dry-run", is_flag=True, help="Say what would become of the files, and write nothing.")
@config_option
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], **given: Any) -> None:  # noqa: ANN401 - the other options
    """
    Turn cassettes that were recorded elsewhere into this project's.

    The files themselves stay as they are. Credentials are taken out, and what still looks like one stops the import
    of a file. A streamed answer becomes stream and astream, a whole one invoke and ainvoke, three or more inputs batch
    and abatch; --as says otherwise. docs/import.md lists the formats.

    \b
    Examples:
      harness import tests/cassettes/*.yaml --adapter MyLLM --dry-run
      harness import test_stream.yaml --adapter MyLLM --as astream
      harness import old.yaml.gz --adapter MyLLM --again
    """  # noqa: D301 - click looks for this very character
    chosen = tuple(dict.fromkeys(capability(call, "--as") for call in given["calls"]))
    project = project_of(ctx, given["config"])
    adapter = registry_of(project).find(given["name"])

    from harness.cli.importing import ImportOptions, bring  # noqa: PLC0415 - imports vcrpy, and a mistake is told without

    options = ImportOptions(calls=chosen, again=given["again"], dry_run=given["dry_run"])
    ctx.exit(bring(project, adapter, tuple(dict.fromkeys(files)), options))

"""`harness report`: merge matrices and render them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import config_option, everything_registered, project_of
from harness.cli.summary import github_option, summarize
from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.adapters.project import Project
    from harness.cells import Matrix


@click.command("report")
@click.argument("matrices", nargs=-1, metavar="MATRIX.json...", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the reports go, if not to the project's."
)
@click.option("--schema", is_flag=True, help="Print the JSON Schema of matrix.json, and do nothing else.")
@click.option(
    "--features",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Regenerate the published table of features that this file describes, and nothing else.",
)
@github_option
@config_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    matrices: tuple[Path, ...],
    out: Path | None,
    **given: Any,  # noqa: ANN401 - the options
) -> None:
    """
    Merge matrices and render Markdown, HTML and badges again, without running anything.

    \b
    Examples:
      harness report reports/matrix.json
      harness report part-1.json part-2.json --out site
      harness report sdk/matrix.json proxy/matrix.json --features features.toml --out site
    """  # noqa: D301 - click looks for this very character
    if given["schema"]:
        from harness.cli.screen import say  # noqa: PLC0415 - `--help` does without
        from harness.report.schema import schema_text  # noqa: PLC0415 - as above

        say(schema_text().rstrip("\n"))
        return
    if not matrices:
        raise click.UsageError("no matrix is named", ctx)
    project = _project(ctx, given["config"], needed=out is None)
    folder = out if project is None else out or project.reports
    assert folder is not None  # noqa: S101 - told to the type checker; without --out there is a project
    if given["features"] is not None:
        _regenerate(matrices, folder, given["features"])
        return
    merged = _render(matrices, folder, project)
    if given["github"]:
        summarize(merged, None)


def _project(ctx: click.Context, config: str | None, *, needed: bool) -> Project | None:
    """
    Return the project that says where reports go and who is registered; only the first cannot be done without.
    """
    try:
        return project_of(ctx, config)
    except UserError:
        if needed or config:
            raise
        return None


def _render(matrices: Sequence[Path], folder: Path, project: Project | None) -> Matrix:
    from harness.cli import results  # noqa: PLC0415 - as above
    from harness.report.matrix import read_matrix  # noqa: PLC0415 - as above
    from harness.report.merge import merge  # noqa: PLC0415 - as above
    from harness.report.write import write_reports  # noqa: PLC0415 - as above
    from harness.session.outputs import claims_of, require_folder  # noqa: PLC0415 - as above

    require_folder(folder)
    merged = _whole(merge([read_matrix(path) for path in matrices], [str(path) for path in matrices]), project)
    files = write_reports(folder, merged, claims_of(project))
    results.show_table(merged)
    results.show_files(files)
    return merged


def _regenerate(matrices: Sequence[Path], folder: Path, file: Path) -> None:
    from harness.adapters.features import load_features  # noqa: PLC0415 - as above
    from harness.cli import results  # noqa: PLC0415 - as above
    from harness.cli.screen import note  # noqa: PLC0415 - as above
    from harness.report.features import render_features, render_features_html  # noqa: PLC0415 - as above
    from harness.report.files import replace_files  # noqa: PLC0415 - as above
    from harness.report.matrix import read_matrix  # noqa: PLC0415 - as above
    from harness.report.merge import merge  # noqa: PLC0415 - as above
    from harness.session.outputs import require_folder  # noqa: PLC0415 - as above

    features = load_features(file)
    require_folder(folder)
    merged = merge([read_matrix(path) for path in matrices], [str(path) for path in matrices])
    texts = {"features.md": render_features(merged, features), "features.html": render_features_html(merged, features)}
    replace_files({folder / name: text.encode("utf-8", "replace") for name, text in texts.items()})
    note(f"reports: {results.shown(folder)}/ ({', '.join(texts)})")


def _whole(merged: Matrix, project: Project | None) -> Matrix:
    """
    Return a merged matrix, complete also where its parts together hold every cell of the project.
    """
    from harness.session.outputs import joined  # noqa: PLC0415 - as above

    if merged.complete or project is None:
        return merged
    try:
        registered = [(one.family or project.family, one.name) for one in everything_registered(project)]
    except UserError:
        return merged
    return joined(merged, None, registered) if registered else merged

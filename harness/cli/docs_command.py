"""`harness docs`: the tables in hand-written pages, as the matrix has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from harness.cli.options import config_option, project_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cells import Matrix

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that a shell of Windows has written."""


@click.command("docs")
@click.argument("files", nargs=-1, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Change nothing; print what would change, and exit with 1 if anything would."
)
@click.option(
    "--matrix",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The matrix.json to take; otherwise the one among the project's reports.",
)
@click.option("--skip-unmarked", is_flag=True, help="Pass over pages without markers, as a hook needs it.")
@config_option
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], *, check: bool, skip_unmarked: bool, **given: Any) -> None:  # noqa: ANN401 - the shared options
    """
    Rewrite the tables between the markers of hand-written pages; everything else stays as it is, byte for byte.

    \b
      <!-- harness:begin family=my-package show=both footnotes=yes -->
      <!-- harness:end -->

    In MDX the markers may be written {/* harness:begin ... */}. docs/pages.md lists the options.

    \b
    Examples:
      harness docs README.md docs/support.mdx
      harness docs docs/*.md --check
    """  # noqa: D301 - click looks for this very character
    if not files:
        raise click.UsageError("no page is named", ctx)
    pages = {path: _read(path) for path in dict.fromkeys(files)}
    new = _rewritten(pages, _matrix(ctx, given["source"], given["config"]), skip_unmarked=skip_unmarked)
    changed = {path: data for path, data in new.items() if data != pages[path]}
    if check:
        options = [("--matrix", given["source"]), ("--config", given["config"] or (ctx.obj or {}).get("config"))]
        ctx.exit(_show(pages, changed, [word for option in options if option[1] for word in map(str, option)]))
    _write(changed)


def _matrix(ctx: click.Context, source: Path | None, config: str | None) -> Matrix:
    from harness.report.matrix import read_matrix  # noqa: PLC0415 - `--help` does without

    if source is None:
        source = project_of(ctx, config).reports / "matrix.json"
    return read_matrix(source)


def _read(path: Path) -> bytes:
    from harness.report.page_markers import PageError  # noqa: PLC0415 - as above

    try:
        return path.read_bytes()
    except OSError as error:
        hint = "name a page that is there; relative paths start at the working directory"
        raise PageError(f"cannot be read: {error.strerror or error}", where=str(path), hint=hint) from error


def _rewritten(pages: Mapping[Path, bytes], matrix: Matrix, *, skip_unmarked: bool) -> dict[Path, bytes]:
    from harness.report.page_markers import EXAMPLE, PageError, blocks  # noqa: PLC0415 - as above
    from harness.report.page_table import rewritten  # noqa: PLC0415 - as above

    new = {}
    for path, data in pages.items():
        if blocks(data, str(path)):
            new[path] = rewritten(data, matrix, str(path))
        elif data.startswith(_UTF_16):
            raise PageError("is UTF-16", where=str(path), hint="save it as UTF-8; markers cannot be seen in it")
        elif not skip_unmarked:
            raise PageError("has no markers", where=f"{path}:1", hint=f"write {EXAMPLE}")
    return new


def _show(pages: Mapping[Path, bytes], changed: Mapping[Path, bytes], options: Sequence[str]) -> int:
    import shlex  # noqa: PLC0415 - needed where a page would change
    from difflib import unified_diff  # noqa: PLC0415 - as above

    from harness.cli.screen import note, say  # noqa: PLC0415 - as above
    from harness.report.text import printable  # noqa: PLC0415 - as above

    for path, data in changed.items():
        old, new = (text.decode("utf-8", "replace").splitlines() for text in (pages[path], data))
        lines = unified_diff(old, new, f"{path} (as it is)", f"{path} (as measured)", lineterm="")
        say(printable("\n".join(lines)))
    if changed:
        command = shlex.join(["harness", "docs", *map(str, changed), *options])
        note(f"{_names(list(changed))} would change\n  hint: `{command}` does it")
    return 1 if changed else 0


def _write(changed: Mapping[Path, bytes]) -> None:
    from harness.cli.screen import note  # noqa: PLC0415 - as above
    from harness.report.files import replace_files  # noqa: PLC0415 - as above

    # a link to a page stays a link
    replace_files({path.resolve(): data for path, data in changed.items()})
    if changed:
        note(f"rewritten: {_names(list(changed))}")


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))

"""`harness serve`: replay cassettes over loopback, for programs in other processes and other languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from harness.cli import screen
from harness.errors import UserError
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.serve.serving import Summary

_MOST_SHOWN: Final = 20
"""Recordings, or misses, that a summary lists by name."""


def _pace(ctx: click.Context, param: click.Parameter, value: str) -> float:
    from harness.session.pace import read_pace  # noqa: PLC0415 - as in the other commands

    try:
        return read_pace(value)
    except UserError as error:
        raise click.BadParameter(f"{error.message}: {error.hint}", ctx, param) from error


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:  # noqa: ARG001 - click's interface
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command("serve")
@click.argument("cassettes", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CASSETTE...")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option(
    "--pace",
    callback=_pace,
    default="recorded",
    show_default=True,
    metavar="recorded|instant|FACTOR",
    help="How fast answers are sent.",
)
@click.option("--lockstep", is_flag=True, help="Hold each arrival until POST /__harness__/next asks for it.")
@click.option("--repeat", is_flag=True, help="Play a recording again when it is asked for again.")
@click.option(
    "--match-on",
    callback=_names,
    metavar="NAME,...",
    help="How requests are matched to recordings; by default method,path,query,body.",
)
@click.option(
    "--log", type=click.Path(path_type=Path), metavar="FILE", help="Write what happens there, as lines of JSON."
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    cassettes: tuple[Path, ...],
    match_on: tuple[str, ...] | None,
    **given: Any,  # noqa: ANN401 - the options
) -> None:
    """
    Replay cassettes over loopback, for programs in other processes and other languages.

    CASSETTE is a file, or a folder of them. The first line on standard output is `serving URL`. A request that no
    recording answers gets status 599, and the nearest recording is named. Ctrl-C ends it, and says what was played.

    \b
    Examples:
      harness serve cassettes/my-package/MyLLM/stream.yaml --port 8080
      harness serve cassettes --pace instant --repeat
      harness serve stream.yaml --lockstep --log served.jsonl
    """  # noqa: D301 - click looks for this very character
    from harness.serve.recordings import load  # noqa: PLC0415 - imports vcrpy, and a mistake is told without
    from harness.serve.serving import Options, serve  # noqa: PLC0415 - as above

    recordings = load(cassettes, match_on)
    if recordings.unserved:
        screen.note(f"note: {recordings.unserved} recordings of gRPC, websockets or engines are left out")
    summary = serve(recordings, Options(**given), lambda url: screen.say(f"serving {url}"))
    for line in _told(summary):
        screen.say(line)
    ctx.exit(0)


def _told(summary: Summary) -> Iterator[str]:
    plays = sum(count for _, count in summary.played)
    often = f", {plays} times in all" if plays > len(summary.played) else ""
    yield f"played {len(summary.played)} of {counted(len(summary.played) + len(summary.never), 'recording')}{often}"
    yield from _shortened([f"{place}: {place.asked}{_times(count)}" for place, count in summary.played])
    if summary.never:
        yield f"never played: {len(summary.never)}"
        yield from _shortened([f"{place}: {place.asked}" for place in summary.never])
    if summary.missed:
        yield f"refused, as no recording answers: {sum(count for _, count in summary.missed)}"
        yield from _shortened([f"{why}{_times(count)}" for why, count in summary.missed])


def _times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""


def _shortened(lines: list[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:_MOST_SHOWN])
    if len(lines) > _MOST_SHOWN:
        yield f"  … and {len(lines) - _MOST_SHOWN} more"

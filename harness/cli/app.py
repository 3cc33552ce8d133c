"""The command group: loads a command when it is called, and turns every way out into words and a status."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from harness.cli import endings, screen

if TYPE_CHECKING:
    from types import FrameType

_COMMANDS: Final = {
    "new": "write a registration, and say what to do next",
    "list": "the registered adapters, and which of their cells have cassettes",
    "record": "run the battery against the real upstream and write the cassettes",
    "run": "replay the battery, print the table, write the reports",
    "check": "the merge gate: READY, or NOT READY with a numbered list of what there is to do",
    "explain": "one cell: what was sent, what came when, and why that means its verdict",
    "report": "merge matrices and render the reports again, without running anything",
    "diff": "the cells that changed between two matrices, the worst first",
    "docs": "rewrite the tables between the markers of hand-written pages",
    "import": "turn cassettes that were recorded elsewhere into this project's",
    "serve": "replay cassettes over loopback, for programs in other processes",
    "judge-log": "judge a call of such a program, by what was served and what it logged",
}
_EPILOG: Final = """
\b
Exit status:
  0  all is as it should be
  1  a cell is broken or blocked, contradicts what its registration declares,
     or falls behind the committed matrix; a recording was not kept, or a
     file not imported; `check` has something to do, `diff` found a regression,
     `docs --check` a page that would change, `new` an adapter that raises
  2  a mistake of yours: usage, configuration, files
  3  the harness's own fault
  130  stopped: by Ctrl-C, or by a no to a question
"""


class Commands(click.Group):
    """
    Import a command's module when it is wanted, so that `--help` is quick.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """
        Return the commands in the order in which people use them.
        """
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        """
        Return one command, or None where there is none of that name.
        """
        if cmd_name not in _COMMANDS:
            return None
        # collecting garbage while much is imported finds none, and takes a tenth of the time
        gc.disable()
        command: click.Command = importlib.import_module(f"harness.cli.{cmd_name.replace('-', '_')}_command").command
        gc.freeze()
        gc.enable()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """
        Return the command that the arguments name, or say which was probably meant.
        """
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - needed for a mistake only

            likely = get_close_matches(args[0], _COMMANDS, 1)
            guess = f"; did you mean {likely[0]!r}?" if likely else f"; there are {', '.join(_COMMANDS)}"
            raise click.UsageError(f"there is no command {args[0]!r}{guess}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        """
        List the commands without importing them.
        """
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _version(ctx: click.Context, param: click.Parameter, asked: bool) -> None:  # noqa: ARG001, FBT001 - click's interface
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - slower than all the rest

        screen.say(f"harness {version('capability-harness')}")
        ctx.exit()


@click.command(
    cls=Commands,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    type=click.Path(),
    metavar="FILE",
    help="The configuration; otherwise the nearest harness.toml, or pyproject.toml with a table [tool.harness].",
)
@click.option("--no-color", is_flag=True, help="Neither colours nor symbols; NO_COLOR=1 does the same.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def group(ctx: click.Context, /, *, config: str | None, no_color: bool) -> None:
    """
    Measure what LLM integrations really do: which of the six calls (invoke, ainvoke, stream, astream, batch,
    abatch) are native, and how the others are emulated.

    An adapter is registered by `harness new MyLLM`, or by hand in harness.toml, or in pyproject.toml with the prefix
    tool.harness:

    \b
      [adapters.MyLLM]
      target = "my_package.llms:MyLLM"
      kwargs = { model = "m-1", api_key = "${MY_API_KEY:-placeholder}" }

    \b
    Then:
      harness list                    who is registered, and what is recorded
      harness record MyLLM            talk to the provider once, with your key
      harness run                     replay, judge, write reports/
      harness explain MyLLM astream   why a cell is what it is
      harness check MyLLM             READY to be merged, or what there is to do
    """  # noqa: D301 - click looks for this very character
    ctx.obj = {"config": config}
    if no_color:
        os.environ["NO_COLOR"] = "1"
    if ctx.invoked_subcommand is None:
        screen.note(ctx.get_help())
        ctx.exit(endings.USAGE)


def run() -> int:
    """
    Run the command line and return its status; every way out of it is a status.
    """
    screen.forgive_encodings()
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, _terminated)
    try:
        status = group(prog_name="harness", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 - the last place where anything can be told
        # a second Ctrl-C, right after the first, must not keep it from being told
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        status = endings.told(error)
    # all is told: who presses Ctrl-C again, while threads wind up, wants to be gone
    signal.signal(signal.SIGINT, _gone)
    # later still the interpreter takes handlers away, and one that comes then would end it as if it had been killed
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    return status if isinstance(status, int) else 0


def _terminated(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal module's interface
    # as Ctrl-C: no process stays behind, and what was measured so far is told
    raise KeyboardInterrupt


def _gone(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as above
    os._exit(endings.INTERRUPTED)

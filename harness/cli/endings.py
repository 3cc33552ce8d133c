"""How a command ends where it does not end well: in words on standard error, and in a status."""

from __future__ import annotations

import sys
import traceback
from typing import Final

import click

from harness.cli import screen
from harness.errors import HarnessError

USAGE: Final = 2
INTERRUPTED: Final = 130
HARNESS_FAULT: Final = 3
_LAST_LINES: Final = 12


def told(error: BaseException) -> int:
    """
    Tell of an error that ended a command, and return the status.
    """
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case KeyboardInterrupt() | click.exceptions.Abort():
            screen.note("\nstopped")
            return INTERRUPTED
        case click.ClickException():
            _usage(error)
            return error.exit_code
        case HarnessError():
            tell(error)
            return error.exit_status
        case SystemExit():
            return error.code if isinstance(error.code, int) else HARNESS_FAULT
        case _:
            return _own_fault(error)


def tell(error: HarnessError) -> None:
    """
    Print what is wrong, where, and how to mend it.
    """
    place = f"{error.where}: " if error.where else ""
    screen.complain("error", f"{place}{error.message}")
    if error.hint:
        screen.note(f"  hint: {error.hint}")
    if error.exit_status == HARNESS_FAULT:
        screen.note("  this is the harness's own fault: please report it")


def _usage(error: click.ClickException) -> None:
    screen.complain("error", error.format_message().removesuffix("."))
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        screen.note(f"  {ctx.get_usage().replace(chr(10), ' ')}")
        screen.note(f"  hint: `{ctx.command_path} --help` shows how it is used, with examples")
    else:
        # the parser itself raises without saying of which command
        screen.note("  hint: `harness --help` lists the commands, and `harness COMMAND --help` the options of each")


def _own_fault(error: BaseException) -> int:
    lines = "".join(traceback.format_exception(error)).splitlines()
    screen.complain("error", f"{type(error).__name__}: {error}")
    screen.note("\n".join(f"  {line}" for line in lines[-_LAST_LINES:]))
    version = ".".join(map(str, sys.version_info[:3]))
    screen.note("  this is the harness's fault, neither yours nor an adapter's")
    screen.note(f"  hint: please report it, with the command, these lines, and: Python {version} on {sys.platform}")
    return HARNESS_FAULT

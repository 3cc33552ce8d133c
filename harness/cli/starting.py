"""
What a command that measures does first: it sees to the order of sets, and forks its zygote.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final

from harness.isolation import processes
from harness.isolation.surroundings import steady

_NAMES: Final = frozenset({"harness", "__main__.py"})
"""What the command's file is called: the script that pip makes, and the package's own."""


def begin() -> None:
    """
    Start the interpreter again where it draws the order of sets, and fork the zygote of this command.

    The seed can only be given to an interpreter that starts, which takes 0.015 s; a zygote of its own takes 0.07 s.
    Whoever calls the command from a program of his own, or follows it with a debugger, has that zygote.
    """
    if not processes.can_fork() or sys.flags.ignore_environment:
        return
    if os.path.basename(sys.argv[0]) not in _NAMES or sys.gettrace() or sys.getprofile():  # noqa: PTH119 - pathlib takes a while
        return
    environ = steady(os.environ)
    if environ != dict(os.environ):
        # who cannot be started again has a zygote that starts anew, with the seed
        with suppress(OSError):
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606 - itself again
        return
    from harness.isolation import early  # noqa: PLC0415 - not twice

    early.begin()

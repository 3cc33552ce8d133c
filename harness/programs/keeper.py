"""
The keeper: the parent of a program, which ends it when the harness ends, however that comes about.

It stands between the two because only a parent learns how a program ended, and because a signal that the kernel sends
at a parent's death (Linux) comes when the thread ends that started the child: here there is but one. It reads nothing
but the end of its standard input, and writes `started PROCESS` or `missing WHY`, and at last `ended STATUS`.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn

from harness.isolation import processes

MODULE: Final = "harness.programs.keeper"
GRACE: Final = 2.0
"""Seconds that a program has to end by itself, once it was asked to."""
_LOOK: Final = 0.02


def command(output: str, words: list[str]) -> list[str]:
    """
    Return the command line of a program's keeper.

    Args:
        output: the file that the program prints to.
        words: the program and its arguments.
    """
    return [sys.executable, "-P", "-m", MODULE, output, *words]


def main(arguments: list[str]) -> NoReturn:
    """
    Start the program, wait for its end or the harness's, and leave nothing behind.
    """
    output, *words = arguments
    processes.adopt_orphans()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    program = _start(output, words)
    _say(f"started {program.pid}")
    while program.poll() is None:
        if 0 in select.select([0, woken], [], [])[0]:
            _end(program)
            break
        os.read(woken, 1 << 10)
    processes.kill_left_over(program.pid)
    processes.kill_strays()
    _say(f"ended {program.returncode}")
    os._exit(0)


def _start(output: str, words: list[str]) -> subprocess.Popen[bytes]:
    try:
        with open(output, "ab") as printed:  # noqa: PTH123 - pathlib is one import more
            return subprocess.Popen(  # noqa: S603 - what the user registered
                words,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
                # safe: this process has one thread
                preexec_fn=partial(processes.die_with_parent, os.getpid()),  # noqa: PLW1509 - as above
            )
    except OSError as error:
        _say(f"missing {error.strerror or error}")
        os._exit(0)


def _end(program: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(program.pid, signal.SIGTERM)
    given_up = time.monotonic() + GRACE
    while program.poll() is None and time.monotonic() < given_up:
        time.sleep(_LOOK)
    if program.poll() is None:
        processes.kill_group(program.pid)
        program.wait()


def _say(words: str) -> None:
    # whoever listened may be gone
    with suppress(OSError):
        os.write(1, f"{words}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1:])

"""
Stacks from a process that crashes or hangs, written where its parent can read them afterwards.
"""

from __future__ import annotations

import faulthandler
import io
import os
import re
import signal
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

END: Final = "-- end of the stacks --\n"

# A crash or a hang with hundreds of threads is understood from the first of them.
_MOST: Final = 16 * 1024
# From the frame that called the entry outwards, a stack shows the harness alone.
_OURS: Final = re.compile(
    r'^  File "[^"\n]*isolation[/\\]cell\.py", line \d+ in run_cell\n(?:  (?:File|\.\.\.).*\n)*', re.MULTILINE
)
# The thread of a spawned host that waits for its parent's end.
_OUR_THREAD: Final = re.compile(
    r'^Thread .*\n  File "[^"\n]*isolation[/\\]spawned\.py".*\n(?:  File .*\n)*\n?', re.MULTILINE
)
_ADDRESS: Final = re.compile(r"\b0x[0-9a-f]+\b")
_MODULES: Final = re.compile(r"^Extension modules: .*\n?", re.MULTILINE)

_file: io.FileIO | None = None


def enable(path: str) -> None:
    """
    Write this process's stacks into the file at `path`: on a crash, and on SIGUSR1 where there is such a signal.
    """
    global _file  # noqa: PLW0603 - faulthandler keeps the descriptor only, so the file has to be kept open here
    _file = io.FileIO(path, "ab")
    faulthandler.enable(_file, all_threads=True)
    if sys.platform != "win32":
        # faulthandler writes from the signal handler itself, even while C code holds the interpreter; the tasks need
        # the interpreter, so they follow in a handler of their own, if it ever gets to run.
        signal.signal(signal.SIGUSR1, _write_tasks)
        faulthandler.register(signal.SIGUSR1, file=_file, all_threads=True, chain=True)


def _write_tasks(_signal: int, _frame: FrameType | None) -> None:
    if _file is not None:
        os.write(_file.fileno(), (_tasks() + END).encode("utf-8", "replace"))


def _tasks() -> str:
    asyncio = sys.modules.get("asyncio")
    loop = None if asyncio is None else asyncio._get_running_loop()  # noqa: SLF001 - the public twin raises
    if asyncio is None or loop is None:
        return ""
    text = io.StringIO()
    for task in sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name()):
        text.write("\n")
        task.print_stack(file=text)
    return text.getvalue()


def tidy(stacks: str) -> str:
    """
    Return stacks without the harness's own frames and with threads and objects numbered, so that equal ones look equal.
    """
    numbers: dict[str, int] = {}
    text = stacks.replace(END, "")
    for noise in (_OURS, _OUR_THREAD, _MODULES):
        text = noise.sub("", text)
    text = _ADDRESS.sub(lambda found: f"#{numbers.setdefault(found[0], len(numbers) + 1)}", text)
    return text.strip()[:_MOST]

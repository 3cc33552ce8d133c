"""
The operating system's side of isolation: families of processes, and how to end them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36


def can_fork() -> bool:
    """
    Tell whether hosts may be forked here.

    Not on macOS: its frameworks (name look-ups, proxies, certificates) start threads behind the program's back, and a
    forked process that touches them is aborted (https://github.com/python/cpython/issues/77906).
    """
    return hasattr(os, "fork") and hasattr(socket, "send_fds") and sys.platform != "darwin"


def fork() -> int:
    """
    Fork; the caller has made sure that no other Python thread runs.
    """
    with warnings.catch_warnings():
        # Python 3.12 counts the threads of C libraries too; those that keep any (OpenBLAS) restart them after a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), *(ctypes.c_ulong(0),) * 3)


def die_with_parent(parent: int) -> None:
    """
    Have the kernel kill this process when its parent ends (Linux); end at once where that has already happened.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """
    Become the parent of every descendant whose own parent ends (Linux), so that none gets away.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(root: int, keep: frozenset[int] = frozenset()) -> list[int]:
    """
    Return the processes below `root`, nearest first, without those in `keep` and below them (Linux; empty elsewhere).
    """
    children = _children()
    found = [root]
    for process in found:
        found += (child for child in children.get(process, ()) if child not in keep)
    return found[1:]


def names_in(folder: str) -> list[str]:
    """
    Return the names in a folder of `/proc`; none where there is no such folder (any more).

    A glob would ask each name whether it is still there, and raise where a process ends meanwhile.
    """
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are wanted
    except OSError:
        return []


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, names_in("/proc")):
        with contextlib.suppress(OSError, ValueError):
            # The name in brackets may itself hold brackets and spaces; the state and the parent follow the last one.
            parent = int(Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(name))
    return children


def kill_group(leader: int) -> None:
    """
    Kill a process, its group and what it started elsewhere; no matter if some of them have ended.
    """
    below = descendants(leader)
    kill_left_over(leader)
    for process in (leader, *below):
        kill(process)


def kill_left_over(leader: int) -> None:
    """
    Kill what is left of the group of a process that has itself ended.
    """
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)


def kill(process: int) -> None:
    """
    Kill one process, if it still runs.
    """
    with contextlib.suppress(OSError):
        os.kill(process, getattr(signal, "SIGKILL", signal.SIGTERM))


def kill_strays(keep: frozenset[int] = frozenset()) -> None:
    """
    Kill and reap every descendant of this process that is not in `keep` or below it.
    """
    # One look for both, kept and strays: a cell that is forked between two looks would count as a stray.
    while _has_children() and (strays := descendants(os.getpid(), keep)):
        for process in strays:
            kill(process)
        for process in strays:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, 0)


def _has_children() -> bool:
    # Without a child of one's own, strays adopted from others included, there is nothing to look for.
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def resident(process: int) -> int:
    """
    Return the bytes that a process keeps in memory; 0 where that cannot be known or it has ended.
    """
    try:
        # asked some twenty times a second and process: pathlib would take as long again as the reading
        with open(f"/proc/{process}/statm", "rb") as counts:  # noqa: PTH123
            pages = int(counts.read().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_memory(size: int) -> None:
    """
    Limit this process's memory to `size` bytes where it cannot be watched from outside.
    """
    if sys.platform in {"linux", "win32"}:
        return
    import resource  # noqa: PLC0415 - Windows has none

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (size, size))

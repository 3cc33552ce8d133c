"""
Imports that a host learns from its first cell, so that the other five need not do them again.

Many client libraries are imported by an adapter's constructor, which costs each cell 0.1 to 0.3 s of processor time. A
cell tells which modules its construction imported; the host then imports them itself, before it forks the next cell.
Where the construction did more than import (started threads, set environment variables, changed where modules are
looked for), nothing is learned: the import might depend on it.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.tape import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

IMPORTED: Final = "imported"
"""The note by which a cell tells its host of modules, separated by blanks."""
_TASKS: Final = Path("/proc/self/task")


class Lesson:
    """
    Find out what a construction imports; made before it, asked after it.
    """

    def __init__(self) -> None:
        # the name that was added last, and not all: to hold the names of 2 000 modules is to copy the pages that they
        # are on: 800, and 3 ms, for each forked cell
        self._last = next(reversed(sys.modules))
        self._around = _surroundings()

    def modules(self) -> list[str]:
        """
        Return the names of the modules that were imported since, in that order; none where more than that happened.
        """
        if _surroundings() != self._around or _threads() > 1:
            return []
        added = list(takewhile(lambda name: name != self._last, reversed(sys.modules)))
        return [name for name in reversed(added) if _is_found(sys.modules.get(name))]


def learn(names: Iterable[str], on_dial: Callable[[str], None]) -> None:
    """
    Import modules, as far as that goes; none of them gets out of the machine.
    """
    gc.disable()
    with guard.closed(on_dial):
        for name in names:
            # what cannot be imported here is left to the cells, which tell of it as the adapter's
            with suppress(BaseException):
                importlib.import_module(name)
    gc.freeze()
    gc.enable()


def _surroundings() -> tuple[object, ...]:
    return dict(os.environ), list(sys.path), os.getcwd(), _threads()  # noqa: PTH109 - a text is wanted


def _threads() -> int:
    """
    Return how many threads there are, those of C libraries included where the system tells of them.
    """
    try:
        return len(list(_TASKS.iterdir()))
    except OSError:
        return threading.active_count()


def _is_found(module: object) -> bool:
    """
    Tell whether a module came from where modules are looked for, and not out of thin air.
    """
    spec = getattr(module, "__spec__", None)
    return spec is not None and getattr(spec, "origin", None) is not None

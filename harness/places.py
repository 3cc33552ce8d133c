"""
Where code runs: in which thread, under which running event loop, in which task.

Apart from the events that name such places, because it needs asyncio: who only reads events does without.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import TYPE_CHECKING

from harness.events import Where

if TYPE_CHECKING:
    from harness.events import Spot

if sys.version_info >= (3, 12):
    _task_of = asyncio.current_task
else:
    _task_of = vars(asyncio.tasks)["_current_tasks"].get  # what the public one asks, in Python code until 3.12
_running_loop = asyncio._get_running_loop  # noqa: SLF001 - the public twin raises where no loop runs
_thread = threading.get_ident


def place() -> Spot:
    """
    Return the caller's thread, running loop and task as bare numbers.
    """
    loop = _running_loop()
    if loop is None:
        return _thread(), None, None
    task = _task_of(loop)
    return _thread(), id(loop), None if task is None else id(task)


def here() -> Where:
    """
    Return the place that the caller runs in.
    """
    return Where(*place())

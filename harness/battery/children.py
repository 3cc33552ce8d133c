"""Whether an adapter started child processes, whose traffic cannot be seen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_EVENTS: Final = frozenset(
    {"subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "os.system", "os.fork", "os.forkpty"}
)


class ChildWatch:
    """
    Report child processes, once, from now on.

    The interpreter's audit events name most ways to start one; the rest (multiprocessing's own
    spawning) shows in the children that it knows of, and in the resources that ended ones have used.

    Args:
        on_child: is told what was started.
    """

    def __init__(self, on_child: Callable[[str], None]) -> None:
        self._on_child: Callable[[str], None] | None = on_child
        self._before = _used_by_children()
        sys.addaudithook(self._hook)

    def look(self) -> None:
        """
        Look for children that no event told of, and stop watching.
        """
        multiprocessing = sys.modules.get("multiprocessing")
        running = multiprocessing is not None and multiprocessing.active_children()
        if running or _used_by_children() != self._before:
            self._report("a child process")
        self._on_child = None

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and self._on_child is not None:
            self._report(str(arguments[0]) if arguments else event)

    def _report(self, what: str) -> None:
        report, self._on_child = self._on_child, None
        if report is not None:
            report(what)


def _used_by_children() -> tuple[float, ...]:
    try:
        import resource  # noqa: PLC0415 - absent on Windows
    except ImportError:
        return ()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime, float(used.ru_maxrss), float(used.ru_minflt)

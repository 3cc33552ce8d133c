"""What pytest's terminal is told while nothing else is to be seen: a program that adapters need is starting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.session.starts import told_start

if TYPE_CHECKING:
    import pytest

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell
    from harness.words import Capability

_SILENT: Final = -2
"""pytest's verbosity from which on it says nothing of its progress."""


class Starting:
    """
    Tell how long programs have been starting; of cells, pytest itself tells.

    Args:
        config: pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def beside(self, program: str, seconds: float, *, up: bool) -> None:
        """
        Write a line about a program's start, now and then.
        """
        line = told_start(program, seconds, up=up)
        plugins = self._config.pluginmanager
        reporter, capturing = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
        # a worker of xdist has no terminal
        if line is None or reporter is None or self._config.get_verbosity() <= _SILENT:
            return
        if capturing is None:
            _write(reporter, line)
            return
        # it is a test that waits, and what is written now would be taken for its output
        with capturing.global_and_fixture_disabled():
            _write(reporter, line)

    def started(self, adapter: Adapter) -> None:
        """
        Say nothing: pytest names the item.
        """

    def called(self, adapter: Adapter, capability: Capability) -> None:
        """
        Say nothing: an adapter's calls are made in one go.
        """

    def judged(self, adapter: Adapter, cell: Cell) -> None:
        """
        Say nothing: pytest tells the outcome.
        """


def _write(reporter: pytest.TerminalReporter, line: str) -> None:
    reporter.ensure_newline()
    reporter.write_line(f"harness: {line}")
    reporter.flush()

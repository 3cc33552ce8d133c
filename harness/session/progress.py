"""What a run tells of itself while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.adapters.adapter import Adapter
    from harness.cells import Cell
    from harness.words import Capability


class Progress(Protocol):
    """
    Be told what a run is doing, from the thread that runs it.
    """

    def beside(self, program: str, seconds: float, *, up: bool) -> None:
        """
        Learn how long a program that adapters need beside them has been starting, and whether it is up now.
        """

    def started(self, adapter: Adapter) -> None:
        """
        Learn that an adapter's process is about to be started.
        """

    def called(self, adapter: Adapter, capability: Capability) -> None:
        """
        Learn that one of its calls begins.
        """

    def judged(self, adapter: Adapter, cell: Cell) -> None:
        """
        Learn that one of its cells is known.
        """

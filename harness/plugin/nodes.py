"""What pytest collects: an adapter, and one item for each of its six cells."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.cells import Timeline
from harness.errors import HarnessError
from harness.plugin.hooked import is_hooked
from harness.report.explain import render_explain
from harness.report.text import printable
from harness.session.commands import typed
from harness.session.problems import Trouble
from harness.words import Capability, State, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.errors import UserError
    from harness.plugin.desk import Desk, Found

FOUND = pytest.StashKey["Found"]()
"""Where an item keeps what was found."""


class CellFailure(Exception):  # noqa: N818 - it is what pytest calls a failure
    """
    Fail an item with a text that needs no stack.
    """


class AdapterNode(pytest.Collector):
    """
    Collect the cells of one adapter; its id is FAMILY/NAME.
    """

    def __init__(self, *, adapter: Adapter, desk: Desk, calls: Sequence[Capability], **given: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**given)
        self.adapter = adapter
        self.desk = desk
        self.calls = calls

    def collect(self) -> Iterator[CellItem]:
        """
        Yield an item for each call.
        """
        for capability in self.calls:
            yield CellItem.from_parent(self, name=capability.value)


class MistakeNode(pytest.Collector):
    """
    Fail to collect, because of the user's mistake.
    """

    def __init__(self, *, mistake: UserError, **given: Any) -> None:  # noqa: ANN401 - pytest's own arguments
        super().__init__(**given)
        self.mistake = mistake

    def collect(self) -> Iterator[CellItem]:
        """
        Tell of the mistake.

        Raises:
            CollectError: always.
        """
        raise self.CollectError(str(self.mistake))


class CellItem(pytest.Item):
    """
    Measure one cell; its id is FAMILY/NAME::CAPABILITY.
    """

    parent: AdapterNode

    @property
    def capability(self) -> Capability:
        """
        Return the call.
        """
        return Capability(self.name)

    @property
    def adapter(self) -> Adapter:
        """
        Return the adapter.
        """
        return self.parent.adapter

    def runtest(self) -> None:
        """
        Measure, and say by pytest's outcomes how the cell stands.

        A cell that was not measured is skipped, never passed; one that is broken as expected is an expected failure.
        """
        found = self.parent.desk.find(self.adapter, self.capability)
        self.stash[FOUND] = found
        self._tell(found)
        cell = found.cell
        lines = complaints(found)
        if lines:
            raise CellFailure(self._failure(found, lines))
        if cell.verdict in {Verdict.BROKEN, Verdict.BLOCKED}:
            pytest.xfail(f"{cell.verdict}, as expected: {cell.why_expected}")
            # not reached, unless --runxfail asks to see it as a failure
            raise CellFailure(self._failure(found, [f"{cell.verdict}: {cell.reason}"]))
        if cell.verdict is Verdict.UNKNOWN:
            pytest.skip(self._why_unmeasured(cell.reason))

    def _tell(self, found: Found) -> None:
        cell = found.cell
        self.user_properties += [
            ("harness_verdict", cell.verdict.value),
            ("harness_mechanism", cell.mechanism.value if cell.mechanism else ""),
            ("harness_reason", printable(cell.reason).partition("\n")[0]),
        ]

    def _failure(self, found: Found, lines: Sequence[str]) -> str:
        hint = self._explains()
        shown = ["", self._evidence(found), ""]
        if found.cell.verdict is Verdict.BLOCKED and self.capability is not self.parent.calls[0]:
            # one root cause blocks all six, and stands with the first of them
            shown = []
        said = [printable(line) for line in lines]
        return "\n".join([*said, *shown, f"hint: `{hint}` shows what was sent and what came when"])

    def _why_unmeasured(self, reason: str) -> str:
        records = "pytest --harness --harness-record" if is_hooked(self.adapter) else "harness record"
        return printable(reason).replace("`harness record`", f"`{records}`")

    def _explains(self) -> str:
        if is_hooked(self.adapter):
            return shlex.join(["pytest", "--harness", "-v", f"{self.adapter.id}::{self.capability}"])
        return typed(self.parent.desk.file, "explain", self.adapter.id, self.capability.value)

    def _evidence(self, found: Found) -> str:
        cell = found.cell
        if self.config.get_verbosity() < 1:
            cell = replace(cell, evidence=replace(cell.evidence, timeline=Timeline()))
        width = self.config.get_terminal_writer().fullwidth
        return render_explain(cell, found.adapter, width, colour=False).rstrip("\n")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401 - pytest's signature
        """
        Return the text of a failure; a stack only where the harness itself failed.
        """
        if not isinstance(excinfo.value, CellFailure | HarnessError):
            return super().repr_failure(excinfo, style)
        shown = excinfo.getrepr(style="value", chain=False)
        if shown.reprcrash is not None:
            # where CI is set, pytest's summary has the whole message of each failure, and the evidence stands above
            shown.reprcrash.message = str(excinfo.value).partition("\n")[0]
        return shown

    def reportinfo(self) -> tuple[Path, int, str]:
        """
        Return the registration's file, and a heading.
        """
        return self.path, 0, f"{self.adapter.id} {self.capability}"


def complaints(found: Found) -> list[str]:
    """
    Return what is not as it should be with a cell, a line each.
    """
    lines = [f"{fault.kind}: {fault.message}" for fault in found.faults]
    failed = [one for one in found.checks if one.state is State.FAULT]
    lines = [*(f"error: the check {one.check} failed itself: {one.sentence}" for one in failed), *lines]
    problem = found.problem
    if problem is None:
        return lines
    named = {
        Trouble.MISTAKE: f"error: {problem.message}",
        Trouble.UNKEPT: f"not recorded: {problem.message}",
        Trouble.FAULT: f"the harness itself failed, please report it:\n{problem.message}",
    }
    return [named[problem.kind], *lines]

"""Checks as columns of the table: which are switched on, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.adapters.registry import UnknownNameError
from harness.adapters.spelling import did_you_mean
from harness.cells import Checked
from harness.checks.registry import chosen, find_checks, modules, switched_off
from harness.session.paths import family_of
from harness.session.readiness import try_checks
from harness.words import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.checks.registry import Found
    from harness.checks.result import Result
    from harness.session.session import Session
    from harness.words import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """
    Hold the checks that are columns, and why registrations switch some of them off.

    Attributes:
        project: the configuration.
        checks: by name.
        off: by the adapter's id.
        rows: the adapters, by name, that a check is tried on, where these are not all.
    """

    project: Project
    checks: Mapping[str, Found]
    off: Mapping[str, Mapping[str, str]]
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def preloaded(self, project: Project) -> Project:
        """
        Return a project whose processes import the checks before they fork.
        """
        return replace(project, preload=(*project.preload, *modules()))

    def in_turn(self, adapters: Sequence[Adapter]) -> list[int]:
        """
        Return the places of adapters in the order in which to begin: one that takes long would keep the others waiting.
        """
        return sorted(range(len(adapters)), key=lambda place: -len(self._of(adapters[place])))

    def _of(self, adapter: Adapter) -> dict[str, Found]:
        return {name: one for name, one in self.checks.items() if adapter.name in self.rows.get(name, (adapter.name,))}

    def tried(self, session: Session, adapter: Adapter, calls: Sequence[Capability]) -> tuple[Checked, ...]:
        """
        Try the checks on an adapter.
        """
        checks = self._of(adapter)
        on = {call for one in checks.values() for call in one.check.calls}
        wanted = [call for call in calls if call in on]
        if not wanted:
            return ()
        found = try_checks(session, adapter, checks, self.off.get(adapter.id, {}), wanted)
        family = family_of(self.project, adapter)
        clean = session.cleaner(adapter)
        return tuple(
            Checked(
                family=family,
                adapter=adapter.name,
                check=one.check,
                capability=call,
                state=one.state,
                figure=" ".join(clean(one.figure).split()),
                sentence=" ".join(clean(_sentence(one)).split()),
            )
            for call, results in found.results.items()
            for one in results
        )


def columns(project: Project, adapters: Iterable[Adapter], names: Sequence[str]) -> Columns | None:
    """
    Return the columns of a run: those that were asked for, otherwise the project's; None where there are none.

    Raises:
        CheckError: there is no such check, or one cannot be loaded.
    """
    wanted = names or project.columns
    if not wanted:
        return None
    known = find_checks(project)
    where = "--column" if names else f"columns of {project.file}"
    checks = chosen(known, wanted, where)
    off = {one.id: switched_off(one, known) for one in adapters}
    return Columns(project=project, checks=checks, off=off, rows={} if names else _rows(project, where))


def _rows(project: Project, where: str) -> Mapping[str, tuple[str, ...]]:
    """
    Return the adapters that columns are tried on.

    Raises:
        UnknownNameError: there is no adapter of that name.
    """
    known = [one.name for one in project.adapters]
    for check, names in project.column_rows.items():
        unknown = next((name for name in names if name not in known), None)
        if unknown is not None:
            raise UnknownNameError(
                f"unknown adapter {unknown!r}{did_you_mean(unknown, known)}",
                where=f"{where}, {check}",
                hint="name adapters that are registered there",
            )
    return project.column_rows


def _sentence(result: Result) -> str:
    """
    Return what was found, why it could not be tried, or what was measured.
    """
    if result.state is State.FAILED:
        return "; ".join(result.findings)
    return result.why or result.told

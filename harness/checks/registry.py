"""Which checks there are: the harness's own, those of installed packages, and those that a project names."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Final

from harness.adapters.spelling import did_you_mean
from harness.checks.check import Check, CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.words import Capability

GROUP: Final = "harness.checks"
"""The entry-point group of packages that bring checks; each entry names one `Check`, as "module:attribute"."""

ENTRY: Final = "harness.checks.probe:run"
"""The entry of a cell that tries checks."""

_OWN: Final = (
    "harness.checks.streams:stream_joins",
    "harness.checks.streams:stream_error",
    "harness.checks.streams:stream_closes",
    "harness.checks.batches:batch_order",
    "harness.checks.batches:batch_survives",
    "harness.checks.batches:max_concurrency",
    "harness.checks.calls:http_status",
    "harness.checks.calls:stop",
    "harness.checks.calls:cancel",
    "harness.checks.rebuilds:stream_rebuilds",
    "harness.checks.events:event_streaming",
    "harness.checks.usage:usage_in_streams",
    "harness.checks.loops:loop_guard",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    Hold a check and how another process finds it again.
    """

    spec: str
    check: Check


def modules() -> tuple[str, ...]:
    """
    Return the modules of the harness's own checks, which a fork server may import once for all cells.
    """
    return tuple(dict.fromkeys((ENTRY.partition(":")[0], *(spec.partition(":")[0] for spec in _OWN))))


def find_checks(project: Project) -> dict[str, Found]:
    """
    Return every check by its name: the harness's own, then those of packages, then the project's.

    Raises:
        CheckError: one cannot be loaded, is no check, or has the name of another.
    """
    found: dict[str, Found] = {}
    for spec, origin in (*_specs(), *((one, f"checks of {project.file}") for one in project.checks)):
        check = _loaded(spec, origin, project)
        if check.name in found and found[check.name].spec != spec:
            hint = f"{found[check.name].spec} has it as well: rename one of the two"
            raise CheckError(f"two checks are called {check.name!r}", where=origin, hint=hint)
        found[check.name] = Found(spec=spec, check=check)
    return found


def _specs() -> Iterator[tuple[str, str]]:
    for spec in _OWN:
        yield spec, "the harness"
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        yield entry.value, f"entry point {entry.name!r} in the group {GROUP}"


def _loaded(spec: str, origin: str, project: Project) -> Check:
    module, _, name = spec.partition(":")
    paths = [str(path) for path in project.import_paths if str(path) not in sys.path]
    sys.path[:0] = paths
    try:
        check = getattr(importlib.import_module(module), name)
    except Exception as error:
        why = f"{spec} cannot be loaded: {type(error).__name__}: {error}"
        raise CheckError(
            why, where=origin, hint='name it as "module:attribute", and see that it can be imported'
        ) from error
    finally:
        for path in paths:
            sys.path.remove(path)
    if not isinstance(check, Check):
        hint = "make it one with the decorator harness.checks.check"
        raise CheckError(f"{spec} is a {type(check).__name__}, not a check", where=origin, hint=hint)
    return check


def chosen(found: Mapping[str, Found], names: Iterable[str], where: str = "--check") -> dict[str, Found]:
    """
    Return the checks of these names; where none is named, all but those that nobody relies on unless they say so.

    Raises:
        CheckError: there is no such check.
    """
    wanted = tuple(names)
    for name in wanted:
        _require(name, found, where)
    return {name: one for name, one in found.items() if (name in wanted if wanted else not one.check.asked)}


def switched_off(adapter: Adapter, found: Mapping[str, Found]) -> dict[str, str]:
    """
    Return the reasons of the checks that a registration switches off, by "check" or "check.call".

    Raises:
        CheckError: it names a check or a call that there is not.
    """
    for key in adapter.without:
        name, dot, call = key.partition(".")
        where = f"{adapter.place}, without"
        _require(name, found, where)
        if dot and call not in {one.value for one in found[name].check.calls}:
            calls = ", ".join(one.value for one in found[name].check.calls)
            raise CheckError(f"the check {name!r} is not tried on {call!r}", where=where, hint=f"it is on {calls}")
    return dict(adapter.without)


def reason_off(off: Mapping[str, str], check: str, capability: Capability) -> str | None:
    """
    Return why a check is switched off for a call; None where it is not.
    """
    return off.get(f"{check}.{capability.value}", off.get(check))


def _require(name: str, found: Mapping[str, Found], where: str) -> None:
    if name not in found:
        raise CheckError(
            f"unknown check {name!r}{did_you_mean(name, list(found))}",
            where=where,
            hint=f"there are {', '.join(found)}",
        )

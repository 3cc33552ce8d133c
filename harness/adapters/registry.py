"""The registry: all adapters of all three ways of registering them."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Final

from harness.adapters.adapter import Adapter
from harness.adapters.distributions import normalized
from harness.adapters.spelling import did_you_mean, listed
from harness.errors import RegistrationError, UserError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from harness.adapters.project import Project

GROUP: Final = "harness.adapters"
"""The entry-point group of packages that bring adapters."""

HOOK: Final = "pytest_harness_adapters"
"""The pytest hook that returns adapters."""


class UnknownNameError(UserError):
    """
    Report an adapter or a family that is asked for but not registered.
    """

    code = "unknown-name"


class AmbiguousNameError(UserError):
    """
    Report a name that adapters of several families have.
    """

    code = "ambiguous-name"


@dataclass(frozen=True, slots=True)
class Registry:
    """
    Keep adapters in the order of their registration, unique by family and name.

    Raises:
        RegistrationError: two adapters of one family have one name; names where both are registered.
    """

    adapters: tuple[Adapter, ...] = ()

    def __post_init__(self) -> None:
        first: dict[tuple[str | None, str], Adapter] = {}
        for adapter in self.adapters:
            other = first.setdefault((adapter.family, adapter.name), adapter)
            if other is not adapter:
                places = "" if adapter.place == other.place else f": here and in {other.place}"
                msg = f"{adapter.id} is registered twice{places}"
                hint = "rename one of the two, give one another family, or remove it"
                raise RegistrationError(msg, where=adapter.place, hint=hint)

    def __iter__(self) -> Iterator[Adapter]:
        return iter(self.adapters)

    def __len__(self) -> int:
        return len(self.adapters)

    @property
    def families(self) -> tuple[str, ...]:
        """
        Return the families, in the order in which they first occur.
        """
        return tuple(dict.fromkeys(adapter.family for adapter in self.adapters if adapter.family))

    @property
    def environments(self) -> tuple[str, ...]:
        """
        Return the environments that adapters run in, in the order in which they first occur.
        """
        return tuple(dict.fromkeys(adapter.environment for adapter in self.adapters if adapter.environment))

    def select(
        self, names: Iterable[str] = (), families: Iterable[str] = (), environment: str | None = None
    ) -> tuple[Adapter, ...]:
        """
        Return the adapters that are asked for, in the registry's order; all of them if nothing is asked for.

        Args:
            names: NAME, which stands for it in every family, or FAMILY/NAME.
            families: families to look in.
            environment: only adapters that run in it; None for all.

        Raises:
            UnknownNameError: there is no such adapter, family or environment; says which was probably meant.
        """
        within = self._running_in(environment, self._within(tuple(families)))
        wanted = tuple(names)
        for name in wanted:
            if not any(name in _callings(adapter) for adapter in within):
                raise self._unknown(name, within)
        return tuple(one for one in within if not wanted or not _callings(one).isdisjoint(wanted))

    def find(self, name: str, families: Iterable[str] = ()) -> Adapter:
        """
        Return the one adapter of a name.

        Raises:
            UnknownNameError: there is none.
            AmbiguousNameError: more than one family has it.
        """
        found = self.select([name], families)
        if len(found) > 1:
            choices = ", ".join(adapter.id for adapter in found)
            raise AmbiguousNameError(f"{name!r} stands in more than one family", hint=f"say which: {choices}")
        return found[0]

    def _within(self, families: tuple[str, ...]) -> tuple[Adapter, ...]:
        for family in families:
            if family not in self.families:
                hint = f"registered families: {listed(self.families)}" if self.adapters else _NOTHING
                msg = f"unknown family {family!r}{did_you_mean(family, self.families)}"
                raise UnknownNameError(msg, hint=hint)
        return tuple(adapter for adapter in self.adapters if not families or adapter.family in families)

    def _running_in(self, environment: str | None, within: tuple[Adapter, ...]) -> tuple[Adapter, ...]:
        if environment is not None and environment not in self.environments:
            known = self.environments
            hint = f"registered environments: {listed(known)}" if known else _NO_ENVIRONMENT
            raise UnknownNameError(f"unknown environment {environment!r}{did_you_mean(environment, known)}", hint=hint)
        return tuple(one for one in within if environment is None or one.environment == environment)

    def _unknown(self, name: str, within: tuple[Adapter, ...]) -> UnknownNameError:
        known = [adapter.id if "/" in name else adapter.name for adapter in within]
        elsewhere = [_id_and_environment(adapter) for adapter in self.adapters if name in _callings(adapter)]
        if elsewhere:
            # rightly spelt, so that a name like it would mislead
            return UnknownNameError(f"unknown adapter {name!r} here", hint=f"it is registered as {listed(elsewhere)}")
        hint = f"registered adapters: {listed(dict.fromkeys(known))}" if known else _NOTHING
        return UnknownNameError(f"unknown adapter {name!r}{did_you_mean(name, known)}", hint=hint)


_NO_ENVIRONMENT: Final = "no registration names one: leave the option out"
_NOTHING: Final = "no adapter is registered: `harness new NAME` writes a registration"


def _callings(adapter: Adapter) -> frozenset[str]:
    return frozenset({adapter.name, adapter.id})


def _id_and_environment(adapter: Adapter) -> str:
    return f"{adapter.id} (environment {adapter.environment})" if adapter.environment else adapter.id


def find_adapters(project: Project, extra: Iterable[object] = ()) -> Registry:
    """
    Return all adapters: those of the project's file, those of installed packages, and those of the pytest hook.

    Args:
        project: whose configuration is read; its family stands in where an adapter has none.
        extra: what the pytest hook returned: adapters, iterables of them, or callables that return either.

    An installed package's adapters that name no family get that of the project if it is the project's own package, and
    otherwise the name of their distribution. Packages come in the order of their names.

    Raises:
        RegistrationError: an entry point cannot be loaded, or gives something else; two adapters have one name.
    """
    found = list(project.adapters)
    entries = metadata.entry_points(group=GROUP)
    for entry in sorted(entries, key=lambda one: (normalized(_distribution(one)), one.name, one.value)):
        found += _of_entry(entry, project)
    found += [project.adopt(adapter, HOOK) for adapter in flatten(list(extra), HOOK)]
    for adapter in found:
        _require_file_name(adapter)
    return Registry(tuple(found))


def _require_file_name(adapter: Adapter) -> None:
    """
    Refuse a name that this process could give no file: cassettes would seem to be missing that are there.
    """
    try:
        os.fsencode(adapter.id)
    except UnicodeEncodeError as error:
        msg = f"no file can be named {adapter.id!r} here: the locale speaks {sys.getfilesystemencoding()}"
        hint = "set PYTHONUTF8=1, or a locale with UTF-8, such as LC_ALL=C.UTF-8"
        raise RegistrationError(msg, where=adapter.place, hint=hint) from error


def _of_entry(entry: EntryPoint, project: Project) -> list[Adapter]:
    package = _distribution(entry)
    origin = f"entry point {entry.name!r} ({entry.value}) of {package or 'an unnamed distribution'}"
    if not entry.pattern.match(entry.value):
        raise RegistrationError("names nothing", where=origin, hint='write it as "module:attribute"')
    try:
        loaded = entry.load()
    except (Exception, SystemExit) as error:
        raise _failed("cannot be loaded:", error, origin, "mend it, or uninstall that package") from error
    adapters = flatten(loaded, origin)
    if not package or normalized(package) == normalized(project.package or ""):
        return [project.adopt(adapter, origin) for adapter in adapters]
    return [replace(one, family=one.family or package, origin=one.origin or origin) for one in adapters]


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else ""


def flatten(value: object, origin: str) -> tuple[Adapter, ...]:
    """
    Return the adapters in a value: an Adapter, an iterable of them, or a callable that returns either, at any depth.

    Args:
        value: what an entry point or a pytest hook gave.
        origin: where it comes from, for messages.

    Raises:
        RegistrationError: there is something else in it, or the callable raises.
    """
    if isinstance(value, Adapter):
        return (value,)
    if isinstance(value, type):
        hint = f"register it: harness.Adapter(name={value.__name__!r}, target={value.__name__})"
        raise RegistrationError(f"gives the class {value.__qualname__}, not an adapter", where=origin, hint=hint)
    if callable(value):
        return flatten(_called(value, origin), origin)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return tuple(adapter for item in _items(value, origin) for adapter in flatten(item, origin))
    msg = f"gives {value!r}, not an adapter"
    raise RegistrationError(
        msg, where=origin, hint="give a harness.Adapter, a list of them, or a function that returns one"
    )


def _items(value: Iterable[object], origin: str) -> list[object]:
    try:
        return list(value)
    except (Exception, SystemExit) as error:
        raise _failed("raised", error, origin, "mend what gives the adapters") from error


def _failed(what: str, error: BaseException, origin: str, hint: str) -> RegistrationError:
    """
    Say where an error comes from; a registration that is mistaken says itself what is wrong and how to mend it.
    """
    if isinstance(error, RegistrationError):
        told = f"{error.where}: {error.message}" if error.where else error.message
        return RegistrationError(told, where=origin, hint=error.hint)
    return RegistrationError(f"{what} {type(error).__name__}: {error}", where=origin, hint=hint)


def _called(function: object, origin: str) -> object:
    assert callable(function)  # noqa: S101 - told to the type checker; the caller asked
    try:
        returned = function()
    except (Exception, SystemExit) as error:
        raise _failed("raised", error, origin, "it is called without arguments") from error
    if inspect.iscoroutine(returned):
        returned.close()
        raise RegistrationError("is an async function", where=origin, hint="nothing awaits it: make it a plain one")
    return returned

"""Building: from a registration to an instance, in the process that will call it."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import sys
from typing import TYPE_CHECKING

from harness.adapters.missing import missing_dependency
from harness.adapters.spelling import did_you_mean, listed, meant
from harness.adapters.variables import expand
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from harness.adapters.adapter import Adapter


def expanded_env(adapter: Adapter, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return an adapter's environment variables with `${NAME}` expanded.

    Args:
        adapter: whose variables.
        environ: what to expand from; the process's own environment where none is given.

    Raises:
        RegistrationError: a variable is not set and has no default.
    """
    place = f"{adapter.place}, env"
    return {name: str(expand(value, f"{place}.{name}", environ)) for name, value in adapter.env.items()}


def apply_env(adapter: Adapter) -> None:
    """
    Set an adapter's environment variables; many libraries read theirs when they are imported, so do this before.

    Raises:
        RegistrationError: a variable is not set and has no default.
    """
    os.environ.update(expanded_env(adapter))


def load_target(adapter: Adapter) -> Callable[..., object]:
    """
    Import an adapter's target.

    Raises:
        RegistrationError: the module or the attribute does not exist, or cannot be called.
        MissingDependency: the module needs another one that is not installed.
        Exception: whatever else the import raises, as it is.
    """
    found = _load(adapter.target, adapter, f"{adapter.place}, target")
    if not callable(found):
        names = [name for name, value in vars(found).items() if inspect.isclass(value)] if _is_module(found) else []
        hint = f"classes in there: {listed(names)}" if names else "name a class or a function that returns an instance"
        msg = f"{adapter.target} is a {type(found).__name__} and cannot be called"
        raise RegistrationError(msg, where=f"{adapter.place}, target", hint=hint)
    return found


def load_rebuild(adapter: Adapter) -> Callable[..., object] | None:
    """
    Import the function that puts the pieces of an adapter's streams together; None where the registration names none.

    Raises:
        RegistrationError: there is no such function.
        MissingDependency: its module needs another one that is not installed.
    """
    if adapter.rebuild is None:
        return None
    where = f"{adapter.place}, rebuild"
    found = _load(adapter.rebuild, adapter, where)
    if not callable(found):
        hint = "name a function that takes the list of pieces"
        raise RegistrationError(f"{adapter.rebuild} cannot be called", where=where, hint=hint)
    return found


def check_target(adapter: Adapter) -> None:
    """
    Import an adapter's target in this process and say what is wrong with it, if anything is.

    Raises:
        RegistrationError: it cannot be imported, whatever the reason.
    """
    try:
        load_target(adapter)
    except RegistrationError:
        raise
    except (Exception, SystemExit) as error:
        module = adapter.target.partition(":")[0]
        msg = f"importing {module} raised {type(error).__name__}: {error}"
        hint = f'mend the module; `python -c "import {module}"` shows where in it that happens'
        raise RegistrationError(msg, where=f"{adapter.place}, target", hint=hint) from error


def build(adapter: Adapter) -> object:
    """
    Import an adapter's target and call it with its keyword arguments.

    The environment (`apply_env`) is the caller's to set first.

    Raises:
        RegistrationError: the target, an object or a variable cannot be had, or the target returns no instance.
        MissingDependency: a module that the adapter needs is not installed.
        Exception: whatever else the import or the constructor raises, as it is.
    """
    target = load_target(adapter)
    arguments = _arguments(adapter)
    try:
        instance = target(**arguments)
    except Exception as error:
        missing = missing_dependency(error, adapter)
        if missing is None:
            raise
        raise missing from error
    if inspect.iscoroutine(instance):
        instance.close()
        msg = f"{adapter.target} is an async function, so calling it gives no instance"
        raise RegistrationError(msg, where=f"{adapter.place}, target", hint="write a plain function around it")
    if instance is None:
        hint = "a factory must return the adapter that it makes"
        raise RegistrationError(f"{adapter.target} returned None", where=f"{adapter.place}, target", hint=hint)
    return instance


def _arguments(adapter: Adapter) -> dict[str, object]:
    expanded = {name: expand(value, f"{adapter.place}, kwargs.{name}") for name, value in adapter.kwargs.items()}
    made = {name: _object(spec, adapter, f"{adapter.place}, objects.{name}") for name, spec in adapter.objects.items()}
    return {**expanded, **made}


def _object(spec: str, adapter: Adapter, where: str) -> object:
    found = _load(spec.removesuffix("()"), adapter, where)
    if not spec.endswith("()"):
        return found
    if not callable(found):
        raise RegistrationError(
            f"{spec} cannot be called", where=where, hint="leave the brackets out to take it as it is"
        )
    return found()


def _load(spec: str, adapter: Adapter, where: str) -> object:
    name, _, path = spec.partition(":")
    try:
        found: object = importlib.import_module(name)
        for part in path.split("."):
            found = _attribute(found, part, spec, where)
    except ImportError as error:
        missing = missing_dependency(error, adapter)
        if missing is not None:
            raise missing from error
        own = name.partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] == own:
            raise _no_module(error.name, name, where) from error
        raise
    return found


def _attribute(owner: object, name: str, spec: str, where: str) -> object:
    try:
        return getattr(owner, name)
    except AttributeError as error:
        known = [known for known in dir(owner) if not known.startswith("_")]
        what = "module" if _is_module(owner) else type(owner).__name__
        title = getattr(owner, "__name__", spec)
        hint = f"it has: {listed(known)}" if known else f"the {what} has no public names; is it half-written?"
        msg = f"the {what} {title!r} has no {name!r}{did_you_mean(name, known)}"
        raise RegistrationError(msg, where=where, hint=hint) from error


def _is_module(found: object) -> bool:
    return inspect.ismodule(found)


def _no_module(missing: str, wanted: str, where: str) -> RegistrationError:
    if wanted != missing and not wanted.startswith(f"{missing}."):
        msg = f"the module {wanted!r} does not import: it needs {missing!r} of its own package, which does not exist"
        return RegistrationError(msg, where=where, hint="mend that import, or add the module")
    parent, _, name = missing.rpartition(".")
    near = meant(name, _submodules(sys.modules.get(parent) if parent else None, parent))
    guess = f"; did you mean {f'{parent}.{near}' if parent else near!r}?" if near else ""
    hint = f"is its package installed in this environment ({sys.executable}), or its folder on sys.path?"
    return RegistrationError(f"there is no module {missing!r}{guess}", where=where, hint=hint)


def _submodules(package: ModuleType | None, parent: str) -> list[str]:
    if parent and package is None:
        return []
    path = getattr(package, "__path__", []) if package else None
    return [module.name for module in pkgutil.iter_modules(path)]

"""Providing: an adapter's imports of an engine get the tape's modules in its place."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any, Final

from harness.tape.engines.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from harness.tape.engines.spec import EngineSpec
    from harness.tape.tape import Tape

_BUILDER: Final = "harness.adapters.build"
"""What imports the objects of a registration, which may be an engine's."""

_provided: Engine | None = None


def provide(spec: EngineSpec, target: str, *, recording: bool) -> Engine:
    """
    From now on, let the adapter import the tape's modules instead of the engine's.

    In replay whoever imports one gets it, so that the engine need not be installed. While recording only the adapter
    does: the engine itself, and what it is made of, need the real ones.

    Args:
        spec: what the registration says of the engine.
        target: the adapter, as "module:attribute".
        recording: whether the real engine is there and is to be recorded.
    """
    global _provided  # noqa: PLW0603 - the import system is global itself
    engine = _provided = Engine(spec)
    if recording:
        _Imports(engine, target.partition(":")[0].partition(".")[0]).install()
    else:
        for name in [name for name in tuple(sys.modules) if spec.provides(name)]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(engine))
    return engine


def finish(tape: Tape) -> None:
    """
    End what the engine's calls over a tape have left open: the adapter's call is over.
    """
    if _provided is not None:
        _provided.state(tape).exchanges.finish()


class _Finder(MetaPathFinder, Loader):
    """
    Find and make the modules of an engine that is not there.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """
        Find a module that the registration names, a package of one, or one below it.
        """
        del path, target
        known = self._engine.spec.provides(fullname)
        above = any(one.startswith(f"{fullname}.") for one in self._engine.spec.modules)
        return ModuleSpec(fullname, self, origin="the tape", is_package=True) if known or above else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """
        Make a module.
        """
        return self._engine.module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """
        Do nothing: such a module has no code.
        """


class _Imports:
    """
    Hand the tape's modules to one package only.
    """

    def __init__(self, engine: Engine, package: str) -> None:
        self._engine = engine
        self._package = package
        self._import = builtins.__import__
        self._import_module = importlib.import_module

    def install(self) -> None:
        """
        Take the place of Python's own import functions.
        """
        builtins.__import__ = self._imported
        importlib.import_module = self._imported_module

    def _imported(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - Python's own name, which may be given by keyword
        locals: Mapping[str, object] | None = None,  # noqa: A002 - as above
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        found = self._import(name, globals, locals, fromlist or (), level)
        if level or not self._engine.spec.provides(name) or not self._is_asked_by(globals or {}):
            return found
        wanted = name if fromlist else name.partition(".")[0]
        return self._engine.module(wanted, sys.modules[wanted])

    def _imported_module(self, name: str, package: str | None = None) -> ModuleType:
        found = self._import_module(name, package)
        asking = sys._getframe(1).f_globals  # noqa: SLF001 - the only way to who asks
        if name.startswith(".") or not self._engine.spec.provides(name) or not self._is_asked_by(asking):
            return found
        return self._engine.module(name, found)

    def _is_asked_by(self, asking: Mapping[str, Any]) -> bool:
        module = str(asking.get("__name__", ""))
        return module == _BUILDER or module.partition(".")[0] == self._package

"""
What is done with modules that nobody has imported yet: in the moment of their import, and free until then.

The finders and loaders have no base class: importlib.abc brings importlib.resources with it, 10 ms for a command that
needs neither, such as `--help`.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Action = Callable[[ModuleType], None]
    Within = Callable[[], AbstractContextManager[object]]


class Waiting:
    """
    Wait for modules to be imported, and do something with each before its importer gets it.
    """

    def __init__(self) -> None:
        self._actions: dict[str, tuple[Action, Within]] = {}
        self._looking: set[str] = set()

    def when_imported(self, name: str, action: Action, *, within: Within = nullcontext) -> None:
        """
        Call an action with a module: now if it is there, otherwise when it is imported.

        Args:
            name: the module's.
            action: what is done with it.
            within: what it is imported in, where it still has to be.
        """
        module = sys.modules.get(name)
        if module is not None:
            action(module)
            return
        self._actions[name] = action, within
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """
        Wait no more.
        """
        self._actions.clear()
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:  # noqa: ANN401, ARG002 - the import system's signature
        """
        Return where the others find a module that is waited for, with the action behind its loading.
        """
        if fullname not in self._actions or fullname in self._looking:
            return None
        self._looking.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._looking.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Then(spec.loader, *self._actions.pop(fullname)))
        return spec


class _Then:
    """
    Load a module as another loader does, and act on it.
    """

    def __init__(self, real: Any, action: Action, within: Within) -> None:  # noqa: ANN401 - a loader of any kind
        self._real = real
        self._action = action
        self._within = within

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """
        Return what the other loader makes.
        """
        return self._real.create_module(spec)  # type: ignore[no-any-return]  # a loader of any kind

    def exec_module(self, module: ModuleType) -> None:
        """
        Load the module, and act.
        """
        spec: Any = module.__spec__
        spec.loader = module.__loader__ = self._real
        with self._within():
            self._real.exec_module(module)
        self._action(module)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other loader has
        return getattr(self._real, name)

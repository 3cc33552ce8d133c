"""In-place replacement of methods, remembered so that it can be undone."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_ABSENT: Final = object()


class Patches:
    """
    Replace methods on the real classes, or functions of the real modules, and keep the originals.
    """

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any]] = []

    def replace(self, owner: type | ModuleType, name: str, make: Callable[[Any], Any]) -> None:
        """
        Replace a method that a class itself defines by what `make` returns for the original.
        """
        original = vars(owner)[name]
        self._put(owner, name, functools.wraps(original)(make(original)))

    def add(self, owner: type | ModuleType, name: str, value: Any) -> None:  # noqa: ANN401 - any attribute
        """
        Set an attribute of a class or a module, which need not have had it.
        """
        self._put(owner, name, value)

    def forward(self, function: FunctionType, to: FunctionType) -> Callable[..., Any]:
        """
        Make a function do what another one does, also for those who have imported it already; return the original.

        Args:
            function: a function of a module, without a closure.
            to: takes any arguments and names nothing of its own module, as its code runs in the other's.
        """
        original = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
        original.__kwdefaults__ = function.__kwdefaults__
        for name in ("__code__", "__defaults__", "__kwdefaults__"):
            self._undo.append((function, name, getattr(function, name)))
            setattr(function, name, getattr(to, name))
        return original

    def undo(self) -> None:
        """
        Put every original back, the latest first.
        """
        while self._undo:
            owner, name, original = self._undo.pop()
            if original is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def _put(self, owner: type | ModuleType, name: str, value: Any) -> None:  # noqa: ANN401 - any attribute
        self._undo.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)


@functools.cache
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def accepted(function: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    """
    Return those keyword arguments that a function takes: libraries add and drop some between releases.
    """
    names = _parameters(function)
    return {name: value for name, value in offered.items() if name in names}

"""Answers under way, by the client that they go with: who closes it loses what has not come yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_MOST: Final = 64
"""So many are kept before those that are gone are looked for; a set of weak references costs three times as much."""


class _Losing(Protocol):
    def lose(self) -> None: ...


T = TypeVar("T", bound=_Losing)


class Openings(Generic[T]):
    """
    Remember what each client has open, and keep neither alive.
    """

    def __init__(self) -> None:
        self._open: MutableMapping[Any, list[ref[T]]] = WeakKeyDictionary()

    def add(self, owner: object, one: T) -> T:
        """
        Note that an owner has opened something, and return that.
        """
        found = self._open.get(owner)
        if found is None:
            found = self._open[owner] = []
        elif not len(found) % _MOST:
            found[:] = [kept for kept in found if kept() is not None]
        found.append(ref(one))
        return one

    def lose(self, owner: object) -> None:
        """
        Lose what an owner still has open.
        """
        for kept in self._open.pop(owner, ()):
            if (one := kept()) is not None:
                one.lose()

"""Answers under way, by the client that they go with: who closes it loses what has not come yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class _Losing(Protocol):
    def lose(self) -> None: ...


T = TypeVar("T", bound=_Losing)


class Openings(Generic[T]):
    """
    Remember what each client has open, and keep neither alive.
    """

    def __init__(self) -> None:
        self._open: MutableMapping[Any, WeakSet[T]] = WeakKeyDictionary()

    def add(self, owner: object, one: T) -> T:
        """
        Note that an owner has opened something, and return that.
        """
        found = self._open.get(owner)
        if found is None:
            found = self._open[owner] = WeakSet()
        found.add(one)
        return one

    def lose(self, owner: object) -> None:
        """
        Lose what an owner still has open.
        """
        for one in list(self._open.pop(owner, ())):
            one.lose()

"""A request in which everything is given, to rehearse a shape's templates with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.simulators.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Anything(dict[str, Any]):
    """
    Stand for an object in which every field is given.
    """

    def __missing__(self, key: str) -> _Something:
        return _Something("sample")


class _Something(str):
    """
    Stand for a text, or for an object: a rehearsal cannot know which of them a field is.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> _Something:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Something("sample")


def sample(params: Mapping[str, str] | None = None) -> Asked:
    """
    Return a request with any header, query parameter and field, at any depth.
    """
    return Asked(
        method="POST",
        path="/",
        origin="https://example.com",
        params=params or {},
        body=_Anything(),
        query=_Anything(),
        headers=_Anything(),
    )

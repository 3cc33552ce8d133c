"""Pickles, as some clients send and expect them; plain values are read, and anything else in them is kept shut."""

from __future__ import annotations

import base64
import io
import pickle
from typing import Any, Final, Self

_PICKLE: Final = b"\x80"
"""How every pickle since protocol 2 begins, and no text in UTF-8 does."""


class _Kept:
    """
    Stand for an object of a class that a pickle names: nothing of it is imported, called or looked into.
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        return super().__new__(cls)

    def __init__(self, *_: object, **__: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


class _Plain(pickle.Unpickler):
    """
    Read numbers, strings, lists and mappings; what would be imported or called is kept shut.
    """

    def find_class(self, _module: str, _name: str, /) -> type[_Kept]:
        return _Kept


def unpickle(data: bytes) -> Any | None:  # noqa: ANN401 - any plain value
    """
    Return the value of a pickle, in which objects are kept shut; None where it is none.
    """
    if not data.startswith(_PICKLE):
        return None
    try:
        return _Plain(io.BytesIO(data)).load()
    except Exception:  # noqa: BLE001 - a damaged pickle can raise anything
        return None


def unpickle_base64(text: str) -> Any | None:  # noqa: ANN401 - any plain value
    """
    Return the value of a pickle that is written in base64, with or without line breaks.
    """
    try:
        return unpickle(base64.b64decode("".join(text.split()), validate=True))
    except ValueError:
        return None


def pickled(value: object) -> bytes:
    """
    Return a pickle of a value, in the protocol that every Python 3 reads.
    """
    return pickle.dumps(value, protocol=4)

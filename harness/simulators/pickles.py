"""Pickles of plain values, as some clients send and expect them; anything else in them is refused, unread."""

from __future__ import annotations

import base64
import io
import pickle
from typing import Any, Final, NoReturn

_PICKLE: Final = b"\x80"
"""How every pickle since protocol 2 begins, and no text in UTF-8 does."""


class _Plain(pickle.Unpickler):
    """
    Read numbers, strings, lists and mappings; what would import or call something is an error.
    """

    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        msg = f"a pickle of {module_name}.{global_name} is not read"
        raise pickle.UnpicklingError(msg)


def unpickle(data: bytes) -> Any | None:  # noqa: ANN401 - any plain value
    """
    Return the value of a pickle; None where it is none, or not one of plain values.
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

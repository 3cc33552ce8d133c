"""
Strings within a string: base64 of text, or of a pickle.

Some clients pickle what they send and what they get. A pickle's strings are read here, opcode
by opcode, and nothing of it is ever run.
"""

from __future__ import annotations

import base64
from typing import Final

_SHORTEST: Final = 24
"""Characters; shorter strings that happen to decode are words, not payloads."""
_PICKLE: Final = b"\x80"
"""How every pickle since protocol 2 begins, and no text in UTF-8 does."""


def unpacked(text: str) -> tuple[str, ...]:
    """
    Return the strings that are packed in a string; none where it is what it looks like.
    """
    # not `isalnum` and the like: line breaks of MIME's base64 count for nothing, spaces do
    packed = text.replace("\n", "")
    if len(packed) < _SHORTEST or len(packed) % 4:
        return ()
    try:
        data = base64.b64decode(packed, validate=True)
        return pickled(data) if data.startswith(_PICKLE) else (data.decode(),)
    except ValueError:
        return ()


def pickled(data: bytes) -> tuple[str, ...]:
    """
    Return the strings of a pickle, which more may follow; none where it is none.
    """
    import pickletools  # noqa: PLC0415 - hardly any adapter pickles

    try:
        return tuple(argument for _, argument, _ in pickletools.genops(data) if isinstance(argument, str))
    except ValueError:
        return ()

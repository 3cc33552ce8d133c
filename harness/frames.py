"""Websocket frames as a server sends them (RFC 6455, 5.2), for bodies that are not plain lines."""

from __future__ import annotations

from typing import Final, NamedTuple

TEXT: Final = 1
BINARY: Final = 2
_FINAL: Final = 0x80
_TWO, _EIGHT = 126, 127
"""Lengths that say how many bytes the real length has."""


class Frame(NamedTuple):
    """
    Hold one message, and whether it is a text.
    """

    data: bytes
    is_text: bool = True


def encode(frame: Frame) -> bytes:
    """
    Return a message as one unmasked frame.
    """
    size = len(frame.data)
    first = _FINAL | (TEXT if frame.is_text else BINARY)
    if size < _TWO:
        head = bytes((first, size))
    elif size < 1 << 16:
        head = bytes((first, _TWO)) + size.to_bytes(2)
    else:
        head = bytes((first, _EIGHT)) + size.to_bytes(8)
    return head + frame.data


def decode(body: bytes) -> list[Frame] | None:
    """
    Return the messages of a body of such frames; None where it is none.
    """
    found, at = [], 0
    while at < len(body):
        if body[at] not in {_FINAL | TEXT, _FINAL | BINARY} or at + 1 >= len(body):
            return None
        start, size = at + 2, body[at + 1]
        if size >= _TWO:
            wide = 2 if size == _TWO else 8
            size = int.from_bytes(body[start : start + wide])
            start += wide
        if len(body) < start + size:
            return None
        found.append(Frame(body[start : start + size], body[at] == _FINAL | TEXT))
        at = start + size
    return found or None


def boundaries(body: bytes) -> list[int]:
    """
    Return where each frame of a body ends; nothing where there is none.
    """
    ends, at = [], 0
    for frame in decode(body) or ():
        at += len(encode(frame))
        ends.append(at)
    return ends

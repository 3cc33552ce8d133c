"""How much of an answer's beginning only says that there is none yet: keep-alives, and a status that is said again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def pieces_of(body: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """
    Give the pieces of a body in which it arrived, of so many bytes each.
    """
    offset = 0
    for size in sizes:
        yield body[offset : offset + size]
        offset += size


def idle_beginning(pieces: Iterable[bytes]) -> int:
    """
    Count the pieces of an answer that came before it began, and brought nothing.

    These are comments of server-sent events, which mean nothing by their standard, and repetitions of the first piece
    that is no comment. That piece itself tells something, and so does what differs from it. An answer that is nothing
    but these has no beginning.
    """
    idle, first = 0, b""
    for piece in pieces:
        if _is_comment(piece) or (first and piece == first):
            idle += 1
        elif first:
            return idle
        else:
            first = piece
    return 0


def _is_comment(piece: bytes) -> bool:
    lines = [line for line in piece.splitlines() if line.strip()]
    return bool(lines) and all(line.startswith(b":") for line in lines)

"""Which pieces of an answer only keep the connection alive, or say again that there is no answer yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVENTS: Final = "event-stream"


def pieces_of(body: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    """
    Give the pieces of a body in which it arrived, of so many bytes each.
    """
    offset = 0
    for size in sizes:
        yield body[offset : offset + size]
        offset += size


def is_commented(content_type: str) -> bool:
    """
    Tell whether an answer of a media type may have comments anywhere: server-sent events may, by their standard.
    """
    return _EVENTS in content_type.lower()


def idle_pieces(pieces: Iterable[bytes], *, commented: bool) -> list[bool]:
    """
    Tell of each piece of an answer whether it brought nothing.

    These are comments of server-sent events, which mean nothing by their standard, and, before the answer began,
    repetitions of the first piece that is no comment. That piece itself tells something, and so does what differs from
    it. An answer that is nothing but these has no beginning.

    Args:
        pieces: in the order in which they came.
        commented: comments mean nothing also where the answer has begun.
    """
    found = list(pieces)
    silent = list(map(_is_comment, found))
    first = next((at for at, comment in enumerate(silent) if not comment), 0)
    began = next((at for at, piece in enumerate(found) if at > first and not silent[at] and piece != found[first]), 0)
    before = [at != first for at in range(began)]
    return before + [commented and comment for comment in silent[began:]]


def comments(pieces: Iterable[bytes]) -> int:
    """
    Count the pieces that are comments of server-sent events and nothing else.
    """
    return sum(map(_is_comment, pieces))


def _is_comment(piece: bytes) -> bool:
    if not piece.lstrip().startswith(b":"):
        return False
    lines = [line for line in piece.splitlines() if line.strip()]
    return all(line.startswith(b":") for line in lines)

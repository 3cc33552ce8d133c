"""How a cassette is made easy to review: long bodies line by line, and what can be read in binary ones beside them."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from harness import protobuf
from harness.packed import pickled, unpacked
from harness.tape import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

_MARK: Final = "\ue000"
"""A character of nobody's, where a line is to be broken while YAML is made."""
_WRITTEN: Final = r"\uE000"
_ENDS: Final = re.compile(r"([\n\0]+)(?=[^\n\0])")
_SHUT: Final = re.compile(r"[^\n\x20-\x7e]| \n| \Z")
"""What YAML cannot hold in a block, which is all of ASCII and no more."""
_UPLOADED: Final = re.compile(rb"\r\n\r\n(\x80[\x02-\x05].*)", re.DOTALL)


def can_mark(data: object) -> bool:
    """
    Tell whether the mark, as a character or as YAML and JSON escape it, occurs nowhere in what is to be written.
    """
    return _WRITTEN.lower() not in str(data).lower()


def marked(text: str) -> str | None:
    """
    Return a text with a mark after each of its lines, for `spread`; None where a block of YAML holds it as it is.
    """
    return None if _SHUT.search(text) is None else _ENDS.sub(rf"\1{_MARK}", text)


def spread(document: str) -> str:
    """
    Break the lines of a YAML document where they are marked: what is quoted reads line by line and means the same.
    """
    return "\n".join(_broken(line) if _WRITTEN in line else line for line in document.split("\n"))


def _broken(line: str) -> str:
    first, *rest = line.split(_WRITTEN)
    indent = " " * (len(line) - len(line.lstrip(" ")) + 2)
    # YAML skips the space that a broken line begins with, unless it is escaped
    return f"\\\n{indent}".join([first, *(f"\\{piece}" if piece.startswith(" ") else piece for piece in rest)])


def texts(body: bytes, mark: str) -> list[str]:
    """
    Return what people can read of each message of a body that is no text, or packs texts; nobody reads it back.
    """
    lines = [f"{mark} {' | '.join(found)}".rstrip() for found in _found(body)]
    return lines if any(line != mark for line in lines) else []


def _found(body: bytes) -> Iterator[tuple[str, ...]]:
    if body[:1] == b"\0" and (framed := protobuf.unframed(body)) is not None:
        yield from (tuple(protobuf.texts(protobuf.framed(one))) for one in framed)
    elif ends := wire.messages(body):
        yield from (_event(body[start:end]) for start, end in zip([0, *ends], ends, strict=False))
    elif body[:1] in (b"{", b"["):
        yield from _packed(body)
    else:
        yield from (pickled(found[1]) for found in _UPLOADED.finditer(body))


def _event(message: bytes) -> tuple[str, ...]:
    """
    Return the payload of an AWS event-stream message, or the blob in it, which JSON has in base64.
    """
    payload = message[12 + int.from_bytes(message[4:8]) : -4]
    with suppress(ValueError, TypeError, KeyError):
        payload = base64.b64decode(json.loads(payload)["bytes"], validate=True)
    return (payload.decode("utf-8", "replace"),)


def _packed(body: bytes) -> Iterator[tuple[str, ...]]:
    try:
        value = json.loads(body)
    except ValueError:
        return
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in values:
        if isinstance(one, str) and (found := unpacked(one)):
            yield found

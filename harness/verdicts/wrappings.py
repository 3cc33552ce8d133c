"""What an answer's body may be wrapped in before it is read: gzip files, several parts, XML."""

from __future__ import annotations

import re
import zlib
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

_GZIP: Final = b"\x1f\x8b"
_WITH_HEADER: Final = 31
"""What zlib calls a window of 32 KiB in a gzip file."""
_MOST_BYTES: Final = 64 * 1024 * 1024
_BOUNDARY: Final = re.compile(rb"\s*--([\w'()+,./:=?-]{1,70})\r?\n")
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_DECLARATION: Final = "<?xml"
_XML: Final = re.compile(r"\s*<(\?xml\b|[A-Za-z_])")
_DECLARES: Final = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def inflated(body: bytes) -> bytes:
    """
    Return what a body that is a gzip file holds; any other as it is.
    """
    if not body.startswith(_GZIP):
        return body
    try:
        return zlib.decompressobj(_WITH_HEADER).decompress(body, _MOST_BYTES)
    except zlib.error:
        return body


def parts(body: bytes) -> list[bytes]:
    """
    Return the parts of a multipart body, without their headers, nor those of answers of HTTP within them.
    """
    opening = _BOUNDARY.match(body)
    if opening is None or b"--%b--" % opening[1] not in body:
        return []
    found = []
    for part in body.split(b"--%b" % opening[1])[1:-1]:
        inside = _BLANK_LINE.split(part, maxsplit=1)[-1]
        if inside.startswith(b"HTTP/"):
            inside = _BLANK_LINE.split(inside, maxsplit=1)[-1]
        found.append(inside.strip())
    return found


def markup(text: str) -> dict[str, Any] | None:
    """
    Return the texts of an XML document by the paths of their elements, and under no name the document as it is.

    None where it is none, or would declare what it is made of. One that was cut off has to say that it is one, for
    models write tags of their own within plain answers.
    """
    if not _XML.match(text) or _DECLARES.search(text):
        return None
    found: dict[str, list[str]] = {}
    path = [""]

    def begin(name: str, _: object) -> None:
        path.append(f"{path[-1]}/{name}")
        found.setdefault(path[-1], []).append("")

    def say(words: str) -> None:
        found[path[-1]][-1] += words

    parser = ParserCreate("utf-8")
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = say
    try:
        parser.Parse(text.lstrip().encode(), True)  # noqa: FBT003 - it takes its arguments by their place
    except ExpatError:
        if not text.lstrip().startswith(_DECLARATION):
            return None
    return {"": text, **{name: [one for one in told if one.strip()] for name, told in found.items()}}

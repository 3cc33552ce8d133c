"""What an answer's body may be wrapped in before it is read: gzip files, several parts, XML."""

from __future__ import annotations

import re
import zlib
from collections import deque
from typing import Any, Final

_GZIP: Final = b"\x1f\x8b"
_WITH_HEADER: Final = 31
"""What zlib calls a window of 32 KiB in a gzip file."""
_MOST_BYTES: Final = 64 * 1024 * 1024
_BOUNDARY: Final = re.compile(rb"\s*--([\w'()+,./:=?-]{1,70})\r?\n")
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
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

    None where it is none, or would declare what it is made of.
    """
    if not _XML.match(text) or _DECLARES.search(text):
        return None
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - hardly any upstream answers in XML

    try:
        root = ET.fromstring(text)  # noqa: S314 - without declarations nothing expands
    except ET.ParseError:
        return None
    found: dict[str, Any] = {"": text}
    open_ends = deque([(root, f"/{root.tag}")])
    while open_ends:
        element, path = open_ends.popleft()
        texts = found.setdefault(path, [])
        texts += [one for one in (element.text, *(child.tail for child in element)) if one and one.strip()]
        open_ends += [(child, f"{path}/{child.tag}") for child in element]
    return found

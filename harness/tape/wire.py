"""
Boundaries of wire formats: where a body that carries no arrivals would have been sent in pieces.

A content type is a hint only. Recordings label event streams as JSON and the other way round,
or have lost the header, so the body itself is asked first.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Final

from harness import frames, protobuf

_LINE_ENDS: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2,}")
_LINE_END: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))+")
_ANY_LINE: Final = re.compile(rb"[^\r\n]+")
_SSE_START: Final = re.compile(rb"\s*(data|event|id|retry)?:")
_SSE_FIELD: Final = re.compile(rb"[\r\n](?:data|event):")
_SSE_DATA: Final = re.compile(rb"(?:^|(?<=[\r\n]))data:([^\r\n]*)(?:\r\n|\n|\r)?")
_BOM: Final = b"\xef\xbb\xbf"
_PRELUDE: Final = 12
"""Bytes of an AWS prelude: total length, length of the headers, CRC32 of these two."""
_SMALLEST_MESSAGE: Final = 16


def split(body: bytes, content_type: str) -> list[int]:
    """
    Return the byte counts of a body's pieces at the boundaries of its wire format.

    Args:
        body: a decoded body; it may end anywhere.
        content_type: what its header says; may be wrong or empty.

    Returns:
        Counts above zero that add up to the length of the body; nothing for an empty body.
    """
    ends = _ends(body, content_type.partition(";")[0].strip().lower())
    counts = [end - start for start, end in zip([0, *ends], [*ends, len(body)], strict=True)]
    return [count for count in counts if count]


def streams(content_type: str) -> bool:
    """
    Tell whether a content type is one that answers are streamed in.
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind in _STREAMS or kind.endswith(("ndjson", "jsonl", "json-lines", "+json-seq"))


_STREAMS: Final = frozenset({"text/event-stream", "application/vnd.amazon.eventstream", "application/stream+json"})


def is_stream(body: bytes) -> bool:
    """
    Tell whether a body is of a format that answers are streamed in, whatever its header says.
    """
    return bool(messages(body)) or looks_like_events(body) or (body[:1] == b"{" and _is_lines_of_json(body, sure=False))


def messages(body: bytes) -> list[int]:
    """
    Return where each whole AWS event-stream message of a body ends; nothing if it does not start with one.
    """
    ends = []
    start = 0
    while len(body) - start >= _SMALLEST_MESSAGE:
        length = int.from_bytes(body[start : start + 4])
        checksum = int.from_bytes(body[start + 8 : start + _PRELUDE])
        if length < _SMALLEST_MESSAGE or zlib.crc32(body[start : start + 8]) != checksum or start + length > len(body):
            break
        start += length
        ends.append(start)
    return ends


def sealed(body: bytes) -> bytes:
    """
    Return AWS event-stream messages with the checksums that their present content asks for.
    """
    parts = []
    start = 0
    for end in messages(body):
        content = body[start : end - 4]
        parts += [content, zlib.crc32(content).to_bytes(4)]
        start = end
    return b"".join([*parts, body[start:]])


def _ends(body: bytes, kind: str) -> list[int]:
    """
    Return where each piece ends; the rest of the body is the last piece.
    """
    found = messages(body) or (protobuf.boundaries(body) if body[:1] == b"\0" else frames.boundaries(body))
    if found:
        return found
    if looks_like_events(body):
        return _events(body)
    start = body.lstrip()[:1]
    if start == b"[":
        elements = _elements(body)
        if elements:
            return elements
    if start in (b"{", b"[") and _is_lines_of_json(body, sure=streams(kind)):
        return _lines(body)
    if kind == "text/event-stream" and start not in (b"{", b"["):
        return _events(body)
    return []


def looks_like_events(body: bytes) -> bool:
    """
    Tell whether a body starts as server-sent events do.
    """
    text = body.removeprefix(_BOM)
    start = _SSE_START.match(text)
    if start is None:
        return False
    # a colon alone starts a comment, or a smiley: only a field settles it
    return start[1] is not None or _SSE_FIELD.search(text) is not None


def _events(body: bytes) -> list[int]:
    ends = []
    start = 0
    for blank in _LINE_ENDS.finditer(body):
        lines = _ANY_LINE.findall(body, start, blank.start())
        if any(not line.startswith(b":") for line in lines):  # comments belong to the event that follows
            ends += [*_crowded(body, start, blank.start()), blank.end()]
            start = blank.end()
    return [*ends, *_crowded(body, start, len(body))]


def _crowded(body: bytes, start: int, stop: int) -> list[int]:
    """
    Return where all but the last of several events end that stand without blank lines between them.

    Some servers leave these out, and clients that read by lines do not mind. JSON that goes on in the next line is no
    such row: none of its lines is a value.
    """
    found = list(_SSE_DATA.finditer(body, start, stop))
    return [one.end() for one in found[:-1]] if all(_is_event(one[1]) for one in found) else []


def _is_event(data: bytes) -> bool:
    return data.strip() == b"[DONE]" or (data.lstrip()[:1] == b"{" and _is_json(data))


def _lines(body: bytes) -> list[int]:
    ends = []
    start = 0
    for end in _LINE_END.finditer(body):
        if body[start : end.start()].strip():
            ends.append(end.end())
            start = end.end()
    return ends


def _is_lines_of_json(body: bytes, *, sure: bool) -> bool:
    lines = [line for line in body.splitlines() if line.strip()]
    if sure:
        return _is_json(lines[0])
    return len(lines) > 1 and all(_is_json(line) for line in lines[:2])


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict | list)
    except (ValueError, RecursionError):
        return False


def _elements(body: bytes) -> list[int]:
    """
    Return where the elements of an array of objects end, each with the comma and the space behind it.
    """
    # every byte one character, so that positions are those of the body; JSON's structure is ASCII
    text = body.decode("latin-1")
    read = json.JSONDecoder(strict=False).raw_decode
    ends = []
    at = _skip(text, text.index("[") + 1)
    while text[at : at + 1] == "{":
        try:
            _, at = read(text, at)
        except (ValueError, RecursionError):
            break
        at = _skip(text, at)
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
        ends.append(at)
    return ends


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


_SPACE: Final = re.compile(r"[ \t\r\n]*")

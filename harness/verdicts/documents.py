"""The documents of an upstream answer: its events, lines, messages or its one value."""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from harness import frames
from harness.protobuf import unframed, values
from harness.verdicts import wrappings
from harness.verdicts.embedded import embedded, prefixed

if TYPE_CHECKING:
    from collections.abc import Iterator

_SSE_FIELD: Final = re.compile(r"\s*(data|event|id|retry)?:")
_BLANK_LINE: Final = re.compile(r"\n\n+")
_OPENING: Final = re.compile(r"\s*\[\s*")
_COMMA: Final = re.compile(r"\s*,\s*")
_LINE_END: Final = re.compile(r"\r\n|\r")
_BOM: Final = b"\xef\xbb\xbf"
_FRAME_STARTS: Final = frozenset({0x81, 0x82})
"""First bytes of websocket frames; no text in UTF-8 begins with one."""
_FEWEST_OF_A_NAME: Final = 4
"""Lists, on the average, that begin with a name, if it is one."""
_PRELUDE: Final = struct.Struct(">III")
_READABLE_TYPES: Final = ("text/", "json", "xml", "event-stream", "form-urlencoded")
_STREAM_TYPES: Final = ("event-stream", "eventstream", "ndjson", "jsonl", "json-seq", "stream+json", "jsonlines")


@dataclass(frozen=True, slots=True)
class Document:
    """
    Hold one parsed piece of an answer.

    Attributes:
        label: the event's name, where the format names events.
        value: a JSON value, or the text itself where it is none.
    """

    label: str
    value: Any


def is_stream_type(content_type: str) -> bool:
    """
    Tell whether a media type promises an answer in pieces.
    """
    return any(kind in content_type.lower() for kind in _STREAM_TYPES)


def is_plain_type(content_type: str) -> bool:
    """
    Tell whether a media type says that an answer is text, and nothing else.
    """
    return content_type.lower().startswith("text/plain")


@lru_cache(maxsize=64)
def documents(body: bytes) -> tuple[Document, ...]:
    """
    Return an answer's documents; the format is found by looking, since media types lie.

    Known are gRPC messages, websocket frames, AWS event streams, server-sent events, lines of JSON,
    JSON arrays and values, whatever frames these, XML, and plain text; also in gzip files, and in parts.
    """
    return _in_places(_opened(_documents(body)))


def _documents(body: bytes) -> tuple[Document, ...]:
    body = wrappings.inflated(body)
    if not body.strip():
        return ()
    if several := wrappings.parts(body):
        return tuple(document for part in several for document in documents(part))
    if body[0] == 0 and (framed := unframed(body)) is not None:
        return tuple(Document("", _parsed(value) if isinstance(value, str) else value) for value in values(framed))
    if body[0] in _FRAME_STARTS and (heard := frames.decode(body)) is not None:
        return tuple(Document("", said) for one in heard if (said := _heard(one)) is not None)
    messages = _aws_messages(body)
    if messages is not None:
        return _merge_raw(messages)
    if behind := prefixed(body):
        return tuple(Document("", _parsed(one.decode("utf-8", "replace"))) for one in behind)
    text = plain(body)
    if _SSE_FIELD.match(text):
        return tuple(_sse(text))
    marked_up = wrappings.markup(text)
    return tuple(_json_or_text(text)) if marked_up is None else (Document("", marked_up),)


def _opened(found: tuple[Document, ...]) -> tuple[Document, ...]:
    """
    Return what stands in documents each of which packs a JSON value: as a string in JSON, or in base64.
    """
    if not found or not all(isinstance(one.value, str) for one in found):
        return found
    inner = [_parsed(one.value) if len(found) > 1 else None for one in found]
    if not all(isinstance(one, dict | list) for one in inner):
        inner = [_unwrapped_value(one.value) for one in found]
    if not all(isinstance(one, dict | list) for one in inner):
        return found
    return tuple(Document(one.label, value) for one, value in zip(found, inner, strict=True))


def _unwrapped_value(text: str) -> Any:  # noqa: ANN401 - JSON is any value
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        return None


def _in_places(found: tuple[Document, ...]) -> tuple[Document, ...]:
    """
    Give documents that are lists, as `["token", "The "]`, with their places as keys: what stands at one is alike.
    """
    lists = [one.value for one in found if isinstance(one.value, list) and one.value and isinstance(one.value[0], str)]
    if len(lists) < len(found) or max(map(len, lists), default=0) < 2:  # noqa: PLR2004 - one place is no second
        return found
    names = len({one[0] for one in lists})
    if len(lists) == 1 or (names > 1 and names * _FEWEST_OF_A_NAME > len(lists)):
        # what differs from list to list is no name: they hold words
        return found
    return tuple(Document(one.label, dict(enumerate(one.value))) for one in found)


def _heard(frame: frames.Frame) -> Any:  # noqa: ANN401 - JSON is any value
    """
    Return what a frame says; None for bytes, unless they are JSON, as of a serializer that makes no texts.
    """
    said = _parsed(frame.data.decode("utf-8", "replace"))
    return said if frame.is_text or isinstance(said, dict | list) else None


def plain(body: bytes) -> str:
    """
    Return a body as text with one kind of line end; what is not UTF-8 is taken for Latin-1, as HTTP did.
    """
    raw = body.removeprefix(_BOM)
    if raw.count(0) * 3 > len(raw):
        # every second byte of most texts in UTF-16
        raw = raw[: len(raw) // 2 * 2].decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", "replace").encode()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        # an answer that was cut off inside of a character is still UTF-8
        text = raw.decode("utf-8", "replace") if error.start >= len(raw) - 3 else raw.decode("latin-1")
    return _LINE_END.sub("\n", text)


def is_unreadable(body: bytes, content_type: str) -> bool:
    """
    Tell whether a body is in a binary format of which nothing is known here, such as MessagePack.
    """
    if any(kind in content_type.lower() for kind in _READABLE_TYPES):
        return False
    try:
        body.decode()
    except UnicodeDecodeError as error:
        found = documents(body)
        # an answer that was cut off inside of a character is still UTF-8
        return error.start < len(body) - 3 and len(found) == 1 and isinstance(found[0].value, str)
    return False


def is_one_value(body: bytes) -> bool:
    """
    Tell whether a body is one value, in JSON or XML: a list of several answers is no stream of them.
    """
    try:
        json.loads(body)
    except ValueError:
        return wrappings.markup(plain(body)) is not None
    return True


def _json_or_text(text: str) -> Iterator[Document]:
    try:
        value = json.loads(text)
    except ValueError:
        yield from _cut_array(text) or _lines(text) or _framed(text) or [Document("", text)]
        return
    if isinstance(value, list) and value and all(isinstance(element, dict) for element in value):
        yield from (Document("", element) for element in value)
    else:
        yield Document("", value)


def _cut_array(text: str) -> list[Document]:
    """
    Return the whole objects at the beginning of an array that was cut off.
    """
    read = json.JSONDecoder().raw_decode
    found: list[Document] = []
    place = _OPENING.match(text)
    while place is not None:
        try:
            value, end = read(text, place.end())
        except ValueError:
            break
        found.append(Document("", value))
        place = _COMMA.match(text, end)
    return found if all(isinstance(one.value, dict) for one in found) else []


def _lines(text: str) -> list[Document]:
    """
    Return the values of lines of JSON; nothing where a line is none.
    """
    found: list[Any] = []
    # not `splitlines`: a text may hold line separators of its own
    lines = [line.strip().removeprefix("data:").strip() for line in text.split("\n")]
    lines = [line for line in lines if line and line != "[DONE]"]
    for number, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
        except ValueError:
            # an answer that was cut off ends in the middle of a line
            cut = number == len(lines) and line[0] == "{" and all(isinstance(one, dict) for one in found)
            if not (cut and found):
                return []
    return [Document("", value) for value in found]


def _framed(text: str) -> list[Document]:
    return [Document(label, value) for label, value in embedded(text)]


def _sse(text: str) -> Iterator[Document]:
    found: list[Document] = []
    told: list[str] = []
    for block in _BLANK_LINE.split(text):
        for label, joined in _events(block):
            if joined.strip() and joined.strip() != "[DONE]":
                found.append(Document(label, _parsed(joined)))
                told.append(joined)
    # where some events are plain words, a number or a quoted word among them is one as well
    worded = any(isinstance(one.value, str) and one.value == text for one, text in zip(found, told, strict=True))
    for one, words in zip(found, told, strict=True):
        yield Document(one.label, words) if worded and not isinstance(one.value, dict | list) else one


def _events(block: str) -> list[tuple[str, str]]:
    """
    Return the events of a block with their labels: one, unless each of its lines is a value by itself.
    """
    label, data = "", []
    for line in block.split("\n"):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field.strip() == "data":
            data.append((label, value))
        elif field.strip() == "event":
            label = value
    # some servers leave out the blank lines between events
    crowded = len(data) > 1 and all(isinstance(_parsed(one), dict) or one.strip() == "[DONE]" for _, one in data)
    return data if crowded else [(label, "\n".join(one for _, one in data))]


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON is any value
    try:
        return json.loads(text)
    except ValueError:
        return text


def _aws_messages(body: bytes) -> list[tuple[str, bytes]] | None:
    messages = []
    offset = 0
    while offset + 16 <= len(body):
        total, header_size, checksum = _PRELUDE.unpack_from(body, offset)
        if zlib.crc32(body[offset : offset + 8]) != checksum or offset + total > len(body):
            break
        start = offset + _PRELUDE.size
        headers = _aws_headers(body[start : start + header_size])
        label = headers.get(":event-type") or headers.get(":exception-type") or ""
        if headers.get(":message-type") in {"exception", "error"}:
            label = f"error {label}".strip()
        messages.append((label, body[start + header_size : offset + total - 4]))
        offset += total
    return messages or None


def _aws_headers(data: bytes) -> dict[str, str]:
    headers = {}
    offset = 0
    string_type = 7
    while offset < len(data):
        name_size = data[offset]
        name = data[offset + 1 : offset + 1 + name_size].decode("utf-8", "replace")
        offset += 1 + name_size
        if data[offset] != string_type:
            break
        (size,) = struct.unpack_from(">H", data, offset + 1)
        headers[name] = data[offset + 3 : offset + 3 + size].decode("utf-8", "replace")
        offset += 3 + size
    return headers


def _merge_raw(messages: list[tuple[str, bytes]]) -> tuple[Document, ...]:
    found = []
    raw = bytearray()
    for label, payload in messages:
        inner = _unwrapped(payload)
        value = _parsed(inner.decode("utf-8", "replace"))
        if isinstance(value, dict | list):
            found.append(Document(label, value))
        else:
            # some services cut one text or one JSON value over several messages, some of which look like numbers
            raw += inner
    if raw:
        found += documents(bytes(raw)) if not found else [Document("", raw.decode("utf-8", "replace"))]
    return tuple(found)


def _unwrapped(payload: bytes) -> bytes:
    """
    Return what a message carries, out of the blob that it may stand in.
    """
    value = _parsed(payload.decode("utf-8", "replace"))
    inner = value.get("bytes") if isinstance(value, dict) else None
    try:
        return base64.b64decode(inner) if isinstance(inner, str) else payload
    except binascii.Error:
        return payload

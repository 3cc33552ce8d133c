"""
gRPC bodies and the texts in protobuf messages, read without their `.proto`.

The wire format names no fields and does not say whether bytes are a text, a message or neither.
So all messages of one answer are looked at together: what is at one place is a message if it is
one in every message, and a text if it is one in every message. Where it could be both, it is taken
for both: whoever looks for a text finds it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREFIX: Final = 5
"""Bytes before a message: whether it is compressed, and its length."""
_DEEPEST: Final = 40
_VARINT, _BYTES = 0, 2
_FIXED: Final = {1: 8, 5: 4}
"""Bytes of the kinds whose length is fixed."""
_LONGEST_VARINT: Final = 10
_HIGHEST_FIELD: Final = 2**29
_ENTRY: Final = 2
"""Fields of a map's entry: its key and its value."""
_KEY: Final = re.compile(r"[A-Za-z_][\w./-]{0,63}")
_ALLOWED: Final = frozenset("\t\n\r")

Fields = dict[int, list[bytes]]
"""The fields of a message that hold bytes, by number."""


def framed(message: bytes) -> bytes:
    """
    Return a message as gRPC sends it: behind five bytes that say how long it is.
    """
    return b"\0" + len(message).to_bytes(4) + message


def unframed(body: bytes) -> list[bytes] | None:
    """
    Return the messages of a gRPC body; None where it is none.
    """
    found, at = [], 0
    while at < len(body):
        start = at + _PREFIX
        size = int.from_bytes(body[at + 1 : start])
        if body[at] or len(body) < start + size:
            return None
        found.append(body[start : start + size])
        at = start + size
    return found or None


def boundaries(body: bytes) -> list[int]:
    """
    Return where each message of a gRPC body ends; nothing where it is none.
    """
    ends, at = [], 0
    for message in unframed(body) or ():
        at += _PREFIX + len(message)
        ends.append(at)
    return ends


def values(messages: Sequence[bytes]) -> list[Any]:
    """
    Return what each message says, as nested mappings of field numbers to texts, mappings and lists.

    Numbers and bytes that are no text are left out. Messages that are no protobuf are texts, or nothing.
    """
    found = [fields(message) for message in messages]
    known = [one for one in found if one is not None]
    if len(known) == len(found):
        return _values(known, _DEEPEST)
    as_texts = _texts(messages)
    return [{} for _ in messages] if as_texts is None else [*as_texts]


def texts(body: bytes) -> list[str]:
    """
    Return the texts of a gRPC body, in the order of its fields; nothing where it is none.
    """
    return [text for value in values(unframed(body) or []) for text in _leaves(value)]


def fields(message: bytes) -> Fields | None:
    """
    Return a message's fields that hold bytes; None where it is not in the wire format.
    """
    parts = _parts(message)
    if parts is None:
        return None
    found: Fields = {}
    for number, kind, payload in parts:
        if kind == _BYTES:
            found.setdefault(number, []).append(payload)
    return found


def comparable(body: bytes) -> tuple[object, ...] | None:
    """
    Return a gRPC body in a form that is equal for equal messages; None where it is none.

    Clients write the entries of a map in whatever order their hash table has, another one each time.
    """
    messages = unframed(body)
    return None if messages is None else tuple(_comparable(message, _DEEPEST) for message in messages)


def _comparable(message: bytes, depth: int) -> object:
    parts = _parts(message) if depth and message else None
    if parts is None:
        return message
    found: dict[tuple[int, int], list[object]] = {}
    for number, kind, payload in parts:
        found.setdefault((number, kind), []).append(_comparable(payload, depth - 1) if kind == _BYTES else payload)
    return tuple(
        (*key, *(sorted(values, key=repr) if all(map(_is_entry, values)) else values))
        for key, values in sorted(found.items())
    )


def _is_entry(value: object) -> bool:
    """
    Tell whether a comparable value may be a map's entry: a key, and perhaps a value.
    """
    return (
        isinstance(value, tuple)
        and bool(value)
        and value[0][0] == 1
        and value[-1][0] in {1, 2}
        and len(value) <= _ENTRY
    )


def _parts(message: bytes) -> list[tuple[int, int, bytes]] | None:
    """
    Return number, kind and bytes of each field; None where the message is not in the wire format.
    """
    found = []
    at = 0
    while at < len(message):
        tag, start = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if start < 0 or not 0 < number < _HIGHEST_FIELD:
            return None
        start, at = _extent(message, start, kind)
        if not 0 <= at <= len(message):
            return None
        found.append((number, kind, message[start:at]))
    return found


def _extent(message: bytes, start: int, kind: int) -> tuple[int, int]:
    """
    Return where a value begins and ends; an end below zero where there is none.
    """
    if kind == _VARINT:
        return start, _varint(message, start)[1]
    if kind in _FIXED:
        return start, start + _FIXED[kind]
    if kind != _BYTES:
        return start, -1
    size, begin = _varint(message, start)
    return begin, begin + size if begin >= 0 else -1


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """
    Return a number and the place behind it; a place below zero where there is none.
    """
    value = 0
    for index, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return value, at + index + 1
    return 0, -1


def _values(messages: Sequence[Fields], depth: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in messages]
    for number in sorted({number for message in messages for number in message}):
        inside = [(index, payload) for index, message in enumerate(messages) for payload in message.get(number, ())]
        payloads = [payload for _, payload in inside]
        as_texts, as_messages = _texts(payloads), _messages(payloads, depth)
        for (index, _), text in zip(inside, as_texts or (), strict=False):
            found[index].setdefault(str(number), []).append(text)
        for (index, _), value in zip(inside, as_messages or (), strict=False):
            if value:
                found[index].setdefault(_labelled(number, found[index], as_texts), []).append(value)
    return [{key: value if len(value) > 1 else value[0] for key, value in one.items()} for one in found]


def _labelled(number: int, before: dict[str, Any], also_texts: object) -> str:
    """
    Name a field that holds a message; the value of a map's entry by the entry's key, as maps have no other order.
    """
    key = before.get("1", [None])[0]
    label = f"<{key}>" if number == _ENTRY and isinstance(key, str) and _KEY.fullmatch(key) else ""
    return f"{number}{label}{'>' if also_texts else ''}"


def _texts(payloads: Sequence[bytes]) -> list[str] | None:
    found = []
    for payload in payloads:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return None
        if not _is_printable(text):
            return None
        found.append(text)
    return found


def _is_printable(text: str) -> bool:
    return text.isprintable() or all(unicodedata.category(one) != "Cc" or one in _ALLOWED for one in text)


def _messages(payloads: Sequence[bytes], depth: int) -> list[dict[str, Any]] | None:
    if not depth:
        return None
    parsed = [fields(payload) for payload in payloads]
    known = [one for one in parsed if one is not None]
    if len(known) < len(parsed) or not any(known):
        return None
    return _values(known, depth - 1)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)

"""
Disguises: a recording's values, with their encodings taken off layer by layer, and with the pieces of streams joined.

The scan looks at each of these views, so a secret is found under encodings that nobody listed together (base64 of a
form of JSON, say), and where only the pieces of several arrivals, frames, messages or answers make it whole.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes

from harness import frames, protobuf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEPTH: Final = 3
"""Layers; base64 within JSON within a form has three."""
_MOST: Final = 16
"""Times the size of the data that all its views may have together."""
_SPARE: Final = 1 << 16
_SHORTEST: Final = 8
_MOST_INFLATED: Final = 1 << 22


class View(NamedTuple):
    """
    Hold some data as it reads without a disguise.

    Attributes:
        data: what was under it.
        how: the layers that were taken off, for people; empty for the data itself.
        joined: pieces were put together that do not stand side by side, so that only given values are looked for.
    """

    data: bytes
    how: str
    joined: bool = False


def views(data: bytes) -> Iterator[View]:
    """
    Give every way to read some data, but the data itself, each once.
    """
    seen, room = {data}, len(data) * _MOST + _SPARE
    layer = [View(data, "")]
    for _ in range(DEPTH):
        following = []
        for outer in layer:
            for inner in _under(outer):
                if len(inner.data) < _SHORTEST or inner.data in seen or len(inner.data) > room:
                    continue
                seen.add(inner.data)
                room -= len(inner.data)
                following += [inner] if _is_readable(inner.data) or _is_compressed(inner.data) else []
                yield inner
        layer = following


def _under(outer: View) -> Iterator[View]:
    for how, take_off, joins in _LAYERS:
        for data in take_off(outer.data):
            yield View(data, f"{outer.how}, {how}" if outer.how else how, outer.joined or joins)


_UNREADABLE: Final = bytes({*range(32), 127} - set(b"\t\n\r\0"))
_LOOKED_AT: Final = 2048


def _is_readable(data: bytes) -> bool:
    """
    Tell whether data is worth a further layer: what a wrong guess at an encoding made is noise, and would breed more.
    """
    head = data[:_LOOKED_AT]
    odd = len(head) - len(head.translate(None, _UNREADABLE))
    return odd * 20 < len(head) and len(head.decode("utf-8", "ignore").encode()) * 10 > len(head) * 9


# --- encodings


def _url(data: bytes) -> Iterator[bytes]:
    if b"%" in data:
        yield unquote_to_bytes(data)
        if b"+" in data:
            yield unquote_to_bytes(data.replace(b"+", b" "))


_ESCAPE: Final = re.compile(rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})"
                            rb"|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))", re.DOTALL)  # fmt: skip
_PLAIN: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\n": b""}


def _escapes(data: bytes) -> Iterator[bytes]:
    if b"\\" in data:
        yield _ESCAPE.sub(_unescaped, data)


def _unescaped(hit: re.Match[bytes]) -> bytes:
    high, low, one, byte, octal, plain = hit.groups()
    if plain is not None:
        return _PLAIN.get(plain, plain)
    if byte is not None:
        return bytes((int(byte, 16),))
    if octal is not None:
        return bytes((int(octal, 8),))
    text = chr(int(one, 16)) if one is not None else (bytes.fromhex((high + low).decode()).decode("utf-16-be"))
    return text.encode("utf-8", "surrogatepass")


_TAG: Final = re.compile(rb"</?[A-Za-z][^<>]{0,200}>")


def _tags(data: bytes) -> Iterator[bytes]:
    if b"<" in data and b">" in data:
        yield _TAG.sub(b"", data)


def _entities(data: bytes) -> Iterator[bytes]:
    if b"&" in data and b";" in data:
        yield html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")


_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_WRAPPED: Final = re.compile(rb"(?<=[A-Za-z0-9+/_-]{16})(?:\\r)?(?:\\n|\r?\n)[ \t]*(?=[A-Za-z0-9+/_-]{4})")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


def _base64(data: bytes) -> Iterator[bytes]:
    for text in dict.fromkeys((data, _WRAPPED.sub(b"", data))):
        yield from _sorted([_unbased(run) for run in _BASE64.findall(text)])


def _sorted(parts: list[bytes]) -> Iterator[bytes]:
    """
    Give the readable parts apart from the others, each on a line: what begins a part is seen to begin.
    """
    for wanted in (True, False):
        if some := [part for part in parts if _is_readable(part) is wanted]:
            yield b"\n".join(some)


def _unbased(run: bytes) -> bytes:
    bare = run.rstrip(b"=").translate(_STANDARD)
    whole = bare[: len(bare) - 1] if len(bare) % 4 == 1 else bare
    decoded = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    return _inflated(decoded) or decoded


def _is_compressed(data: bytes) -> bool:
    return data[:2] in {b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"}


def _inflated(data: bytes) -> bytes:
    if not _is_compressed(data):
        return b""
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _MOST_INFLATED)
    except zlib.error:
        return b""


def _bare_deflated(data: bytes) -> bytes:
    """
    Undo `content-encoding: deflate` as some servers mean it, without a head; what does not end as it should is none.
    """
    inflater = zlib.decompressobj(wbits=-15)
    try:
        inflated = inflater.decompress(data, _MOST_INFLATED)
    except zlib.error:
        return b""
    return inflated if inflater.eof and not inflater.unused_data else b""


def _compressed(data: bytes) -> Iterator[bytes]:
    if inflated := _inflated(data) or ((not _is_readable(data) and _bare_deflated(data)) or b""):
        yield inflated


_BASE32: Final = re.compile(rb"[A-Z2-7]{16,}={0,6}")


def _base32(data: bytes) -> Iterator[bytes]:
    parts = []
    for run in _BASE32.findall(data):
        bare = run.rstrip(b"=")
        try:
            parts.append(base64.b32decode(bare + b"=" * (-len(bare) % 8)))
        except binascii.Error:
            continue
    yield from _sorted(parts)


_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2}[: ]?){8,}")
_HEX_LISTED: Final = re.compile(rb"(?:0[xX][0-9a-fA-F]{2}[,;\s]*){8,}")
_HEX_DIVIDERS: Final = re.compile(rb"0[xX]|[:,;\s]")


def _hexadecimal(data: bytes) -> Iterator[bytes]:
    listed = _HEX_LISTED.findall(data) if b"0x" in data or b"0X" in data else ()
    runs = (_HEX_DIVIDERS.sub(b"", run) for run in (*_HEX.findall(data), *listed))
    yield from _sorted([bytes.fromhex(run[: len(run) // 2 * 2].decode()) for run in runs])


_LISTED: Final = re.compile(rb"\[\s*((?:\d{1,3}\s*,\s*)*\d{1,3})\s*\]")


def _numbers(data: bytes) -> Iterator[bytes]:
    lists = [[int(one) for one in run.split(b",")] for run in _LISTED.findall(data)]
    if parts := [bytes(one) for one in lists if max(one) < 256]:  # noqa: PLR2004 - what a byte can hold
        # lists of bytes beside the tokens of a stream are pieces, too
        yield b"".join(parts)


_BOUNDARY: Final = re.compile(rb"(?<=boundary=)[0-9a-f]{32}")
"""What divides a form's parts; of 16 of them that clients draw, one begins like an escaped letter."""


def _quoted_printable(data: bytes) -> Iterator[bytes]:
    bare = _BOUNDARY.sub(b"", data)
    if re.search(rb"=(?:\r?\n|[0-9A-F]{2})", bare):
        yield quopri.decodestring(bare)


def _wide(data: bytes) -> Iterator[bytes]:
    if data.count(b"\0") * 3 > len(data):
        yield data.replace(b"\0", b"")
        for kind in ("utf-16-le", "utf-16-be"):
            yield data.decode(kind, "ignore").encode()


# --- pieces


_STRING: Final = rb'"((?:[^"\\]|\\.)*)"'
_TEXT: Final = re.compile(rb"\\.|" + _STRING + rb"(\s*:)?", re.DOTALL)
"""An escaped quote opens no text: were each tried, 300 000 of them in a text without an end would take minutes."""
_PAIR: Final = re.compile(rb'"([\w.\-]{1,40})"\s*:\s*' + _STRING, re.DOTALL)


def _fields(data: bytes) -> Iterator[bytes]:
    runs: dict[bytes, list[bytes]] = {}
    for pair in _PAIR.finditer(data):
        runs.setdefault(pair[1], []).append(pair[2])
    yield from (b"".join(run) for run in runs.values() if len(run) > 1)


def _strings(data: bytes) -> Iterator[bytes]:
    found = [text for text, names in _TEXT.findall(data) if text and not names]
    if len(found) > 1:
        yield b"".join(found)
        yield b"".join(reversed(found))


_EVENT: Final = re.compile(rb"(?:^|(?<=[\r\n]))data: ?([^\r\n]*)")


def _events(data: bytes) -> Iterator[bytes]:
    found = _EVENT.findall(data)
    if len(found) > 1:
        yield b"".join(found)


_INDEX: Final = re.compile(rb'"index"\s*:\s*(\d+)')


def _by_index(data: bytes) -> Iterator[bytes]:
    """
    Give the events of each choice apart, where an upstream sends several by turns.
    """
    runs: dict[bytes, list[bytes]] = {}
    if data.count(b'"index"') > 1:
        for line in data.splitlines():
            if hit := _INDEX.search(line):
                runs.setdefault(hit[1], []).append(line)
    if 1 < len(runs) < sum(map(len, runs.values())):
        yield from (b"\n".join(run) for run in runs.values())


def _lines(data: bytes) -> Iterator[bytes]:
    if b"\n" in data.strip():
        yield re.sub(rb"[\r\n]+[ \t]*", b"", data)


def _frames(data: bytes) -> Iterator[bytes]:
    if found := frames.decode(data):
        yield b"".join(frame.data for frame in found)


def _messages(data: bytes) -> Iterator[bytes]:
    messages = protobuf.unframed(data) if data[:1] == b"\0" else None
    if messages:
        apart = (text for message in messages for text in protobuf.texts(protobuf.framed(message)))
        for texts in (protobuf.texts(data), apart):
            yield "".join(texts).encode("utf-8", "surrogatepass")


_LAYERS: Final[tuple[tuple[str, Callable[[bytes], Iterator[bytes]], bool], ...]] = (
    ("URL-quoted", _url, False),
    ("escaped", _escapes, False),
    ("in entities of HTML", _entities, False),
    ("among tags", _tags, False),
    ("in base64", _base64, False),
    ("in base32", _base32, False),
    ("in hexadecimal", _hexadecimal, False),
    ("in numbers", _numbers, False),
    ("quoted-printable", _quoted_printable, False),
    ("in UTF-16", _wide, False),
    ("compressed", _compressed, False),
    ("in the pieces of a stream", _fields, False),
    ("in pieces", _strings, True),
    ("in the events of a stream", _events, False),
    ("in the pieces of one of several choices", _by_index, True),
    ("over several lines", _lines, True),
    ("in frames", _frames, False),
    ("in messages", _messages, False),
)

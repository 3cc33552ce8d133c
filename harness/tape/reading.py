"""What a request says in readable form, however its client packed it."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlparse

from vcr.request import HeadersDict, Request

from harness import protobuf
from harness.packed import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

_parsed = lru_cache(maxsize=1024)(urlparse)


def new_request(method: str, uri: str, body: bytes | None, headers: HeadersDict) -> Request:
    """
    Return what vcrpy's constructor returns for a body of bytes, in half the time.
    """
    made: Request = Request.__new__(Request)
    made.method = method
    made._uri, made.parsed_uri = uri, _parsed(uri)  # noqa: SLF001 - the setter parses an address again and again
    made._was_file = made._was_iter = False  # noqa: SLF001 - what the constructor finds out of bytes
    made._body, made._headers = body, headers  # noqa: SLF001 - as above
    return made


def new_headers(store: dict[str, tuple[str, str]]) -> HeadersDict:
    """
    Return vcrpy's headers out of names and values by lower-case name; its own constructor costs ten times as much.
    """
    made: HeadersDict = HeadersDict.__new__(HeadersDict)
    made._store = store  # noqa: SLF001 - see above
    return made


def body_bytes(request: Request) -> bytes:
    """
    Return a request's body as it would travel, whatever type the client handed over.
    """
    body: Any = request.body
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        data = body.read()
        return data.encode() if isinstance(data, str) else bytes(data)
    if isinstance(body, dict | list):
        return json.dumps(body, default=str).encode()
    try:
        return b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in body)
    except TypeError:
        return str(body).encode()


def json_body(request: Request) -> Any | None:  # noqa: ANN401 - JSON is any value
    """
    Return the JSON value of a request's body; None where it is no JSON.
    """
    source = request._body  # noqa: SLF001 - `body` makes a new object of a file or an iterator at each look
    if source is None or source == b"":
        return None
    kept = request.__dict__.get("_json")
    if kept is None or kept[0] is not source:
        kept = request.__dict__["_json"] = (source, _json(inflated(body_bytes(request))))
    return kept[1]


def _json(raw: bytes) -> Any | None:  # noqa: ANN401 - JSON is any value
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return None


def readable(request: Request) -> str:
    """
    Return the address and everything in the body that can be read as text.

    JSON is unescaped, forms and addresses are unquoted, gzip is inflated, texts are taken out of gRPC messages, and
    strings that hold base64 of text or of a pickle are decoded beside their own form.
    """
    address = unquote_plus(str(request.uri))
    raw = b"" if request._body is None else inflated(body_bytes(request))  # noqa: SLF001 - `body` makes a new object of a file
    if not raw:
        return f"{address}\n\n"
    parts = [address]
    if raw[0] == 0 and protobuf.unframed(raw) is not None:
        return "\n".join([*parts, *protobuf.texts(raw)])
    value = json_body(request)
    if value is None:
        text = raw.decode("utf-8", "replace")
        parts += [text, unquote_plus(text)]
    else:
        parts += _leaves(value)
    return "\n".join(parts)


def asks_stream(request: Request) -> bool | None:
    """
    Say whether a request asks for a streamed answer; None where it does not say.
    """
    value = None if request._body is None else json_body(request)  # noqa: SLF001 - as above
    flag = value.get("stream") if isinstance(value, dict) else None
    if isinstance(flag, bool):
        return flag
    accept = str(request.headers["accept"]).lower() if "accept" in request.headers._store else ""  # noqa: SLF001 - its own look-up raises and catches
    in_path = "stream" in str(request.path).rsplit("/", 1)[-1].lower()
    return True if in_path or "event-stream" in accept or "eventstream" in accept else None


def inflated(data: bytes) -> bytes:
    """
    Return a body without gzip, or as it is.
    """
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError):
        return data


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON is any value
    if isinstance(value, str):
        yield value
        yield from unpacked(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)

"""
Requests and responses as other recorders keep them, brought into the one shape that cassettes are read from.

Headers that say how a body travelled are dropped once it is decoded, and so are those that
somebody redacted: what they said is found out from the body.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from harness.errors import CassetteError
from harness.tape import wire
from harness.tape.checked import MOST_BYTES
from harness.tape.coding import GZIP_MAGIC, decode_body
from harness.tape.foreign.layouts import RECORD_INSTEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

REDACTED: Final = re.compile(
    r"[*<\[({_-]*\b(?:redacted|filtered|scrubbed|sanitized|masked|hidden|removed|fake[_-]?header)\b[*>\])}_-]*"
    r"|\*{3,}|\bX{4,}\b|^x{4,}$",
    re.IGNORECASE,
)
"""What people put in place of what they take out of a recording."""
_OF_TRANSPORT: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_BASE64: Final = "base64:"
"""What recorders of one exchange a file put before bytes that are no text."""
_GZIP_AS_TEXT: Final = GZIP_MAGIC.decode("latin-1")
_STATUS: Final = re.compile(r"\s*(\d{3})\b\s*(.*)")
_KIND: Final = frozenset({"type", "kind", "format", "encoding"})
_KINDS: Final = frozenset({"json", "text", "string", "base64", "binary", "bytes", "utf-8", "utf8"})
_PARSED: Final = ("parsed_body", "body_json")
"""Where some keep a body that is JSON as what it is."""
_CONTENT: Final = frozenset({"content", "string", "value", "data", "text"})
"""Some serializers say of a body what it is: one word of these under one name of those, and the body under another."""


@dataclass(slots=True)
class Place:
    """
    Say where one interaction stands, and how many bytes the bodies of its file may still grow to.
    """

    where: str
    left: int = MOST_BYTES
    notes: list[str] = field(default_factory=list)

    def fail(self, message: str) -> NoReturn:
        """
        Refuse the file because of this interaction.

        Raises:
            CassetteError: always.
        """
        raise CassetteError(message, where=self.where, hint=RECORD_INSTEAD)

    def mapping(self, value: object, name: str) -> dict[Any, Any]:
        """
        Return a value that has to be a mapping.
        """
        if not isinstance(value, dict):
            self.fail(f"{name} is not a mapping")
        return value


def request_of(raw: dict[Any, Any], place: Place) -> dict[str, Any]:
    """
    Return a request with method, address as it stands there, headers, and its body as bytes or None.
    """
    method = raw.get("method")
    if not isinstance(method, str) or not method.strip():
        place.fail("the request has no method")
    headers = _headers(raw.get("headers"), place)
    body = _body(raw, place)
    return {
        "method": method.strip().upper(),
        "uri": str(raw.get("uri") or raw.get("url") or ""),
        "headers": {name: values for name, values in headers.items() if name.lower() not in _OF_TRANSPORT},
        "body": None if body is None else _decoded(body, "", place),
    }


def response_of(raw: dict[Any, Any], place: Place) -> dict[str, Any]:
    """
    Return a response with status, headers that are true, and its body decoded.
    """
    code, message = _status(raw, place)
    headers = _headers(raw.get("headers"), place)
    body = _body(raw, place)
    if body is None and {"body", "content", "body_blob", *_PARSED}.isdisjoint(raw):
        place.fail("the response has no body; the file may have been cut off")
    coding = ", ".join(
        value for name, values in headers.items() if name.lower() == "content-encoding" for value in values
    )
    content = _decoded(body, coding, place) if body is not None else b""
    kept = {name: values for name, values in headers.items() if name.lower() not in _OF_TRANSPORT}
    if content and not any(name.lower() == "content-type" for name in kept):
        kept["content-type"] = [sniffed(content)]
    response: dict[str, Any] = {
        "status": {"code": code, "message": message},
        "headers": kept,
        "body": {"string": content},
    }
    if isinstance(raw.get("harness"), dict):
        response["harness"] = raw["harness"]
    return response


def sniffed(body: bytes) -> str:
    """
    Return the content type that a body itself shows.
    """
    if wire.messages(body):
        return "application/vnd.amazon.eventstream"
    if wire.looks_like_events(body):
        return "text/event-stream"
    if is_json(body):
        return "application/json"
    return "application/x-ndjson" if wire.is_stream(body) else "text/plain"


def is_json(body: bytes) -> bool:
    """
    Tell whether a body is one JSON document.
    """
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _status(raw: dict[Any, Any], place: Place) -> tuple[int, str]:
    status: Any = raw.get("status", raw.get("status_code", raw.get("code")))
    message: object = raw.get("reason", raw.get("message"))
    if isinstance(status, dict):
        status, message = status.get("code"), status.get("message")
    found = None if isinstance(status, bool) else _STATUS.match(str(status))
    if not found:
        place.fail(f"the response's status is {str(status)[:40]!r}")
    return int(found[1]), str(message or found[2] or "")


def _headers(value: object, place: Place) -> dict[str, list[str]]:
    """
    Return headers, whatever shape they have; those that were redacted are left out.
    """
    kept: dict[str, list[str]] = {}
    for name, values in _pairs(value, place):
        texts = [_text(one) for one in (values if isinstance(values, list | tuple) else [values])]
        told = [text for text in texts if not REDACTED.search(text)]
        if told:
            kept.setdefault(_text(name), []).extend(told)
    return kept


def _pairs(value: object, place: Place) -> Iterator[tuple[object, object]]:
    store = value.get("_store") if isinstance(value, dict) else None
    if isinstance(store, dict):  # a dictionary that knows no case
        value = list(store.values())
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict) and {"name", "value"} <= one.keys():
                yield one["name"], one["value"]
            elif isinstance(one, list | tuple) and len(one) == 2:  # noqa: PLR2004 - name and value
                yield one[0], one[1]
            elif isinstance(one, dict) and len(one) == 1:
                yield from one.items()
            else:
                place.fail("a header is not a name and a value")
    elif value:
        place.fail("the headers are neither a mapping nor a list")


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)


def _body(raw: dict[Any, Any], place: Place) -> bytes | None:
    for key in ("body", "content"):
        if raw.get(key) is not None:
            return b"" if raw[key] == {} else _bytes(_within(raw[key]), place)
    for key in _PARSED:
        if raw.get(key) is not None:
            return _as_json(raw[key])
    return _bytes(_unbased(str(raw["body_blob"])), place) if raw.get("body_blob") is not None else None


def _within(value: Any) -> Any:  # noqa: ANN401 - YAML is any value
    """
    Return what a mapping around a body holds; the mapping itself where it is the body.
    """
    if not isinstance(value, dict):
        return value
    alone = value if len(value) == 1 else {}
    packed = value.get("base64_string", alone.get("base64", alone.get("b64")))
    if packed is not None:
        return _unbased(str(packed))
    if isinstance(alone.get("chunks"), list):
        return [_chunk(one) for one in alone["chunks"]]
    kinds, contents = _KIND & value.keys(), _CONTENT & value.keys()
    if len(value) == len(kinds) + len(contents) == 2 and len(kinds) == 1:  # noqa: PLR2004 - the word and the body
        kind, inner = str(value[min(kinds)]).lower(), value[min(contents)]
        if kind in _KINDS:
            return _as_kind(kind, inner)
    # a word that is not known here may stand beside it, such as Ruby's for an encoding
    return next((value[key] for key in ("string", "parsed_body") if key in value and len(value) <= 2), value)  # noqa: PLR2004 - as above


def _chunk(one: Any) -> Any:  # noqa: ANN401 - as above
    """
    Return a piece of a body; some have it in base64, and what it says beside that, for people.
    """
    packed = next((one[key] for key in ("b64", "base64") if key in one), None) if isinstance(one, dict) else None
    return one if packed is None else _unbased(str(packed))


def _as_kind(kind: str, inner: Any) -> Any:  # noqa: ANN401 - as above
    if kind == "json" and not isinstance(inner, str | bytes | dict | list | None):
        return _as_json(inner)
    return _unbased(inner) if kind in {"base64", "binary", "bytes"} and isinstance(inner, str) else inner


def _unbased(text: str) -> bytes | str:
    """
    Return the bytes of base64, whichever lines it is broken into; the text where it is none.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return text


def _bytes(value: Any, place: Place) -> bytes | None:  # noqa: ANN401 - YAML is any value
    if value is None:
        return None
    if isinstance(value, str) and value.startswith(_BASE64):
        unpacked = _unbased(value.removeprefix(_BASE64))
        value = unpacked if isinstance(unpacked, bytes) else value
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and (joined := _joined(value)):
        return joined
    if isinstance(value, str):
        # old dumps keep bytes as text, one character a byte
        packed = value.startswith(_GZIP_AS_TEXT) and max(value) < "\u0100"
        return value.encode("latin-1") if packed else value.encode("utf-8", "surrogatepass")
    if not isinstance(value, dict | list):
        place.fail(f"a body is {type(value).__name__}, neither text nor bytes")
    return _as_json(value)


def _joined(pieces: list[Any]) -> bytes | None:
    """
    Return the body that a recorder kept in the pieces in which it was read; None where a list is the body.
    """
    if pieces and all(isinstance(one, bytes) for one in pieces):
        return b"".join(pieces)
    told = "".join(pieces).encode() if pieces and all(isinstance(one, str) for one in pieces) else b""
    return told if wire.looks_like_events(told) else None


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "surrogatepass")


def _decoded(body: bytes, coding: str, place: Place) -> bytes:
    """
    Take off what codings a body really has; its header may be wrong in both directions.
    """
    if body.startswith(GZIP_MAGIC):
        coding = coding if "gzip" in coding.lower() else "gzip"
    elif _is_text(body):
        coding = ""
    elif not coding:
        return _undeclared(body, place)
    try:
        decoded = decode_body(body, coding, limit=max(place.left, 1)) if coding else body
    except CassetteError as error:
        raise CassetteError(error.message, where=place.where, hint=error.hint) from error
    place.left -= len(decoded)
    if place.left < 0:
        place.fail(f"its bodies have more than {MOST_BYTES} bytes")
    return decoded


def _undeclared(body: bytes, place: Place) -> bytes:
    """
    Return a body whose coding nothing names, decoded where one of them makes an answer of it: JSON, or a stream.
    """
    for coding in () if wire.messages(body) else ("zstd", "deflate", "br"):
        try:
            decoded = decode_body(body, coding, limit=max(place.left, 1))
        except CassetteError:
            continue
        if wire.is_stream(decoded) or (decoded[:1] in {b"{", b"["} and is_json(decoded)):
            place.left -= len(decoded)
            return decoded
    return body


def _is_text(body: bytes) -> bool:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return not re.search("[\0-\x08\x0e-\x1f]", text)

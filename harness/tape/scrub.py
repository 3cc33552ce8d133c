"""
Scrubbing: what a recording keeps of a request and its answer.

Everything is left out that is not known to be harmless. A request is scrubbed the same way
when it is recorded and when it is looked up, so that a redacted recording still matches. An
answer keeps its length to the byte, so that its arrivals stay true.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from harness import protobuf
from harness.tape import wire
from harness.tape.credentials import REDACTED, is_credential, is_granted, known, looks_random
from harness.tape.reading import body_bytes, inflated, new_headers, new_request
from harness.tape.secrets import SHORTEST, Secrets, hits, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vcr.request import Request

__all__ = ["Secrets", "scrub_request", "scrub_response", "scrub_uri", "secrets_of"]

_NOTHING: Final = Secrets()
_ROUNDS: Final = 4
"""What is taken out may bring together what looks like a credential anew; more rounds were never needed."""

_REQUEST_HEADERS: Final = frozenset(
    "accept content-type anthropic-version anthropic-beta openai-beta x-amz-target x-dashscope-sse".split()
)
_RESPONSE_HEADERS: Final = frozenset(
    "content-type content-length transfer-encoding content-encoding location operation-location retry-after"
    " retry-after-ms date allow content-range accept-ranges x-should-retry x-amzn-errortype"
    " x-amzn-bedrock-content-type grpc-status grpc-message grpc-status-details-bin sec-websocket-protocol"
    " websocket-close x-amz-bucket-region".split()
)
_ADDRESSES: Final = frozenset({"location", "operation-location"})
_QUERY: Final = frozenset(
    "api-version alt stream model version limit prompt text input q query offset page size format lang language"
    " temperature max_tokens n top_p task filter fields order sort expand encoding_format wait timeout type mode name"
    " deployment engine purpose action include response_format".split()
)
_PROSE: Final = frozenset(
    "model modelid model_id model_name version text content prompt prompts input inputs query question message role"
    " instruction instructions system type object arguments context engine deployment task".split()
)
"""Fields whose values are language or names; randomness in them is no reason to take them out."""


def scrub_request(request: Request, secrets: Secrets = _NOTHING) -> Request:
    """
    Return a request without credentials, its body as bytes; the same for a request scrubbed before.

    Args:
        request: as a client library sent it, or as a cassette has it.
        secrets: values to take out wherever they stand.
    """
    method, uri, source = request.method, request.uri, request._body  # noqa: SLF001 - `body` makes a new object of a file
    kept = request.__dict__.get("_scrubbed")
    if kept is not None and kept[0] is method and kept[1] is uri and kept[2] is source and kept[3] is secrets:
        scrubbed: Request = kept[4]
        return scrubbed
    headers = {name: _text(value) for name, value in request.headers.lower_items() if name in _REQUEST_HEADERS}
    body = None
    if source is not None:
        body = _body(inflated(body_bytes(request)), headers.get("content-type", ""), secrets)
    kept_headers = new_headers({name: (name, _redact_text(headers[name], secrets)) for name in sorted(headers)})
    scrubbed = new_request(_text(method).upper(), scrub_uri(_text(uri), secrets), body, kept_headers)
    request.__dict__["_scrubbed"] = (method, uri, source, secrets, scrubbed)
    return scrubbed


def scrub_response(response: Mapping[str, Any], secrets: Secrets = _NOTHING) -> dict[str, Any]:
    """
    Return an answer without credentials, every byte of its body in its place.

    Args:
        response: as vcrpy keeps it: status, headers, body.
        secrets: values to take out wherever they stand.
    """
    status = dict(response["status"])
    status["message"] = _redact_text(_text(status.get("message") or ""), secrets)
    headers = {
        name: [_header(name, _text(value), secrets) for value in ([values] if isinstance(values, str) else values)]
        for name, values in response["headers"].items()
        if name.lower() in _RESPONSE_HEADERS
    }
    body = response["body"].get("string") or b""
    masked = _mask_body(body.encode() if isinstance(body, str) else bytes(body), secrets)
    scrubbed: dict[str, Any] = {"status": status, "headers": headers, "body": {"string": masked}}
    if isinstance(response.get("harness"), dict):
        extra = response["harness"]
        scrubbed["harness"] = {**extra, "cut": _redact_text(extra["cut"], secrets)} if extra.get("cut") else dict(extra)
    return scrubbed


@lru_cache(maxsize=1024)
def scrub_uri(uri: str, secrets: Secrets = _NOTHING) -> str:
    """
    Return an address without user, password, credentials in its query, and given values.
    """
    for _ in range(_ROUNDS):
        clean = _scrub_uri_once(uri, secrets)
        if clean == uri:
            break
        uri = clean
    return uri


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


_USERINFO: Final = re.compile(r"^([A-Za-z][\w+.\-]*://|//)[^/?#]*@")


def _scrub_uri_once(uri: str, secrets: Secrets) -> str:
    address, mark, fragment = uri.partition("#")
    place, question, query = address.partition("?")
    place = _USERINFO.sub(r"\1", place)
    if query:
        query = "&".join(_parameter(segment) for segment in query.split("&"))
    return _redact_text(f"{place}{question}{query}{mark}{fragment}", secrets)


_HARMLESS_VALUE: Final = re.compile(r"[+-]?\d+(\.\d+)?|true|false|null|none", re.IGNORECASE)


def _parameter(segment: str) -> str:
    name, equals, value = segment.partition("=")
    plain, text = unquote_plus(name).lower(), unquote_plus(value)
    if not value:
        return REDACTED if looks_random(plain) or looks_random(unquote_plus(name)) else segment
    if plain in _QUERY and not is_credential(plain):
        return segment
    if not is_credential(unquote_plus(name)) and (len(text) < SHORTEST or _HARMLESS_VALUE.fullmatch(text)):
        return segment
    return f"{name}{equals}{REDACTED}"


def _header(name: str, value: str, secrets: Secrets) -> str:
    return scrub_uri(value, secrets) if name.lower() in _ADDRESSES else _redact_text(value, secrets)


@lru_cache(maxsize=1024)
def _redact_text(text: str, secrets: Secrets) -> str:
    data = text.encode("utf-8", "surrogateescape")
    redacted = _redact(data, secrets)
    return text if redacted is data else redacted.decode("utf-8", "surrogateescape")


def _redact(data: bytes, secrets: Secrets) -> bytes:
    """
    Replace known kinds and given values by the word that says so.
    """
    spans = [(hit[1], hit[2]) for hit in secrets.found(data)] + [(hit.start, hit.end) for hit in known(data)]
    if not spans:
        return data
    parts = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            parts += [data[at:start], REDACTED.encode()]
        at = max(at, end)
    return b"".join([*parts, data[at:]])


# --- bodies of requests


def _body(data: bytes, content_type: str, secrets: Secrets) -> bytes:
    if data[:1] == b"\0" and protobuf.unframed(data) is not None:
        return _mask_hits(data, secrets)  # the messages say how long they are
    for _ in range(_ROUNDS):
        before, data = data, _redact(_fields(data, content_type), secrets)
        if data == before:
            break
    return data


def _fields(data: bytes, content_type: str) -> bytes:
    start = data.lstrip()[:1]
    if start in (b"{", b"["):
        return _json(data)
    if start == b"-" and (boundary := _boundary(data, content_type)):
        return boundary.join(_part(part) for part in data.split(boundary))
    if start == b"<":
        return _XML.sub(lambda hit: _element(hit, REDACTED.encode()), data)
    if _FORM.fullmatch(data):
        return b"&".join(_field(segment) for segment in data.split(b"&"))
    return data


def _json(data: bytes) -> bytes:
    try:
        value = json.loads(data)
        clean = _value("", value)
    except (ValueError, RecursionError):
        return _mask_pairs(data, is_credential, lambda _: REDACTED.encode())
    if clean is value:
        return data
    try:
        return json.dumps(clean, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(clean).encode()


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON is any value
    """
    Return a JSON value without credentials; the very same object if there are none in it.
    """
    if isinstance(value, str):
        return _string(name, value)
    if isinstance(value, dict):
        named = _named(value)
        clean = {key: REDACTED if key == named else _value(key, inner) for key, inner in value.items()}
        return value if all(clean[key] is inner for key, inner in value.items()) else clean
    if isinstance(value, list):
        inherited = name if is_granted(name) else ""
        items = [_value(inherited, inner) for inner in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _named(value: dict[str, Any]) -> str | None:
    """
    Return `value` where a list of settings names a credential beside it: `{"name": "api_key", "value": "..."}`.
    """
    inner = value.get("value")
    if not isinstance(inner, str) or inner == REDACTED:
        return None
    name = value.get("name", value.get("key"))
    return "value" if isinstance(name, str) and is_credential(name) else None


def _string(name: str, text: str) -> str:
    if not text or text == REDACTED:
        return text
    if is_credential(name):
        return text if name == "key" and len(text) < SHORTEST else REDACTED  # {"key": "color", ...}: a name, no secret
    if text[0] in "{[" and len(text) > 2:  # noqa: PLR2004 - more than the brackets
        data = text.encode("utf-8", "surrogatepass")
        clean = _json(data)
        return text if clean is data else clean.decode("utf-8", "surrogatepass")
    if "://" in text[:12] and " " not in text:
        return scrub_uri(text)
    return REDACTED if name.lower() not in _PROSE and looks_random(text) else text


_FORM: Final = re.compile(rb"[\w.\-~%+\[\]]{1,60}=[^&\s]*(?:&[\w.\-~%+\[\]]{1,60}=[^&\s]*)*")


def _field(segment: bytes) -> bytes:
    name, equals, value = segment.partition(b"=")
    plain, text = (unquote_plus(part.decode("latin-1")) for part in (name, value))
    return segment if _string(plain, text) == text else name + equals + REDACTED.encode()


_BOUNDARY: Final = re.compile(r"boundary=\"?([^\";,\s]+)")
_FIRST_LINE: Final = re.compile(rb"--[^\r\n]{1,200}(?=\r?\n)")
_PART_NAME: Final = re.compile(rb"name=\"?([^\";\r\n]*)", re.IGNORECASE)


def _boundary(data: bytes, content_type: str) -> bytes | None:
    told = _BOUNDARY.search(content_type)
    if told:
        return b"--" + told[1].encode()
    found = _FIRST_LINE.match(data)
    return found[0] if found else None


def _part(part: bytes) -> bytes:
    for blank in (b"\r\n\r\n", b"\n\n"):
        head, found, content = part.partition(blank)
        if found:
            break
    else:
        return part
    name = _PART_NAME.search(head)
    text = content.rstrip(b"\r\n")
    end = content[len(text) :]
    if name and text and is_credential(name[1].decode("latin-1")):
        return head + found + REDACTED.encode() + end
    return head + found + (_json(text) if text[:1] in (b"{", b"[") else text) + end


# --- bodies of answers


def _mask_body(data: bytes, secrets: Secrets) -> bytes:
    """
    Mask credentials in an answer, byte for byte, until nothing is left to mask.
    """
    whole = data
    for _ in range(_ROUNDS):
        before = data
        data = _mask_pairs(data, is_granted, _mask)
        data = _XML.sub(lambda hit: _element(hit, _mask(hit[2])), data)
        data = _mask_hits(data, secrets)
        if data == before:
            break
    return data if data == whole else wire.sealed(data)


def _mask(content: bytes) -> bytes:
    size = len(content)
    return b"x" * size if size < len(REDACTED) else REDACTED.encode().ljust(size, b"x")


def _mask_hits(data: bytes, secrets: Secrets) -> bytes:
    masked = bytearray(data)
    for _, start, end in hits(data, secrets):
        masked[start:end] = secrets.blank(data[start:end]) or _mask(data[start:end])
    return bytes(masked)


_PAIRS: Final = (
    re.compile(rb'"([\w.\-]{2,40})"\s*:\s*"((?:[^"\\]|\\.)+)"'),
    re.compile(rb'\\"([\w.\-]{2,40})\\"\s*:\s*\\"((?:[^"\\]|\\\\.)+)\\"'),
)
_XML: Final = re.compile(rb"<([A-Za-z][\w:.\-]{1,60})>([^<]+)</\1>")


def _mask_pairs(data: bytes, secret: Callable[[str], bool], blank: Callable[[bytes], bytes]) -> bytes:
    def masked(hit: re.Match[bytes]) -> bytes:
        if not secret(hit[1].decode("latin-1")):
            return hit[0]
        return hit[0][: hit.start(2) - hit.start()] + blank(hit[2]) + hit[0][hit.end(2) - hit.start() :]

    for pattern in _PAIRS:
        data = pattern.sub(masked, data)
    return data


def _element(hit: re.Match[bytes], blank: bytes) -> bytes:
    if not is_granted(hit[1].decode("latin-1").rpartition(":")[2]):
        return hit[0]
    return hit[0][: hit.start(2) - hit.start()] + blank + hit[0][hit.end(2) - hit.start() :]

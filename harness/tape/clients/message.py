"""HTTP/1.1 messages in bytes: a request as a client sent it, an answer as a client expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.tape.reading import new_headers
from harness.tape.reading import new_request as assembled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcr.request import Request

    from harness.tape.player import Answer

END_OF_CHUNKS: Final = b"0\r\n\r\n"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NO_BODY: Final = frozenset({204, 304})


def origin(scheme: str, host: str, port: int | None) -> str:
    """
    Return scheme, host and port as one string, a default port left out.
    """
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{shown}" if port in {None, _DEFAULT_PORTS.get(scheme)} else f"{scheme}://{shown}:{port}"


def new_request(method: str, uri: str, body: bytes, headers: Iterable[tuple[str, str]]) -> Request:
    """
    Return vcrpy's request; headers of one name are joined as RFC 9110, 5.3 says.
    """
    store: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        key = name.lower()
        store[key] = (name, f"{store[key][1]}, {value}") if key in store else (name, value)
    return assembled(method, uri, body or None, new_headers(store))


def parse_request(raw: bytes, base: str) -> Request:
    """
    Return the request that these bytes ask for.

    Args:
        raw: head and body, chunked or not, as sent.
        base: the origin that the connection leads to, for a target that is only a path.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    headers = []
    for line in lines:
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
        if name.lower() == "transfer-encoding" and "chunked" in value.lower():
            body = dechunked(body)
    uri = base + target if target.startswith("/") or not target else target
    return new_request(method, uri, body, headers)


def dechunked(body: bytes) -> bytes:
    """
    Return a chunked body without its framing; what is cut off is left out.
    """
    parts, at = [], 0
    while (end := body.find(b"\r\n", at)) >= 0:
        size = int(body[at:end].partition(b";")[0] or b"0", 16)
        if not size:
            break
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2
    return b"".join(parts)


def has_body(method: str, status: int) -> bool:
    """
    Tell whether an answer to this method with this status can have a body.
    """
    return method != "HEAD" and status not in _NO_BODY and status >= 200  # noqa: PLR2004 - RFC 9110, 6.4.1


def answer_head(player: Answer, *, body: bool) -> bytes:
    """
    Return status line and headers, with the framing that the body will really have.
    """
    lines = [f"HTTP/1.1 {player.status} {player.reason}"]
    framing = _framing(player) if body else ""
    for name, value in player.headers:
        if name.lower() in {"content-length", "transfer-encoding"} and (body or _lies(name, player)):
            continue
        lines.append(f"{name}: {value}")
    if framing:
        lines.append(framing)
    text = "\r\n".join(lines) + "\r\n\r\n"
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def declared_length(player: Answer) -> int:
    """
    Return the length that the head declares: of a cut answer more than will come.
    """
    if player.cut is None:
        return player.body_length
    stored = player.header("content-length")
    return max(int(stored) if stored.isdigit() else 0, player.body_length + 1)


def _framing(player: Answer) -> str:
    if player.framing == "chunked":
        return "Transfer-Encoding: chunked"
    return f"Content-Length: {declared_length(player)}" if player.framing == "length" else ""


def _lies(name: str, player: Answer) -> bool:
    # a client that believes "chunked" waits for the chunks of an answer that has none
    return name.lower() == "transfer-encoding" and player.status in _NO_BODY

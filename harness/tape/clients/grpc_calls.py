"""
What the two gRPC taps share: a call as a cassette's request, its status as a response's, and the way to the peer.

Messages are kept as gRPC frames them, so that a body says itself where each message ends. An arrival is a message.
A call that failed before its first message has the HTTP status that stands for its gRPC status; one that failed later
is an answer that was cut. The gRPC status itself is in the header in which gRPC sends it.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from harness.protobuf import framed, unframed
from harness.tape.clients.message import new_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcr.request import Request

    from harness.tape.player import Answer
    from harness.tape.tape import Recorder, Tape

CONTENT_TYPE: Final = "application/grpc"
_DETAILS: Final = "grpc-status-details-bin"
_SECURE_PORT: Final = 443
_SCHEMES: Final = re.compile(r"^(?:dns|ipv4|ipv6|xds|passthrough|google-c2p(?:-experimental)?):(?://[^/]*/)?")
_UNREACHED: Final = ("failed to connect", "DNS resolution failed", "Name resolution", "empty address list")
"""How the details begin where grpcio itself found no peer."""
_UNAVAILABLE: Final = 14
_HTTP: Final = {
    0: 200, 1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501, 13: 500,
    14: 503, 15: 500, 16: 401,
}  # fmt: skip
"""gRPC status to HTTP status, as google/rpc/code.proto maps them."""
_FROM_HTTP: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
"""The other way, as gRPC's doc/http-grpc-status-mapping.md says, for an answer without a gRPC status."""


class Status(NamedTuple):
    """
    Say how a call ended.
    """

    code: int
    details: str = ""
    trailing: tuple[tuple[str, bytes], ...] = ()


OK: Final = Status(0)
BIDIRECTIONAL: Final = (
    "calls with a stream in both directions are neither recorded nor replayed: what is sent may depend on what was "
    "received, and a recording of messages does not say how"
)


def call_request(target: str, method: str, messages: Iterable[bytes]) -> Request:
    """
    Return a call as the request of a cassette.

    Args:
        target: what the channel was made for.
        method: "/package.Service/Method".
        messages: what the client sent, serialized.
    """
    host, port = place(target)
    shown = f"[{host}]" if ":" in host else host
    uri = f"grpc://{shown}{'' if port == _SECURE_PORT else f':{port}'}{method}"
    body = b"".join(framed(message) for message in messages)
    return new_request("POST", uri, body, [("Content-Type", CONTENT_TYPE)])


def place(target: str) -> tuple[str, int]:
    """
    Return the host and port that a channel's target names.
    """
    bare = _SCHEMES.sub("", target).lstrip("/")
    if bare.startswith("unix"):
        return "localhost", _SECURE_PORT
    try:
        parts = urlsplit(f"//{bare}")
        port = parts.port
    except ValueError:  # an IPv6 address without brackets, a port that is none
        return bare, _SECURE_PORT
    return parts.hostname or "localhost", port or _SECURE_PORT


def detour(tape: Tape, target: str) -> tuple[str, str] | None:
    """
    Return where to connect instead while recording, and what to call the host there; None for the target itself.
    """
    if "://" in _SCHEMES.sub("", target):
        return None  # a web address is no target, and grpcio finds nobody there
    host, port = place(target)
    address = tape.dial("grpc", host, port)
    return None if address is None else ("{}:{}".format(*address), f"{host}:{port}")


def detour_options(authority: str) -> list[tuple[str, Any]]:
    """
    Return the options of a channel that is led elsewhere.
    """
    return [("grpc.default_authority", authority), ("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]


def keep(recorder: Recorder, status: Status, messages: int) -> Answer | None:
    """
    Finish the recording of a call; return what serves the client, or None where nobody answered.

    Args:
        recorder: has been given the messages.
        status: how the call ended.
        messages: how many there were.
    """
    if status.code == _UNAVAILABLE and not messages and status.details.startswith(_UNREACHED):
        recorder.failed(status.details)
        return None
    recorder.head(200 if messages else _HTTP.get(status.code, 500), _name(status.code), _headers(status), "chunked")
    if status.code and messages:
        return recorder.cut(f"{_name(status.code)}: {status.details}".rstrip(": "))
    return recorder.end()


def stopped(recorder: Recorder) -> Answer:
    """
    Finish the recording of a call whose answer has no end.
    """
    recorder.head(200, "OK", _headers(OK), "chunked")
    return recorder.end()


def status_of(player: Answer) -> Status:
    """
    Return how a recorded call ended.
    """
    told = player.header("grpc-status")
    code = int(told) if told.isdecimal() else 0 if player.status == 200 else _FROM_HTTP.get(player.status, 2)  # noqa: PLR2004 - RFC 9110, 15.3.1
    details = player.header("grpc-message")
    if player.cut is not None and not code:
        code, details = _UNAVAILABLE, player.cut
    try:
        rich = base64.b64decode(player.header(_DETAILS), validate=True)
    except binascii.Error:
        rich = b""
    return Status(code, details, ((_DETAILS, rich),) if rich else ())


def message_of(piece: bytes) -> bytes:
    """
    Return the message that an arrival is.
    """
    messages = unframed(piece)
    return piece if messages is None else messages[0]


def _name(code: int) -> str:
    names = (
        "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED"
        " RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS"
        " UNAUTHENTICATED"
    ).split()
    return names[code] if code < len(names) else "UNKNOWN"


def _headers(status: Status) -> list[tuple[str, str]]:
    found = [("Content-Type", CONTENT_TYPE), ("grpc-status", str(status.code))]
    if status.details:
        found.append(("grpc-message", status.details))
    rich = dict(status.trailing).get(_DETAILS)
    return [*found, (_DETAILS, base64.b64encode(rich).decode())] if isinstance(rich, bytes) else found

"""The arrivals of an answer, as a cassette keeps them: one extra key of vcrpy's response."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, get_args

from harness.errors import CassetteError
from harness.tape import wire
from harness.tape.player import Framing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY: Final = "harness"
STEP: Final = 0.05
"""Seconds between the pieces of a body that came without arrivals."""

_PARSED: Final = "harness parsed"
"""Where a response keeps its timing once it was read; never written to a file."""
_ARRIVAL: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\+([0-9]{1,12})")


class Piece(NamedTuple):
    """
    Say when a piece of an answer came, in seconds since the request was sent, and its size in bytes.
    """

    at: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """
    Say how an answer came.

    Attributes:
        arrivals: its pieces; their sizes add up to the stored body.
        framing: how the body was delimited on the wire.
        sent: when the request was sent, in seconds since the first request of the cell.
        cut: how the upstream broke the answer off, if it did.
        made_up: the file has no arrivals, these were made from the body's wire format.
        recorded: when, as an ISO 8601 date-time in UTC; in the first response only, as are the next three.
        upstream: where the recording comes from, a value of `harness.words.Upstream`.
        versions: distribution to version.
        battery: version of the standard prompts.
    """

    arrivals: tuple[Piece, ...]
    framing: Framing
    sent: float = 0.0
    cut: str | None = None
    made_up: bool = False
    recorded: str | None = None
    upstream: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    battery: int | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Timing:
        return self  # vcrpy copies responses deeply; nothing in here changes


def read_timing(response: dict[str, Any], *, where: str | None = None, number: int = 1) -> Timing:
    """
    Return the arrivals of a vcrpy response, or made-up ones where it has none.

    Args:
        response: status, headers, body and perhaps the key `harness`.
        where: the file, for errors.
        number: the interaction in the file, from 1, for errors.

    Raises:
        CassetteError: the arrivals are malformed, go back in time, or do not add up to the body.
    """
    body = response["body"].get("string") or b""
    extra = response.get(KEY)
    token = (body, extra.get("arrivals") if isinstance(extra, dict) else None)
    kept = response.get(_PARSED)
    if kept is not None and kept[0][0] is token[0] and kept[0][1] is token[1]:
        known: Timing = kept[1]
        return known
    size = len(body.encode()) if isinstance(body, str) else len(body)
    timing = _Reader(where, number).timing(response, body, size, extra)
    response[_PARSED] = (token, timing)
    return timing


def write_timing(response: dict[str, Any], timing: Timing) -> None:
    """
    Put the arrivals of an answer into its vcrpy response; of made-up ones only that they are.
    """
    extra: dict[str, Any] = {}
    if timing.made_up:
        extra["made_up"] = True
    else:
        extra["arrivals"] = " ".join(f"{_seconds(p.at)}+{p.size}" for p in timing.arrivals if p.size)
        extra["framing"] = timing.framing
        extra["sent"] = round(timing.sent, 6)
    if timing.cut is not None:
        extra["cut"] = timing.cut
    if timing.recorded is not None:
        extra["recorded"] = timing.recorded
    if timing.upstream is not None:
        extra["upstream"] = str(timing.upstream)
    if timing.versions:
        extra["versions"] = dict(sorted(timing.versions.items()))
    if timing.battery is not None:
        extra["battery"] = timing.battery
    response.pop(_PARSED, None)
    response.pop(KEY, None)
    if extra:
        response[KEY] = extra


def _seconds(at: float) -> str:
    return f"{max(at, 0.0):.6f}".rstrip("0").rstrip(".")


class _Reader:
    """
    Read the extra key of one response; its errors name the file and the interaction.
    """

    def __init__(self, where: str | None, number: int) -> None:
        self._where = f"{where}, interaction {number}" if where else f"interaction {number}"

    def timing(self, response: dict[str, Any], body: bytes | str, size: int, extra: object) -> Timing:
        if extra is None:
            extra = {}
        if not isinstance(extra, dict):
            self._fail(f"`{KEY}` is {type(extra).__name__}, not a mapping")
        text = extra.get("arrivals")
        raw = body.encode() if isinstance(body, str) else bytes(body)
        framing = extra.get("framing") or _guess(response["headers"], raw)
        if framing not in get_args(Framing):
            self._fail(f"the framing {framing!r} is not one of {', '.join(get_args(Framing))}")
        arrivals = _made_up(raw, response["headers"], framing) if text is None else self._arrivals(text, size)
        versions = extra.get("versions") or {}
        if not isinstance(versions, dict):
            self._fail("`versions` is not a mapping")
        return Timing(
            arrivals=tuple(arrivals),
            framing=framing,
            sent=self._sent(extra.get("sent", 0.0)),
            cut=_string(extra.get("cut")),
            made_up=text is None,
            recorded=_moment(extra.get("recorded")),
            upstream=_string(extra.get("upstream")),
            versions={str(name): str(version) for name, version in versions.items()},
            battery=extra["battery"] if isinstance(extra.get("battery"), int) else None,
        )

    def _sent(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            self._fail(f"`sent` is {value!r}, not a number of seconds")
        return float(value)

    def _arrivals(self, text: object, size: int) -> list[Piece]:
        if not isinstance(text, str):
            self._fail(f"`arrivals` is {type(text).__name__}, not a line such as 0.412+120 0.455+88")
        pieces = [self._piece(word) for word in text.split()]
        for before, after in pairwise(pieces):
            if after.at < before.at:
                self._fail(f"the arrivals go back in time, from {before.at} to {after.at} seconds")
        counted = sum(piece.size for piece in pieces)
        if counted != size:
            longer = "longer" if size > counted else "shorter"
            self._fail(f"the body is {longer} than its counts: {size} bytes stored, {counted} bytes counted")
        return pieces

    def _piece(self, word: str) -> Piece:
        found = _ARRIVAL.fullmatch(word)
        if found is None or int(found[2]) == 0:
            self._fail(f"the arrival {word[:40]!r} is not SECONDS+BYTES, such as 0.412+120")
        return Piece(at=float(found[1]), size=int(found[2]))

    def _fail(self, message: str) -> NoReturn:
        raise CassetteError(
            message,
            where=self._where,
            hint="the file was edited or cut off; restore it, record it again, or remove the key `harness` to have"
            " arrivals made up",
        )


def _string(value: object) -> str | None:
    return None if value is None else str(value)


def _moment(value: object) -> str | None:
    """
    Return a date-time as text; YAML makes objects of those without quotes.
    """
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else _string(value)


def header(headers: Mapping[str, Iterable[str]], name: str) -> str:
    """
    Return a header's first value, or an empty string.
    """
    return next((str(value) for key, values in headers.items() if key.lower() == name for value in values), "")


def _guess(headers: Mapping[str, Iterable[str]], body: bytes) -> Framing:
    if "chunked" in header(headers, "transfer-encoding").lower():
        return "chunked"
    # a recorder that decodes bodies writes their length into the header, also of those that were streamed
    streamed = wire.streams(header(headers, "content-type")) or wire.is_stream(body)
    return "length" if header(headers, "content-length") and not streamed else "chunked"


def _made_up(body: bytes, headers: Mapping[str, Iterable[str]], framing: Framing) -> Iterable[Piece]:
    # an answer whose length was known before it was sent was not written piece by piece
    whole = [len(body)] if body else []
    sizes = whole if framing == "length" else wire.split(body, header(headers, "content-type"))
    return (Piece(at=round(STEP * (index + 1), 6), size=size) for index, size in enumerate(sizes))

"""Recordings that are no cassettes: HTTP archives, as Polly.JS and browsers write them, and traces of Go's httprr."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any, Final

from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE: Final = b"httprr trace v1"
"""How a trace begins."""
_SIZES: Final = re.compile(rb"(\d{1,12}) (\d{1,12})\r?\n")
_HEAD_ENDS: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]*\r?\n")
_CHUNK_ENDS: Final = re.compile(rb"\r?\n")
_FETCH_AGAIN: Final = "fetch it again, without a change to its line ends"


def is_entry(entry: Any) -> bool:  # noqa: ANN401 - JSON is any value
    """
    Tell whether a value is an exchange of an HTTP archive.
    """
    both = [entry.get("request"), entry.get("response")] if isinstance(entry, dict) else []
    return len(both) == 2 and all(isinstance(one, dict) for one in both)  # noqa: PLR2004 - request and response


def was_answered(entry: dict[str, Any]) -> bool:
    """
    Tell whether an exchange has an answer; a browser notes with the status 0 what it blocked, or gave up.
    """
    return bool(entry["response"].get("status") != 0)


def of_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """
    Return an exchange of an HTTP archive with the keys that other recorders use.
    """
    asked, told = entry["request"], entry["response"]
    sent, content = asked.get("postData"), told.get("content")
    return {
        "request": {
            **_of(asked, "method", "url", "headers"),
            "body": _posted(sent) if isinstance(sent, dict) else None,
        },
        "response": {
            **_of(told, "status", "headers"),
            "reason": told.get("statusText"),
            "body": {"string": _content(content) if isinstance(content, dict) else ""},
        },
        "recorded_at": entry.get("startedDateTime"),
    }


def _of(side: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: side.get(key) for key in keys}


def _posted(sent: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
    # some keep JSON as what it is, to be reviewed
    return sent["text"] if isinstance(sent.get("text"), str) else sent.get("textJSON")


def _content(content: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is any value
    """
    Return a body; the bytes of base64, which some keep piece by piece in a list that is written as JSON.
    """
    text = content.get("text")
    if not isinstance(text, str):
        return ""
    if content.get("encoding") != "base64":
        return text
    try:
        pieces = json.loads(text) if text.startswith("[") else [text]
        return b"".join(base64.b64decode(piece) for piece in pieces)
    except (ValueError, TypeError):
        return text


def of_trace(raw: bytes, where: str) -> list[dict[str, Any]]:
    """
    Return the exchanges of a trace: pairs of what travelled, behind the sizes of both.

    Raises:
        CassetteError: the sizes do not fit what stands behind them.
    """
    found: list[dict[str, Any]] = []
    place = raw.find(b"\n") + 1
    while raw[place:].strip():
        sizes = _SIZES.match(raw, place)
        start = sizes.end() if sizes else 0
        middle = start + int(sizes[1]) if sizes else 0
        place = middle + int(sizes[2]) if sizes else 0
        if sizes is None or place > len(raw):
            msg = f"its exchange {len(found) + 1} is not as long as it says"
            raise CassetteError(msg, where=where, hint=_FETCH_AGAIN)
        (asks, *headers), body = _message(raw[start:middle])
        (tells, *told), answer = _message(raw[middle:place])
        method, _, rest = asks.partition(" ")
        found.append(
            {
                "request": {
                    "method": method,
                    "uri": rest.rpartition(" ")[0],
                    "headers": _fields(headers),
                    "body": body,
                },
                "response": {"status": tells.partition(" ")[2], "headers": _fields(told), "body": answer},
            }
        )
    return found


def _message(raw: bytes) -> tuple[list[str], bytes]:
    """
    Return the lines before a message's body, and its body.
    """
    blank = _HEAD_ENDS.search(raw)
    head, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    lines = head.decode("latin-1").splitlines() or [""]
    chunked = any(name.lower() == "transfer-encoding" and "chunked" in told for name, told in _split(lines[1:]))
    return lines, b"".join(_chunks(body)) if chunked else body


def _chunks(body: bytes) -> Iterator[bytes]:
    place = 0
    while size := _CHUNK.match(body, place):
        end = size.end() + int(size[1], 16)
        yield body[size.end() : end]
        after = _CHUNK_ENDS.match(body, end)
        place = after.end() if after else end
    yield body[place:]


def _fields(lines: list[str]) -> list[list[str]]:
    return [[name, told] for name, told in _split(lines)]


def _split(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, told = line.partition(":")
        yield name.strip(), told.strip()

"""What a recorded request asked: its prompts, and whether it goes to a language model at all."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from harness.tape.reading import body_bytes, inflated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcr.request import Request

_KEYS: Final = (
    "messages contents prompt prompts input inputs text texts query question message inputtext instruction instances"
    " requests content body params".split()
)
"""Fields that prompts stand in, those that say most first."""
_BESIDE: Final = re.compile(
    r"embed|moderat|rerank|tokeni[sz]|count_?tokens|/images?\b|/audio\b|/files?\b|oauth|/token\b|telemetry|/logs?\b",
    re.IGNORECASE,
)
"""Addresses of services beside a language model, whose requests carry texts as well."""
_SPEAKS: Final = re.compile(
    r"[/:](?:completions|responses|messages|chat|converse(?:-stream)?|generate(?:_stream)?"
    r"|(?:stream)?(?:generateContent|rawPredict))/?$",
    re.IGNORECASE,
)
"""How addresses of a language model end, whatever the project or the deployment in them is called."""
_FIELD: Final = re.compile(r"\bname=\"?([\w.\-]+)")
_OWN_TURNS: Final = frozenset({"assistant", "model", "ai", "bot", "chatbot"})
_USERS: Final = frozenset({"user", "human", ""})
_DEEPEST: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """
    Hold what a request asked.

    Attributes:
        prompts: what it carries; several where one request carries several inputs.
        goes_on: it continues a conversation, so that its prompts are no inputs of their own.
    """

    prompts: tuple[str, ...] = ()
    goes_on: bool = False


def asked(method: str, uri: str, body: bytes | None) -> Asked:
    """
    Return what a request asked; nothing where it is none to a language model.
    """
    parts = urlsplit(uri)
    if _BESIDE.search(parts.path) and not _SPEAKS.search(parts.path):
        return Asked()
    value = body_value(body)
    if value is None and method in {"GET", "POST"}:
        text = inflated(body or b"").decode("utf-8", "replace")
        value = {
            **_form(parts.query),
            **(_fields(text) if text.startswith("--") else _form(text if "=" in text[:80] else "")),
        }
    if not isinstance(value, dict | list):
        return Asked()
    prompts = tuple(dict.fromkeys(text.strip() for text in _prompts(value, 0) if text.strip()))
    return Asked(prompts, goes_on=_goes_on(value))


def shape(request: Request) -> tuple[int, bool]:
    """
    Return what two requests for the same kind of answer have in common: how many prompts, and whether they go on.
    """
    body = None if request.body is None else body_bytes(request)
    found = asked(str(request.method).upper(), str(request.uri), body)
    return len(found.prompts), found.goes_on


def body_value(body: bytes | None) -> Any:  # noqa: ANN401 - JSON is any value
    """
    Return the JSON value of a body; None where it is none.
    """
    try:
        return json.loads(inflated(body)) if body else None
    except (ValueError, RecursionError):
        return None


def _form(text: str) -> dict[str, str]:
    return dict(parse_qsl(text))


def _fields(text: str) -> dict[str, str]:
    """
    Return the fields of a multipart form; files are none.
    """
    boundary, _, rest = text.partition("\n")
    found = {}
    for part in rest.replace("\r\n", "\n").split(f"\n{boundary.strip()}"):
        head, _, said = part.strip("\n").partition("\n\n")
        name = _FIELD.search(head)
        if name and "filename" not in head:
            found[name[1]] = said
    return found


def _prompts(value: Any, depth: int) -> list[str]:  # noqa: ANN401 - JSON is any value
    if isinstance(value, str):
        return [value]
    if depth > _DEEPEST:
        return []
    if isinstance(value, list):
        if _is_conversation(value):
            return _last_said(value)
        return [text for one in value for text in _prompts(one, depth + 1)]
    if isinstance(value, dict):
        named = {str(key).lower(): inner for key, inner in value.items()}
        for key in _KEYS:
            found = _prompts(named[key], depth + 1) if named.get(key) else []
            if found:
                return found
    return []


def _is_conversation(value: list[Any]) -> bool:
    return any(isinstance(one, dict) and ("role" in one or "parts" in one) for one in value)


def _last_said(messages: list[Any]) -> list[str]:
    """
    Return what the user said last, as one text.
    """
    said = [one for one in messages if isinstance(one, dict) and str(one.get("role", "")).lower() in _USERS]
    for one in reversed(said or [one for one in messages if isinstance(one, dict)]):
        text = "\n".join(_spoken(one.get("content", one.get("parts", one.get("text"))), 0))
        if text:
            return [text]
    return []


def _spoken(value: Any, depth: int) -> list[str]:  # noqa: ANN401 - JSON is any value
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and depth <= _DEEPEST:
        return [text for one in value for text in _spoken(one, depth + 1)]
    return _spoken(value.get("text"), depth + 1) if isinstance(value, dict) and depth <= _DEEPEST else []


def _goes_on(value: Any) -> bool:  # noqa: ANN401 - JSON is any value
    if not isinstance(value, dict):
        return False
    messages: Mapping[str, Any] = value
    for key in ("messages", "contents", "input"):
        turns = messages.get(key)
        if isinstance(turns, list):
            return any(isinstance(one, dict) and str(one.get("role", "")).lower() in _OWN_TURNS for one in turns)
    return False

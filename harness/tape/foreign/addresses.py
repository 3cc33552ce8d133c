"""Addresses of recorded requests: mended where they were redacted, and built again where nothing is left of them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from harness.tape import wire
from harness.tape.credentials import REDACTED as MARK
from harness.tape.foreign.asked import body_value
from harness.tape.foreign.parts import REDACTED, Place

_OPENAI: Final = "https://api.openai.com/v1"
_ANTHROPIC: Final = "https://api.anthropic.com/v1"
_GEMINI: Final = "https://generativelanguage.googleapis.com/v1beta"
_BEDROCK: Final = "https://bedrock-runtime.us-east-1.amazonaws.com"
_OF_OPENAI: Final = (("input", "/responses"), ("messages", "/chat/completions"), ("prompt", "/completions"))


TAKEN_OUT: Final = "its address was taken out, and its body does not say whose API it was"


def address(request: dict[str, Any], answer: bytes, place: Place) -> str | None:
    """
    Return a request's address without fragment; parts that were redacted stand for anything.

    An address that was redacted as a whole is built again from the keys of the body, which is noted; None where nothing
    tells what it was.
    """
    uri: str = request["uri"].strip()
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        place.fail(f"the request's address is none: {error}")
    if parts.scheme.lower().startswith(("grpc", "ws")):
        place.fail(f"it was not recorded over HTTP, but over {parts.scheme}")
    path, host = REDACTED.sub(MARK, parts.path), REDACTED.sub(MARK, parts.netloc)
    # a host of its own is asked at its root; of one that was taken out nothing is left there
    left = bool(path.strip("/")) or MARK not in host
    if parts.scheme.lower() in {"http", "https"} and parts.netloc and left and path.strip("/") != MARK:
        query = "&".join(one for one in parts.query.split("&") if one and not REDACTED.search(one))
        return urlunsplit((parts.scheme, host, path or "/", query, ""))
    if request["body"] is None and parts.netloc and parts.scheme:
        return urlunsplit((parts.scheme, parts.netloc, path or "/", parts.query, ""))
    built = _built(request, answer)
    if built is None:
        return None
    place.notes.append(f"the address was taken out and built again: {built}")
    return built


def _built(request: dict[str, Any], answer: bytes) -> str | None:
    body = body_value(request["body"])
    if not isinstance(body, dict):
        return None
    model = str(body.get("model") or "")
    if "contents" in body:
        return _of_gemini(model, answer)
    if "messages" in body and ("inferenceConfig" in body or wire.messages(answer)):
        call = "converse-stream" if wire.messages(answer) else "converse"
        return f"{_BEDROCK}/model/{quote(str(body.get('modelId') or MARK), safe='')}/{call}"
    is_anthropic = any(name.lower() == "anthropic-version" for name in request["headers"]) or "claude" in model
    if "messages" in body and is_anthropic:
        return f"{_ANTHROPIC}/messages"
    if "embed" in model:
        return f"{_OPENAI}/embeddings"
    return next((_OPENAI + path for key, path in _OF_OPENAI if key in body), None)


def _of_gemini(model: str, answer: bytes) -> str:
    events = wire.looks_like_events(answer)
    call = "streamGenerateContent" if events or answer.lstrip()[:1] == b"[" else "generateContent"
    return f"{_GEMINI}/models/{model.removeprefix('models/') or MARK}:{call}{'?alt=sse' if events else ''}"

"""A request as a simulator sees it, and where in it something is found."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from harness.simulators.pickles import unpickle, unpickle_base64

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_FIELD_NAME: Final = re.compile(rb"(?i)^content-disposition:[^\r\n]*\bname=\"([^\"]*)\"", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    Keep what a client sent.

    Attributes:
        origin: scheme and host as the client wrote them, e.g. `https://api.openai.com`.
        headers: by lower-case name.
        params: what the path's parameters stand for.
        body: the JSON document, the fields of a form, or the text.
    """

    method: str
    path: str
    origin: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


def parse_body(raw: bytes, content_type: str) -> Any:  # noqa: ANN401 - any JSON document
    """
    Return a JSON document, the fields of a form, or, failing both, the text.

    A field of a multipart form may be a pickle of plain values.
    """
    if content_type.startswith("multipart/form-data"):
        return _multipart(raw)
    text = raw.decode("utf-8", "replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _multipart(raw: bytes) -> dict[str, Any]:
    boundary = raw.partition(b"\r\n")[0]
    fields: dict[str, Any] = {}
    for part in raw.split(boundary)[1:-1] if boundary else []:
        head, _, data = part.partition(b"\r\n\r\n")
        name = _FIELD_NAME.search(head)
        if name:
            content = data.removesuffix(b"\r\n")
            value = unpickle(content)
            fields[name[1].decode()] = content.decode("utf-8", "replace") if value is None else value
    return fields


def find(asked: Asked, pointer: str) -> list[Any]:
    """
    Return everything that a pointer names in a request; nothing where it names nothing.

    Args:
        asked: the request.
        pointer: `?name` for a query parameter, `{name}` for a part of the path; otherwise a JSON pointer (RFC 6901)
            into the body, where `*` stands for every element of an array and `-` for its last. A string that holds a
            pickle in base64 is looked into like the value it was made of.
    """
    if pointer.startswith("?"):
        return [asked.query[pointer[1:]]] if pointer[1:] in asked.query else []
    if pointer.startswith("{"):
        return [asked.params[pointer[1:-1]]] if pointer[1:-1] in asked.params else []
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return list(_walk(asked.body, steps))


def _walk(value: Any, steps: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - any JSON value
    if not steps:
        yield value
        return
    for inner in _inside(value, steps[0]):
        yield from _walk(inner, steps[1:])


def _inside(value: Any, step: str) -> list[Any]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        value = unpickle_base64(value)
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if isinstance(value, list):
        if step == "*":
            return value
        if step == "-":
            return value[-1:]
        return value[int(step) :][:1] if step.isdecimal() else []
    return []


def prompts_in(asked: Asked, pointers: Sequence[str]) -> tuple[str, ...]:
    """
    Return the prompts that a request carries, in its order; a list of strings is as many prompts.
    """
    return tuple(prompt for pointer in pointers for value in find(asked, pointer) for prompt in _prompts(value))


def _prompts(value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, list) and all(isinstance(element, str) for element in value):
        return value
    # a conversation, or one message in blocks, is one prompt
    text = "\n".join(_strings(value))
    return [text] if text else []


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value if isinstance(value, list) else value.values():
            yield from _strings(inner)


def is_wanted(asked: Asked, pointer: str) -> bool:
    """
    Tell whether a flag is set in a request: true, a number but 0, or a text that says yes.

    A pointer with `=` asks whether the field has the value after it: `/method=message/stream`.
    """
    pointer, equals, wanted = pointer.partition("=")
    values = find(asked, pointer)
    if equals:
        return wanted in values
    return any(value.lower() in {"true", "1", "yes"} if isinstance(value, str) else bool(value) for value in values)

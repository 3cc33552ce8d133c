"""What a message or a piece of one says beside its text: why it ended, and the tokens it took, whoever made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Usage = dict[str, int]
"""Tokens by kind: `input`, `output`, `total`; kinds that are not told, or zero, are left out."""

_REASONS: Final = ("finish_reason", "stop_reason", "done_reason", "finishReason", "stopReason")
_WITHIN: Final = ("response_metadata", "generation_info", "message", "llm_output")
_USAGES: Final = ("usage_metadata", "usage", "token_usage", "usageMetadata", "tokenUsage")
_KINDS: Final = {
    "inputtokens": "input",
    "prompttokens": "input",
    "inputtokencount": "input",
    "prompttokencount": "input",
    "promptevalcount": "input",
    "outputtokens": "output",
    "completiontokens": "output",
    "outputtokencount": "output",
    "candidatestokencount": "output",
    "evalcount": "output",
    "totaltokens": "total",
    "totaltokencount": "total",
}
"""What providers and frameworks call the kinds, in lower case and without underscores."""


def reason_of(value: object) -> str | None:
    """
    Return why an answer ended, as it says itself; None where it does not.
    """
    for holder in _holders(value):
        for name in _REASONS:
            reason = part(holder, name)
            if isinstance(reason, str) and reason:
                return str(reason)
    return None


def usage_of(value: object) -> Usage:
    """
    Return the tokens that an answer, or a piece of one, says it took; empty where it says nothing.
    """
    for holder in _holders(value):
        for name in _USAGES:
            found = counts(part(holder, name))
            if found:
                return found
    return {}


def counts(value: object) -> Usage:
    """
    Return the tokens by kind that a mapping or an object holds under any of the known names.
    """
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    found: Usage = {}
    for name, number in fields.items():
        kind = kind_of(name)
        if kind and _is_count(number):
            found.setdefault(kind, int(number))
    return found


def kind_of(name: object) -> str | None:
    """
    Return which kind of tokens a name stands for; None for any other name.
    """
    return _KINDS.get(str(name).replace("_", "").lower())


def told(value: object) -> dict[str, list[int]]:
    """
    Return every count of tokens in a document of an upstream, at any depth, by kind and in order.
    """
    found: dict[str, list[int]] = {}
    _collect(value, found)
    return found


def _collect(value: object, found: dict[str, list[int]]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            kind = kind_of(name)
            if kind and _is_count(inner):
                found.setdefault(kind, []).append(inner)
            else:
                _collect(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, found)


def part(value: object, name: str) -> Any:  # noqa: ANN401 - whatever stands there
    """
    Return a key of a mapping or an attribute of an object; None where it has none, or raises when it is asked.
    """
    try:
        return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    except Exception:  # noqa: BLE001 - properties of foreign objects
        return None


def _holders(value: object) -> Iterable[object]:
    """
    Yield an answer and the parts of it that may say how it ended.
    """
    yield value
    for name in _WITHIN:
        inner = part(value, name)
        if inner is not None:
            yield inner
    choices = part(value, "choices")
    if isinstance(choices, list | tuple) and choices:
        yield choices[0]


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number > 0

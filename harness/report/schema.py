"""
A checker for the part of JSON Schema that `matrix.schema.json` uses.

It exists so that reading a matrix needs no schema library at run time; the tests hold it against a complete one.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    Say which value is wrong, and why.

    Attributes:
        path: the value's place, as `cells[3].evidence.items`; empty for the whole document.
        message: what is wrong with it.
    """

    path: str
    message: str


def schema_text() -> str:
    """
    Return the published JSON Schema of matrix.json.
    """
    return resources.files("harness.report").joinpath("matrix.schema.json").read_text("utf-8")


@cache
def _matrix_schema() -> Schema:
    schema: Schema = json.loads(schema_text())
    return schema


def first_problem(document: object) -> Problem | None:
    """
    Return the first place where a document is not a matrix, or None.
    """
    return next(_problems(document, _matrix_schema(), ""), None)


def _problems(value: object, schema: Schema, path: str) -> Iterator[Problem]:
    for keyword, rule in schema.items():
        check = _CHECKS.get(keyword)
        if check is not None:
            yield from check(value, rule, schema, path)


def _ref(value: object, rule: str, _schema: Schema, path: str) -> Iterator[Problem]:
    target: Any = _matrix_schema()
    for step in rule.removeprefix("#/").split("/"):
        target = target[step]
    yield from _problems(value, target, path)


def _type(value: object, rule: str | list[str], _schema: Schema, path: str) -> Iterator[Problem]:
    names = [rule] if isinstance(rule, str) else rule
    if not any(_IS[name](value) for name in names):
        yield Problem(path=path, message=f"expected {' or '.join(names)}, got {_shown(value)}")


def _enum(value: object, rule: list[object], _schema: Schema, path: str) -> Iterator[Problem]:
    if not any(_same(value, allowed) for allowed in rule):
        choices = ", ".join(json.dumps(allowed) for allowed in rule)
        yield Problem(path=path, message=f"{_shown(value)} is none of {choices}")


def _const(value: object, rule: object, _schema: Schema, path: str) -> Iterator[Problem]:
    if not _same(value, rule):
        yield Problem(path=path, message=f"expected {json.dumps(rule)}, got {_shown(value)}")


def _required(value: object, rule: list[str], _schema: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key in rule:
            if key not in value:
                yield Problem(path=_join(path, key), message="this key is missing")


def _properties(value: object, rule: dict[str, Schema], _schema: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, schema in rule.items():
            if key in value:
                yield from _problems(value[key], schema, _join(path, key))


def _additional(value: object, rule: bool | Schema, schema: Schema, path: str) -> Iterator[Problem]:  # noqa: FBT001 - JSON Schema's own shape
    if not isinstance(value, dict):
        return
    for key in value.keys() - schema.get("properties", {}).keys():
        if rule is False:
            yield Problem(path=_join(path, key), message="no such key is known here")
        elif isinstance(rule, dict):
            yield from _problems(value[key], rule, _join(path, key))


def _items(value: object, rule: Schema, _schema: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, rule, f"{path}[{index}]")


def _any_of(value: object, rule: list[Schema], _schema: Schema, path: str) -> Iterator[Problem]:
    first: Problem | None = None
    for schema in rule:
        problem = next(_problems(value, schema, path), None)
        if problem is None:
            return
        first = first or problem
    if first is not None:
        yield first


def _if(value: object, rule: Schema, schema: Schema, path: str) -> Iterator[Problem]:
    holds = next(_problems(value, rule, path), None) is None
    yield from _problems(value, schema.get("then" if holds else "else", {}), path)


def _minimum(value: object, rule: float, _schema: Schema, path: str) -> Iterator[Problem]:
    if _is_number(value) and value < rule:  # type: ignore[operator]  # _is_number leaves int and float
        yield Problem(path=path, message=f"{_shown(value)} is less than {rule}")


def _min_length(value: object, rule: int, _schema: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, str) and len(value) < rule:
        yield Problem(path=path, message="this text is empty")


def _pattern(value: object, rule: str, _schema: Schema, path: str) -> Iterator[Problem]:
    if isinstance(value, str) and not re.search(rule.replace("$", r"\Z"), value):
        yield Problem(path=path, message=f"{_shown(value)} does not match {rule}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return _is_number(value) and (isinstance(value, int) or (math.isfinite(value) and value.is_integer()))  # type: ignore[arg-type,attr-defined]  # a float by then


def _same(value: object, other: object) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_SHOWN: Final = 60
_IS: Final[dict[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": _is_integer,
}
_CHECKS: Final[dict[str, Callable[[Any, Any, Schema, str], Iterator[Problem]]]] = {
    "$ref": _ref,
    "type": _type,
    "const": _const,
    "enum": _enum,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any_of,
    "if": _if,
    "minimum": _minimum,
    "minLength": _min_length,
    "pattern": _pattern,
}

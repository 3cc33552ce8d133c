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
    from collections.abc import Callable

    _Check = Callable[[Any, Any, dict[str, Any], str], "Problem | None"]
    _Rules = tuple[tuple[_Check, Any], ...]

Schema = dict[str, Any]
_ANYTHING: Final[Schema] = {}
_compiled: dict[int, _Rules] = {}


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
    return _problem(document, _matrix_schema(), "")


def _problem(value: object, schema: Schema, path: str) -> Problem | None:
    for check, rule in _checks(schema):
        problem = check(value, rule, schema, path)
        if problem is not None:
            return problem
    return None


def _checks(schema: Schema) -> _Rules:
    # by identity: a schema is a part of the one that is kept for good
    found = _compiled.get(id(schema))
    if found is None:
        found = tuple((_CHECKS[keyword], rule) for keyword, rule in schema.items() if keyword in _CHECKS)
        _compiled[id(schema)] = found
    return found


@cache
def _target(rule: str) -> Schema:
    target: Any = _matrix_schema()
    for step in rule.removeprefix("#/").split("/"):
        target = target[step]
    found: Schema = target
    return found


def _ref(value: object, rule: str, _schema: Schema, path: str) -> Problem | None:
    return _problem(value, _target(rule), path)


def _type(value: object, rule: str | list[str], _schema: Schema, path: str) -> Problem | None:
    names = [rule] if isinstance(rule, str) else rule
    for name in names:
        if _IS[name](value):
            return None
    return Problem(path=path, message=f"expected {' or '.join(names)}, got {_shown(value)}")


def _enum(value: object, rule: list[object], _schema: Schema, path: str) -> Problem | None:
    if any(_same(value, allowed) for allowed in rule):
        return None
    choices = ", ".join(json.dumps(allowed) for allowed in rule)
    return Problem(path=path, message=f"{_shown(value)} is none of {choices}")


def _const(value: object, rule: object, _schema: Schema, path: str) -> Problem | None:
    if _same(value, rule):
        return None
    return Problem(path=path, message=f"expected {json.dumps(rule)}, got {_shown(value)}")


def _required(value: object, rule: list[str], _schema: Schema, path: str) -> Problem | None:
    missing = (key for key in rule if key not in value) if isinstance(value, dict) else iter(())
    key = next(missing, None)
    return None if key is None else Problem(path=_join(path, key), message="this key is missing")


def _properties(value: object, rule: dict[str, Schema], _schema: Schema, path: str) -> Problem | None:
    if isinstance(value, dict):
        for key, schema in rule.items():
            if key in value and (problem := _problem(value[key], schema, _join(path, key))) is not None:
                return problem
    return None


def _additional(value: object, rule: bool | Schema, schema: Schema, path: str) -> Problem | None:  # noqa: FBT001 - JSON Schema's own shape
    if not isinstance(value, dict):
        return None
    for key in value.keys() - schema.get("properties", {}).keys():
        if rule is False:
            return Problem(path=_join(path, key), message="no such key is known here")
        if isinstance(rule, dict) and (problem := _problem(value[key], rule, _join(path, key))) is not None:
            return problem
    return None


def _items(value: object, rule: Schema, _schema: Schema, path: str) -> Problem | None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if (problem := _problem(item, rule, f"{path}[{index}]")) is not None:
                return problem
    return None


def _any_of(value: object, rule: list[Schema], _schema: Schema, path: str) -> Problem | None:
    problems = [_problem(value, schema, path) for schema in rule]
    return None if None in problems else problems[0]


def _if(value: object, rule: Schema, schema: Schema, path: str) -> Problem | None:
    holds = _problem(value, rule, path) is None
    return _problem(value, schema.get("then" if holds else "else", _ANYTHING), path)


def _minimum(value: object, rule: float, _schema: Schema, path: str) -> Problem | None:
    if _is_number(value) and value < rule:  # type: ignore[operator]  # _is_number leaves int and float
        return Problem(path=path, message=f"{_shown(value)} is less than {rule}")
    return None


def _min_length(value: object, rule: int, _schema: Schema, path: str) -> Problem | None:
    if isinstance(value, str) and len(value) < rule:
        return Problem(path=path, message="this text is empty")
    return None


def _pattern(value: object, rule: str, _schema: Schema, path: str) -> Problem | None:
    if isinstance(value, str) and not re.search(rule.replace("$", r"\Z"), value):
        return Problem(path=path, message=f"{_shown(value)} does not match {rule}")
    return None


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
_CHECKS: Final[dict[str, _Check]] = {
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

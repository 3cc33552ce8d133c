"""The table of an engine: checked when a registration is made, and kept as plain values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.adapters import checks
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from harness.adapters.checks import Check

_NAME: Final = r"[^\W\d]\w*"
_STEP: Final = rf"{_NAME}(?:\(\)(?:\[\])?)*"
_PATH: Final = re.compile(rf"{_NAME}(?:\.{_NAME})*:{_STEP}(?:\.{_STEP})*")
_MODULE: Final = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_FUNCTION: Final = re.compile(rf"{_NAME}(?:\.{_NAME})*:{_NAME}(?:\.{_NAME})*")
_EXAMPLE: Final = 'for example: seams = { "my_engine:Model().generate" = {} }'


def engine(value: object, where: str) -> dict[str, object]:
    """
    Return what a registration says of its engine.

    Raises:
        RegistrationError: a key is misspelt, a path is none, or no seam is named.
    """
    table = checks.table(value, where)
    checks.known_keys(table, _KEYS, where, {})
    found = {key: check(table[key], f"{where}.{key}") for key, check in _KEYS.items() if key in table}
    if not found.get("seams"):
        raise RegistrationError("names no seam: no call of the engine would be a request", where=where, hint=_EXAMPLE)
    return found


def _seams(value: object, where: str) -> dict[str, object]:
    return {
        _path(path, where): _seam(options, f"{where}.{path}") for path, options in checks.table(value, where).items()
    }


def _seam(value: object, where: str) -> dict[str, object]:
    table = checks.table(value, where)
    checks.known_keys(table, _OPTIONS, where, {})
    return {key: check(table[key], f"{where}.{key}") for key, check in _OPTIONS.items() if key in table}


def _path(value: str, where: str) -> str:
    if not _PATH.fullmatch(value):
        hint = f"write the module, a colon, and what is called, with () for what a call returns; {_EXAMPLE}"
        raise RegistrationError(f"{value!r} is not the path of a call", where=where, hint=hint)
    return value


def _modules(value: object, where: str) -> list[str]:
    names = list(checks.texts(value, where))
    for name in names:
        if not _MODULE.fullmatch(name):
            hint = "write it as it is imported, with dots and no colon, such as ctransformers.llm"
            raise RegistrationError(f"{name!r} is not the name of a module", where=where, hint=hint)
    return names


def _counts(value: object, where: str) -> dict[str, int]:
    found = {}
    for path, count in checks.table(value, where).items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            hint = "say how many results the call returns: 1 for one object, 2 for a pair"
            checks.refuse(count, "a whole number above zero", f"{where}.{path}", hint=hint)
        found[_path(path, where)] = count
    return found


def _function(value: object, where: str) -> str:
    name = checks.text(value, where)
    if not _FUNCTION.fullmatch(name):
        hint = 'for example: text = "my_recordings:words"'
        raise RegistrationError(f"{name!r} is not of the form module:function", where=where, hint=hint)
    return name


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        checks.refuse(value, "a boolean", where)
    return value


def _names(value: object, where: str) -> list[str]:
    return list(checks.texts(value, where))


_KEYS: Final[dict[str, Check]] = {
    "seams": _seams,
    "modules": _modules,
    "inert": _counts,
    "delay": checks.seconds,
    "environment": checks.folder_name,
}
_OPTIONS: Final[dict[str, Check]] = {"text": _function, "keep": _names, "continues": _flag}

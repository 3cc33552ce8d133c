"""Variables in strings: `${NAME}`, `${NAME:-default}`, and `$${` for a `${` that is meant."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from harness.errors import RegistrationError

_PIECE: Final = re.compile(
    r"(?P<escaped>\$\$\{)"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<malformed>\$\{[^}]*\}?)"
)


def expand(value: object, where: str, environ: Mapping[str, str] | None = None) -> object:
    """
    Return a value with the variables in its strings expanded, at any depth of lists and tables.

    As in a shell, a default also stands in for a variable that is set but empty.

    Args:
        value: strings, lists and tables; anything else comes back as it is.
        where: where the value stands, for messages.
        environ: the environment; the process's own where none is given.

    Raises:
        RegistrationError: a variable is not set and has no default, or `${` is not closed.
    """
    settings = os.environ if environ is None else environ
    if isinstance(value, str):
        return _PIECE.sub(lambda found: _replaced(found, where, settings), value)
    if isinstance(value, list | tuple):
        return [expand(item, f"{where}[{number}]", settings) for number, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: expand(item, f"{where}.{name}", settings) for name, item in value.items()}
    return value


def unset(value: object, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return the variables in a value, at any depth, that are not set, and the default that each of them takes.

    Args:
        value: strings, lists and tables.
        environ: the environment; the process's own where none is given.
    """
    settings = os.environ if environ is None else environ
    if isinstance(value, str):
        named = ((one["name"], one["default"]) for one in _PIECE.finditer(value) if one["default"] is not None)
        return {name: default for name, default in named if not settings.get(name)}
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {name: default for item in items for name, default in unset(item, settings).items()}


def _replaced(found: re.Match[str], where: str, environ: Mapping[str, str]) -> str:
    if found["escaped"]:
        return "${"
    if found["malformed"]:
        hint = "write ${NAME} or ${NAME:-default}; $${ stands for a literal ${"
        raise RegistrationError(f"cannot read the variable {found['malformed']!r}", where=where, hint=hint)
    name, default = found["name"], found["default"]
    setting = environ.get(name)
    if default is not None:
        return setting or default
    if setting is None:
        hint = f"set it (export {name}=...), or give a default: ${{{name}:-placeholder}}"
        raise RegistrationError(f"the environment variable {name} is not set", where=where, hint=hint)
    return setting

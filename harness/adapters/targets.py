"""Targets: "module:attribute", as text and as the class or function that it names."""

from __future__ import annotations

import re
import sys
from typing import Final

from harness.adapters.checks import refuse, table, text
from harness.errors import RegistrationError

_DOTTED: Final = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_TARGET: Final = re.compile(rf"{_DOTTED}:{_DOTTED}")
_EXAMPLE: Final = 'for example: target = "my_package.llms:MyLLM"'


def target_text(value: object, where: str) -> str:
    """
    Return a target as "module:attribute", given so or as a class or a function.

    Raises:
        RegistrationError: it is neither, or another process could not find it again by its name.
    """
    if isinstance(value, str):
        return _checked(value, where)
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not callable(value) or not isinstance(module, str) or not isinstance(name, str):
        refuse(value, 'a class, a function or "module:attribute"', where, hint=_EXAMPLE)
    _findable(value, module, name, where)
    return f"{module}:{name}"


def _checked(value: str, where: str) -> str:
    if _TARGET.fullmatch(value):
        return value
    if ":" not in value:
        module, _, name = value.rpartition(".")
        hint = f'write a colon before the class: "{module}:{name}"' if module else _EXAMPLE
        raise RegistrationError(f"{value!r} has no ':' between module and attribute", where=where, hint=hint)
    hint = "leave the brackets out: kwargs holds the arguments" if value.endswith(")") else _EXAMPLE
    raise RegistrationError(f"{value!r} is not of the form module:attribute", where=where, hint=hint)


def _findable(value: object, module: str, name: str, where: str) -> None:
    hint = "define it at the top level of a module that can be imported"
    if module == "__main__":
        msg = f"{name} is defined in the program itself, which another process cannot import"
        raise RegistrationError(msg, where=where, hint=hint)
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    # Bound methods are made anew at each look, so they are equal without being the same.
    if found is not value and found != value:
        raise RegistrationError(f"{module}:{name} cannot be found again by its name", where=where, hint=hint)


def objects(value: object, where: str) -> dict[str, str]:
    """
    Return arguments that are objects: each "module:attribute", or "module:Class()" to have it called.
    """
    found: dict[str, str] = {}
    for name, spec in table(value, where).items():
        place = f"{where}.{name}"
        found[name] = text(spec, place)
        if not _TARGET.fullmatch(found[name].removesuffix("()")):
            msg = f"{spec!r} is neither module:attribute nor module:Class()"
            raise RegistrationError(
                msg, where=place, hint='for example: objects = { formatter = "my_package:Formatter()" }'
            )
    return found

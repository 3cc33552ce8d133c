"""
Checks of registered values.

Each takes a value as it was written and the place where it stands, and returns the value as the harness keeps it.
All raise `RegistrationError`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from itertools import combinations
from typing import Final, NoReturn, TypeVar

from harness.adapters.spelling import did_you_mean, listed
from harness.errors import RegistrationError
from harness.marks import are_told_apart
from harness.words import Capability, Upstream, Verdict

Check = Callable[[object, str], object]
T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)

_WRITTEN: Final = {
    str: "a string",
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    list: "a list",
    tuple: "a list",
    dict: "a table",
    type(None): "nothing",
}
_PROMPTS: Final = 3
_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_BAD_IN_A_FOLDER: Final = re.compile(r"""[/\\:*?"<>|\x00-\x1f\x7f]""")


def refuse(value: object, expected: str, where: str, hint: str | None = None) -> NoReturn:
    """
    Say that a value is of the wrong kind.
    """
    kind = _WRITTEN.get(type(value), f"a {type(value).__name__}")
    msg = f"must be {expected}, not {kind}: {_shown(value)}"
    raise RegistrationError(msg, where=where, hint=hint)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - one line of a terminal


def optional(check: Callable[[object, str], T]) -> Callable[[object, str], T | None]:
    """
    Return a check that also lets None pass.
    """

    def check_unless_none(value: object, where: str) -> T | None:
        return None if value is None else check(value, where)

    return check_unless_none


def text(value: object, where: str) -> str:
    """
    Return a string that is not blank.
    """
    if not isinstance(value, str):
        hint = f'write it in quotes: "{value}"' if _is_number(value) else 'write text in quotes: "..."'
        refuse(value, "a string", where, hint=hint)
    if not value.strip():
        raise RegistrationError("must not be empty", where=where, hint="fill it in, or leave the key out")
    return value


def folder_name(value: object, where: str) -> str:
    """
    Return a name that can name a folder on every platform and a part of a pytest id.
    """
    return _file_name(value, where, "the folder of its cassettes")


def environment_name(value: object, where: str) -> str:
    """
    Return a name that can name the files of a locked environment on every platform.
    """
    return _file_name(value, where, "the files of an environment")


def _file_name(value: object, where: str, what: str) -> str:
    name = text(value, where)
    bad = _BAD_IN_A_FOLDER.search(name)
    if bad or name != name.strip() or name.startswith(".") or name.endswith("."):
        has = f"{bad.group()!r}" if bad else "a dot or a blank at its start or end"
        msg = f"{name!r} cannot name {what}: it has {has}"
        raise RegistrationError(msg, where=where, hint="use letters, digits, '-', '_', '.', '(', ')' and inner blanks")
    return name


def seconds(value: object, where: str) -> float:
    """
    Return a positive, finite number of seconds.
    """
    if not _is_number(value):
        refuse(value, "a number of seconds", where, hint="for example: timeout = 30")
    number = float(value)  # type: ignore[arg-type]  # the check above cannot be told to the type checker
    if not (math.isfinite(number) and number > 0):
        msg = f"must be a positive number of seconds, not {value}"
        raise RegistrationError(msg, where=where, hint="leave the key out for the default of 30 seconds")
    return number


def count(value: object, where: str) -> int:
    """
    Return a positive whole number.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        refuse(value, "a positive whole number", where, hint="for example: words = 20")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def texts(value: object, where: str) -> tuple[str, ...]:
    """
    Return a list of strings as a tuple.
    """
    if isinstance(value, str):
        refuse(value, "a list of strings", where, hint=f'put it in brackets: ["{value}"]')
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        refuse(value, "a list of strings", where, hint='for example: ["one", "two"]')
    return tuple(text(item, f"{where}[{number}]") for number, item in enumerate(value))


def modules(value: object, where: str) -> tuple[str, ...]:
    """
    Return the names of modules.
    """
    names = texts(value, where)
    for name in names:
        if not _MODULE.fullmatch(name):
            hint = 'for example: preload = ["httpx", "my_package.llms"]'
            raise RegistrationError(f"{name!r} is not the name of a module", where=where, hint=hint)
    return names


def matchers(value: object, where: str) -> tuple[str, ...]:
    """
    Return the names of what requests are matched on, at least one.
    """
    names = texts(value, where)
    if not names:
        raise RegistrationError(
            "must not be empty: every request would match every recording",
            where=where,
            hint='for example: match_on = ["method", "path", "stream"]; leave the key out for the default',
        )
    return names


def prompts(value: object, where: str) -> tuple[str, ...]:
    """
    Return three prompts: batch needs three inputs, the single calls take the first.
    """
    found = texts(value, where)
    if len(found) != _PROMPTS:
        msg = f"must be {_PROMPTS} prompts, not {len(found)}"
        raise RegistrationError(msg, where=where, hint="batch sends all three, the other calls the first")
    for one, other in combinations(found, 2):
        if not are_told_apart(one, other):
            msg = f"a request would not show which of these two it carries: {_shown(one)}, {_shown(other)}"
            raise RegistrationError(msg, where=where, hint="give each prompt a code word of its own")
    return found


def word(kind: type[Word], value: object, where: str) -> Word:
    """
    Return the member of an enumeration of `harness.words` that a value names.
    """
    what = kind.__name__.lower()
    known = [member.value for member in kind]
    if not isinstance(value, str):
        refuse(value, f"the name of a {what}", where, hint=f"one of: {', '.join(known)}")
    if value not in known:
        msg = f"unknown {what} {value!r}{did_you_mean(value, known)}"
        raise RegistrationError(msg, where=where, hint=f"one of: {', '.join(known)}")
    return kind(value)


def capabilities(value: object, where: str) -> tuple[Capability, ...]:
    """
    Return the capabilities of a list, each once.
    """
    names = dict.fromkeys(texts(value, where))
    return tuple(word(Capability, name, where) for name in names)


def upstream(value: object, where: str) -> Upstream:
    """
    Return where cassettes come from.
    """
    return word(Upstream, value, where)


def table(value: object, where: str) -> dict[str, object]:
    """
    Return a mapping from strings.
    """
    if not isinstance(value, Mapping):
        refuse(value, "a table", where, hint='for example: { key = "value" }')
    for key in value:
        if not isinstance(key, str):
            refuse(key, "a string as its key", where)
    return dict(value)


def expectations(value: object, where: str) -> dict[Capability, Verdict]:
    """
    Return the expected verdict of each capability that is named.
    """
    found = table(value, where).items()
    return {word(Capability, name, where): word(Verdict, verdict, f"{where}.{name}") for name, verdict in found}


def reasons(value: object, where: str) -> dict[str, str]:
    """
    Return what is left out, each with why.
    """
    if not isinstance(value, Mapping):
        refuse(
            value, "a table", where, hint='say why beside each: without = { stop = "the provider has no such thing" }'
        )
    return {name: text(why, f"{where}.{name}") for name, why in table(value, where).items()}


def unsteady(value: object, where: str) -> dict[Capability, str]:
    """
    Return the capabilities whose requests differ from run to run, each with why.
    """
    found = table(value, where).items()
    return {word(Capability, name, where): text(why, f"{where}.{name}") for name, why in found}


def environment(value: object, where: str) -> dict[str, str]:
    """
    Return environment variables; their values must be strings, and may be empty.
    """
    found: dict[str, str] = {}
    for name, setting in table(value, where).items():
        if not name or "=" in name or "\0" in name:
            hint = 'use letters, digits and "_", for example: env = { MY_REGION = "eu" }'
            raise RegistrationError(f"{name!r} cannot name an environment variable", where=where, hint=hint)
        if not isinstance(setting, str):
            refuse(setting, "a string", f"{where}.{name}", hint=f'write it in quotes: {name} = "{_as_text(setting)}"')
        found[name] = setting
    return found


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def keywords(value: object, where: str) -> dict[str, object]:
    """
    Return keyword arguments as plain values, which can travel to the adapter's own process.
    """
    return {name: plain(item, f"{where}.{name}") for name, item in table(value, where).items()}


def plain(value: object, where: str) -> object:
    """
    Return a copy of a value that is made of strings, numbers, booleans, None, lists and tables alone.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: plain(item, f"{where}.{name}") for name, item in table(value, where).items()}
    return refuse(
        value,
        "a string, number, boolean, list or table",
        where,
        hint="it has to travel to the adapter's own process: build it there, with `objects` or in a factory as target",
    )


def known_keys(given: Iterable[str], known: Iterable[str], where: str, elsewhere: Mapping[str, str]) -> None:
    """
    Refuse keys that nobody reads, most often misspelt ones.

    Args:
        given: the keys that were written.
        known: the keys that are read.
        where: the table, for messages.
        elsewhere: keys that have a meaning, but in another table, and the name of that table.
    """
    allowed = list(known)
    for key in given:
        if key in allowed:
            continue
        near = did_you_mean(key, allowed)
        hint = f"it belongs in {elsewhere[key]}" if key in elsewhere and not near else f"keys here: {_all(allowed)}"
        raise RegistrationError(f"unknown key {key!r}{near}", where=where, hint=hint)


def _all(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 20 else listed(names)  # noqa: PLR2004 - all keys of a table fit

"""A program beside the adapter: what stands between it and its upstream, in a process of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.adapters import checks
from harness.adapters.spelling import did_you_mean, listed
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.adapters.adapter import Adapter

PLACES: Final = ("port", "url", "upstream", "key", "config")
"""What `{...}` may name in a program's command and environment: see docs/programs.md."""
OF_ADAPTERS: Final = ("program.url", "program.key")
"""What `{...}` stands for in the arguments and the environment of an adapter that has a program."""
_PLACE: Final = re.compile(r"\{([A-Za-z_.]+)\}")
_OF_A_PROGRAM: Final = re.compile(r"\{(program\.[^{}]*)\}")
_LARGEST_PORT: Final = 65_535
READY_WITHIN: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    Register a program that adapters reach their upstream through: a table `programs.NAME` of the configuration.

    Attributes:
        name: what adapters call it by.
        command: the program and its arguments; found where the running interpreter's programs are, or on the path.
        upstream: scheme and host of what it asks; the cassettes keep this address.
        ready: the path that answers with a status below 300 once it is up.
        config: a file for it, as a template; relative to the configuration.
        env: environment variables of its own.
        port: where it listens; 0 for any that is free.
        ready_within: seconds that it may take to be up.
        distributions: packages whose versions belong to what was measured.
        origin: where it was registered, for messages.
    """

    name: str
    command: tuple[str, ...]
    upstream: str
    ready: str = "/"
    config: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    ready_within: float = READY_WITHIN
    distributions: tuple[str, ...] = ()
    origin: str = ""


def program(name: str, table: object, place: str) -> Program:
    """
    Return what a table says.

    Raises:
        RegistrationError: a key is misspelt or missing, or a value is of the wrong kind.
    """
    values = checks.table(table, place)
    checks.known_keys(values, tuple(_KEYS), place, {})
    for key, example in _MANDATORY.items():
        if key not in values:
            raise RegistrationError(f"has no {key}", where=place, hint=f"for example: {key} = {example}")
    checked = {key: _KEYS[key](value, f"{place}, {key}") for key, value in values.items()}
    made = Program(name=checks.folder_name(name, place), origin=place, **checked)  # type: ignore[arg-type]  # checked key by key
    for text, key in (*((one, "command") for one in made.command), *((made.env[one], "env") for one in made.env)):
        _require_places(text, PLACES, f"{place}, {key}")
    if made.config is None and any("{config}" in one for one in (*made.command, *made.env.values())):
        raise RegistrationError(
            "{config} stands for a file, and none is named", where=place, hint='name it: config = "program.yaml"'
        )
    return made


def filled(text: str, values: Mapping[str, str]) -> str:
    """
    Return a text with `{NAME}` replaced where the name is a known one; other braces stay.
    """
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)


def fill(value: object, values: Mapping[str, str]) -> object:
    """
    Do the same for the strings of a value, at any depth.
    """
    if isinstance(value, str):
        return filled(value, values)
    if isinstance(value, list | tuple):
        return [fill(one, values) for one in value]
    return {key: fill(one, values) for key, one in value.items()} if isinstance(value, dict) else value


def require_program(adapter: Adapter, programs: Mapping[str, Program]) -> None:
    """
    Refuse an adapter whose program is not registered, or whose arguments ask for what no program gives.

    Raises:
        RegistrationError: names what there is.
    """
    name = adapter.program
    for place in _OF_A_PROGRAM.findall(f"{adapter.kwargs} {adapter.env}"):
        if name is None or place not in OF_ADAPTERS:
            hint = f"there are {', '.join(f'{{{one}}}' for one in OF_ADAPTERS)}, for an adapter with program = ..."
            why = (
                "and it has no program" if name is None else f"which is nothing known{did_you_mean(place, OF_ADAPTERS)}"
            )
            raise RegistrationError(f"its arguments have {{{place}}}, {why}", where=adapter.place, hint=hint)
    if name is None or name in programs:
        return
    known = f"registered programs: {listed(programs)}" if programs else "write a table [programs.NAME]"
    msg = f"there is no program {name!r}{did_you_mean(name, programs)}"
    raise RegistrationError(msg, where=f"{adapter.place}, program", hint=f"{known}; docs/programs.md says how")


def _require_places(text: str, known: tuple[str, ...], where: str) -> None:
    for name in _PLACE.findall(text):
        if name not in known:
            hint = f"there are {', '.join(f'{{{one}}}' for one in known)}"
            raise RegistrationError(f"{{{name}}} is nothing known{did_you_mean(name, known)}", where=where, hint=hint)


def _origin(value: object, where: str) -> str:
    address = checks.text(value, where).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path or parts.query:
        hint = 'write scheme and host, such as upstream = "https://api.example.com"'
        raise RegistrationError(f"{value!r} is not the address of a server", where=where, hint=hint)
    return address


def _path(value: object, where: str) -> str:
    path = checks.text(value, where)
    if not path.startswith("/"):
        raise RegistrationError(f"{path!r} is no path", where=where, hint='for example: ready = "/health"')
    return path


def _port(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_PORT:
        checks.refuse(value, f"a port, from 0 (any that is free) to {_LARGEST_PORT}", where)
    return value


def _command(value: object, where: str) -> tuple[str, ...]:
    words = checks.texts(value, where)
    if not words:
        raise RegistrationError("names no program", where=where, hint=f"for example: command = {_MANDATORY['command']}")
    return words


_KEYS: Final[dict[str, checks.Check]] = {
    "command": _command,
    "upstream": _origin,
    "ready": _path,
    "config": checks.text,
    "env": checks.environment,
    "port": _port,
    "ready_within": checks.seconds,
    "distributions": checks.texts,
}
_MANDATORY: Final = {
    "command": '["my-proxy", "--port", "{port}"]',
    "upstream": '"https://api.example.com"',
}
assert set(_KEYS) <= {one.name for one in fields(Program)}  # noqa: S101 - one table for both

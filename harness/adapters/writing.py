"""A registration written into a configuration file, whose other content stays as it is, byte for byte."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from harness.adapters.configuration import HARNESS, PYPROJECT, ConfigurationError, find_configuration

if TYPE_CHECKING:
    from pathlib import Path

    from harness.adapters.adapter import Adapter

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BOM: Final = b"\xef\xbb\xbf"
_KEYS: Final = ("target", "kwargs", "env", "declares", "upstream", "simulator")
_NEW: Final = "# The adapters that capability-harness measures; `harness list` shows them.\n"


def file_for(config: Path | None, cwd: Path) -> Path:
    """
    Return the file that a registration goes into: the named one, the project's, the pyproject.toml that is there, or a
    harness.toml that is new.

    Raises:
        ConfigurationError: the project's file cannot be read.
    """
    if config is not None:
        return (cwd / config).absolute()
    found = find_configuration(None, cwd)
    if found is not None:
        return found.file
    pyproject = cwd.absolute() / PYPROJECT
    return pyproject if pyproject.is_file() else cwd.absolute() / HARNESS


def registered(data: bytes, file: Path, adapter: Adapter, family: str | None = None) -> bytes:
    """
    Return a configuration with one more adapter at its end.

    Args:
        data: the file's bytes; none for a new file.
        file: its path; its name decides how tables are called.
        adapter: what to register.
        family: written too, where the file has no table of ours yet.

    Raises:
        ConfigurationError: the file is not TOML, has the adapter already, or cannot take a table at its end.
    """
    before = _parsed(data, file)
    prefix = _prefix(file)
    newline = "\r\n" if b"\r\n" in data else "\n"
    lines = [*_family(family, prefix, before, file), f"[{_dotted(*prefix, 'adapters', adapter.name)}]"]
    values = _values(adapter)
    lines += [f"{key} = {toml(value)}" for key, value in values.items()]
    text = "\n".join([*lines, ""])
    whole = data + _gap(data, newline) + text.replace("\n", newline).encode()
    _require(whole, before, (*prefix, "adapters", adapter.name), values, file)
    return whole


def table_name(file: Path, name: str) -> str:
    """
    Return how the table of an adapter is called in a configuration file.
    """
    return _dotted(*_prefix(file), "adapters", name)


def _prefix(file: Path) -> tuple[str, ...]:
    return ("tool", "harness") if file.name == PYPROJECT else ()


def _values(adapter: Adapter) -> dict[str, Any]:
    every = adapter.as_dict()
    return {key: every[key] for key in _KEYS if every[key] not in (None, {}, [])}


def _family(family: str | None, prefix: tuple[str, ...], before: Mapping[str, Any], file: Path) -> list[str]:
    ours = _at(before, prefix)
    if family is None or (ours or {}).get("family") == family:
        return [] if before or prefix else [_NEW]
    if ours:
        said = ours.get("family")
        why = (
            f"its family is {said!r}" if said else "it says nothing of a family, and a key cannot be put in at the end"
        )
        raise ConfigurationError(why, where=str(file), hint="leave --family out, or change the file by hand")
    head = [f"[{_dotted(*prefix)}]"] if prefix else [_NEW]
    return [*head, f"family = {toml(family)}", ""]


def _at(tables: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any] | None:
    found: Any = tables
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _gap(data: bytes, newline: str) -> bytes:
    """
    Return what goes between what is there and a new table: the end of the last line, and an empty line.
    """
    if not data.removeprefix(_BOM).strip():
        return b""
    missing = 0 if data.endswith(b"\n") else 1
    empty = 0 if data.endswith((b"\n\n", b"\n\r\n")) else 1
    return newline.encode() * (missing + empty)


def _parsed(data: bytes, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(data.removeprefix(_BOM).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"is not valid TOML: {error}", where=str(file), hint="mend it first") from error


def _require(
    whole: bytes, before: Mapping[str, Any], keys: tuple[str, ...], values: Mapping[str, Any], file: Path
) -> None:
    """
    Refuse a file that would not say what it said before and the registration.
    """
    hint = f"write the table [{_dotted(*keys)}] by hand"
    if _at(before, keys) is not None:
        raise ConfigurationError(f"{keys[-1]} is registered already", where=str(file), hint="choose another name")
    try:
        after = tomllib.loads(whole.removeprefix(_BOM).decode())
    except tomllib.TOMLDecodeError as error:
        why = f"a table cannot be put in at the end of the file: {error}"
        raise ConfigurationError(why, where=str(file), hint=hint) from error
    if _at(after, keys) != values:
        raise ConfigurationError("the registration would not read back as it is", where=str(file), hint=hint)


def _dotted(*keys: str) -> str:
    return ".".join(key if _BARE.fullmatch(key) else toml(key) for key in keys)


def toml(value: Any) -> str:  # noqa: ANN401 - any value that TOML has
    """
    Return a plain value as TOML, on one line.
    """
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for the one character that only JSON lets stand as it is
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_dotted(key)} = {toml(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return repr(value)


def read_value(text: str) -> object:
    """
    Return a value as people type it: a number, `true`, a list or a quoted string as TOML has it, otherwise the text.
    """
    try:
        value: object = tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str | list | dict) else text

"""Configuration files: finding them and reading their tables, with errors that name line, key and remedy."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PYPROJECT: Final = "pyproject.toml"
HARNESS: Final = "harness.toml"
_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class ConfigurationError(UserError):
    """
    Report a configuration file that cannot be found, read or understood.
    """

    code = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """
    Keep one configuration file as it was read.

    Attributes:
        file: where it is, absolute.
        settings: the harness's own table.
        package: the name of the distribution that is built there, if the file or the pyproject.toml beside it says so.
    """

    file: Path
    settings: Mapping[str, object]
    package: str | None = None

    def place(self, *keys: str) -> str:
        """
        Return how messages name a table of this file.
        """
        prefix = ("tool", "harness") if self.file.name == PYPROJECT else ()
        table = ".".join(_quoted(key) for key in (*prefix, *keys))
        return f"{self.file} [{table}]" if table else str(self.file)


def _quoted(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f'"{key}"'


def read_text(file: Path) -> str:
    """
    Return a file's text.

    Raises:
        ConfigurationError: it does not exist, may not be read, or is not UTF-8.
    """
    try:
        return file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        hint = "check the path; relative ones start at the working directory, those in a configuration at its folder"
        raise ConfigurationError("there is no such file", where=str(file), hint=hint) from error
    except IsADirectoryError as error:
        raise ConfigurationError("is a directory", where=str(file), hint="name the file in it") from error
    except UnicodeDecodeError as error:
        msg = f"is not UTF-8: byte {error.start} cannot be read"
        raise ConfigurationError(msg, where=str(file), hint="save it as UTF-8") from error
    except OSError as error:
        msg = f"cannot be read: {error.strerror or error}"
        raise ConfigurationError(msg, where=str(file), hint="check its permissions") from error


def read_toml(file: Path) -> dict[str, object]:
    """
    Return the tables of a TOML file.

    Raises:
        ConfigurationError: it cannot be read, or is not TOML; names line and column.
    """
    text = read_text(file)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), text, file) from error
    except RecursionError as error:
        raise ConfigurationError("nests too deeply to be read", where=str(file), hint="make it flatter") from error


def _syntax_error(message: str, text: str, file: Path) -> ConfigurationError:
    position = _POSITION.search(message)
    bare = message[: position.start()] if position else message
    lines = text.split("\n")
    line, column = (len(lines), len(lines[-1]) + 1)
    hint = "the file ends too early: was it cut off while it was being written?"
    if position and position[1]:
        line, column = int(position[1]), int(position[2])
        at_the_end = line >= len(lines) or not "".join(lines[line:]).strip()
        hint = (
            "mend that line; if it is cut off, the file was not written to its end" if at_the_end else "mend that line"
        )
    return ConfigurationError(f"is not valid TOML: {bare}", where=f"{file}:{line}:{column}", hint=hint)


def find_configuration(config: Path | None, cwd: Path) -> Configuration | None:
    """
    Return the named configuration, or the nearest one from a directory upwards; None where there is none.

    Raises:
        ConfigurationError: a file cannot be read, or the named one says nothing to the harness.
    """
    if config is not None:
        file = (cwd / config).absolute()
        found = _open(file)
        if found is None:
            hint = 'add the table, for example: [tool.harness.adapters.MyLLM] with target = "my_package.llms:MyLLM"'
            raise ConfigurationError("has no table [tool.harness]", where=str(file), hint=hint)
        return found
    for folder in (cwd.absolute(), *cwd.absolute().parents):
        for name in (HARNESS, PYPROJECT):
            found = _open(folder / name) if (folder / name).is_file() else None
            if found is not None:
                return found
    return None


def _open(file: Path) -> Configuration | None:
    tables = read_toml(file)
    if file.name != PYPROJECT:
        beside = file.parent / PYPROJECT
        package = _package(read_toml(beside)) if beside.is_file() else None
        return Configuration(file=file, settings=tables, package=package)
    tool = tables.get("tool")
    if not isinstance(tool, dict) or "harness" not in tool:
        return None
    settings = tool["harness"]
    if not isinstance(settings, dict):
        msg = f"tool.harness must be a table, not {settings!r}"
        raise ConfigurationError(msg, where=str(file), hint="write [tool.harness] on a line of its own, then its keys")
    return Configuration(file=file, settings=settings, package=_package(tables))


def _package(tables: Mapping[str, object]) -> str | None:
    project = tables.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) and name.strip() else None

"""Commands that are printed to be typed again: quoted for a shell, and over the same configuration."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from harness.adapters.configuration import ConfigurationError, find_configuration


def typed(file: Path | None, *words: str) -> str:
    """
    Return a command of the harness as it can be pasted where this one was typed.

    Args:
        file: the configuration that is used, if any; it is named where it would not be found by itself.
        words: the command, and what follows it.
    """
    named = [] if file is None or _is_found(file) else ["--config", _short(file)]
    return shlex.join(["harness", *words, *named])


def _is_found(file: Path) -> bool:
    try:
        found = find_configuration(None, Path.cwd())
    except ConfigurationError:
        return False  # the nearest one is damaged, and another was named
    return found is not None and found.file.resolve() == file.resolve()


def _short(file: Path) -> str:
    whole, here = file.absolute(), Path.cwd()
    return os.path.relpath(whole, here) if whole.is_relative_to(here.parent) else str(whole)

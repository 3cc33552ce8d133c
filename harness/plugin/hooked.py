"""What conftest.py files register, each adapter with the file that it comes from."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters.conftests import reply
from harness.adapters.registry import HOOK, flatten
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from harness.adapters.adapter import Adapter

_OWN: Final = str(Path(__file__).resolve().parents[1])


def hooked(config: pytest.Config) -> Iterator[Adapter]:
    """
    Give what the hook returns, from one plugin after another: so each adapter is known by its file.

    Raises:
        RegistrationError: a conftest.py raises, or returns something else. It is its author's mistake, and no
            internal error of pytest.
    """
    manager = config.pluginmanager
    plain = [one for one in config.hook.pytest_harness_adapters.get_hookimpls() if not (one.wrapper or one.hookwrapper)]
    for one in reversed(plain):
        others = [other.plugin for other in plain if other is not one]
        place = f"{getattr(one.plugin, '__file__', None) or one.plugin_name}, {HOOK}"
        try:
            given = manager.subset_hook_caller(HOOK, others)(config=config)
            found = flatten(given, place)
        except Exception as error:
            raise _mistake(error, place) from error
        yield from (replace(adapter, origin=adapter.origin or place) for adapter in found)


def is_hooked(adapter: Adapter) -> bool:
    """
    Tell whether a conftest.py registers an adapter: one that lies deep, the command `harness` does not know.
    """
    return adapter.origin.endswith(f", {HOOK}")


def write_registered(config: pytest.Config) -> int:
    """
    Write what the hook returns into the file that was named, and return pytest's status.
    """
    Path(config.getoption("harness_registered")).write_bytes(reply(hooked(config)))
    return 0


def _mistake(error: Exception, place: str) -> RegistrationError:
    """
    Say the line of the conftest.py, or of what it calls, where something went wrong.
    """
    frames = [one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith((_OWN, "<"))]
    outside = [one for one in frames if "/pluggy/" not in one.filename.replace("\\", "/")]
    where = f"{outside[-1].filename}:{outside[-1].lineno}" if outside else place
    if not isinstance(error, RegistrationError):
        hint = f"mend the hook {HOOK}, or what it calls"
        return RegistrationError(f"raised {type(error).__name__}: {error}", where=where, hint=hint)
    if not outside:
        return error
    told = f"{error.where}: {error.message}" if error.where else error.message
    return RegistrationError(told, where=where, hint=error.hint)

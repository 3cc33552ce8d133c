"""Who sends a request: the libraries on the stack."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_OWN: Final = frozenset({"harness", "vcr", "asyncio", "threading", "concurrent", "contextlib", "functools", "runpy"})


@lru_cache(maxsize=4096)
def _library(module: object) -> str:
    name = str(module or "").partition(".")[0]
    return "" if name in _OWN or name.startswith("_") or name in sys.stdlib_module_names else name


def callers() -> tuple[str, ...]:
    """
    Return the top-level modules on the stack of whoever called the caller, the innermost first.
    """
    names: dict[str, None] = {}
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - walking the stack has no public way that is as cheap
    before = None
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if module is not before and (name := _library(module)):
            names[name] = None
        before = module
        frame = frame.f_back
    return tuple(names)

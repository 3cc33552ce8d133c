"""
A run: which cells are measured, in what order, into which matrix.

The names below are imported on first use: a command that only lists adapters need not wait for vcrpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.session.progress import Progress
    from harness.session.session import Session
    from harness.session.settings import Settings

__all__ = ["Progress", "Session", "Settings"]

_HOMES = {
    "Progress": "harness.session.progress",
    "Session": "harness.session.session",
    "Settings": "harness.session.settings",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)

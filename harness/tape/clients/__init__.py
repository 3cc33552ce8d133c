"""
The taps: where client libraries meet the tape.

Methods of the real classes are replaced once a process and stay replaced; while no tape is
current they call the originals and nothing else. Nothing is ever un-patched during use,
because another thread would get to the network in that moment.
"""

from __future__ import annotations

import importlib
import importlib.util
import threading
from typing import Final

from harness.tape.clients.patching import Patches

_FAMILIES: Final = (
    ("http.client", "harness.tape.clients.http_client"),
    ("httpx", "harness.tape.clients.httpx_family"),
    ("httpx2", "harness.tape.clients.httpx_family"),
    ("aiohttp", "harness.tape.clients.aiohttp_client"),
)

_lock = threading.Lock()
_patches: Patches | None = None


def install() -> None:
    """
    Tap every client library that can be imported; does nothing the second time.

    Call it while no vcrpy cassette is open: vcrpy puts back what it found when it closes one.
    """
    global _patches  # noqa: PLW0603 - the patched classes are global themselves
    with _lock:
        if _patches is not None:
            return
        patches = Patches()
        for library, tap in _FAMILIES:
            if importlib.util.find_spec(library) is not None:
                importlib.import_module(tap).tap(patches, importlib.import_module(library))
        _patches = patches


def uninstall() -> None:
    """
    Put the original methods back; not for use while requests are under way.
    """
    global _patches  # noqa: PLW0603 - the patched classes are global themselves
    with _lock:
        if _patches is not None:
            _patches.undo()
            _patches = None


def installed() -> bool:
    """
    Tell whether the client libraries are tapped.
    """
    return _patches is not None

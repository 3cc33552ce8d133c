"""
The taps: where client libraries meet the tape.

Methods of the real classes are replaced once a process and stay replaced; while no tape is
current they call the originals and nothing else. Nothing is ever un-patched during use,
because another thread would get to the network in that moment.
"""

from __future__ import annotations

import importlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from harness.tape.clients.patching import Patches
from harness.tape.lazily import Waiting

if TYPE_CHECKING:
    from types import ModuleType

_TAPS: Final = (
    ("http.client", "harness.tape.clients.http_client"),
    ("httpx", "harness.tape.clients.httpx_family"),
    ("httpx2", "harness.tape.clients.httpx_family"),
    ("aiohttp", "harness.tape.clients.aiohttp_client"),
    ("grpc", "harness.tape.clients.grpc_channels"),
    ("websocket", "harness.tape.clients.websocket_client"),
    ("websockets.asyncio.client", "harness.tape.clients.websockets_client"),
    ("websockets.sync.client", "harness.tape.clients.websockets_sync"),
)
"""Each library, and what taps it when it is imported: few adapters use many, and most take long to import."""

_lock = threading.Lock()
_patches: Patches | None = None
_waiting = Waiting()


def install() -> None:
    """
    Tap every client library, those that nobody has imported yet when they are; does nothing the second time.

    Call it while no vcrpy cassette is open: vcrpy puts back what it found when it closes one.
    """
    global _patches  # noqa: PLW0603 - the patched classes are global themselves
    with _lock:
        if _patches is not None:
            return
        patches = Patches()
        for library, tap in _TAPS:
            _waiting.when_imported(library, partial(_tap, patches, tap))
        _patches = patches


def _tap(patches: Patches, tap: str, module: ModuleType) -> None:
    importlib.import_module(tap).tap(patches, module)


def uninstall() -> None:
    """
    Put the original methods back; not for use while requests are under way.
    """
    global _patches  # noqa: PLW0603 - the patched classes are global themselves
    with _lock:
        if _patches is not None:
            _waiting.stop()
            _patches.undo()
            _patches = None


def installed() -> bool:
    """
    Tell whether the client libraries are tapped.
    """
    return _patches is not None

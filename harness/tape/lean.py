"""
vcrpy without the client libraries that it would patch.

When vcrpy is imported, it imports every client library that is installed: aiohttp, httpx and botocore take 0.3 s of
processor time, whether anybody uses them or not. The harness has taps of its own and never asks vcrpy to patch
anything, so the processes that are its own do without.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from harness.tape.lazily import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

PATCHED: Final = frozenset({
    "aiohttp", "botocore", "httpcore", "httplib2", "httpx", "httpx2", "httpx_curl_cffi", "pyreqwest", "requests",
    "tornado", "urllib3",
})  # fmt: skip
"""What `vcr.patch` imports where it is installed."""

_waiting = Waiting()


def leave_clients_out() -> None:
    """
    Keep vcrpy, when it is imported, from importing what it patches; what is there by then, it finds.

    Not for a process in which others may open cassettes of vcrpy: what it has not found, it does not patch.
    """
    _waiting.when_imported("vcr", lambda _: None, within=_absent)


@contextmanager
def _absent() -> Iterator[None]:
    finder = _Absent()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent:
    """
    Tell the thread that made it that the libraries are not installed.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002 - the import system's signature
        """
        Raise for the libraries, and leave everything else to the others.
        """
        if fullname.partition(".")[0] in PATCHED and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is left out while vcrpy is imported", name=fullname)

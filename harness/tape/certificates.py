"""
Certificates: not read in replay, where TLS is never spoken.

A client for HTTP reads the bundle of trusted authorities when it is made, and often two clients are made for one
adapter. A bundle takes 23 to 31 ms of processor time (OpenSSL 3.0, 140 certificates), more than all else that a cell
of most adapters does.
"""

from __future__ import annotations

import os
import ssl
import sys
from typing import Any


def leave_unread() -> None:
    """
    Let TLS contexts of this process and its forks do without the bundles that clients read unasked.

    Whatever else they are given is read as ever, so that a path that leads nowhere raises here as it does live.
    """
    ssl.SSLContext.load_verify_locations = _load_verify_locations  # type: ignore[method-assign]  # the point of it
    ssl.SSLContext.set_default_verify_paths = _set_default_verify_paths  # type: ignore[method-assign]  # as above


def _load_verify_locations(self: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:  # noqa: ANN401 - the original takes any path
    if capath is None and cadata is None and _is_usual(cafile):
        return
    super(ssl.SSLContext, self).load_verify_locations(cafile, capath, cadata)


def _set_default_verify_paths(self: ssl.SSLContext) -> None:
    """
    Do nothing: the original reads what the system trusts, and says nothing where it finds none.
    """


def _is_usual(cafile: object) -> bool:
    certifi = sys.modules.get("certifi")
    usual = {ssl.get_default_verify_paths().cafile, certifi.where() if certifi is not None else None}
    return isinstance(cafile, str) and cafile in usual and os.path.isfile(cafile)  # noqa: PTH113 - a text as it comes

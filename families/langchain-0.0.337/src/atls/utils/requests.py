"""
See `atls`.
"""

from __future__ import annotations

from requests.adapters import HTTPAdapter


class HTTPAAdapter(HTTPAdapter):
    """
    Stand for the transport, which is mounted under `httpa://` and never dialled.
    """

    def __init__(self, validators: object) -> None:  # noqa: ARG002 - it attests nothing
        super().__init__()

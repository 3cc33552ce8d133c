"""Bodies of aiohttp's requests: read before they are sent, and given back."""

from __future__ import annotations

from typing import Any

from aiohttp import payload


class _Collector:
    """
    Take what a payload writes.
    """

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    async def write(self, chunk: bytes) -> None:
        """
        Take one piece.
        """
        self.parts.append(bytes(chunk))

    async def write_eof(self, chunk: bytes = b"") -> None:
        """
        Take the last piece.
        """
        self.parts.append(bytes(chunk))

    async def drain(self) -> None:
        """
        Accept everything at once.
        """


async def collect(request: Any) -> bytes:  # noqa: ANN401 - aiohttp's own classes
    """
    Return the whole body of a request.
    """
    body = request.body
    if not body:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if isinstance(body, payload.BytesPayload):
        return bytes(body._value)  # noqa: SLF001 - the public reader is asynchronous, newer than 3.9 and slower
    collector: Any = _Collector()
    if isinstance(body, payload.Payload):
        await body.write(collector)
        return b"".join(collector.parts)
    return b"".join(body)


def put_body(request: Any, body: bytes) -> None:  # noqa: ANN401 - as above
    """
    Give a request the body that was collected from it.
    """
    if request.body:
        # it may have been one that can be read only once; the headers that it gave stay
        setattr(request, "_body" if hasattr(request, "_body") else "body", payload.BytesPayload(body))

"""Where to connect while recording from something else than the real upstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Dial(Protocol):
    """
    Say where to connect instead of the real host, in plain HTTP; None for the host itself.
    """

    def __call__(self, scheme: str, host: str, port: int) -> tuple[str, int] | None:
        """
        Return an address and a port, or None.
        """


@dataclass(frozen=True, slots=True)
class Detour:
    """
    Send every connection to one address, whatever host it asks for.

    Args:
        address: "host:port", or "host:port grpc=host:port" where another server speaks gRPC.
    """

    address: str

    def __call__(self, scheme: str, host: str, port: int) -> tuple[str, int]:  # noqa: ARG002 - one server answers for all
        """
        Return the address.
        """
        web, _, grpc = self.address.partition(" grpc=")
        name, _, number = (grpc if scheme == "grpc" and grpc else web).rpartition(":")
        return name, int(number)

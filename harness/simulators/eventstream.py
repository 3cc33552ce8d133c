"""
Messages of the AWS event stream.

A message is a prelude (two lengths and their checksum), headers, a payload and a checksum
over all of it: https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_OVERHEAD: Final = 16
_STRING: Final = 7


def encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """
    Return one message.

    Args:
        headers: names of at most 255 bytes and values of at most 65535 bytes, all sent as strings.
        payload: what the message carries.

    Raises:
        ValueError: a name or a value is too long.
    """
    block = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack(">II", _OVERHEAD + len(block) + len(payload), len(block))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    try:
        return struct.pack(">B", len(name)) + name + struct.pack(">BH", _STRING, len(value)) + value
    except struct.error as error:
        msg = f"a header of {len(name)} + {len(value)} bytes is too long for an event-stream message"
        raise ValueError(msg) from error

"""
Content codings, taken off a piece at a time.

Bodies are stored decoded so that a cassette serves every client; the moments of the arrivals
have to survive that, hence decoders that give out what they have after every piece.
"""

from __future__ import annotations

import importlib
import zlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_IDENTITY: Final = frozenset({"", "identity", "none"})
_RAW_DEFLATE: Final = -zlib.MAX_WBITS
_SLICE: Final = 1 << 16


class Decoder(Protocol):
    """
    Take a content coding off a body that comes in pieces.
    """

    def decode(self, data: bytes) -> bytes:
        """
        Return what is known of the decoded body after this piece and was not returned before.
        """

    def flush(self) -> bytes:
        """
        Return what is left when the body has ended, whole or cut off.
        """


def decoder(content_encoding: str) -> Decoder:
    """
    Return a decoder for the value of a `content-encoding` header.

    Args:
        content_encoding: the codings in the order in which they were applied (RFC 9110, 8.4), such as `gzip, br`.

    Raises:
        CassetteError: a coding is unknown, or its library is not installed.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    chain = [_one(name) for name in reversed(names) if name not in _IDENTITY]
    if len(chain) == 1:
        return chain[0]
    return _Chain(chain)


def decode_body(body: bytes, content_encoding: str, *, limit: int) -> bytes:
    """
    Return a stored body without its codings, or as it is where it was stored decoded already.

    Args:
        body: the body of a cassette that somebody else may have written.
        content_encoding: what its header claims.
        limit: the number of bytes that a decoded body may have.

    Raises:
        CassetteError: the body is still encoded and cannot be decoded, or grows over the limit.
    """
    try:
        taking_off = decoder(content_encoding)
    except CassetteError:
        if _is_text(body):
            return body
        raise
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(body), _SLICE):
            parts.append(taking_off.decode(body[start : start + _SLICE]))
            size += len(parts[-1])
            if size > limit:
                msg = f"a body of {len(body)} bytes decodes to more than {limit} bytes"
                raise CassetteError(msg, hint="nothing that a language model answers is that long; record it again")
        parts.append(taking_off.flush())
    except BrokenCodingError:
        if _is_text(body):
            return body
        raise
    return b"".join(parts)


class BrokenCodingError(CassetteError):
    """
    Report a body that is not what its `content-encoding` says.
    """

    code = "coding"


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _one(name: str) -> Decoder:
    make = _CODINGS.get(name)
    if make is None:
        msg = f"the content coding {name!r} is unknown"
        raise CassetteError(msg, hint=f"known are {', '.join(sorted(_CODINGS))}; ask the upstream for one of these")
    return make()


def _broken(name: str, error: Exception) -> BrokenCodingError:
    return BrokenCodingError(
        f"a body cannot be decoded as {name}: {error}",
        hint="the answer was damaged on its way; record it again",
    )


class _Chain:
    """
    Run decoders one after the other; the last coding applied comes off first.
    """

    def __init__(self, chain: list[Decoder]) -> None:
        self._chain = chain

    def decode(self, data: bytes) -> bytes:
        for link in self._chain:
            data = link.decode(data)
        return data

    def flush(self) -> bytes:
        data = b""
        for link in self._chain:
            data = (link.decode(data) if data else b"") + link.flush()
        return data


class _Sniffing:
    """
    Wait for the bytes that tell whether a body is encoded at all; pass it through if it is not.
    """

    needs = 2

    def __init__(self) -> None:
        self._held: bytes | None = b""
        self._inner: Decoder | None = None

    def choose(self, start: bytes) -> Decoder | None:
        """
        Return the decoder that the first bytes ask for, or None to pass the body through.
        """
        raise NotImplementedError

    def decode(self, data: bytes) -> bytes:
        if self._held is not None:
            self._held += data
            if len(self._held) < self.needs:
                return b""
            data, self._held = self._held, None
            self._inner = self.choose(data)
        return self._inner.decode(data) if self._inner else data

    def flush(self) -> bytes:
        held, self._held = self._held or b"", None
        return held + (self._inner.flush() if self._inner else b"")


class _Gzip(_Sniffing):
    def choose(self, start: bytes) -> Decoder | None:
        return _Members() if start.startswith(GZIP_MAGIC) else None


class _Deflate(_Sniffing):
    """
    Accept what RFC 9110 calls deflate (zlib) and what some servers send (raw deflate).
    """

    def choose(self, start: bytes) -> Decoder | None:
        is_zlib = start[0] & 0x0F == zlib.DEFLATED and int.from_bytes(start[:2]) % 31 == 0
        return _Stream("deflate", zlib.decompressobj(zlib.MAX_WBITS if is_zlib else _RAW_DEFLATE))


class _Zstd(_Sniffing):
    needs = len(ZSTD_MAGIC)

    def choose(self, start: bytes) -> Decoder | None:
        return _Stream("zstd", _zstd()) if start.startswith(ZSTD_MAGIC) else None


class _Members:
    """
    Decode gzip; a body may consist of several members (RFC 1952, 2.2).
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._next = b""

    def decode(self, data: bytes) -> bytes:
        found = []
        data = self._next + data
        self._next = b""
        while data:
            if self._member.eof:
                if len(data) < len(GZIP_MAGIC):
                    self._next = data
                    break
                if not data.startswith(GZIP_MAGIC):  # padding after the last member; gzip(1) ignores it, too
                    break
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            found.append(self._pull(data))
            data = self._member.unused_data
        return b"".join(found)

    def _pull(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data)
        except zlib.error as error:
            raise _broken("gzip", error) from error

    def flush(self) -> bytes:
        return self._member.flush()


class _Stream:
    """
    Give the decompressors of several libraries one face.
    """

    def __init__(self, name: str, engine: Any) -> None:  # noqa: ANN401 - four libraries without a common type
        self._name = name
        self._engine = engine
        self._decompress: Callable[[bytes], bytes] = getattr(engine, "process", None) or engine.decompress

    def decode(self, data: bytes) -> bytes:
        if not data or getattr(self._engine, "eof", False):
            return b""
        try:
            return self._decompress(data)
        except Exception as error:  # each library has an error class of its own
            raise _broken(self._name, error) from error

    def flush(self) -> bytes:
        flush = getattr(self._engine, "flush", None)
        if flush is None:
            return b""
        try:
            return bytes(flush() or b"")
        except Exception:  # noqa: BLE001 - a body that was cut off: what came before is all there is
            return b""


class _Brotli(_Stream):
    def __init__(self) -> None:
        super().__init__("br", _library("br", "brotli", "brotlicffi").Decompressor())


def _zstd() -> Any:  # noqa: ANN401 - the libraries have no common type
    library = _library("zstd", "compression.zstd", "backports.zstd", "zstandard")
    engine = library.ZstdDecompressor()
    return engine.decompressobj() if hasattr(engine, "decompressobj") else engine


_INSTALL: Final = {"br": "brotli", "zstd": "zstandard"}


def _library(coding: str, *modules: str) -> Any:  # noqa: ANN401 - a module
    for name in modules:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    msg = f"no library can decode the content coding {coding!r}"
    raise CassetteError(msg, hint=f"pip install {_INSTALL[coding]}")


def _make_zstd() -> Decoder:
    _zstd()  # a missing library is told when the decoder is made, not in the middle of an answer
    return _Zstd()


_CODINGS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _make_zstd,
}

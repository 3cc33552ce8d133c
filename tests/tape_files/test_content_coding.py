"""Content codings that come off a piece at a time."""

from __future__ import annotations

import gzip
import importlib
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CassetteError
from harness.tape.coding import decode_body, decoder

if TYPE_CHECKING:
    from collections.abc import Callable


def raw_deflate(body: bytes) -> bytes:
    """
    Return what some servers call deflate: no zlib head.
    """
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(body) + engine.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "identity": bytes,
    "": bytes,
    "deflate, gzip": lambda body: gzip.compress(zlib.compress(body)),
}


def cut(body: bytes, data: st.DataObject) -> list[bytes]:
    """
    Return a body in pieces of any size.
    """
    marks = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    return [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]


@given(st.binary(max_size=2000), st.sampled_from(sorted(ENCODERS)), st.data())
def test_any_cut_of_an_encoded_body_decodes_to_the_body(body: bytes, name: str, data: st.DataObject) -> None:
    """
    Claim: where the pieces are cut changes nothing.
    """
    taking_off = decoder(name)
    found = b"".join(taking_off.decode(piece) for piece in cut(ENCODERS[name](body), data)) + taking_off.flush()
    assert body == found


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_optional_codings_decode_where_their_library_is_there(name: str) -> None:
    """
    Claim: with a library the body comes back; without one the error names what to install.
    """
    body = b"data: hello\n\n" * 50
    modules = {"br": ["brotli", "brotlicffi"], "zstd": ["zstandard", "compression.zstd", "backports.zstd"]}[name]
    for module in modules:
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        encoded = library.compress(body)
        taking_off = decoder(f"{name}, gzip")
        sent = gzip.compress(encoded)
        assert body == b"".join(taking_off.decode(sent[i : i + 3]) for i in range(0, len(sent), 3)) + taking_off.flush()
        return
    with pytest.raises(CassetteError, match="pip install"):
        decoder(name)


def test_a_flushed_piece_comes_out_at_once() -> None:
    """
    Claim: each arrival of a compressed stream decodes when it arrives, so that its moment is kept.
    """
    engine = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    taking_off = decoder("gzip")
    for word in (b"one ", b"two ", b"three "):
        assert taking_off.decode(engine.compress(word) + engine.flush(zlib.Z_SYNC_FLUSH)) == word


@given(st.binary(max_size=200).filter(lambda body: not body.startswith(b"\x1f\x8b")), st.data())
def test_a_header_that_lies_about_gzip_passes_the_body_through(body: bytes, data: st.DataObject) -> None:
    """
    Claim: a body that is decoded already, under a header that says gzip, stays as it is.
    """
    taking_off = decoder("gzip")
    assert body == b"".join(taking_off.decode(piece) for piece in cut(body, data)) + taking_off.flush()
    assert decode_body(body, "gzip", limit=1000) == body


@given(st.binary(max_size=300), st.binary(max_size=300), st.data())
def test_gzip_of_several_members_is_one_body(first: bytes, second: bytes, data: st.DataObject) -> None:
    """
    Claim: members that follow one another are read on, wherever the pieces are cut.
    """
    taking_off = decoder("gzip")
    sent = gzip.compress(first) + gzip.compress(second)
    assert first + second == b"".join(taking_off.decode(piece) for piece in cut(sent, data)) + taking_off.flush()


def test_a_cut_off_body_gives_what_came() -> None:
    """
    Claim: the part that arrived is decoded.
    """
    taking_off = decoder("gzip")
    body = bytes(range(256)) * 20
    found = taking_off.decode(gzip.compress(body, 0)[:-2000]) + taking_off.flush()
    assert found
    assert body.startswith(found)


def test_a_damaged_body_is_an_error() -> None:
    """
    Claim: bytes that begin as gzip and are none are refused with a hint.
    """
    with pytest.raises(CassetteError, match="gzip") as caught:
        decoder("gzip").decode(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff")
    assert caught.value.hint


def test_an_unknown_coding_is_an_error_that_names_the_known_ones() -> None:
    """
    Claim: the reader learns what there is.
    """
    with pytest.raises(CassetteError, match="'rot13'") as caught:
        decoder("gzip, rot13")
    assert "zstd" in str(caught.value)


def test_a_stored_body_does_not_need_the_library_of_its_header() -> None:
    """
    Claim: text under an unknown coding was stored decoded; binary under it is refused.
    """
    assert decode_body(b"plain", "rot13", limit=10) == b"plain"
    with pytest.raises(CassetteError, match="rot13"):
        decode_body(b"\xff\xfe", "rot13", limit=10)


def test_a_gzip_bomb_is_refused() -> None:
    """
    Claim: a small body that decodes to a huge one stops at the limit.
    """
    with pytest.raises(CassetteError, match="more than 100000 bytes"):
        decode_body(gzip.compress(bytes(10_000_000)), "gzip", limit=100_000)

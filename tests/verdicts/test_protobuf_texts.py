"""The texts of protobuf messages, found without a `.proto`: property tests against an encoder that knows the fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness import frames, protobuf
from harness.verdicts.documents import documents
from harness.verdicts.texts import squeeze, texts

WORDS = st.text(st.characters(categories=("L", "N", "P", "Zs"), codec="utf-8"), min_size=1, max_size=80)
NUMBERS = st.integers(1, 40)
LONG = "The code word you gave me is kestrel4127, and in a café somebody said more than eighty characters about it."


def varint(value: int) -> bytes:
    """
    Return a number as the wire format has it.
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: Any) -> bytes:
    """
    Return one field: a message, a text, bytes, a number, a double.
    """
    if isinstance(value, bool | int):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, float):
        return varint(number << 3 | 1) + b"\0" * 8
    data = value.encode() if isinstance(value, str) else message(value) if isinstance(value, dict) else bytes(value)
    return varint(number << 3 | 2) + varint(len(data)) + data


def message(fields: dict[int, Any]) -> bytes:
    """
    Return a message; a list stands for a repeated field.
    """
    return b"".join(
        field(number, one)
        for number, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


LEAVES = st.one_of(WORDS, st.integers(0, 2**40), st.booleans(), st.floats(allow_nan=False))
MESSAGES = st.recursive(
    st.dictionaries(NUMBERS, LEAVES, min_size=1, max_size=4),
    lambda inner: st.dictionaries(NUMBERS, st.one_of(LEAVES, inner, st.lists(inner, max_size=3)), max_size=4),
    max_leaves=12,
)


def said(value: Any) -> list[str]:
    """
    Return the texts of a message that was given as fields.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for one in value for text in said(one)]
    return [text for one in value.values() for text in said(one)] if isinstance(value, dict) else []


@given(fields=MESSAGES)
def test_every_text_of_a_message_is_found(fields: dict[int, Any]) -> None:
    """
    Whatever stands around a long text, and however deep it lies, it is found whole.
    """
    body = protobuf.framed(message({**fields, 41: {3: {7: LONG}}}))

    assert LONG in protobuf.texts(body)
    assert squeeze(LONG) in texts(body)


@given(pieces=st.lists(WORDS.filter(str.strip), min_size=1, max_size=40), around=MESSAGES)
def test_the_pieces_of_a_stream_make_the_text(pieces: list[str], around: dict[int, Any]) -> None:
    """
    Each message carries one piece at the same place: joined they are one of the texts that the answer may say.
    """
    whole = [LONG, *pieces]
    body = b"".join(protobuf.framed(message({2: [{1: {3: piece}}], 5: around})) for piece in whole)

    assert squeeze("".join(whole)) in texts(body)
    assert len(documents(body)) == len(whole)


@given(pieces=st.lists(WORDS.filter(str.strip), min_size=4, max_size=20), other=WORDS)
def test_the_values_of_a_map_are_told_apart(pieces: list[str], other: str) -> None:
    """
    A text among others in a map (such as `google.protobuf.Struct`) is told from them by its key.
    """
    body = b"".join(
        protobuf.framed(message({1: {1: [{1: "content", 2: {3: piece}}, {1: "model", 2: {3: other}}]}}))
        for piece in (LONG, *pieces)
    )

    assert squeeze("".join([LONG, *pieces])) in texts(body)


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    """
    Bytes that are no message give nothing, and raise nothing.
    """
    protobuf.texts(protobuf.framed(data))
    protobuf.comparable(data)
    protobuf.boundaries(data)
    frames.decode(data)
    documents(b"\0" + data)


@given(messages=st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_framing_is_undone(messages: list[bytes]) -> None:
    """
    What is framed comes out as it went in, and the boundaries are those of the frames; for both protocols.
    """
    body = b"".join(map(protobuf.framed, messages))
    heard = [frames.Frame(one, is_text=bool(len(one) % 2)) for one in messages]
    wire = b"".join(map(frames.encode, heard))

    assert protobuf.unframed(body) == messages
    assert protobuf.boundaries(body)[-1] == len(body)
    assert frames.decode(wire) == heard
    assert frames.boundaries(wire)[-1] == len(wire)
    assert protobuf.unframed(body[:-1]) is None or len(body) == len(messages[-1]) == 0


@given(entries=st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), WORDS, min_size=2, max_size=6))
def test_the_order_of_a_map_does_not_matter(entries: dict[str, str]) -> None:
    """
    A client writes the entries of a map in any order, and the request is the same; other values make another one.
    """
    pairs = [{1: key, 2: {3: value}} for key, value in entries.items()]
    one, two = (protobuf.framed(message({1: {1: order}, 2: LONG})) for order in (pairs, pairs[::-1]))
    other = protobuf.framed(message({1: {1: [*pairs[1:], {1: "other", 2: {3: "x"}}]}, 2: LONG}))

    assert protobuf.comparable(one) == protobuf.comparable(two)
    assert protobuf.comparable(one) != protobuf.comparable(other)


def test_a_long_text_that_looks_like_a_message_is_found_too() -> None:
    """
    A message whose bytes can all be printed is taken for both: its field's text, and itself.
    """
    inner = message({1: "x" * 40})

    assert inner.decode().isprintable() or inner.startswith(b"\n(")
    assert "x" * 40 in protobuf.texts(protobuf.framed(message({2: inner})))

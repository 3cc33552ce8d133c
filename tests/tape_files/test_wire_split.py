"""Where a body without arrivals is split."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.tape import wire

if TYPE_CHECKING:
    from collections.abc import Sequence

SSE = "text/event-stream"
AWS = "application/vnd.amazon.eventstream"


def message(payload: bytes, headers: bytes = b"") -> bytes:
    """
    Return an AWS event-stream message.
    """
    head = (16 + len(headers) + len(payload)).to_bytes(4) + len(headers).to_bytes(4)
    content = head + zlib.crc32(head).to_bytes(4) + headers + payload
    return content + zlib.crc32(content).to_bytes(4)


def pieces(body: bytes, content_type: str) -> list[bytes]:
    """
    Return the pieces themselves.
    """
    found = []
    for size in wire.split(body, content_type):
        found.append(body[:size])
        body = body[size:]
    assert not body
    return found


@given(
    st.one_of(
        st.binary(),
        st.lists(
            st.sampled_from(
                [b"data: x", b"\n", b"\r", b"\r\n", b": c", b"{}", b"[", b'{"a": 1}', b",", b"]", b'"', message(b"p")]
            )
        ).map(b"".join),
    ),
    st.sampled_from(["", SSE, AWS, "application/json", "application/x-ndjson", "text/plain; charset=utf-8", "x"]),
)
def test_counts_are_positive_and_add_up(body: bytes, content_type: str) -> None:
    """
    Claim: whatever the body and its type, the counts are above zero and sum to its length.
    """
    counts = wire.split(body, content_type)
    assert sum(counts) == len(body)
    assert all(count > 0 for count in counts)
    assert bool(counts) == bool(body)


_LINES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12).map(lambda text: text.encode())
_EVENT = st.tuples(st.lists(_LINES, max_size=2), st.lists(_LINES, min_size=1, max_size=3), st.booleans())


@given(
    st.lists(_EVENT, min_size=1, max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.sampled_from([SSE, "application/json", ""]),
)
def test_server_sent_events_are_split_after_their_blank_lines(
    events: Sequence[tuple[list[bytes], list[bytes], bool]], newline: bytes, content_type: str
) -> None:
    """
    Claim: each event is one piece, with every line end, several data lines, or no space after the colon.
    """
    expected = []
    for comments, data, space in events:
        lines = [b": " + comment for comment in comments]
        lines += [b"data:" + (b" " if space else b"") + line for line in data]
        expected.append(newline.join(lines) + newline * 2)
    assert expected == pieces(b"".join(expected), content_type)


def test_comments_belong_to_the_event_that_follows() -> None:
    """
    Claim: a comment with a blank line of its own is no piece of its own.
    """
    body = b": PROCESSING\n\n: PROCESSING\n\ndata: 1\n\n:HTTP_STATUS/200\ndata: 2\n\n"
    assert pieces(body, SSE) == [
        b": PROCESSING\n\n: PROCESSING\n\ndata: 1\n\n",
        b":HTTP_STATUS/200\ndata: 2\n\n",
    ]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_events_without_blank_lines_between_them_are_events(newline: bytes) -> None:
    """
    Claim: where each line of data is a whole value, each is a piece, with the lines that lead to it; JSON and words
    that go on in the next line are one event.
    """
    lines = [
        b'event: a%sdata: {"n": 1}' % newline,
        b'data:{"n": 2}',
        b'id: 7%sdata: {"n": 3}' % newline,
        b"data: [DONE]",
    ]
    row = [line + newline for line in lines]
    assert pieces(b"".join(row), SSE) == row
    assert pieces(b"".join(row) + newline, SSE) == [*row[:-1], row[-1] + newline]
    for one in (b'data: {%sdata: "n": 1}' % newline, b"data: one%sdata: two" % newline, b"data: 1%sdata: {}" % newline):
        assert pieces(one + newline * 2, SSE) == [one + newline * 2]


def test_an_event_without_its_blank_line_is_the_last_piece() -> None:
    """
    Claim: a stream that was cut off keeps its rest.
    """
    assert pieces(b"data: 1\n\ndata: 2", SSE) == [b"data: 1\n\n", b"data: 2"]


def test_an_error_under_an_event_stream_type_is_one_piece() -> None:
    """
    Claim: JSON with blank lines in it is not taken for events because of its header.
    """
    body = b'{\n\n"error": "no such model"\n\n}'
    assert pieces(body, SSE) == [body]


@given(st.lists(st.dictionaries(st.text(), st.text()), min_size=2, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_lines_of_json_are_split_whatever_the_type_says(values: list[dict[str, str]], newline: str) -> None:
    """
    Claim: NDJSON is known by its lines.
    """
    expected = [(json.dumps(value) + newline).encode() for value in values]
    for content_type in ("application/x-ndjson", "application/stream+json", "text/plain", "application/json", ""):
        assert expected == pieces(b"".join(expected), content_type)


def test_pretty_printed_json_is_one_piece() -> None:
    """
    Claim: an object over several lines is not taken for NDJSON.
    """
    body = json.dumps({"a": {"b": [1, 2, {"c": 3}]}}, indent=2).encode()
    assert pieces(body, "application/json") == [body]
    assert pieces(body, "") == [body]


@given(
    st.lists(st.dictionaries(st.text(), st.text(), min_size=1), min_size=1, max_size=6),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_an_array_is_split_at_its_elements(values: list[dict[str, str]], indent: int | None, ascii_only: bool) -> None:
    """
    Claim: one JSON array of n objects has n pieces, pretty-printed or not, whatever the strings hold.
    """
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode(errors="replace")
    found = pieces(body, "application/json")
    assert len(found) == len(values)
    bare = [piece.strip().removesuffix(b",") for piece in found]
    bare[0] = bare[0].removeprefix(b"[")
    bare[-1] = bare[-1].removesuffix(b"]")
    assert [json.loads(piece) for piece in bare] == json.loads(body)


def test_an_array_of_numbers_is_one_piece() -> None:
    """
    Claim: an embedding is not a stream.
    """
    assert pieces(b"[0.1, 0.2, 0.3, 0.4]", "application/json") == [b"[0.1, 0.2, 0.3, 0.4]"]


@given(st.lists(st.tuples(st.binary(), st.binary(max_size=20)), min_size=1, max_size=6), st.binary(max_size=8))
def test_aws_messages_are_split_by_their_prelude(parts: list[tuple[bytes, bytes]], rest: bytes) -> None:
    """
    Claim: each message is one piece, whatever the content type, and a cut-off message is the last one.
    """
    expected = [message(*part) for part in parts]
    for content_type in (AWS, "", "application/json"):
        assert expected + ([rest] if rest else []) == pieces(b"".join(expected) + rest, content_type)


def test_a_wrong_checksum_is_no_aws_message() -> None:
    """
    Claim: bytes that only resemble a prelude are one piece.
    """
    body = bytearray(message(b"payload") * 2)
    body[9] ^= 1
    assert wire.split(bytes(body), AWS) == [len(body)]


@given(st.binary(min_size=1, max_size=60), st.data())
def test_sealing_mends_the_checksums(payload: bytes, data: st.DataObject) -> None:
    """
    Claim: a changed payload under a new seal is a valid message again, and an unchanged one stays as it is.
    """
    whole = message(payload, b"head") + message(b"second")
    assert wire.sealed(whole) == whole
    at = data.draw(st.integers(16, 16 + len(payload) - 1))
    changed = whole[:at] + b"x" + whole[at + 1 :]
    mended = wire.sealed(changed)
    start = 0
    for end in wire.messages(mended):
        assert zlib.crc32(mended[start : end - 4]) == int.from_bytes(mended[end - 4 : end])
        start = end
    assert start == len(mended)


@pytest.mark.parametrize("body", [b":) hello\n\n:( bye\n\n", b"plain text\n\nmore text", b"<html>\n\n</html>"])
def test_other_text_is_one_piece(body: bytes) -> None:
    """
    Claim: prose with blank lines is not taken for events.
    """
    assert wire.split(body, "text/plain") == [len(body)]

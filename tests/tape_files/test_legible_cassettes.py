"""Cassettes are reviewed: streams read line by line, and beside what is no text stands what can be read in it."""

from __future__ import annotations

import base64
import json
import pickle
from binascii import crc32
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.tape import cassette as files

COMMITTED = Path(__file__).parents[2] / "cassettes"
MOST_BYTES = 12_000_000
LONGEST = 12_000
"""Characters of a line: the longest is one JSON document, of AI21, with the probability of each token."""
LOADERS = [yaml.SafeLoader, yaml.CSafeLoader] if yaml.__with_libyaml__ else [yaml.SafeLoader]
AWKWARD = st.text(st.sampled_from('ab "\\\n\r\t\0\x1b:#-\u00fc\u2028\ue000\U0001f600'), max_size=40)
"""What YAML quotes, escapes, folds or strips, and the character that lines are marked with."""
ESCAPED = st.sampled_from([r"\n\ue000", r"\n\uE000", "\\", "\u00fc\n", "\n  \n"])


def written(question: str | bytes, answer: bytes, content_type: str = "text/event-stream") -> str:
    """
    Return the text of a cassette of one request.
    """
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": [content_type]},
        "body": {"string": answer},
    }
    return files.dump([(Request("POST", "https://api.example.com/v1/chat", question, {}), response)])


def bodies(text: str, loader: Any = yaml.SafeLoader) -> tuple[Any, Any]:
    """
    Return the two bodies that a cassette holds.
    """
    (one,) = yaml.load(text, Loader=loader)["interactions"]  # noqa: S506 - safe ones
    return one["request"]["body"], one["response"]["body"]["string"]


def readable(text: str) -> list[str]:
    """
    Return what a cassette says beside its bodies.
    """
    (one,) = yaml.safe_load(text)["interactions"]
    found: list[str] = one["response"]["harness"]["texts"]
    return found


@given(st.lists(AWKWARD | ESCAPED, max_size=4).map("".join), st.lists(AWKWARD | ESCAPED, max_size=4).map("".join))
def test_however_bodies_are_laid_out_they_come_back(question: str, answer: str) -> None:
    """
    Lines are broken for readers alone: every parser of YAML reads the same text as was written.
    """
    text = written(question, answer.encode())

    assert [bodies(text, loader) for loader in LOADERS] == [(question, answer)] * len(LOADERS)
    assert text.isascii()


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\n", "\0"])
def test_a_stream_with_a_word_that_is_not_ascii_reads_event_by_event(end: str) -> None:
    """
    Each event has a line of its own in the file, as it has where all is ASCII.
    """
    events = [f'data: {{"delta": "caf\u00e9 {number}"}}' for number in range(30)]
    text = written("hi", end.join([*events, ""]).encode())

    lines = [line for line in text.splitlines() if "delta" in line]
    assert [line.count("delta") for line in lines] == [1] * 30
    assert bodies(text)[1] == end.join([*events, ""])


def test_the_texts_in_an_aws_event_stream_stand_beside_it() -> None:
    """
    Its messages are binary, and what they say is base64 in JSON.
    """
    said = [json.dumps({"outputText": f"caf\u00e9 {number}"}, ensure_ascii=False) for number in range(2)] + ["The"]
    payloads = [json.dumps({"bytes": base64.b64encode(one.encode()).decode()}).encode() for one in said]
    body = b"".join(map(message, [*payloads, b'{"message": "slow down"}']))
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    assert [event.payload for event in buffer][:3] == payloads

    text = written("hi", body, "application/vnd.amazon.eventstream")

    assert readable(text) == [*(f"< {one}" for one in said), '< {"message": "slow down"}']


def message(payload: bytes) -> bytes:
    """
    Return one message of an AWS event stream, without headers.
    """
    prelude = (len(payload) + 16).to_bytes(4) + b"\0\0\0\0"
    head = prelude + crc32(prelude).to_bytes(4)
    return head + payload + crc32(head + payload).to_bytes(4)


def test_the_texts_in_pickles_stand_beside_them() -> None:
    """
    A pickle in base64, or uploaded in a form, hides nothing from a reader: neither a prompt nor a path.
    """
    packed = base64.b64encode(pickle.dumps([["/home/somebody"], {"prompt": "hi there"}])).decode()
    form = b"--x\r\nContent-Disposition: form-data; name=data\r\n\r\n" + pickle.dumps(["hi there"]) + b"\r\n--x--\r\n"

    asked = written(json.dumps({"data": packed, "key": None}), json.dumps({"data": packed}).encode())
    uploaded = written(form, b"{}")

    strings = "/home/somebody | prompt | hi there"
    assert readable(asked) == [f"> {strings}", f"< {strings}"]
    assert readable(uploaded) == ["> hi there"]


def test_what_is_committed_can_be_reviewed() -> None:
    """
    All cassettes together stay below 12 MB, and none has a line that holds a whole stream.
    """
    sizes = [path.stat().st_size for path in COMMITTED.rglob("*.yaml")]
    lines = {path: max(map(len, path.read_text(encoding="ascii").splitlines())) for path in COMMITTED.rglob("*.yaml")}
    assert len(lines) > 1000
    assert sum(sizes) < MOST_BYTES
    assert {path: longest for path, longest in lines.items() if longest > LONGEST} == {}

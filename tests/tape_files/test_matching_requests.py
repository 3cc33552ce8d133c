"""Which recorded request answers an incoming one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.tape import cassette as files
from harness.tape.cassette import recorder
from harness.tape.matchers import DEFAULT_MATCH_ON, MATCHERS
from harness.tape.matching import agree, nearest
from harness.tape.scrub import scrub_request
from harness.tape.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vcr.cassette import Cassette

URI = "https://api.example.com/v1/chat"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def request(body: Any = None, uri: str = URI, method: str = "POST", **headers: str) -> Request:
    """
    Return a request.
    """
    return Request(method, uri, body, headers)


def recorded(folder: Path, requests: Sequence[Request], match_on: Sequence[str] | None = None) -> Cassette:
    """
    Return a loaded cassette with these requests; answer n says n.
    """
    answers: list[dict[str, Any]] = [
        {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": str(n).encode()}}
        for n in range(len(requests))
    ]
    path = folder / "c.yaml"
    files.save(path, list(zip(requests, answers, strict=True)), Secrets())
    return files.load(path, match_on=match_on)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        (request(), request(method="post")),
        (request(uri="https://a.example/model/titan%3A0/x"), request(uri="https://a.example/model/titan:0/x")),
        (request(uri="https://a.example//openai/deployments"), request(uri="https://a.example/openai/deployments")),
        (request(uri="https://a.example"), request(uri="https://a.example/")),
        (request(uri="https://a.example:443/x"), request(uri="https://a.example/x")),
        (request(uri="https://a.example/x?b=1&a=2"), request(uri="https://a.example/x?a=2&b=1")),
        (request(uri="https://A.example/x"), request(uri="https://a.example/x")),
        (request(b'{"a": 1, "b": "\\u00fc"}'), request('{"b":"ü","a":1.0}', accept="text/plain")),
        (request({"a": [1]}), request(b'{"a": [1]}', **{"content-type": "application/json"})),
        (request([1]), request(b"[1]")),
        (request(b"a=1&b=two+words"), request(b"b=two+words&a=1")),
        (request(b"--x1\r\nname\r\n--x1--"), request(b"--another\r\nname\r\n--another--")),
        (request(b"\xff\x00"), request(b"\xff\x00")),
        (request(), request(None)),
        (request(b'{"api_key": "one"}'), request(b'{"api_key": "another one"}')),
        (request(uri=URI + "?key=abcdefghij"), request(uri=URI + "?key=placeholder")),
        (request(uri="https://user:pass@a.example/x"), request(uri="https://a.example/x")),
    ],
)  # fmt: skip
def test_requests_that_mean_the_same_match(tmp_path: Path, stored: Request, asked: Request) -> None:
    """
    Claim: how a client library writes a request down makes no difference.
    """
    assert recorded(tmp_path, [stored]).can_play_response_for(asked)


@pytest.mark.parametrize(
    ("stored", "asked", "match"),
    [
        (request(uri="https://a.com/x?group=live-account-name"), request(uri="https://a.com/x?group=me"), True),
        (request(uri="https://a.com/x?group=live-account-name"), request(uri="https://a.com/x?other=me"), False),
        (request(uri="https://a.com/accounts/REDACTED/run"), request(uri="https://a.com/accounts/me/run"), True),
        (request(uri="https://a.com/accounts/REDACTED/run"), request(uri="https://a.com/accounts/me/go"), False),
        (request(uri="https://REDACTED.a.example/"), request(uri="https://me.a.example/"), True),
        (request(b'{"project": "k7F9zX2qW8eR7tY5uI3o", "n": [1]}'), request(b'{"n": [1], "project": "me"}'), True),
        (request(b'{"project": "k7F9zX2qW8eR7tY5uI3o", "n": [1]}'), request(b'{"n": [2], "project": "me"}'), False),
        (request(b'{"project": "me"}'), request(b'{"project": "REDACTED"}'), False),
        (request(b"x=1&token=abc"), request(b"token=&x=1"), False),
    ],
)
def test_placeholders_meet_what_was_redacted(tmp_path: Path, stored: Request, asked: Request, match: bool) -> None:
    """
    Claim: a recording made with real accounts replays with placeholders, and nothing else is let pass.
    """
    cassette = recorded(tmp_path, [stored])
    assert cassette.can_play_response_for(asked) == match
    assert agree(scrub_request(asked), cassette.requests[0], cassette._match_on) == match  # noqa: SLF001 - as vcrpy asks it


@pytest.mark.parametrize(
    ("stored", "asked", "words"),
    [
        (request(method="GET"), request(), "method GET recorded, POST asked"),
        (request(uri="https://api.a.com/x"), request(uri="https://api.b.com/x"), "api.a.com recorded, api.b.com asked"),
        (request(uri="http://a.com:80/x"), request(uri="https://a.com:80/x"), "scheme http recorded, https asked"),
        (request(uri="https://a.example:1/x"), request(uri="https://a.example:2/x"), "port 1 recorded, 2 asked"),
        (request(uri="https://a.example/x"), request(uri="https://a.example/y"), "path /x recorded, /y asked"),
        (request(uri=URI + "?a=1"), request(uri=URI + "?a=2"), "query a=1 recorded, a=2 asked"),
        (request(b'{"a": 1, "b": 2}'), request(b'{"a": 1, "b": 3}'), '- "b": 2\n    + "b": 3'),
        (request(b"a=1&b=2"), request(b"a=1&b=3"), "- b=2\n    + b=3"),
        (request(b"\xff"), request(b"\xff\xfe"), "body of 1 bytes recorded, another of 2 bytes asked"),
    ],
)  # fmt: skip
def test_a_miss_names_the_nearest_request_and_the_difference(
    tmp_path: Path, stored: Request, asked: Request, words: str
) -> None:
    """
    Claim: what differs is refused, and said in words.
    """
    cassette = recorded(tmp_path, [stored])
    assert not cassette.can_play_response_for(asked)
    told = nearest(cassette, asked)
    assert words in told
    assert "the nearest of 1 recorded request is number 1" in told


@given(JSON, JSON)
def test_json_bodies_match_exactly_when_they_are_equal(
    tmp_path_factory: pytest.TempPathFactory, ours: Any, theirs: Any
) -> None:
    """
    Claim: for bodies of the same fields, spacing and order of keys never decide, values always do.
    """
    folder = tmp_path_factory.mktemp("json")
    stored = request(json.dumps({"prompt": ours, "n": 1}, indent=3).encode())
    asked = request(json.dumps({"n": 1, "prompt": theirs}).encode())
    assert recorded(folder, [stored]).can_play_response_for(asked) == (ours == theirs)


@pytest.mark.parametrize(
    ("ours", "theirs", "match"),
    [
        (b'{"stream": true}', b'{"stream": true, "x": 1}', True),
        (b'{"stream": true}', b'{"x": 1}', False),
        (b'{"stream": false}', b'{"x": 1}', True),
        (b"\xff", b'{"stream": true}', True),
        (b'{"stream": true}', None, True),
    ],
)
def test_the_stream_flag_decides_where_both_can_be_read(
    tmp_path: Path, ours: bytes, theirs: bytes | None, match: bool
) -> None:
    """
    Claim: an absent flag is false; a body without one to read leaves the question open.
    """
    cassette = recorded(tmp_path, [request(ours)], ["method", "path", "stream"])
    assert cassette.can_play_response_for(request(theirs)) == match


def test_matching_on_less_than_everything(tmp_path: Path) -> None:
    """
    Claim: a registration can leave host and body out, and vcrpy's own matchers stay known.
    """
    cassette = recorded(tmp_path, [request(b"1", uri="https://a.example/x")], ["method", "path"])
    assert cassette.can_play_response_for(request(b"2", uri="https://b.example/x"))
    assert not recorded(tmp_path, [request(b"{}")], ["raw_body"]).can_play_response_for(request(b"{ }"))


def test_a_long_difference_is_shown_where_it_begins(tmp_path: Path) -> None:
    """
    Claim: two long prompts that differ at their ends show their ends.
    """
    stored, asked = (request(json.dumps({"prompt": "same " * 200 + end}).encode()) for end in ("river", "mountain"))
    told = nearest(recorded(tmp_path, [stored]), asked)
    assert "river" in told
    assert "mountain" in told
    assert len(told) < 600


def test_of_several_the_most_similar_is_named(tmp_path: Path) -> None:
    """
    Claim: where as many matchers agree, likeness of the text decides.
    """
    stored = [request(json.dumps({"prompt": p}).encode()) for p in ("Name three rivers", "Add two and two", "Sing")]
    told = nearest(recorded(tmp_path, stored), request(b'{"prompt": "Add two and three"}'))
    assert "number 2" in told


def test_a_request_that_was_used_up_is_told_from_an_unknown_one(tmp_path: Path) -> None:
    """
    Claim: the message says how often it was played and how often it was recorded.
    """
    cassette = recorded(tmp_path, [request(b"{}"), request(b"{}")])
    assert [cassette.play_response(request(b"{}"))["body"]["string"] for _ in range(2)] == [b"0", b"1"]
    assert not cassette.can_play_response_for(request(b"{}"))
    assert "already played 2 times, recorded 2 times" in nearest(cassette, request(b"{}"))


def test_no_file_and_no_requests_have_words_of_their_own(tmp_path: Path) -> None:
    """
    Claim: the reader is not sent looking for a nearest request where there is none.
    """
    assert "there is no recording" in nearest(None, request())
    assert "nothing is recorded" in nearest(recorded(tmp_path, []), request())


def test_a_miss_never_shows_a_credential(tmp_path: Path) -> None:
    """
    Claim: neither side's credentials are in the message.
    """
    secret = "s3cr3t-CANARY-Zx9Qw8Er7T"
    cassette = recorded(tmp_path, [request(b'{"api_key": "k", "prompt": "a"}')])
    body = json.dumps({"api_key": secret, "prompt": "b", "deep": [{"password": secret}]}).encode()
    told = nearest(cassette, request(body, uri=f"https://u:{secret}@a.example/x?token={secret}", authorization=secret))
    assert secret not in told
    assert "REDACTED" in told


def test_a_changed_request_is_compared_anew(tmp_path: Path) -> None:
    """
    Claim: the kept comparable form never outlives what it was made from.
    """
    cassette = recorded(tmp_path, [request(b"{}")])
    asked = request(b'{"a": 1}')
    assert not cassette.can_play_response_for(asked)
    asked.body = b"{}"
    assert cassette.can_play_response_for(asked)
    asked.uri = "https://other.example/"
    assert not cassette.can_play_response_for(asked)


def test_the_default_is_everything_but_the_headers() -> None:
    """
    Claim: bodies are part of the default, so that concurrent prompts get their own answers.
    """
    assert DEFAULT_MATCH_ON == ("method", "scheme", "host", "port", "path", "query", "body")


def test_each_matcher_is_known_by_name_without_vcrpy() -> None:
    """
    Claim: what a registration may match on is what the recorder can.
    """
    assert sorted(MATCHERS) == sorted(recorder().matchers)

"""Recordings made elsewhere: every shape that was met becomes a cassette with the same bytes, or is refused by name."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
import string
import struct
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
import vcr
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CassetteError
from harness.tape import cassette as files
from harness.tape import matching
from harness.tape.foreign import layouts
from harness.tape.foreign.imported import Imported, read_imported
from harness.tape.foreign.parts import Place, response_of
from harness.tape.reading import new_request
from harness.tape.secrets import Secrets
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URI = "https://api.example.com/v1/chat/completions"
PROMPT = "Tell me a tale of a king"
ASKED = {"model": "m-1", "messages": [{"role": "user", "content": PROMPT}]}
STREAMED = {**ASKED, "stream": True}
WHOLE = json.dumps(
    {"choices": [{"message": {"content": "Once upon a time, n\u00e4mlich"}}]}, ensure_ascii=False
).encode()
WORDS = ["Once", " upon", " a", " time", " there", " was"]
SSE = b"".join(b"data: " + json.dumps({"delta": word}).encode() + b"\n\n" for word in WORDS) + b"data: [DONE]\n\n"
STREAM_CALLS = (Capability.STREAM, Capability.ASTREAM)
WHOLE_CALLS = (Capability.INVOKE, Capability.AINVOKE)


def aws(payload: bytes) -> bytes:
    """
    Return a message of an AWS event stream.
    """
    head = struct.pack(">II", 16 + len(payload), 0)
    message = head + struct.pack(">I", zlib.crc32(head)) + payload
    return message + struct.pack(">I", zlib.crc32(message))


def request(body: Any = None, **more: Any) -> dict[str, Any]:
    """
    Return a request as vcrpy has it.
    """
    return {"method": "POST", "uri": URI, "headers": {"content-type": ["application/json"]}, "body": body, **more}


def response(body: Any, kind: str | None = "application/json", **more: Any) -> dict[str, Any]:
    """
    Return a response as vcrpy has it.
    """
    headers = {} if kind is None else {"content-type": [kind]}
    return {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": body, **more}


def pair(
    body: Any = None, answer: Any = None, *, ask: dict[str, Any] | None = None, tell: dict[str, Any] | None = None
) -> dict[str, Any]:
    """
    Return an interaction, by default of a whole answer.
    """
    asked = ask if ask is not None else request(json.dumps(ASKED) if body is None else body)
    return {"request": asked, "response": tell or response({"string": WHOLE.decode() if answer is None else answer})}


def streamed(answer: Any, kind: str | None = "text/event-stream", **more: Any) -> dict[str, Any]:
    """
    Return an interaction of a streamed answer.
    """
    return pair(ask=request(json.dumps(STREAMED), **more), tell=response({"string": answer}, kind))


def as_yaml(*pairs: Any, **top: Any) -> bytes:
    """
    Return a cassette of vcrpy.
    """
    return yaml.safe_dump({"version": 1, "interactions": list(pairs), **top}).encode()


def imported(folder: Path, data: bytes) -> Imported:
    """
    Import a file of these bytes, which has to stay as it is.
    """
    path = folder / "elsewhere"
    path.write_bytes(data)
    made = read_imported(path)
    assert path.read_bytes() == data
    return made


def loaded(folder: Path, data: bytes) -> Any:
    """
    Import a file and load the cassette that it became.
    """
    path = folder / "family" / "cassette.yaml"
    files.place(path, imported(folder, data).text(Secrets(), "x"))
    return files.load(path, match_on=("method", "path", "stream"))


ISTR = """version: 1
interactions:
- request:
    method: POST
    uri: https://api.example.com/v1/chat/completions
    body: '{"messages": [{"role": "user", "content": "Tell me a tale of a king"}]}'
    headers:
      ? !!python/object/new:multidict._multidict.istr
      - Content-Type
      : - application/json
  response:
    status: !!python/object/apply:http.HTTPStatus [200]
    headers: !!python/object/apply:collections.OrderedDict
    - - [Content-Type, application/json]
      - !!python/tuple [X-Thing, a]
    body:
      string: !!python/object/new:_io.BytesIO
        state: !!python/tuple
        - !!binary BODY
        - 0
        - null
""".replace("BODY", base64.b64encode(WHOLE).decode())

SINGLE: dict[str, Any] = {
    "request": {"method": "POST", "url": URI, "headers": {"a": "b"}, "body": ASKED},
    "response": {"status": 200, "headers": {"Content-Type": "application/json"}, "body": WHOLE.decode()},
}
OLD_HTTPX = {"status_code": 200, "http_version": "HTTP/1.1", "headers": {"content-type": "application/json"}}
BESIDE = {"requests": [request(json.dumps(ASKED).encode())], "responses": [response({"string": WHOLE})]}
BETAMAX = {
    "request": {**request(), "body": {"encoding": "utf-8", "string": json.dumps(ASKED)}},
    "response": {
        **response({"encoding": None, "base64_string": base64.b64encode(gzip.compress(WHOLE)).decode()}), "url": URI,
    },
    "recorded_at": "2026-01-02T03:04:05",
}  # fmt: skip
RUBY = f"""---
http_interactions:
- request:
    method: post
    uri: {URI}
    body:
      encoding: US-ASCII
      string: '{json.dumps(ASKED)}'
    headers:
      Content-Type:
      - application/json
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type:
      - application/json
    body:
      encoding: ASCII-8BIT
      string: !binary |-
        {base64.b64encode(WHOLE).decode()}
    http_version:
  recorded_at: Fri, 02 Jan 2026 03:04:05 GMT
recorded_with: VCR 6.3.1
"""
GO = {
    "id": 0,
    "request": {"proto": "HTTP/1.1", "method": "POST", "url": URI, "headers": {}, "body": json.dumps(ASKED)},
    "response": {
        "proto": "HTTP/2.0", "headers": {"Content-Type": ["application/json"]}, "body": WHOLE.decode(),
        "status": "200 OK", "code": 200, "duration": "1.2s",
    },
}  # fmt: skip
TEXT_OF_BYTES = gzip.compress(WHOLE).decode("latin-1")

WHOLE_SHAPES: dict[str, bytes] = {
    "vcrpy": as_yaml(pair()),
    "without version": yaml.safe_dump({"interactions": [pair()]}).encode(),
    "vcrpy JSON": json.dumps({"version": 1, "interactions": [pair()]}).encode(),
    "interactions by number": as_yaml(interactions={0: pair()}),
    "a list": json.dumps([pair()]).encode(),
    "requests beside responses, gzipped": gzip.compress(yaml.safe_dump(BESIDE).encode()),
    "one request and response": json.dumps(SINGLE).encode(),
    "foreign tags": ISTR.encode(),
    "parsed bodies": as_yaml(
        pair(ask=request(parsed_body=ASKED), tell=response(None, parsed_body=json.loads(WHOLE))),
    ),
    "a bare string": as_yaml(pair(tell=response(WHOLE.decode()))),
    "old httpx": as_yaml(pair(tell={**OLD_HTTPX, "content": WHOLE.decode()})),
    "old httpx, bytes": as_yaml(pair(tell={**OLD_HTTPX, "content": gzip.compress(WHOLE)})),
    "base64": as_yaml(pair(tell=response({"base64_string": base64.b64encode(WHOLE).decode()}))),
    "base64 behind a mark": json.dumps(
        {
            **SINGLE,
            "response": {**SINGLE["response"], "body": f"base64:{base64.b64encode(gzip.compress(WHOLE)).decode()}"},
        }
    ).encode(),
    "bodies that say what they are": as_yaml(
        pair(
            ask=request({"type": "json", "content": ASKED}),
            tell={**response({"type": "json", "content": json.loads(WHOLE)}), "status": 200},
        ),
    ),
    "bytes that say what they are": as_yaml(
        pair(tell=response({"kind": "binary", "data": base64.encodebytes(gzip.compress(WHOLE)).decode()})),
    ),
    "betamax": json.dumps({"http_interactions": [BETAMAX], "recorded_with": "betamax/0.9.0"}).encode(),
    "Ruby's VCR": RUBY.encode(),
    "go-vcr": yaml.safe_dump({"version": 2, "interactions": [GO]}).encode(),
    "a request's body as a mapping": as_yaml(pair(ASKED)),
    "a request's body as bytes": as_yaml(pair(json.dumps(ASKED).encode())),
    "gzip without a header": as_yaml(pair(answer=gzip.compress(WHOLE))),
    "gzip as text": as_yaml(pair(answer=TEXT_OF_BYTES)),
    "plain under the header of gzip": as_yaml(
        pair(tell={**response({"string": WHOLE}), "headers": {"Content-Encoding": "gzip", "content-length": "7"}})
    ),
    "deflate": as_yaml(
        pair(tell={**response({"string": zlib.compress(WHOLE)}), "headers": {"content-encoding": ["deflate"]}})
    ),
    "headers redacted": as_yaml(
        pair(tell={**response({"string": WHOLE}), "headers": {"content-type": "**REDACTED**"}})
    ),
    "headers gone": as_yaml(pair(tell=response({"string": WHOLE}, None))),
    "lower-case method": as_yaml(pair(ask=request(json.dumps(ASKED), method="post"))),
    "double slashes": as_yaml(
        pair(ask=request(json.dumps(ASKED), uri="https://api.example.com//v1/chat//completions"))
    ),
    "a fragment": as_yaml(pair(ask=request(json.dumps(ASKED), uri=f"{URI}#stream"))),
    "address redacted": as_yaml(pair(ask=request(json.dumps(ASKED), uri="<REDACTED>"))),
    "path redacted": as_yaml(pair(ask=request(json.dumps(ASKED), uri="https://***/v1/[FILTERED]/completions"))),
}


@pytest.mark.parametrize("data", WHOLE_SHAPES.values(), ids=WHOLE_SHAPES)
def test_every_shape_of_a_whole_answer_is_replayed(tmp_path: Path, data: bytes) -> None:
    """
    Claim: one exchange, however it was written down, is found by its path and gives the same bytes in one piece.
    """
    made = imported(tmp_path, data)
    assert made.capabilities == WHOLE_CALLS
    assert made.prompts == (PROMPT,)
    cassette = loaded(tmp_path, data)
    (answer,) = cassette.responses
    assert json.loads(answer["body"]["string"]) == json.loads(WHOLE)
    assert answer["headers"]["content-type" if "content-type" in answer["headers"] else "Content-Type"] == [
        "application/json"
    ]
    timing = files.read_timing(answer)
    assert (len(timing.arrivals), timing.made_up, timing.upstream) == (1, True, "imported")
    asked = new_request("POST", URI, json.dumps(ASKED).encode(), cassette.requests[0].headers)
    assert matching.agree(asked, cassette.requests[0], cassette._match_on)  # noqa: SLF001 - as the tape does


CRLF = SSE.replace(b"\n", b"\r\n")
COMMENTS = b": OPENROUTER PROCESSING\n\n:HTTP_STATUS/200\n" + SSE.replace(b"data: ", b"data:")
ARRAY = b"[" + b",\r\n".join(json.dumps({"candidates": [{"text": word}]}).encode() for word in WORDS) + b"]"
LINES = b"".join(json.dumps({"response": word}).encode() + b"\n" for word in WORDS)
FRAMES = b"".join(aws(json.dumps({"bytes": word}).encode()) for word in WORDS)
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent"
CONTENTS = json.dumps({"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]})
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/a.b-v1%3A0/converse-stream"
CONVERSE = json.dumps({"messages": [{"role": "user", "content": [{"text": PROMPT}]}], "inferenceConfig": {}})

STREAMS: dict[str, tuple[bytes, bytes, int, str]] = {
    "events": (as_yaml(streamed(SSE)), SSE, 7, "text/event-stream"),
    "events, gzipped": (as_yaml(streamed(gzip.compress(SSE))), SSE, 7, "text/event-stream"),
    "events with CRLF": (as_yaml(streamed(CRLF)), CRLF, 7, "text/event-stream"),
    "events with comments": (as_yaml(streamed(COMMENTS, None)), COMMENTS, 7, "text/event-stream"),
    "events without a header": (as_yaml(streamed(SSE.decode(), "FILTERED")), SSE, 7, "text/event-stream"),
    "lines of JSON": (as_yaml(streamed(LINES, "text/plain")), LINES, 6, "text/plain"),
    "elements of an array": (
        as_yaml(pair(ask=request(CONTENTS, uri=GEMINI), tell=response({"string": ARRAY}))),
        ARRAY, 6, "application/json",
    ),
    "elements of an array, redacted": (
        as_yaml(pair(ask=request(CONTENTS, uri="***"), tell=response({"string": ARRAY}))),
        ARRAY, 6, "application/json",
    ),
    "events that say what they are": (
        as_yaml(pair(ask=request({"type": "json", "content": STREAMED}), tell={
            "status": 200, "headers": {}, "body": {"type": "text", "content": SSE.decode()},
        })),
        SSE, 7, "text/event-stream",
    ),
    "AWS": (
        as_yaml(pair(ask=request(CONVERSE, uri=BEDROCK), tell=response({"string": FRAMES}, None))),
        FRAMES, 6, "application/vnd.amazon.eventstream",
    ),
    "AWS, redacted": (
        as_yaml(pair(ask=request(CONVERSE, uri="https://REDACTED/"), tell=response({"string": FRAMES}, None))),
        FRAMES, 6, "application/vnd.amazon.eventstream",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "body", "pieces", "kind"), STREAMS.values(), ids=STREAMS)
def test_every_form_of_a_stream_is_split_where_it_was_written(
    tmp_path: Path, data: bytes, body: bytes, pieces: int, kind: str
) -> None:
    """
    Claim: a streamed answer keeps its bytes, comes in the pieces of its wire format, and says what it is.
    """
    assert imported(tmp_path, data).capabilities == STREAM_CALLS
    (answer,) = loaded(tmp_path, data).responses
    assert answer["body"]["string"] == body
    assert answer["headers"]["content-type"] == [kind]
    timing = files.read_timing(answer)
    assert (len(timing.arrivals), timing.made_up) == (pieces, True)
    assert "content-length" not in answer["headers"]


def test_a_colon_and_its_escape_are_one_path(tmp_path: Path) -> None:
    """
    Claim: a model's name with a colon is found, whichever way a client writes it.
    """
    cassette = loaded(tmp_path, STREAMS["AWS"][0])
    for uri in (BEDROCK, BEDROCK.replace("%3A", ":")):
        asked = new_request("POST", uri, CONVERSE.encode(), cassette.requests[0].headers)
        assert matching.agree(asked, cassette.requests[0], cassette._match_on)  # noqa: SLF001 - as the tape does


def row(**first: Any) -> bytes:
    """
    Return a JSON list of one mapping.
    """
    return json.dumps([first]).encode()


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
REFUSED: dict[str, tuple[bytes, str]] = {
    "nock": (row(scope="https://a", method="POST", path="/x", response={}), "a recording of nock"),
    "websocket rows": (row(kind="text", direction="in", data=""), "rows of a websocket"),
    "gRPC samples": (json.dumps({"service": "a.B", "method": "C", "request": {}}).encode(), "a sample of gRPC"),
    "gRPC sample with an answer": (
        json.dumps({"service": "a.B", "method": "C", "request": {}, "response": {}}).encode(), "a sample of gRPC",
    ),
    "gRPC in vcrpy": (
        as_yaml(pair(tell=response({"string": "x"}, "application/grpc"))), "interaction 1: it is a call of gRPC",
    ),
    "an empty one of Ruby's VCR": (b"http_interactions: []\nrecorded_with: VCR 6\n", "nothing is recorded"),
    "VCR for .NET": (as_yaml({"Request": {}, "Response": {}}), "VCR for .NET"),
    "a newer VCR": (as_yaml(pair(), version=7), "version 7"),
    "a version that is none": (as_yaml(pair(), version=[7]), "version [7]"),
    "an empty HAR": (b'{"log": {"entries": []}}', "nothing is recorded"),
    "HAR without answers": (b'{"log": {"entries": [{"request": {}}]}}', "HAR"),
    "a HAR whose browser kept no body": (
        json.dumps({"log": {"entries": [{
            "request": {"method": "POST", "url": URI, "headers": [], "postData": {"text": json.dumps(STREAMED)}},
            "response": {"status": 200, "headers": [], "content": {"size": 9, "mimeType": "text/event-stream"}},
        }]}}).encode(), "answers to what was asked are empty",
    ),
    "an empty trace of httprr": (b"httprr trace v1\n", "nothing is recorded"),
    "a trace of httprr with other line ends": (b"httprr trace v1\n9 99\nPOST / HTTP/1.1\n\n", "exchange 1 is not as"),
    "empty": (as_yaml(), "nothing is recorded"),
    "empty mapping": (b"interactions: {}\nversion: 1\n", "nothing is recorded"),
    "no text": (b"\xff\xfe\x00", "not UTF-8"),
    "a bomb": (BOMB.encode(), "expands to more than"),
    "endless nesting": (b"a: " + b"[" * 5000 + b"]" * 5000, "levels deep"),
    "endless JSON": (b"[" * 100_000, "levels deep"),
    "nested JSON": (as_yaml(pair()) + b"x: " + b"{a: " * 300 + b"1" + b"}" * 300, "levels deep"),
    "damaged gzip": (gzip.compress(as_yaml(pair()))[:-20], "damaged"),
    "gzip in gzip": (gzip.compress(gzip.compress(as_yaml(pair()))), "is not UTF-8"),
    "beside, uneven": (yaml.safe_dump({"requests": [request()], "responses": []}).encode(), "1 requests stand"),
    "cut off": (as_yaml(pair())[:-200], "stops in the middle"),
    "no prompt": (as_yaml(pair(ask=request(None, method="GET", uri="https://a.example/v1/models"))), "no request"),
    "embeddings": (as_yaml(pair(ask=request('{"input": "a"}', uri="https://a.example/v1/embeddings"))), "no request"),
    "an error": (
        as_yaml(pair(tell={**response({"string": '{"error": "no"}'}), "status": {"code": 401, "message": ""}})),
        "refused what was asked (HTTP 401)",
    ),
    "an answer that was not kept": (as_yaml(pair(answer=b"")), "answers to what was asked are empty"),
    "nothing but where to ask": (
        as_yaml(pair(tell={**response({"string": ""}), "status": {"code": 307, "message": ""}})),
        "only said where to ask what was asked (HTTP 307)",
    ),
    "no body": (as_yaml(pair(tell={"status": {"code": 200}, "headers": {}})), "1: the response has no body"),
    "no status": (as_yaml(pair(tell={"headers": {}, "body": "x"})), "status is"),
    "an address that says nothing": (as_yaml(pair(ask=request('{"a": 1}', uri="REDACTED"))), "was taken out"),
    "a prompt without an address": (
        as_yaml(pair(ask=request('{"query": {"prompt": "Tell me a tale"}}', uri="REDACTED")), pair()), "was taken out",
    ),
    "an engine's tokens": (
        yaml.safe_dump({"interactions": {"1be2feb5": [{"text": "Once", "token": 7}]}}).encode(), "no requests with",
    ),
    "a websocket": (as_yaml(pair(ask=request("{}", uri="wss://a.example/x"))), "over wss"),
    "brotli that is none": (
        as_yaml(pair(tell={**response({"string": b"\xff\xfe\x01"}), "headers": {"content-encoding": "br2"}})), "'br2'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, data: bytes, why: str) -> None:
    """
    Claim: a file that is no recording of ours, or is hostile, is named for what it is.
    """
    with pytest.raises(CassetteError) as told:
        imported(tmp_path, data)
    assert why in str(told.value)
    assert told.value.hint


@pytest.mark.parametrize("key", ["framing", "sent", "versions"])
def test_what_is_wrong_with_arrivals_is_told_with_its_place(tmp_path: Path, key: str) -> None:
    """
    Claim: a recording of ours that somebody edited is refused with the file and the number of the interaction.
    """
    one = streamed(SSE)
    one["response"]["harness"] = {"arrivals": f"0.1+{len(SSE)}", key: ["x"]}
    with pytest.raises(CassetteError, match=key) as told:
        imported(tmp_path, as_yaml(pair(), one))
    assert told.value.where == f"{tmp_path / 'elsewhere'}, interaction 2"


def test_what_grows_beyond_measure_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Claim: a compressed file, and a compressed body, are given up as soon as they are too large.
    """
    monkeypatch.setattr(layouts, "MOST_BYTES", 10_000)
    with pytest.raises(CassetteError, match="unpacks to more than 10000 bytes"):
        imported(tmp_path, gzip.compress(b"#" * 20_000))
    bomb = response({"string": gzip.compress(b"\0" * (9 << 20))})
    with pytest.raises(CassetteError, match="decodes to more than 5000 bytes"):
        response_of(bomb, Place(where="x", left=5000))


def test_tags_construct_nothing(tmp_path: Path) -> None:
    """
    Claim: a tag that would run something is read as text, and nothing is run.
    """
    proof = tmp_path / "proof"
    evil = f"!!python/object/apply:os.system ['touch {proof}']"
    data = as_yaml(pair()).replace(b"message: OK", f"message: {evil}".encode())
    assert imported(tmp_path, data).turns[0].response["status"]["message"] == f"touch {proof}"
    assert not proof.exists()


def test_three_inputs_are_a_batch_and_a_conversation_is_none(tmp_path: Path) -> None:
    """
    Claim: three prompts, in one request or in three, are a batch; the turns of one conversation are not.
    """
    together = as_yaml(pair(json.dumps({"prompt": ["one king", "two queens", "three knaves"]})))
    apart = as_yaml(*(pair(json.dumps({"prompt": text})) for text in ("one king", "two queens", "three knaves")))
    said = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "two"},
    ]
    talk = as_yaml(
        pair(), *(pair(json.dumps({"messages": [*said[:2], {"role": "user", "content": t}]})) for t in "abc")
    )
    batch = (Capability.BATCH, Capability.ABATCH)
    assert imported(tmp_path, together).capabilities == batch
    assert imported(tmp_path, apart).capabilities == (*WHOLE_CALLS, *batch)
    assert imported(tmp_path, talk).capabilities == WHOLE_CALLS


def test_a_form_carries_prompts_and_its_files_none(tmp_path: Path) -> None:
    """
    Claim: the prompt of a request in several parts is found, with whichever line ends, and a file is no prompt.
    """
    said = '--b1\nContent-Disposition: form-data; name="{}"{}\nContent-Type: text/plain\n\n{}\n'
    body = said.format("text", '; filename="a.txt"', "a file") + said.format("prompt", "", PROMPT) + "--b1--\n"
    for form in (body, body.replace("\n", "\r\n")):
        made = imported(tmp_path, as_yaml(pair(form)))
        assert (made.prompts, made.capabilities) == ((PROMPT,), WHOLE_CALLS)


def test_a_host_may_be_asked_at_its_root(tmp_path: Path) -> None:
    """
    Claim: an address without a path is one, as that of an endpoint which is a host of its own; one whose host was taken
    out is none.
    """
    root = "https://x1y2.us-east-1.aws.endpoints.huggingface.cloud"
    for uri in (root, f"{root}/"):
        made = imported(tmp_path, as_yaml(pair(ask=request(json.dumps({"inputs": PROMPT}), uri=uri))))
        assert (made.turns[0].request.uri, made.notes, made.prompts) == (f"{root}/", (), (PROMPT,))
    with pytest.raises(CassetteError, match="was taken out"):
        imported(tmp_path, as_yaml(pair(ask=request(json.dumps({"inputs": PROMPT}), uri="https://REDACTED/"))))


def test_a_stream_may_be_fetched_from_where_another_answer_says(tmp_path: Path) -> None:
    """
    Claim: who asks for a stream and is told where it is has a streamed answer, and no whole one; polls are no stream.
    """
    job = pair(json.dumps({"input": {"prompt": PROMPT}, "stream": True}), '{"id": "7", "urls": {"stream": "x"}}')
    fetched = pair(ask=request(None, method="GET"), tell=response({"string": SSE}, "text/event-stream"))
    polled = pair(ask=request(None, method="GET"), answer='{"status": "succeeded", "output": ["Once"]}')
    made = imported(tmp_path, as_yaml(job, fetched))
    assert made.capabilities == STREAM_CALLS
    assert [turn.pieces for turn in made.streamed] == [7]
    assert imported(tmp_path, as_yaml(job, polled)).capabilities == WHOLE_CALLS
    assert imported(tmp_path, as_yaml(fetched, pair())).capabilities == WHOLE_CALLS


def test_where_to_ask_is_no_answer(tmp_path: Path) -> None:
    """
    Claim: a redirect before a stream is kept, for a client to follow, and is no whole answer.
    """
    there = {**response({"string": ""}), "status": {"code": 307, "message": ""}}
    elsewhere = pair(ask=request(json.dumps(STREAMED), uri="https://eu.example.com/v1/chat/completions"), tell=there)
    made = imported(tmp_path, as_yaml(elsewhere, streamed(SSE)))
    assert (made.capabilities, len(made.turns)) == (STREAM_CALLS, 2)


def test_what_two_layers_of_clients_recorded_twice_is_taken_once(tmp_path: Path) -> None:
    """
    Claim: the second note of an exchange, which has no body as the first reader had read it, is left out, whichever
    stands first; an answer that is empty by itself stays.
    """
    dated = {"Date": ["Wed, 09 Jul 2025 20:25:36 GMT"], "content-type": ["application/json"]}
    full = pair(tell={**response({"string": WHOLE}), "headers": dated})
    echo = pair(tell={**response({"string": ""}), "headers": dated})
    later = pair(tell={**response({"string": ""}), "headers": {**dated, "Date": ["Wed, 09 Jul 2025 20:25:40 GMT"]}})
    for both, number in (((full, echo), 2), ((echo, full), 1)):
        made = imported(tmp_path, as_yaml(*both, later))
        assert [bool(turn.pieces) for turn in made.turns] == [True, False]
        assert made.notes == (f"request {number} is left out: number {3 - number} again, without its body",)


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        ("2026-01-02T04:04:05.678901+01:00", "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05Z"),
        ("Fri, 02 Jan 2026 03:04:05 GMT", "2026-01-02T03:04:05Z"),
        ("0001-01-01T00:00:00+05:00", "2025-07-09T20:25:36Z"),
        ("some day", "2025-07-09T20:25:36Z"),
        (None, "2025-07-09T20:25:36Z"),
    ],
)
def test_when_it_was_made_is_taken_from_the_recorder_or_the_answer(
    tmp_path: Path, written: object, recorded: str
) -> None:
    """
    Claim: the moment that a recorder notes is kept, in each of the forms that they have; otherwise that of the answer.
    """
    dated = {"Date": ["Wed, 09 Jul 2025 20:25:36 GMT"], "content-type": ["application/json"]}
    one = {**pair(tell={**response({"string": WHOLE}), "headers": dated}), "recorded_at": written}
    (turn,) = imported(tmp_path, as_yaml(one)).turns
    assert files.read_timing(turn.response).recorded == recorded


def test_a_refusal_stays_where_it_was_tried_again(tmp_path: Path) -> None:
    """
    Claim: what was refused and then asked once more is kept, for the client to try again; what was refused for good is
    left out and told of, as it would be played in the place of an answer.
    """
    busy = pair(tell={**response({"string": "{}"}), "status": {"code": 429, "message": ""}})
    gone = pair(
        json.dumps({**ASKED, "model": "none"}),
        tell={**response({"string": "{}"}), "status": {"code": 404, "message": ""}},
    )
    made = imported(tmp_path, as_yaml(gone, gone, busy, pair()))
    assert [turn.response["status"]["code"] for turn in made.turns] == [429, 200]
    assert made.notes == ("a request that was refused (HTTP 404) and not tried again is left out",)


def test_the_stream_flag_tells_two_answers_of_one_path_apart(tmp_path: Path) -> None:
    """
    Claim: with both answers in one file, each is found by what the request asks for, whichever was recorded first.
    """
    data = as_yaml(pair(), streamed(SSE))
    assert imported(tmp_path, data).capabilities == (*WHOLE_CALLS, *STREAM_CALLS)
    cassette = loaded(tmp_path, data)
    for body, place in ((ASKED, 0), (STREAMED, 1)):
        asked = new_request("POST", URI, json.dumps(body).encode(), cassette.requests[0].headers)
        found = [matching.agree(asked, recorded, cassette._match_on) for recorded in cassette.requests]  # noqa: SLF001 - as the tape does
        assert found == [number == place for number in range(2)]


def test_what_does_not_look_genuine_is_told(tmp_path: Path) -> None:
    """
    Claim: streams under another content type, without a flag, printed for people or too short are pointed out.
    """
    pretty = b"".join(b'data: {\ndata:   "a": 1}\n\n' for _ in range(2))
    notes = "; ".join(imported(tmp_path, as_yaml(pair(tell=response({"string": pretty})))).notes)
    for word in ("content type of JSON", "printed for people", "too few", "nothing in its request"):
        assert word in notes
    assert imported(tmp_path, as_yaml(streamed(SSE))).notes == ()
    # some ask in a header, others deep in the body
    by_header = request(json.dumps(ASKED), headers={"X-DashScope-SSE": ["enable"]})
    in_depth = request(json.dumps({**ASKED, "parameters": {"stream": True}}))
    for ask in (by_header, in_depth):
        assert (
            imported(tmp_path, as_yaml(pair(ask=ask, tell=response({"string": SSE}, "text/event-stream")))).notes == ()
        )


def test_what_stands_beside_the_prompts_may_have_lost_its_address(tmp_path: Path) -> None:
    """
    Claim: a request that fetches a picture or sends a log, of whose address nothing is left, is left out and told of;
    those that carry prompts stay.
    """
    picture = pair(ask=request(None, method="GET", uri="**REDACTED**"), tell=response({"string": b"RIFF"}))
    log = pair(ask=request("--c\r\nContent-Disposition: form-data; name=post\r\n\r\n{}", uri="**REDACTED**"))
    made = imported(tmp_path, as_yaml(picture, log, pair(ask=request(json.dumps(ASKED), uri="**REDACTED**"))))
    assert made.prompts == (PROMPT,)
    assert len(made.turns) == 1
    assert "request 1 (GET) is left out: nothing is left of its address" in made.notes
    assert "request 2 (POST) is left out: nothing is left of its address" in made.notes


def test_a_picture_is_no_credential(tmp_path: Path) -> None:
    """
    Claim: the colour profile that most photographs have in them, in base64, is not taken for a token, and a token that
    is followed by filling is.
    """
    profile = (
        "EAAC2z2Rlc2M" + "A" * 40 + "FklFQyBodHRwOi8vd3d3" + "A" * 60 + "BkZXNjC5JRUMgNjE5NjYtMi4xIERlZmF1bHQgUkdC"
    )
    content = [{"type": "text", "text": PROMPT}, {"type": "image", "source": {"data": f"/9j/{'A' * 30}+{profile}"}}]
    body = {"model": "m-1", "messages": [{"role": "user", "content": content}]}
    assert profile in imported(tmp_path, as_yaml(pair(json.dumps(body)))).text(Secrets(), "x")
    token = "EAAC" + "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=160))
    for filling in ("", "A" * 40):
        body["model"] = f"m+{token}{filling}"
        with pytest.raises(CassetteError, match="Facebook token"):
            imported(tmp_path, as_yaml(pair(json.dumps(body)))).text(Secrets(), "x")


def test_secrets_are_taken_out_or_stop_the_import(tmp_path: Path) -> None:
    """
    Claim: credentials in headers, addresses and bodies do not reach the cassette.
    """
    key = "sk-" + "proj-" + "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0Lm"
    asked = request(
        json.dumps({**ASKED, "api_key": key}), uri=f"{URI}?key={key}", headers={"Authorization": f"Bearer {key}"}
    )
    made = imported(tmp_path, as_yaml(pair(ask=asked, answer=json.dumps({"echo": key}))))
    text = made.text(Secrets(), "x")
    assert key not in text
    given = Secrets(values=("swordfish-of-mine",), names=("MY_WORD",))
    told = imported(tmp_path, as_yaml(pair(answer='{"text": "swordfish-of-mine"}'))).text(given, "x")
    assert "swordfish" not in told


def test_a_recording_of_ours_keeps_its_arrivals(tmp_path: Path) -> None:
    """
    Claim: what was recorded with arrivals is imported with them, and says that it was imported.
    """
    one = streamed(SSE)
    one["response"]["harness"] = {"arrivals": f"0.1+{len(SSE) - 9} 0.7+9", "framing": "chunked", "sent": 0.0}
    timing = files.read_timing(loaded(tmp_path, as_yaml(one)).responses[0])
    assert ([piece.at for piece in timing.arrivals], timing.made_up, timing.upstream) == ([0.1, 0.7], False, "imported")


CLIENTS: dict[str, Callable[[bytes], bytes]] = {
    "requests": lambda body: requests.post(URI, data=body, timeout=9).content,
    "httpx": lambda body: httpx.post(URI, content=body).content,
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("body", [SSE, CRLF, COMMENTS, LINES, WHOLE], ids=["SSE", "CRLF", "comments", "lines", "whole"])
def test_an_imported_cassette_replays_in_plain_vcrpy(
    tmp_path: Path, client: Callable[[bytes], bytes], body: bytes
) -> None:
    """
    Claim: clients get the same bytes, though the source was compressed, or said so and was not.
    """
    for stored in (gzip.compress(body), body):
        one = streamed(stored)
        one["response"]["headers"]["content-encoding"] = ["gzip"]
        path = tmp_path / "cassette.yaml"
        files.place(path, imported(tmp_path, as_yaml(one)).text(Secrets(), "x"))
        with vcr.use_cassette(str(path), record_mode="none"):
            assert client(json.dumps(STREAMED).encode()) == body


def packed(body: bytes, how: str) -> tuple[Any, dict[str, Any]]:
    """
    Return a body as some recorder would store it, and its headers.
    """
    headers: dict[str, Any] = {"content-type": "application/octet-stream", "content-length": str(len(body))}
    if how == "gzip":
        return {"string": gzip.compress(body)}, {**headers, "Content-Encoding": ["gzip"]}
    if how == "gzip unsaid":
        return {"string": gzip.compress(body)}, headers
    if how == "base64":
        return {"base64_string": base64.b64encode(body).decode()}, headers
    return {"string": body}, headers


@given(
    st.one_of(st.binary(min_size=1, max_size=300), st.text(min_size=1, max_size=200).map(str.encode)),
    st.sampled_from(["plain", "gzip", "gzip unsaid", "base64"]),
    st.sampled_from(["interactions", "beside", "single", "list"]),
    st.booleans(),
)
def test_bodies_come_through_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, how: str, layout: str, zipped: bool
) -> None:
    """
    Claim: whatever the answer, the layout and the coding, the cassette replays the bytes that the upstream sent.
    """
    stored, headers = packed(body, how)
    one = pair(tell={"status": {"code": 200, "message": ""}, "headers": headers, "body": stored})
    data = {
        "interactions": {"interactions": [one]},
        "beside": {"requests": [one["request"]], "responses": [one["response"]]},
        "single": one,
        "list": [one],
    }[layout]
    text = yaml.safe_dump(data).encode()
    folder = tmp_path_factory.mktemp("import")
    assert loaded(folder, gzip.compress(text) if zipped else text).responses[0]["body"]["string"] == body


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 999) | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "request response body string headers method uri status code content messages prompt".split()
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JUNK, st.sampled_from(["request", "response", "request.body", "response.headers", "response.body", "all"]))
def test_junk_is_refused_and_never_a_crash(tmp_path_factory: pytest.TempPathFactory, junk: Any, where: str) -> None:
    """
    Claim: whatever stands in a file, it is imported or refused; no other exception comes out.
    """
    one: Any = pair()
    first, _, second = where.partition(".")
    if where == "all":
        one = junk
    elif second:
        one[first] = {**one[first], second: junk}
    else:
        one[first] = junk
    with contextlib.suppress(CassetteError):
        imported(tmp_path_factory.mktemp("junk"), yaml.safe_dump({"interactions": [one]}).encode()).text(Secrets(), "x")

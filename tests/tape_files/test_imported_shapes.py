"""Further shapes that recordings made elsewhere have: how they were packed, cut up and named."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.tape.foreign.imported import read_imported
from harness.words import Capability

if TYPE_CHECKING:
    from pathlib import Path

URI = "https://api.example.com/v1/chat/completions"
ASKED = {"messages": [{"role": "user", "content": "Tell me a tale of a king"}], "stream": True}
PIECES = [f"data: {json.dumps({'delta': word})}\n\n" for word in ("Once ", "a ", "naïve ", "king ", "slept.")]
TOLD = "".join(PIECES).encode()
ENTRY = {
    "RequestUri": URI,
    "RequestMethod": "POST",
    "RequestHeaders": {"Authorization": "Sanitized"},
    "RequestBody": ASKED,
    "StatusCode": 200,
    "ResponseHeaders": {"Content-Type": "text/event-stream"},
    "ResponseBody": TOLD.decode(),
}


HAR_ASKED: dict[str, Any] = {
    "method": "POST",
    "url": URI,
    "headers": [{"name": "content-type", "value": "application/json"}],
}
HAR_TOLD = {"status": 200, "statusText": "OK", "headers": [{"name": "content-type", "value": "text/event-stream"}]}
PACKED = gzip.compress(TOLD)
IN_PIECES = [base64.b64encode(PACKED[:10]).decode(), base64.b64encode(PACKED[10:]).decode()]
CHUNKED = "Transfer-Encoding: chunked"


def _archive(content: dict[str, Any], **posted: Any) -> dict[str, Any]:
    asked = {**HAR_ASKED, "postData": {"mimeType": "application/json", **(posted or {"text": json.dumps(ASKED)})}}
    entry = {"startedDateTime": "2026-01-02T03:04:05Z", "request": asked, "response": {**HAR_TOLD, "content": content}}
    return {"log": {"creator": {"name": "Polly.JS"}, "entries": [entry]}}


def _trace(body: bytes, *more: str, end: str = "\r\n") -> bytes:
    sent = json.dumps(ASKED).encode()
    asked = end.join([f"POST {URI} HTTP/1.1", "Content-Type: application/json", "", ""]).encode() + sent
    told = end.join(["HTTP/2.0 200 OK", "Content-Type: text/event-stream", *more, "", ""]).encode() + body
    return b"httprr trace v1\n%d %d\n" % (len(asked), len(told)) + asked + told


def _cassette(body: Any, headers: Any = None) -> bytes:
    asked = {"method": "POST", "uri": URI, "headers": {}, "body": json.dumps(ASKED)}
    told = {"status": {"code": 200, "message": "OK"}, "headers": headers or {}, "body": body}
    return yaml.safe_dump({"version": 1, "interactions": [{"request": asked, "response": told}]}).encode()


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(gzip.compress(_cassette({"string": TOLD}))),
        base64.encodebytes(gzip.compress(_cassette({"string": TOLD}))),
        _cassette({"string": zlib.compress(TOLD)}),
        _cassette({"string": [piece.encode() for piece in PIECES]}),
        _cassette({"string": PIECES}),
        _cassette({"chunks": PIECES}),
        _cassette({"base64": base64.b64encode(TOLD).decode()}),
        _cassette({"string": TOLD}, [{"content-type": "text/event-stream"}, {"x-a": "b"}]),
        json.dumps({"Entries": [ENTRY], "Variables": {}}).encode(),
        json.dumps(_archive({"text": TOLD.decode()})).encode(),
        yaml.safe_dump(_archive({"text": TOLD.decode()}, textJSON=ASKED)).encode(),
        json.dumps(_archive({"text": base64.b64encode(PACKED).decode(), "encoding": "base64"})).encode(),
        json.dumps(_archive({"text": json.dumps(IN_PIECES), "encoding": "base64"})).encode(),
        _trace(TOLD),
        _trace(TOLD, "Content-Length: 7", end="\n"),
        _trace(b"".join(b"%x\r\n%s\r\n" % (len(one.encode()), one.encode()) for one in [*PIECES, ""]), CHUNKED),
        gzip.compress(_trace(PACKED, "Content-Encoding: gzip")),
    ],
    ids=[
        "base64",
        "lines of base64",
        "deflate",
        "bytes",
        "pieces",
        "chunks",
        "in base64",
        "headers",
        "test proxy",
        "HAR",
        "HAR of YAML",
        "HAR in base64",
        "HAR in pieces of base64",
        "httprr",
        "httprr with LF",
        "httprr in chunks",
        "httprr, gzipped",
    ],
)
def test_a_stream_is_the_same_however_it_was_packed(tmp_path: Path, data: bytes) -> None:
    """
    Claim: base64 of a gzip file, a coding that no header names, a list of pieces and Azure's entries are read as well.
    """
    path = tmp_path / "elsewhere"
    path.write_bytes(data)
    made = read_imported(path)
    assert made.capabilities == (Capability.STREAM, Capability.ASTREAM)
    assert made.answered[0].response["body"]["string"] == TOLD


@pytest.mark.parametrize("body", [["Once", "a king"], [{"a": 1}], b"\x89PNG\r\n\x1a\n\0\0", b"\x78\x9c\0\1 no zlib"])
def test_what_only_looks_packed_stays_as_it_is(tmp_path: Path, body: Any) -> None:
    """
    Claim: a list of words is a body in JSON, and bytes that no coding makes a text of are left alone.
    """
    path = tmp_path / "elsewhere"
    path.write_bytes(_cassette({"string": body}))
    stored = read_imported(path).turns[0].response["body"]["string"]
    assert stored == body if isinstance(body, bytes) else json.loads(stored) == body

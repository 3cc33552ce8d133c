"""Further shapes that recordings made elsewhere have: how they were packed, cut up and named."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.errors import CassetteError
from harness.tape.foreign.imported import Imported, read_imported
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


IN_CHUNKS = {
    "captured_at": "2026-01-02T03:04:05Z",
    "request": {
        "method": "post",
        "url": URI,
        "headers": {},
        "body": {"b64": base64.b64encode(json.dumps(ASKED).encode()).decode()},
    },
    "response": {"status": 200, "headers": {"content-type": "text/event-stream"}, "body": None},
    "chunks": [{"b64": base64.b64encode(piece.encode()).decode(), "decoded": piece} for piece in PIECES],
}
TYPED = {
    "request": {
        "method": "POST",
        "uri": URI,
        "query_string": "",
        "headers": {},
        "body_type": "json",
        "body_json": ASKED,
    },
    "response": {"status": 200, "headers": {}, "body_type": "blob", "body_blob": base64.b64encode(TOLD).decode()},
}


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
        json.dumps(IN_CHUNKS).encode(),
        json.dumps({"version": "1.0", "interactions": [TYPED]}).encode(),
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
        "chunks beside",
        "typed",
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


def test_what_a_browser_gave_up_is_no_exchange(tmp_path: Path) -> None:
    """
    Claim: the pages and the blocked requests beside an answer do not spoil an archive.
    """
    archive = _archive({"text": TOLD.decode()})
    told = archive["log"]["entries"][0]
    page = {**told, "request": {"method": "GET", "url": "https://a.example.com/app.js", "headers": []}}
    blocked = {**told, "response": {"status": 0, "statusText": "", "headers": [], "content": {"size": 0}}}
    path = tmp_path / "elsewhere"
    path.write_text(json.dumps({"log": {"entries": [page, blocked, told]}}))
    made = read_imported(path)
    assert (len(made.turns), made.capabilities) == (2, (Capability.STREAM, Capability.ASTREAM))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/projects/log-prod/locations/l/publishers/google/models/gemini-2.5-flash:streamGenerateContent",
        "/openai/deployments/embedded-gpt/chat/completions",
        "/v1/files-team/responses",
        "/model/arn%3Aaws%3Abedrock%3Atoken-images/converse-stream",
    ],
)
def test_the_name_of_a_project_does_not_say_what_was_asked(tmp_path: Path, path: str) -> None:
    """
    Claim: an address that ends as that of a language model is one, whatever its owner called a part of it.
    """
    made = _of(tmp_path, f"https://api.example.com{path}", ASKED)
    assert made.prompts == ("Tell me a tale of a king",)
    for beside in ("/v1/embeddings", "/v1/files", "/model/amazon.titan-embed-text-v1/invoke", "/v1/images/generations"):
        with pytest.raises(CassetteError, match="no request in it carries a prompt"):
            _of(tmp_path, f"https://api.example.com{beside}", ASKED)


def test_the_inputs_of_a_batch_may_stand_in_parameters(tmp_path: Path) -> None:
    """
    Claim: a batch that is uploaded, as Anthropic has it, is one of as many inputs.
    """
    asked = [
        {"custom_id": str(n), "params": {"messages": [{"role": "user", "content": f"Tell tale {n}"}]}} for n in range(3)
    ]
    made = _of(
        tmp_path, "https://api.example.com/v1/messages/batches", {"requests": asked}, '{"id": "b1", "status": "queued"}'
    )
    assert made.capabilities == (Capability.BATCH, Capability.ABATCH)


def _of(folder: Path, uri: str, asked: Any, told: str = TOLD.decode()) -> Imported:
    both = {
        "request": {"method": "POST", "uri": uri, "headers": {}, "body": json.dumps(asked)},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": told}},
    }
    path = folder / "elsewhere"
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [both]}))
    return read_imported(path)

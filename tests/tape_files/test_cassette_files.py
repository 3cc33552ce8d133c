"""Cassette files: what is written comes back, through the harness and through plain vcrpy."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import requests
import vcr
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.errors import CassetteError
from harness.tape import cassette as files
from harness.tape.secrets import Secrets

if TYPE_CHECKING:
    from pathlib import Path

URI = "https://api.example.com/v1/chat"
SSE = "".join(f'data: {{"delta": "word {n} \u00fc"}}\n\n' for n in range(4)).encode()


def answer(body: bytes = SSE, content_type: str = "text/event-stream", **timing: Any) -> dict[str, Any]:
    """
    Return a vcrpy response, with arrivals where a timing is given.
    """
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": [content_type], "transfer-encoding": ["chunked"]},
        "body": {"string": body},
    }
    if timing:
        files.write_timing(response, files.Timing(**timing))
    return response


def asked(body: bytes | None = b'{"prompt": "hi"}', uri: str = URI) -> Request:
    """
    Return a POST request.
    """
    return Request("POST", uri, body, {"content-type": "application/json"})


def foreign(path: Path, response: dict[str, Any], method: str = "POST") -> Path:
    """
    Write a cassette as plain tools would.
    """
    request: dict[str, Any] = {"method": method, "uri": URI, "body": None, "headers": {}}
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [{"request": request, "response": response}]}))
    return path


def cut(size: int, data: st.DataObject) -> tuple[files.Piece, ...]:
    """
    Return arrivals for a body of this size, cut anywhere.
    """
    marks = sorted(data.draw(st.sets(st.integers(1, size - 1), max_size=8))) if size > 1 else []
    ends = [*marks, size] if size else []
    ats = sorted(data.draw(st.lists(st.integers(0, 10**9), min_size=len(ends), max_size=len(ends))))
    starts = [0, *ends][: len(ends)]
    return tuple(files.Piece(at=at / 10**6, size=b - a) for at, a, b in zip(ats, starts, ends, strict=True))


@given(
    st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))),
    st.data(),
)
def test_bodies_and_arrivals_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, data: st.DataObject
) -> None:
    """
    Claim: any body with any arrivals is the same after writing and loading.
    """
    path = tmp_path_factory.mktemp("round") / "c.yaml"
    timing = files.Timing(
        arrivals=cut(len(body), data),
        framing=data.draw(st.sampled_from(["chunked", "length", "close"])),
        sent=data.draw(st.integers(0, 10**9)) / 10**6,
        cut=data.draw(st.sampled_from([None, "reset by peer"])),
        recorded="2026-11-21T05:34:00Z",
        upstream="simulated",
        versions={"langchain": "0.0.337", "openai": "1.3"},
        battery=1,
    )
    response = answer(body, "application/octet-stream")
    files.write_timing(response, timing)
    assert files.read_timing(response) == timing
    files.write(path, files.dump([(asked(), response)]), Secrets())
    loaded = files.load(path)
    assert loaded.responses[0]["body"]["string"] == body
    assert files.read_timing(loaded.responses[0]) == timing


def test_the_extra_key_reads_as_the_design_says(tmp_path: Path) -> None:
    """
    Claim: arrivals are one line of seconds and bytes, and the file is text that people can read.
    """
    pieces = (files.Piece(at=0.412, size=40), files.Piece(at=0.4551234567, size=len(SSE) - 40))
    path = tmp_path / "c.yaml"
    files.save(path, [(asked(), answer(arrivals=pieces, framing="chunked"))], Secrets())
    text = path.read_text(encoding="ascii")
    assert f"arrivals: 0.412+40 0.455123+{len(SSE) - 40}\n" in text
    assert "framing: chunked\n" in text
    assert "sent: 0.0\n" in text
    assert yaml.safe_load(text)["interactions"][0]["response"]["body"]["string"] == SSE.decode()


def test_ascii_streams_are_written_as_lines(tmp_path: Path) -> None:
    """
    Claim: an event stream is a block of lines, binary is `!!binary`.
    """
    text = files.dump([(asked(), answer(b"data: one\n\ndata: two\n\n")), (asked(), answer(b"\xff\x00"))])
    assert "string: |" in text
    assert "\n        data: two\n" in text
    assert "!!binary" in text
    path = tmp_path / "c.yaml"
    files.write(path, text, Secrets())
    assert [r["body"]["string"] for r in files.load(path).responses] == [b"data: one\n\ndata: two\n\n", b"\xff\x00"]


def test_equal_interactions_give_equal_bytes_and_no_aliases() -> None:
    """
    Claim: writing is deterministic, and a value that is used twice is written twice.
    """
    shared = answer()
    interactions = [(asked(), shared), (asked(), shared)]
    text = files.dump(interactions)
    assert text == files.dump(interactions)
    assert "&id" not in text
    assert "harness" not in shared


def test_every_kind_of_request_body_is_written(tmp_path: Path) -> None:
    """
    Claim: dictionaries, text, pieces and nothing at all are kept as they would travel.
    """
    bodies: list[Any] = [{"a": [1]}, "text", b"\xff", iter([b"one ", b"two"]), None]
    path = tmp_path / "c.yaml"
    files.save(path, [(asked(body), answer()) for body in bodies], Secrets())
    assert [r.body for r in files.load(path).requests] == [b'{"a": [1]}', b"text", b"\xff", b"one two", None]


@pytest.mark.parametrize("client", ["httpx", "requests", "aiohttp"])
def test_plain_vcrpy_replays_what_is_written(tmp_path: Path, client: str) -> None:
    """
    Claim: without the harness, vcrpy serves the file to clients that did not record it.
    """
    path = tmp_path / "deep" / "er" / "c.yaml"
    pieces = (files.Piece(at=0.1, size=10), files.Piece(at=0.2, size=len(SSE) - 10))
    response = answer(arrivals=pieces, framing="chunked")
    response["headers"]["content-encoding"] = ["gzip"]  # the body is stored decoded
    files.save(path, [(asked(), response)], Secrets())
    before = path.read_bytes()
    with vcr.use_cassette(str(path), record_mode="none") as played:
        assert _ask(client) == SSE
        assert played.play_count == 1
    assert path.read_bytes() == before


def _ask(client: str) -> bytes:
    if client == "httpx":
        return httpx.post(URI, json={"prompt": "hi"}).content
    if client == "requests":
        return requests.post(URI, json={"prompt": "hi"}, timeout=5).content

    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session, session.post(URI, json={"prompt": "hi"}) as reply:
            return await reply.read()

    return asyncio.run(ask())


def test_a_file_without_arrivals_is_split_by_its_wire_format(tmp_path: Path) -> None:
    """
    Claim: plain vcrpy's files get arrivals 50 ms apart, marked as made up, and are not changed.
    """
    path = foreign(tmp_path / "c.yaml", {**answer(), "body": {"string": SSE.decode()}})
    before = path.read_bytes()
    timing = files.read_timing(files.load(path).responses[0])
    assert timing.made_up
    assert timing.framing == "chunked"
    assert [piece.at for piece in timing.arrivals] == [0.05, 0.1, 0.15, 0.2]
    assert sum(piece.size for piece in timing.arrivals) == len(SSE)
    assert path.read_bytes() == before


def test_made_up_arrivals_are_never_written(tmp_path: Path) -> None:
    """
    Claim: a foreign file that is written again does not claim to know when its pieces came.
    """
    path = foreign(tmp_path / "c.yaml", {**answer(), "body": {"string": SSE.decode()}})
    loaded = files.load(path)
    assert "arrivals" not in files.dump(loaded.data)


def test_an_answer_of_known_length_is_one_arrival(tmp_path: Path) -> None:
    """
    Claim: a JSON array with a content-length was not streamed.
    """
    body = json.dumps([{"a": 1}, {"b": 2}, {"c": 3}])
    response = {**answer(), "headers": {"Content-Length": "999", "Content-Type": "application/json"}}
    loaded = files.load(foreign(tmp_path / "c.yaml", {**response, "body": {"string": body}}))
    timing = files.read_timing(loaded.responses[0])
    assert (timing.framing, [piece.size for piece in timing.arrivals]) == ("length", [len(body)])
    assert loaded.responses[0]["headers"]["Content-Length"] == [str(len(body))]


@pytest.mark.parametrize(
    "body", [SSE.decode(), '{"t": "a"}\n{"t": "b"}\n{"t": "c"}\n{"t": "d"}\n'], ids=["sse", "ndjson"]
)
def test_a_stream_is_one_whatever_length_its_header_has(tmp_path: Path, body: str) -> None:
    """
    Claim: recorders that decode bodies write a length into the header; by its format the body came in pieces.
    """
    response = {**answer(), "headers": {"Content-Length": [str(len(body))], "Content-Type": ["application/json"]}}
    loaded = files.load(foreign(tmp_path / "c.yaml", {**response, "body": {"string": body}}))
    timing = files.read_timing(loaded.responses[0])
    assert (timing.framing, len(timing.arrivals)) == ("chunked", 4)
    assert "Content-Length" not in loaded.responses[0]["headers"]


@pytest.mark.parametrize("body", [SSE, gzip.compress(SSE)], ids=["plain", "gzip"])
def test_gzip_is_taken_off_or_was_never_there(tmp_path: Path, body: bytes) -> None:
    """
    Claim: a file recorded through one client serves another: stored gzip is decoded, a false header dropped.
    """
    response = {**answer(), "body": {"string": body}}
    response["headers"] = {"Content-Type": "text/event-stream", "Content-Encoding": ["gzip"], "X": ["1", 2]}
    loaded = files.load(foreign(tmp_path / "c.yaml", response, method="post"))
    assert loaded.responses[0]["body"]["string"] == SSE
    assert loaded.responses[0]["headers"] == {"Content-Type": ["text/event-stream"], "X": ["1", "2"]}
    assert loaded.requests[0].method == "POST"


def test_the_answer_to_head_keeps_its_length(tmp_path: Path) -> None:
    """
    Claim: where there is no body by nature, content-length speaks of another one.
    """
    response = {**answer(b""), "headers": {"content-length": ["42"]}}
    loaded = files.load(foreign(tmp_path / "c.yaml", response, method="HEAD"))
    assert loaded.responses[0]["headers"] == {"content-length": ["42"]}


def test_a_loaded_cassette_is_never_written_back(tmp_path: Path) -> None:
    """
    Claim: not even when vcrpy is told to save.
    """
    path = foreign(tmp_path / "c.yaml", {**answer(), "body": {"string": "x"}})
    before = path.read_bytes()
    loaded = files.load(path)
    loaded.dirty = True
    with pytest.raises(CassetteError, match="never written back"):
        loaded._save()  # noqa: SLF001 - what vcrpy calls when a cassette is ejected
    assert path.read_bytes() == before


def test_a_failing_save_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """
    Claim: a secret, or a disk that refuses, costs nothing that was there.
    """
    path = tmp_path / "c.yaml"
    files.save(path, [(asked(), answer())], Secrets())
    before = path.read_bytes()
    with pytest.raises(files.SecretFound):
        files.write(path, "key: sk-ant-REAL0123456789abcdefgh\n", Secrets())
    blocked = tmp_path / "c.yaml" / "below-a-file.yaml"
    with pytest.raises(CassetteError, match="cannot be written"):
        files.save(blocked, [(asked(), answer())], Secrets())
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["c.yaml"]


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Claim: Ctrl-C while the bytes go to the disk costs nothing.
    """
    path = tmp_path / "c.yaml"
    files.save(path, [(asked(), answer())], Secrets())
    before = path.read_bytes()

    def interrupted(descriptor: int) -> None:  # noqa: ARG001 - the signature of `os.fsync`
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.save(path, [(asked(), answer(b"other"))], Secrets())
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["c.yaml"]


def test_a_written_file_has_the_usual_permissions(tmp_path: Path) -> None:
    """
    Claim: writing atomically does not make the file private.
    """
    path, other = tmp_path / "c.yaml", tmp_path / "other"
    files.save(path, [(asked(), answer())], Secrets())
    other.write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


def test_no_interaction_at_all_is_a_recording(tmp_path: Path) -> None:
    """
    Claim: a call that sent nothing can be recorded.
    """
    path = tmp_path / "c.yaml"
    files.save(path, [], Secrets())
    assert len(files.load(path)) == 0


def test_provenance_names_the_file_and_its_moment(tmp_path: Path) -> None:
    """
    Claim: the digest is of the file, the path is relative to the root.
    """
    path = tmp_path / "family" / "Name" / "stream.yaml"
    pieces = (files.Piece(at=0.1, size=len(SSE)),)
    timing: dict[str, Any] = {"arrivals": pieces, "framing": "chunked", "recorded": "2026-11-21T05:34:00Z"}
    files.save(path, [(asked(), answer(**timing))], Secrets())
    found = files.provenance(tmp_path, path)
    assert found.path == "family/Name/stream.yaml"
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.recorded == "2026-11-21T05:34:00Z"


def test_a_date_without_quotes_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """
    Claim: the design's own example loads, though YAML makes a date of it.
    """
    path = tmp_path / "c.yaml"
    pieces = (files.Piece(at=0.1, size=len(SSE)),)
    timing: dict[str, Any] = {"arrivals": pieces, "framing": "chunked", "recorded": "2026-11-21T05:34:00Z"}
    text = files.dump([(asked(), answer(**timing))]).replace("'2026-11-21T05:34:00Z'", "2026-11-21T05:34:00Z")
    path.write_text(text)
    assert files.read_timing(files.load(path).responses[0]).recorded == "2026-11-21T05:34:00Z"

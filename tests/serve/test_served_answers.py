"""
What comes over the wire: the recorded status, headers, framing and pieces, to real clients and to bare sockets.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import openai
import pytest
from serve_parts import ANSWER, CHAT, ORIGIN, PARTS, PROMPT, STREAM, WORDS, interaction, lines, spoken

from harness.serve.recordings import load
from harness.serve.serving import Options, Serving
from harness.tape import cassette as files
from harness.tape.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INSTANT = Options(pace=0.0, repeat=True)


@pytest.fixture(scope="module")
def url(cassette: Path) -> Iterator[str]:
    """
    Give a server that plays everything at once, and again.
    """
    with Serving(load([cassette]), INSTANT) as serving:
        yield serving.url


def _chunks(body: bytes) -> list[bytes]:
    found = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return found


def test_each_arrival_is_a_chunk(url: str) -> None:
    """
    A chunked answer goes out as chunks that are the recorded arrivals, and with the recorded head.
    """
    received, reset = spoken(url, "/chunked")
    head, _, body = received.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 As Recorded\r\nContent-Type: text/plain\r\n")
    assert _chunks(body) == [*PARTS, b""]
    assert not reset


@pytest.mark.parametrize(("path", "length"), [("/length", b"18"), ("/close", None)])
def test_other_framings_are_those_recorded(url: str, path: str, length: bytes | None) -> None:
    """
    An answer of known length says it, one that ends with its connection does not; neither is cut into chunks.
    """
    received, reset = spoken(url, path)
    head, _, body = received.partition(b"\r\n\r\n")

    assert body == b"".join(PARTS)
    assert b"chunked" not in head
    assert (b"content-length: " in head.lower()) == (length is not None)
    assert length is None or b"content-length: " + length in head.lower()
    assert not reset


def test_an_old_client_gets_no_chunks(url: str) -> None:
    """
    A client of HTTP/1.0 gets the same body up to the connection's end.
    """
    received, _ = spoken(url, "/chunked", version="1.0")

    assert received.partition(b"\r\n\r\n")[2] == b"".join(PARTS)


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_a_cut_answer_is_cut(url: str, framing: str) -> None:
    """
    What the upstream broke off is broken off: no last chunk, fewer bytes than promised, a connection that is reset.
    """
    received, reset = spoken(url, f"/cut/{framing}")
    head, _, body = received.partition(b"\r\n\r\n")

    assert b"four" in body
    assert b"0\r\n\r\n" not in body
    assert (b"Content-Length: 100" in head) == (framing == "length")
    assert reset == (framing == "close")
    with pytest.raises(httpx.HTTPError), httpx.Client() as client:
        client.get(f"{url}/cut/{framing}")


def test_a_redirect_does_not_leave_the_machine(url: str) -> None:
    """
    An address at the recorded host becomes one of the server's; whoever follows it is told what is not recorded.
    """
    answer = httpx.get(f"{url}/moved")
    followed = httpx.get(f"{url}/moved", follow_redirects=True)

    assert answer.headers["location"] == f"{url}/chunked?again=1"
    assert followed.status_code == 599


def test_the_openai_sdk_streams_and_is_told_of_a_miss_once(cassette: Path) -> None:
    """
    The SDK reads the stream that was recorded from the provider's own address; a miss names the nearest recording, the
    difference and no key, and is not tried again.
    """
    key = "sk-" + "canary0123456789" * 2
    with Serving(load([cassette]), Options(pace=0.0)) as serving:
        client = openai.OpenAI(base_url=f"{serving.url}/v1", api_key=key)
        with client.chat.completions.create(**CHAT) as stream:  # type: ignore[call-overload]  # as recorded
            said = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        with pytest.raises(openai.APIStatusError) as miss:
            client.chat.completions.create(model="other", messages=[{"role": "user", "content": PROMPT}])

    assert said == ANSWER
    assert miss.value.status_code == 599
    assert f"{cassette}, interaction 1, POST {ORIGIN}/v1/chat/completions" in str(miss.value)
    assert '+ "model": "other"' in str(miss.value)
    assert serving.summary is not None
    assert [count for _, count in serving.summary.missed] == [1]
    assert key not in str(serving.summary)


def test_recordings_are_repeated_as_the_tape_repeats_them(cassette: Path) -> None:
    """
    A POST is answered once for each time it was recorded, what is polled gets its last answer again and again; a rewind
    lets everything be played anew.
    """
    asked = {"prompt": PROMPT, "api_key": "something else than was recorded"}
    with Serving(load([cassette]), Options(pace=0.0)) as serving, httpx.Client(base_url=serving.url) as client:
        once = [client.post("/once", json=asked) for _ in range(2)]
        polls = [client.get("/poll").text for _ in range(3)]
        client.post("/__harness__/rewind")
        again = client.post("/once", json=asked)

    assert [answer.status_code for answer in (*once, again)] == [200, 599, 200]
    assert "already played 1 time, recorded 1 time" in once[1].json()["error"]["message"]
    assert polls == ["running", "done", "done"]
    assert serving.summary is not None
    assert [(place.asked.partition(ORIGIN)[2], count) for place, count in serving.summary.played] == [
        ("/once", 2),
        ("/poll", 1),
        ("/poll", 2),
    ]


def test_concurrent_requests_get_their_own_answers_whatever_is_matched_on(tmp_path: Path) -> None:
    """
    Where bodies are not matched on, each of several requests at a time gets the answer to its own code word.
    """
    words = [f"lantern{number}" for number in range(4100, 4132)]
    recorded = [interaction("/v1", [word.encode()], "length", body={"prompt": f"Say {word}"}) for word in words]
    files.save(tmp_path / "a.yaml", recorded, Secrets())
    recordings = load([tmp_path], ["method", "path"])
    with Serving(recordings, Options(pace=0.0)) as serving, ThreadPoolExecutor(8) as pool:
        ask = lambda word: httpx.post(f"{serving.url}/v1", json={"prompt": f"Say {word}"}, timeout=60).text  # noqa: E731 - for map
        answers = list(pool.map(ask, reversed(words)))

    assert answers == words[::-1]


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:80", 200), ("localhost", 200), ("[::1]:8", 200), ("app.localhost", 200), ("evil.example", 421)],
)
def test_only_the_names_of_this_machine_are_answered(url: str, host: str, status: int) -> None:
    """
    A page whose name is led to this machine gets nothing: its Host header gives it away.
    """
    received, _ = spoken(url, "/length", host=host)

    assert received.split(b" ", 2)[1] == str(status).encode()


def test_the_recorded_pace_is_kept(cassette: Path, tmp_path: Path) -> None:
    """
    No arrival goes before its recorded moment; each has its place on the recording's clock and on the system's.
    """
    log = tmp_path / "log.jsonl"
    with Serving(load([cassette]), Options(log=log)) as serving:
        httpx.get(f"{serving.url}/slow", timeout=60)
    told = lines(log)
    arrivals = [line for line in told if line["event"] == "Arrival"]

    assert [line["event"] for line in told] == ["Sent", "Answered", *["Arrival"] * 4, "Ended"]
    assert [line["at"] for line in arrivals] == [0.25, 0.5, 0.75, 1.0]
    assert all(line["clock"] - told[0]["clock"] >= line["at"] for line in arrivals)


def test_in_lock_step_nothing_goes_unasked(cassette: Path, tmp_path: Path) -> None:
    """
    The head comes at once, and each arrival when it was asked for: the client has what was released, and no more.
    """
    log = tmp_path / "log.jsonl"
    with (
        Serving(load([cassette]), Options(lockstep=True, log=log)) as serving,
        httpx.Client(base_url=serving.url, timeout=60) as client,
    ):
        early = client.post("/__harness__/next?wait=0")
        with httpx.stream("POST", f"{serving.url}/v1/chat/completions", json=CHAT, timeout=60) as answer:
            pieces, released = answer.iter_raw(), []
            for piece in STREAM:
                released.append(client.post("/__harness__/next").json())
                assert next(pieces) == piece
                assert len([line for line in lines(log) if line["event"] == "Arrival"]) == len(released)
            assert list(pieces) == []

    assert early.status_code == 409
    assert [one["index"] for one in released] == list(range(len(STREAM)))
    assert {one["arrivals"] for one in released} == {len(STREAM)}


def test_a_client_that_leaves_is_noted_and_no_secret_is_logged(cassette: Path, tmp_path: Path) -> None:
    """
    Closing the connection ends the answer in the log; neither headers nor credentials in the address are kept.
    """
    log = tmp_path / "log.jsonl"
    canary = "canary0123456789abcdef"
    with Serving(load([cassette]), Options(lockstep=True, log=log)) as serving:
        with httpx.stream(
            "GET", f"{serving.url}/chunked?api_key={canary}", headers={"Authorization": f"Bearer {canary}"}
        ) as miss:
            assert canary not in json.dumps(json.loads(miss.read()))
        with httpx.stream("GET", f"{serving.url}/chunked", headers={"Authorization": f"Bearer {canary}"}):
            pass

    assert [line["event"] for line in lines(log)] == ["Sent", "Refused", "Sent", "Answered", "Closed"]
    assert canary not in log.read_text()
    assert WORDS[4].strip() not in log.read_text()

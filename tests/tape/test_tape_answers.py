"""
The tape: which recorded answer a request gets, what a miss says, and what is taken down while recording.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.events import Answered, Arrival, Ended, Refused, Sent, UpstreamFailed
from harness.tape import cassette as files
from harness.tape import tape as tapes
from harness.tape.dialling import Detour
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.recorded import Stamp, cassette_of, parse, save_recording
from harness.tape.secrets import Secrets
from harness.tape.tape import Recorder, ReplayMiss, Tape, current, eject
from harness.tape.timing import Piece, Timing, read_timing, write_timing
from harness.words import Capability, Upstream

if TYPE_CHECKING:
    from pathlib import Path

    from vcr.cassette import Cassette

URL = "http://api.example.com/v1/complete"


def _request(prompt: str = "a", *, method: str = "POST", url: str = URL) -> Request:
    body = json.dumps({"prompt": prompt}).encode() if method == "POST" else None
    return Request(method, url, body, {"content-type": "application/json"})


def _response(text: str, *, sent: float = 0.0, takes: float = 1.0) -> dict[str, Any]:
    body = text.encode()
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    pieces = (Piece(at=takes, size=len(body)),) if body else ()
    write_timing(response, Timing(arrivals=pieces, framing="chunked", sent=sent))
    return response


def _cassette(*pairs: tuple[Request, dict[str, Any]], match_on: tuple[str, ...] | None = None) -> Cassette:
    return cassette_of(pairs, match_on)


def _replaying(cassette: Cassette | None, **options: Any) -> Tape:
    return Tape(Log(), Gate(Capability.INVOKE), cassette=cassette, **options)


def _answer(tape: Tape, request: Request) -> str:
    player = tape.send(request, "sync").player
    assert player is not None
    return b"".join(iter(player.next, None)).decode()


def test_equal_requests_get_the_answers_in_recorded_order() -> None:
    """
    Each recorded answer is played once; one more request than was recorded is refused.
    """
    tape = _replaying(_cassette(*[(_request(), _response(text)) for text in ("one", "two", "three")]))
    assert [_answer(tape, _request()) for _ in range(3)] == ["one", "two", "three"]
    with pytest.raises(ReplayMiss):
        tape.send(_request(), "sync")


@given(st.permutations(["a", "b", "c", "d"]))
def test_different_requests_get_their_own_answers(order: list[str]) -> None:
    """
    In whatever order requests come, each gets the answer to its own body.
    """
    pairs = [(_request(prompt), _response(f"to {prompt}")) for prompt in "abcd"]
    tape = _replaying(_cassette(*pairs))
    assert [_answer(tape, _request(prompt)) for prompt in order] == [f"to {prompt}" for prompt in order]


@given(st.permutations(["a", "b", "c", "d"]))
def test_where_bodies_are_not_matched_on_inputs_are(order: list[str]) -> None:
    """
    A recording of another client matches by its path alone; threads still get the answers to their own inputs.
    """
    pairs = [(_request(f"recorded by another, {prompt}!"), _response(f"to {prompt}")) for prompt in "abcd"]
    tape = _replaying(_cassette(*pairs, match_on=("method", "path")), marks=_letters)
    assert [_answer(tape, _request(f"asked, {prompt}!")) for prompt in order] == [f"to {prompt}" for prompt in order]


def test_where_inputs_are_others_the_shape_is_matched_on() -> None:
    """
    Of recordings with other inputs, a request for several is answered by one for several, and a question that goes on
    by one that goes on, whichever was recorded first; of two alike the first comes first.
    """
    said = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}, {"role": "user", "content": "z"}]
    bodies: dict[str, Any] = {
        "goes on": {"messages": said},
        "one": {"messages": said[:1]},
        "again": {"messages": said[:1]},
    }
    bodies["three"] = {"prompt": ["x", "y", "z"]}

    def request(name: str, other: str) -> Request:
        return Request("POST", URL, json.dumps(bodies[name]).replace('"x"', f'"{other}"').encode(), {})

    tape = _replaying(
        _cassette(*[(request(name, "x"), _response(name)) for name in bodies], match_on=("method", "path"))
    )
    asked = ("three", "one", "one", "goes on")
    assert [_answer(tape, request(name, "another")) for name in asked] == ["three", "one", "again", "goes on"]


@pytest.mark.parametrize("upstream", [Upstream.IMPORTED, Upstream.LIVE])
def test_an_imported_recording_may_be_of_another_stage_of_the_same_version(upstream: Upstream) -> None:
    """
    What somebody recorded from v1beta answers who asks v1 today, unless v1 was recorded as well; v2 is another version,
    and one's own recording has to be of what is asked.
    """
    urls = [f"http://api.example.com/{stage}/models/m:generate" for stage in ("v1beta", "v1", "v2")]

    def tape_of(*recorded: str) -> Tape:
        first = _response("beta")
        write_timing(first, replace(read_timing(first), upstream=upstream))
        answers = [first, _response("final")]
        pairs = [(_request(url=url), answer) for url, answer in zip(recorded, answers, strict=False)]
        return _replaying(_cassette(*pairs, match_on=("method", "path")))

    assert _answer(tape_of(*urls[:2]), _request(url=urls[1])) == "final"
    with pytest.raises(ReplayMiss):
        tape_of(urls[0]).send(_request(url=urls[2]), "sync")
    if upstream is Upstream.IMPORTED:
        assert _answer(tape_of(urls[0]), _request(url=urls[1])) == "beta"
        assert _answer(tape_of(urls[1]), _request(url=urls[0])) == "beta"
    else:
        with pytest.raises(ReplayMiss, match="v1beta"):
            tape_of(urls[0]).send(_request(url=urls[1]), "sync")


@pytest.mark.parametrize("upstream", [Upstream.IMPORTED, Upstream.LIVE])
def test_one_imported_answer_serves_all_inputs_of_a_batch(upstream: Upstream) -> None:
    """
    Who recorded one question did not know of a batch: its answer is played for each input, after a refusal that was
    recorded before it; not in another call, and not from a recording of one's own.
    """
    busy = _response("busy")
    busy["status"] = {"code": 429, "message": "Too Many Requests"}
    write_timing(busy, replace(read_timing(busy), upstream=upstream))
    cassette = _cassette((_request(), busy), (_request(), _response("one")), match_on=("method", "path"))
    batch = Tape(Log(), Gate(Capability.ABATCH, inputs=3), cassette=cassette)
    asked = 4 if upstream is Upstream.IMPORTED else 2
    assert [_answer(batch, _request("other")) for _ in range(asked)] == ["busy", "one", "one", "one"][:asked]
    for tape in (batch, _replaying(cassette))[upstream is Upstream.IMPORTED :]:
        with pytest.raises(ReplayMiss, match="already played"):
            tape.send(_request("other"), "sync")


def _letters(text: str) -> tuple[int, ...]:
    return tuple(number for number, letter in enumerate("abcd") if f", {letter}!" in text)


def test_a_poll_may_be_repeated() -> None:
    """
    Its answers come in recorded order, and the last one stands for all later ones.
    """
    poll = _request(method="GET", url="http://api.example.com/job/1")
    tape = _replaying(_cassette(*[(poll, _response(text)) for text in ("waiting", "running", "done")]))
    assert [_answer(tape, poll) for _ in range(5)] == ["waiting", "running", "done", "done", "done"]


def test_a_rewound_tape_plays_everything_again() -> None:
    """
    A second pass over the same call gets the same answers.
    """
    tape = _replaying(_cassette((_request(), _response("one")), (_request(), _response("two"))))
    first = [_answer(tape, _request()) for _ in range(2)]
    tape.rewind()
    assert [_answer(tape, _request()) for _ in range(2)] == first


def test_a_miss_names_the_nearest_recording_and_is_logged() -> None:
    """
    The refusal is an event before it is an exception, and the battery is told.
    """
    told: list[str] = []
    tape = _replaying(_cassette((_request("here"), _response("one"))), on_miss=lambda: told.append("miss"))
    with pytest.raises(ReplayMiss, match="there"):
        tape.send(_request("there"), "sync")
    assert [type(event) for event in tape.log.events] == [Sent, Refused]
    assert told == ["miss"]


def test_without_a_cassette_a_miss_says_so() -> None:
    """
    Where there is nothing to replay, nothing is recorded either.
    """
    tape = _replaying(None, missing="there is no cassette for this call")
    assert not tape.recording
    with pytest.raises(ReplayMiss, match="there is no cassette"):
        tape.send(_request(), "sync")


def test_requests_in_a_row_keep_their_pause() -> None:
    """
    A request that was sent half a second after the answer before begins half a second after its end.
    """
    pairs = [
        (_request("a"), _response("one", takes=1.0)),
        (_request("b"), _response("two", sent=1.5, takes=2.0)),
    ]
    tape = _replaying(_cassette(*pairs))
    for prompt in "ab":
        _answer(tape, _request(prompt))
    assert [event.at for event in tape.log.events if isinstance(event, Ended)] == pytest.approx([1.0, 3.5])


def test_requests_that_overlapped_overlap() -> None:
    """
    Each begins and ends at its own time on the recording's clock, in whichever order threads come to send them.
    """
    pairs = [(_request("a"), _response("one")), (_request("b"), _response("two", sent=0.1, takes=1.2))]
    tape = _replaying(_cassette(*pairs))
    for order in ("ab", "ba"):
        players = [tape.send(_request(prompt), "sync").player for prompt in order]
        for player in players:
            assert player is not None
            player.next()
        tape.rewind()
    ends = [event.at for event in tape.log.events if isinstance(event, Ended)]
    assert ends == pytest.approx([1.0, 1.3, 1.3, 1.0])


def test_tapes_are_inserted_one_over_the_other() -> None:
    """
    The innermost tape is current, the one before comes back, and ejecting leaves none.
    """
    outer, inner = _replaying(None, missing="-"), _replaying(None, missing="-")
    before = current()
    with outer.insert():
        with inner.insert():
            assert current() is inner
        assert current() is outer
        eject()
        assert current() is None
    assert current() is before


def test_a_detour_leads_every_host_to_one_server() -> None:
    """
    Whatever host is asked for, one address is dialled; without a detour the host itself is.
    """
    tape = Tape(Log(), Gate(Capability.INVOKE), dial=Detour("127.0.0.1:8123"))
    assert tape.dial("https", "api.example.com", 443) == ("127.0.0.1", 8123)
    assert Tape(Log(), Gate(Capability.INVOKE)).dial("https", "api.example.com", 443) is None


def _recording() -> tuple[Recorder, list[tuple[Request, dict[str, Any]]], Tape]:
    kept: list[tuple[Request, dict[str, Any]]] = []
    tape = Tape(Log(), Gate(Capability.INVOKE), on_interaction=lambda *pair: kept.append(pair))
    recorder = tape.send(_request(), "sync").recorder
    assert recorder is not None
    return recorder, kept, tape


@pytest.mark.parametrize(("encoding", "encode"), [("", bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)])
@given(data=st.data())
def test_bodies_are_stored_decoded(encoding: str, encode: Any, data: st.DataObject) -> None:
    """
    However an encoded body is cut on its way, the stored one is plain, and its pieces add up to it.
    """
    text = data.draw(st.binary(min_size=1, max_size=400))
    wire = encode(text)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(wire) - 1)), max_size=6)))
    recorder, kept, _ = _recording()
    headers = [("Content-Length", str(len(wire))), *([("Content-Encoding", encoding)] if encoding else [])]
    recorder.head(200, "OK", headers, "length")
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        recorder.arrived(wire[start:end])
    player = recorder.end()
    ((_, response),) = kept
    assert response["body"]["string"] == text == b"".join(iter(player.next, None))
    assert response["headers"] == {"Content-Length": [str(len(text))]}
    assert sum(piece.size for piece in read_timing(response).arrivals) == len(text)


@pytest.mark.parametrize(("cap", "value"), [("MOST_ARRIVALS", 5), ("MOST_BYTES", 50), ("MOST_SECONDS", 0.0)])
def test_an_endless_upstream_is_stopped(cap: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The client is told to read no more after so many arrivals, bytes or seconds.
    """
    monkeypatch.setattr(tapes, cap, value)
    recorder, _, _ = _recording()
    recorder.head(200, "OK", [], "chunked")
    wanted = [recorder.arrived(b"x" * 10) for _ in range(6)]
    assert wanted[-1] is False
    assert wanted.index(False) == {"MOST_ARRIVALS": 4, "MOST_BYTES": 4, "MOST_SECONDS": 0}[cap]


def test_an_answer_that_never_came_is_an_event() -> None:
    """
    A refused connection leaves no interaction and says why.
    """
    recorder, kept, tape = _recording()
    recorder.failed("connection refused")
    last = tape.log.events[-1]
    assert isinstance(last, UpstreamFailed)
    assert (last.request, last.why, kept) == (0, "connection refused", [])


def test_a_cut_answer_keeps_what_came() -> None:
    """
    Its timing says how it broke off, and its promised length stays as it was promised.
    """
    recorder, kept, _ = _recording()
    recorder.head(200, "OK", [("content-length", "100")], "length")
    recorder.arrived(b"half")
    recorder.cut("reset")
    ((_, response),) = kept
    assert (read_timing(response).cut, response["headers"]["content-length"]) == ("reset", ["100"])


def test_while_recording_overlapping_answers_overlap_too() -> None:
    """
    Two requests that are out at the same time stay so, though the answer of one is served before the other's came.
    """
    kept: list[dict[str, Any]] = []
    tape = Tape(Log(), Gate(Capability.INVOKE), on_interaction=lambda _, response: kept.append(response))
    recorders = [tape.send(_request(prompt), "sync").recorder for prompt in "ab"]
    time.sleep(0.05)
    for recorder in recorders:
        assert recorder is not None
        recorder.head(200, "OK", [], "chunked")
        recorder.arrived(b"answer")
        list(iter(recorder.end().next, None))
    arrivals = [event.at for event in tape.log.events if isinstance(event, Arrival)]
    timings = [read_timing(response) for response in kept]
    assert arrivals == pytest.approx([timing.sent + timing.arrivals[0].at for timing in timings], abs=1e-6)


TOLD = st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=40), st.floats(0, 99))


@given(st.lists(TOLD, min_size=1, max_size=4))
def test_recordings_survive_the_way_to_the_parent(told: list[tuple[str, str, float]]) -> None:
    """
    What a cell dumps, the parent parses: requests, bodies and arrivals.
    """
    pairs = [(_request(prompt), _response(text, sent=sent)) for prompt, text, sent in told]
    back = [one for pair in pairs for one in parse(files.dump([pair]))]
    assert [request.body for request, _ in back] == [request.body for request, _ in pairs]
    for (_, ours), (_, theirs) in zip(pairs, back, strict=True):
        body = theirs["body"]["string"]
        assert (body.encode() if isinstance(body, str) else body) == ours["body"]["string"]
        assert read_timing(theirs).arrivals == read_timing(ours).arrivals
        assert read_timing(theirs).sent == pytest.approx(read_timing(ours).sent, abs=1e-6)


def test_a_saved_recording_is_in_the_order_of_sending(tmp_path: Path) -> None:
    """
    Answers are handed over as they end; the file has them as they were asked for, with its stamp on the first.
    """
    path = tmp_path / "cell.yaml"
    pairs = [(_request("late"), _response("two", sent=2.0)), (_request("early"), _response("one"))]
    stamp = Stamp(recorded="2026-11-21T05:00:00Z", upstream="live", versions={"httpx": "1"}, battery=1)
    save_recording(path, pairs, Secrets(), stamp)
    loaded = files.load(path)
    assert [json.loads(request.body)["prompt"] for request in loaded.requests] == ["early", "late"]
    first, second = (read_timing(response) for response in loaded.responses)
    assert (first.recorded, first.upstream, first.versions) == (stamp.recorded, "live", {"httpx": "1"})
    assert (second.recorded, second.upstream) == (None, None)


def test_what_was_sent_is_logged_with_what_it_carries() -> None:
    """
    Method, address, inputs, hook and whether a stream was asked for stand in the event, and credentials do not.
    """
    recorded = _request(url=f"{URL}?api_key=REDACTED")
    tape = _replaying(_cassette((recorded, _response("one"))), marks=lambda text: (0,) if "a" in text else ())
    _answer(tape, _request(url=f"{URL}?api_key=sk-very-secret-value-1234567890"))
    sent, answered, *_ = tape.log.events
    assert isinstance(sent, Sent)
    assert isinstance(answered, Answered)
    assert (sent.method, sent.carries, sent.hook, sent.phase) == ("POST", (0,), "sync", "construction")
    assert "very-secret" not in sent.uri


def test_what_a_client_has_not_read_yet_delays_none_of_its_requests() -> None:
    """
    A recording reads each answer at once. What is sent meanwhile would have left when the head had come; from another
    thread, or after the answer was read, it leaves when it leaves.
    """
    tape = Tape(Log(), Gate(Capability.INVOKE))

    def sent() -> float:
        recorder = tape.send(_request(), "sync").recorder
        assert recorder is not None
        return recorder.sent

    recorder = tape.send(_request(), "sync").recorder
    assert recorder is not None
    recorder.head(200, "OK", [], "chunked")
    for at in (100.0, 1000.0):
        recorder.arrived(b"x", at)
    player = recorder.end()
    found = [sent()]
    for _ in range(2):
        player.next()
        found.append(sent())
    with ThreadPoolExecutor(1) as pool:
        found.append(pool.submit(sent).result())

    assert [round(one / 100) for one in found] == [-10, -9, 0, 0]

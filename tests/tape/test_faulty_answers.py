"""The tape of checks: what a fault does to an answer, and what it leaves as it was recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.events import Answered
from harness.simulators.eventstream import encode_message
from harness.tape.faults import Faults
from harness.tape.faulty import FaultyTape, half
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.player import Answer, AnswerCut
from harness.tape.recorded import cassette_of
from harness.tape.tape import ReplayMiss
from harness.tape.timing import Piece, Timing, read_timing, write_timing
from harness.words import Capability

URL = "http://api.example.com/v1/complete"
WORDS = ("kestrel4127", "marigold5938", "juniper2806")


def _request(prompt: str, **more: Any) -> Request:
    body = json.dumps({"prompt": prompt, **more}).encode()
    return Request("POST", URL, body, {"content-type": "application/json"})


def _response(sizes: list[int]) -> dict[str, Any]:
    body = bytes(number % 251 for number in range(sum(sizes)))
    response: dict[str, Any] = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}}
    pieces = tuple(Piece(at=float(number), size=size) for number, size in enumerate(sizes))
    write_timing(response, Timing(arrivals=pieces, framing="chunked"))
    return response


def _marks(text: str) -> tuple[int, ...]:
    return tuple(number for number, word in enumerate(WORDS) if word in text)


def _tape(faults: Faults, *pairs: tuple[Request, dict[str, Any]]) -> FaultyTape:
    log, gate = Log(), Gate(Capability.INVOKE)
    return FaultyTape(log, gate, faults, cassette=cassette_of(pairs, None), marks=_marks)


def _player(tape: FaultyTape, request: Request) -> Answer:
    player = tape.send(request, "sync").player
    assert player is not None
    return player


def _read(player: Answer) -> bytes:
    parts = []
    while (part := player.next()) is not None:
        parts.append(part)
    return b"".join(parts)


@given(sizes=st.lists(st.integers(1, 40), min_size=4, max_size=30))
def test_half_an_answer_is_its_first_half(sizes: list[int]) -> None:
    """
    The first half of the arrivals, byte for byte, and a break instead of an end; the recording stays whole.
    """
    whole = _response(sizes)
    before = bytes(whole["body"]["string"])
    cut = half(whole)
    timing = read_timing(cut)
    assert timing.arrivals == read_timing(whole).arrivals[: len(sizes) // 2]
    assert cut["body"]["string"] == before[: sum(sizes[: len(sizes) // 2])]
    assert timing.cut
    assert (whole["body"]["string"], read_timing(whole).cut) == (before, None)


def test_a_cut_answer_breaks_off_however_often_it_is_asked_for() -> None:
    """
    A client that tries again gets the same half again; an answer of three arrivals cannot be cut in its middle.
    """
    tape = _tape(Faults(cut=True), (_request(WORDS[0]), _response([5] * 8)), (_request("token"), _response([5])))
    for _ in range(2):
        player = _player(tape, _request(WORDS[0]))
        assert len([player.next() for _ in range(4)]) == 4
        with pytest.raises(AnswerCut):
            player.next()
    assert tape.harm.cut == 2
    assert _read(_player(tape, _request("token")))
    short = _tape(Faults(cut=True), (_request(WORDS[0]), _response([5] * 3)))
    assert len(_read(_player(short, _request(WORDS[0])))) == 15


EVENTS = [f"data: {json.dumps({'text': word})}\n\n".encode() for word in "a be see dime fiver".split()]
LINES = [json.dumps({"text": word}).encode() + b"\n" for word in "a be see dime fiver".split()]
MESSAGES = [
    encode_message({":event-type": "chunk"}, json.dumps({"text": word}).encode())
    for word in "a be see dime fiver".split()
]


@pytest.mark.parametrize("pieces", [EVENTS, LINES, MESSAGES], ids=["events", "lines", "messages"])
@pytest.mark.parametrize("together", [1, 2])
def test_a_piece_comes_over_and_over_at_the_boundaries_of_its_format(pieces: list[bytes], together: int) -> None:
    """
    The longest of the middle comes again, each time as an arrival of its own, also where two pieces came together; what
    stood before and after it is there once. Whoever asks again is treated alike.
    """
    body = b"".join(pieces)
    sizes = [len(b"".join(pieces[at : at + together])) for at in range(0, len(pieces), together)]
    response: dict[str, Any] = {**_response(sizes), "body": {"string": body}}
    write_timing(response, read_timing(response))
    tape = _tape(Faults(repeat=50), (_request(WORDS[0]), response))
    for _ in range(2):
        player = _player(tape, _request(WORDS[0]))
        arrivals = list(iter(player.next, None))
        assert arrivals == [*pieces[:4], *[pieces[3]] * 50, *pieces[4:]]
    assert tape.harm.repeated == 2
    assert response["body"]["string"] == body


def test_an_answer_of_three_pieces_has_none_that_could_come_over_and_over() -> None:
    """
    Nor has one that is a single document: it is answered as it was recorded.
    """
    response = {**_response([1]), "body": {"string": b"".join(EVENTS[:3])}}
    write_timing(response, Timing(arrivals=(Piece(0.0, len(b"".join(EVENTS[:3]))),), framing="chunked"))
    tape = _tape(Faults(repeat=50), (_request(WORDS[0]), response))
    assert _read(_player(tape, _request(WORDS[0]))) == b"".join(EVENTS[:3])
    assert tape.harm.repeated == 0


@pytest.mark.parametrize("status", [401, 429, 500])
def test_a_refusal_stands_for_every_try(status: int) -> None:
    """
    Each request that carries a prompt is refused, as often as it is sent; what carries none is answered.
    """
    tape = _tape(Faults(status=status), (_request(WORDS[0]), _response([9])), (_request("token"), _response([9])))
    for _ in range(3):
        player = _player(tape, _request(WORDS[0]))
        assert (player.status, json.loads(_read(player))["error"]["code"]) == (status, str(status))
    assert _player(tape, _request("token")).status == 200
    assert tape.harm.refused == 3
    assert [one.status for one in tape.log.events if isinstance(one, Answered)] == [status] * 3 + [200]


def test_one_input_alone_can_be_refused() -> None:
    """
    Its own request is; those of the others, and one that carries several, are not.
    """
    pairs = [(_request(word), _response([9])) for word in WORDS]
    tape = _tape(Faults(status=400, only=1), *pairs, (_request(" ".join(WORDS)), _response([9])))
    statuses = [_player(tape, _request(text)).status for text in (*WORDS, " ".join(WORDS))]
    assert statuses == [200, 400, 200, 200]


def test_a_further_parameter_is_answered_only_where_that_is_asked_for() -> None:
    """
    A lenient tape gives each input its own answer, whatever else the request says; to another address there is none.
    """
    pairs = [(_request(word), _response([number + 1])) for number, word in enumerate(WORDS)]
    lenient = _tape(Faults(lenient=True), *pairs)
    assert [len(_read(_player(lenient, _request(word, stop=["x"])))) for word in WORDS] == [1, 2, 3]
    with pytest.raises(ReplayMiss):
        lenient.send(Request("POST", URL + "/other", _request(WORDS[0]).body, {}), "sync")
    with pytest.raises(ReplayMiss):
        _tape(Faults(), *pairs).send(_request(WORDS[0], stop=["x"]), "sync")

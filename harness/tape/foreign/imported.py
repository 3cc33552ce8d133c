"""A recording made elsewhere, as interactions of a cassette, and what it shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from vcr.request import Request

from harness.errors import CassetteError
from harness.tape import wire
from harness.tape.cassette import dump
from harness.tape.checked import interaction
from harness.tape.foreign.addresses import TAKEN_OUT, address
from harness.tape.foreign.asked import Asked, asked
from harness.tape.foreign.layouts import RECORD_INSTEAD, read_foreign
from harness.tape.foreign.parts import Place, is_json, request_of, response_of
from harness.tape.reading import asks_stream, json_body
from harness.tape.scrub import scrub_request, scrub_response
from harness.tape.secrets import Secrets, refuse, scan
from harness.tape.timing import header, read_timing, write_timing
from harness.words import FEWEST_ARRIVALS, REFUSED, Capability, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH: Final = 3
"""Inputs of a batch."""
_ELSEWHERE: Final = 300
"""Statuses from here on say where to ask, up to those of errors."""
_ASKS: Final = re.compile(r"stream|\bsse\b", re.IGNORECASE)
_PRETTY: Final = re.compile(rb"(?:^|[\r\n])data: ?\{[ \t]*[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """
    Hold one interaction and what it shows.

    Attributes:
        request: as vcrpy has it.
        response: as vcrpy has it, its body decoded.
        asked: the prompts that it carries.
        form: how its answer was streamed, in words; empty for an answer in one piece.
        recorded: when its recorder says that it was made.
    """

    request: Request
    response: dict[str, Any]
    asked: Asked
    form: str
    recorded: str | None = None

    @property
    def refused(self) -> bool:
        """
        Tell whether the upstream answered with an error.
        """
        return int(self.response["status"]["code"]) >= REFUSED

    @property
    def answered(self) -> bool:
        """
        Tell whether the upstream answered what it was asked, and did not only say where to ask.
        """
        return int(self.response["status"]["code"]) < _ELSEWHERE and bool(_content(self))

    @property
    def pieces(self) -> int:
        """
        Return how many arrivals the answer will have.
        """
        return len(read_timing(self.response).arrivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """
    Hold a recording made elsewhere.

    Attributes:
        layout: what its file was, in words.
        turns: its interactions, in order.
        notes: what whoever uses it should know.
    """

    layout: str
    turns: tuple[Turn, ...]
    notes: tuple[str, ...] = ()

    @property
    def answered(self) -> list[Turn]:
        """
        Return the interactions that carry a prompt and were answered.
        """
        return [one for one in self.turns if one.asked.prompts and one.answered]

    @property
    def prompts(self) -> tuple[str, ...]:
        """
        Return the prompts that were answered, each once.
        """
        return tuple(dict.fromkeys(text for one in self.answered for text in one.asked.prompts))

    @property
    def streamed(self) -> list[Turn]:
        """
        Return the interactions whose answers were streamed, also those fetched for a prompt that another one carried.
        """
        asked = [place for place, one in enumerate(self.turns) if one in self.answered]
        return [
            one for place, one in enumerate(self.turns) if one.form and not one.refused and asked and place >= asked[0]
        ]

    @property
    def whole(self) -> list[Turn]:
        """
        Return those that carry a prompt and were answered in one piece; none that only says where the stream is.
        """
        elsewhere = any(not one.asked.prompts for one in self.streamed)
        return [one for one in self.answered if not one.form and not (elsewhere and asks_stream(one.request))]

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """
        Return the calls that it can stand for, by what it shows.
        """
        single = [one for one in self.whole if len(one.asked.prompts) == 1]
        inputs = {text for one in self.whole if not one.asked.goes_on for text in one.asked.prompts}
        found = {
            Capability.INVOKE: bool(single),
            Capability.AINVOKE: bool(single),
            Capability.STREAM: bool(self.streamed),
            Capability.ASTREAM: bool(self.streamed),
            Capability.BATCH: len(inputs) >= _BATCH,
            Capability.ABATCH: len(inputs) >= _BATCH,
        }
        return tuple(call for call in Capability if found[call])

    def text(self, secrets: Secrets, where: str) -> str:
        """
        Return the text of its cassette, scrubbed.

        Raises:
            SecretFound: something that looks like a secret is left.
        """
        pairs = [(scrub_request(one.request, secrets), scrub_response(one.response, secrets)) for one in self.turns]
        text = dump(pairs)
        refuse(scan(text, secrets), where)
        return text


def read_imported(path: Path) -> Imported:
    """
    Return what a recording made elsewhere becomes; its file is only read.

    Raises:
        MissingCassette: there is no such file.
        CassetteError: it cannot be used; says why.
    """
    try:
        layout, pairs = read_foreign(path)
        place = Place(where=str(path))
        found = [_turn(pair, place, str(path), number) for number, pair in enumerate(pairs, 1)]
        turns = _without_refusals(_without_echoes(found, place), place)
        if not turns:
            place.fail(TAKEN_OUT)
        _stamp(turns)
        made = Imported(layout=layout, turns=turns, notes=tuple(dict.fromkeys([*place.notes, *_doubts(turns)])))
        _require_use(made, str(path))
    except RecursionError as error:
        raise CassetteError("it is nested too deeply", where=str(path), hint="do not trust the file") from error
    return made


def _turn(pair: object, place: Place, where: str, number: int) -> Turn | None:
    """
    Return one exchange; None where nothing is left of its address, and it asked for something else than an answer.
    """
    place.where = f"{where}, interaction {number}"
    both = place.mapping(pair, "the interaction")
    request = request_of(place.mapping(both.get("request"), "the request"), place)
    response = response_of(place.mapping(both.get("response"), "the response"), place)
    if "grpc" in header(response["headers"], "content-type") or "grpc" in header(request["headers"], "content-type"):
        place.fail("it is a call of gRPC, which another recorder cannot have kept whole")
    uri = address(request, response["body"]["string"], place)
    if uri is None:
        _leave_out(request, place, number)
        return None
    request["uri"] = uri
    clean = interaction({"request": request, "response": response}, where, number)
    asks, answer = clean["request"], clean["response"]
    made = Request(
        asks["method"], asks["uri"], asks["body"], {name: ", ".join(v) for name, v in asks["headers"].items()}
    )
    form = _form(made, answer)
    body = answer["body"]["string"]
    if body and not form and "harness" not in answer:
        # a known length says that an answer was not written piece by piece
        answer["headers"]["content-length"] = [str(len(body))]
    read_timing(answer, where=where, number=number)
    return Turn(
        request=made,
        response=answer,
        asked=asked(asks["method"], asks["uri"], asks["body"]),
        form=form,
        recorded=_date(both.get("recorded_at")),
    )


def _without_echoes(found: list[Turn | None], place: Place) -> tuple[Turn, ...]:
    """
    Leave out what a second recorder noted of an exchange that it could not read the answer of.

    Where one client library stands on another, vcrpy patches both, and the outer one finds the body read.
    """
    told = {_exchange(one): number for number, one in enumerate(found, 1) if one and _content(one)}
    kept = []
    for number, one in enumerate(found, 1):
        if one and not _content(one) and not one.refused and _exchange(one) in told:
            place.notes.append(f"request {number} is left out: number {told[_exchange(one)]} again, without its body")
        elif one:
            kept.append(one)
    return tuple(kept)


def _without_refusals(turns: tuple[Turn, ...], place: Place) -> tuple[Turn, ...]:
    """
    Leave out what was refused and not asked for again, where other questions were answered.

    A test of errors has nothing to say about the calls that are measured, and would be played to them instead of an
    answer. What is asked for once more is a retry, and stays.
    """
    if not any(one.asked.prompts and one.answered for one in turns):
        return turns
    kept = []
    for number, one in enumerate(turns):
        again = any(later.answered and _question(later) == _question(one) for later in turns[number + 1 :])
        if one.refused and one.asked.prompts and not again:
            code = one.response["status"]["code"]
            place.notes.append(f"a request that was refused (HTTP {code}) and not tried again is left out")
        else:
            kept.append(one)
    return tuple(kept)


def _question(turn: Turn) -> tuple[object, ...]:
    return turn.request.method, turn.request.uri, turn.request.body


def _content(turn: Turn) -> bytes:
    body: bytes = turn.response["body"]["string"]
    return body


def _exchange(turn: Turn) -> tuple[object, ...]:
    """
    Return what is the same in whatever was noted of one exchange.
    """
    answer = turn.response
    return *_question(turn), answer["status"]["code"], header(answer["headers"], "date")


def _leave_out(request: dict[str, Any], place: Place, number: int) -> None:
    if asked(request["method"], "", request["body"]).prompts:
        place.fail(TAKEN_OUT)
    place.notes.append(f"request {number} ({request['method']}) is left out: nothing is left of its address")


def _form(request: Request, response: dict[str, Any]) -> str:
    """
    Say how an answer was streamed; an empty text where it came in one piece.
    """
    body, kind = response["body"]["string"], header(response["headers"], "content-type")
    if not body or int(response["status"]["code"]) >= REFUSED:
        return ""
    if wire.messages(body):
        return "AWS event stream"
    if wire.looks_like_events(body) or ("event-stream" in kind and not is_json(body)):
        return "server-sent events"
    if body.lstrip()[:1] == b"[" and asks_stream(request) and is_json(body):
        return "elements of a JSON array"
    return "lines of JSON" if (wire.is_stream(body) or (wire.streams(kind) and not is_json(body))) else ""


def _stamp(turns: tuple[Turn, ...]) -> None:
    """
    Note where the recording comes from, and when it was made where an answer says so.
    """
    for turn in turns:
        timing = read_timing(turn.response)
        if turn is turns[0]:
            recorded = timing.recorded or turn.recorded or _date(header(turn.response["headers"], "date"))
            timing = replace(timing, upstream=Upstream.IMPORTED.value, recorded=recorded)
        write_timing(turn.response, timing)


def _date(value: object) -> str | None:
    """
    Return a moment as cassettes write it, from the text of a header, from another form of text, or as YAML reads it.
    """
    try:
        moment = value if isinstance(value, datetime) else _moment(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):  # the first year has no earlier hour
        return None


def _moment(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return datetime.fromisoformat(text)


def _require_use(made: Imported, where: str) -> None:
    if made.answered:
        return
    asked = [one for one in made.turns if one.asked.prompts]
    raise CassetteError(_why_none(asked), where=where, hint=RECORD_INSTEAD)


def _why_none(asked: list[Turn]) -> str:
    if not asked:
        return "no request in it carries a prompt"
    codes = sorted({int(one.response["status"]["code"]) for one in asked})
    said = ", ".join(map(str, codes))
    if any(one.refused for one in asked):
        return f"the upstream refused what was asked (HTTP {said})"
    if codes[-1] >= _ELSEWHERE:
        return f"the upstream only said where to ask what was asked (HTTP {said})"
    return "the answers to what was asked are empty in it"


def _doubts(turns: tuple[Turn, ...]) -> Iterator[str]:
    for turn in turns:
        if not turn.form:
            continue
        if turn.pieces < FEWEST_ARRIVALS:
            yield f"too few pieces to show streaming ({turn.pieces}), the cell will be unknown"
        if turn.form == "server-sent events":
            yield from _doubtful_events(turn)
        if asks_stream(turn.request) is None and not _ASKS.search(_said(turn.request)):
            yield "suspect: an answer is streamed, and nothing in its request asks for that"


def _said(request: Request) -> str:
    """
    Return everything in a request that may ask for a stream; some say it in a header, or deep in their body.
    """
    headers = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{request.uri} {headers} {json.dumps(json_body(request))}"


def _doubtful_events(turn: Turn) -> Iterator[str]:
    if "json" in header(turn.response["headers"], "content-type"):
        yield "suspect: events under the content type of JSON"
    if _PRETTY.search(turn.response["body"]["string"]):
        yield "suspect: events of several lines each, as if they were printed for people"

"""A tape that answers otherwise than was recorded: with a refusal, half an answer, one piece for ever, or late."""

from __future__ import annotations

import copy
import json
import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from harness.events import Sent
from harness.tape import wire
from harness.tape.matching import agree
from harness.tape.reading import readable
from harness.tape.recorded import cassette_of
from harness.tape.tape import Tape
from harness.tape.timing import Piece, Timing, header, read_timing, write_timing
from harness.words import FEWEST_ARRIVALS

if TYPE_CHECKING:
    from vcr.cassette import Cassette
    from vcr.request import Request

    from harness.tape.faults import Faults
    from harness.tape.gate import Gate
    from harness.tape.player import Player

CUT: Final = "the connection broke off in the middle of the answer"
_MOMENT: Final = 0.01
_ADDRESS: Final = ("method", "scheme", "host", "port", "path")


@dataclass(slots=True)
class Harm:
    """
    Count what was done to answers.
    """

    refused: int = 0
    cut: int = 0
    repeated: int = 0


class FaultyTape(Tape):
    """
    Replay a cassette with faults.

    Args:
        faults: what goes wrong.
        cassette: the recording.
        log, gate, and more: those of `Tape`.
    """

    def __init__(self, log: Any, gate: Gate, faults: Faults, *, cassette: Cassette, **more: Any) -> None:  # noqa: ANN401 - handed on
        super().__init__(log, gate, cassette=cassette, **more)
        self.harm = Harm()
        self._faults = faults
        self._played_from = cassette
        self._swap = threading.Lock()

    def _match(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        carries = self.marks(readable(request))
        if carries and (self._faults.cut or self._faults.repeat):
            # whoever asks again after a broken answer gets it once more, and broken again
            self._played_from.rewind()
        found = super()._match(request)
        if found is None and self._faults.lenient:
            found = self._alike(request, carries)
        if not carries:
            return found
        if self._refuses(carries):
            self.harm.refused += 1
            return (found[0] if found else 0), _refusal(self._faults.status or 0)
        return found if found is None else (found[0], self._repeated(self._cut(found[1])))

    def _refuses(self, carries: tuple[int, ...]) -> bool:
        return self._faults.status is not None and self._faults.only in {None, *(carries if len(carries) == 1 else ())}

    def _cut(self, response: dict[str, Any]) -> dict[str, Any]:
        if not self._faults.cut or len(read_timing(response).arrivals) < FEWEST_ARRIVALS:
            return response
        self.harm.cut += 1
        return half(response)

    def _repeated(self, response: dict[str, Any]) -> dict[str, Any]:
        looping = loop(response, self._faults.repeat) if self._faults.repeat else None
        if looping is None:
            return response
        self.harm.repeated += 1
        return looping

    def _alike(self, request: Request, carries: tuple[int, ...]) -> tuple[int, dict[str, Any]] | None:
        """
        Return the recorded answer to the same inputs at the same address, whatever else the request says.
        """
        matchers = cassette_of([], _ADDRESS)._match_on  # noqa: SLF001 - vcrpy has no public name for it
        for index, (recorded, response) in enumerate(self._played_from.data):
            if agree(request, recorded, matchers) and self.marks(readable(recorded)) == carries:
                return index, response
        return None

    def player(
        self, number: int, response: dict[str, Any], base: float, position: tuple[int, int] | None = None
    ) -> Player:
        """
        Return the player of one answer, behind a gate of its own where the faults give it one.
        """
        if self._faults.gate is None:
            return super().player(number, response, base, position)
        carries = next((one.carries for one in self.log.events if isinstance(one, Sent) and one.request == number), ())
        own = self._faults.gate(number, carries)
        with self._swap:
            before, self.gate = self.gate, own or self.gate
            try:
                return super().player(number, response, base, position)
            finally:
                self.gate = before


def half(response: dict[str, Any]) -> dict[str, Any]:
    """
    Return a stored response that breaks off after the first half of its arrivals.
    """
    timing = read_timing(response)
    kept = timing.arrivals[: len(timing.arrivals) // 2]
    raw = _stored(response)
    cut = copy.deepcopy({key: response[key] for key in ("status", "headers")})
    cut["body"] = {"string": raw[: sum(piece.size for piece in kept)]}
    write_timing(cut, replace(timing, arrivals=kept, cut=CUT, made_up=False))
    return cut


def loop(response: dict[str, Any], times: int) -> dict[str, Any] | None:
    """
    Return a stored response that hands one piece from its middle out so many times more; None where it has too few.

    Pieces are those of the wire format, an arrival each: what arrived together is told apart, and what was cut is
    joined. The longest of the middle third is repeated: it says most, and some guards let short ones pass.
    """
    raw = _stored(response)
    sizes = wire.split(raw, header(response["headers"], "content-type"))
    if len(sizes) < FEWEST_ARRIVALS:
        return None
    middle = range(len(sizes) // 3, len(sizes) - len(sizes) // 3)
    chosen = max(middle, key=lambda at: (sizes[at], -at))
    ends = sum(sizes[: chosen + 1])
    piece = raw[ends - sizes[chosen] : ends]
    counts = [*sizes[: chosen + 1], *[len(piece)] * times, *sizes[chosen + 1 :]]
    made = copy.deepcopy({key: response[key] for key in ("status", "headers")})
    made["body"] = {"string": raw[:ends] + piece * times + raw[ends:]}
    for name in made["headers"]:
        if name.lower() == "content-length":
            made["headers"][name] = [str(sum(counts))]
    arrivals = tuple(Piece(round(_MOMENT * at, 6), size) for at, size in enumerate(counts, 1))
    write_timing(made, replace(read_timing(response), arrivals=arrivals, made_up=False))
    return made


def _stored(response: dict[str, Any]) -> bytes:
    body = response["body"].get("string") or b""
    return body.encode() if isinstance(body, str) else bytes(body)


def _refusal(status: int) -> dict[str, Any]:
    """
    Return the stored response of an upstream that refuses, in the form that most providers have in common.
    """
    phrase = HTTPStatus(status).phrase
    kind = phrase.lower().replace(" ", "_")
    body = json.dumps({"error": {"message": f"{phrase} (injected)", "type": kind, "code": str(status)}}).encode()
    response: dict[str, Any] = {
        "status": {"code": status, "message": phrase},
        "headers": {"content-type": ["application/json"], "content-length": [str(len(body))]},
        "body": {"string": body},
    }
    write_timing(response, Timing(arrivals=(Piece(_MOMENT, len(body)),), framing="length", sent=0.0))
    return response

"""The tape that a server answers from: matched as any, counted, and by request played again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.marks import CODE_WORD
from harness.serve.gates import OpenGate
from harness.tape.matching import agree, nearest
from harness.tape.tape import Tape

if TYPE_CHECKING:
    from vcr.request import Request

    from harness.serve.gates import Lockstep
    from harness.serve.recordings import Recordings
    from harness.tape.log import Log


class ServedTape(Tape):
    """
    Answer requests that come over a socket.

    Args:
        log: where the events go.
        recordings: what is played.
        pace: 0 for at once, otherwise the factor of the recorded pace.
        lockstep: holds each arrival until it is asked for; None holds nothing.
        repeat: play a recording again when it is asked for again.
    """

    def __init__(
        self, log: Log, recordings: Recordings, *, pace: float, lockstep: Lockstep | None, repeat: bool
    ) -> None:
        super().__init__(
            log,
            lockstep or OpenGate(),
            cassette=recordings.cassette,
            marks=_CodeWords(),
            pace=0.0 if lockstep else pace,
        )
        self._recordings = recordings
        self._repeat = repeat

    def _match(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        found = super()._match(request)
        if found is None and self._repeat:
            self._rewind_for(request)
            found = super()._match(request)
        if found is None:
            self.refuse(request, nearest(self._recordings.cassette, request, self._recordings.places))
        self._recordings.plays[found[0]] += 1
        return found

    def _rewind_for(self, request: Request) -> None:
        cassette = self._recordings.cassette
        for index, (recorded, _) in enumerate(cassette.data):
            if agree(request, recorded, cassette._match_on):  # noqa: SLF001 - vcrpy has no public name for it
                cassette.play_counts[index] = 0


class _CodeWords:
    """
    Tell requests apart by the code words of the standard prompts: the inputs of a call are not known here.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> tuple[int, ...]:
        words = dict.fromkeys(CODE_WORD.findall(text))
        return tuple(sorted(self._numbers.setdefault(word, len(self._numbers)) for word in words))

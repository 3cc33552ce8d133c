"""One call of a seam, answered from what is recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from harness.tape.engines import plain
from harness.tape.engines.handles import Thing
from harness.tape.engines.live import STEPS, Steps
from harness.tape.engines.spec import CALL
from harness.tape.engines.told import JSON_TYPE, request_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from harness.events import Hook
    from harness.tape.engines.engine import Engine
    from harness.tape.engines.exchanges import Exchanges
    from harness.tape.player import Answer
    from harness.tape.tape import Tape

LINES_TYPE: Final = "application/x-ndjson"
CALLS: Final = "; calls"
"""The engine called the adapter back, once for each line but the last."""
ASYNC: Final = "; async"
"""The answer is awaited, or iterated over asynchronously."""
AWAITED: Final = "; awaited"
"""What is iterated over asynchronously has to be awaited before."""
__all__ = ["ASYNC", "AWAITED", "CALLS", "JSON_TYPE", "LINES_TYPE", "Call", "Replayed"]


class Call:
    """
    Hold one call of a seam.

    Attributes:
        thing: what it returns.
        request: the call as a request.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a call is made of
        self,
        exchanges: Exchanges,
        engine: Engine,
        tape: Tape,
        owner: Thing,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        body: dict[str, Any],
    ) -> None:
        self.exchanges, self.engine, self.tape, self.owner = exchanges, engine, tape, owner
        self.args, self.kwargs = args, kwargs
        self.seam = engine.spec.seams[owner.path]
        self.thing = Thing(engine, f"{owner.path}()", f"{owner.name}()#{plain.digest(body)}")
        flag = next((body[name] for name in ("stream", "streaming") if isinstance(body.get(name), bool)), None)
        # the name under which a request says whether its answer is to come in pieces
        self.request = request_of(CALL, owner.path, body if flag is None else {**body, "stream": flag})

    def value(self, piece: bytes) -> Any:  # noqa: ANN401 - whatever the engine returns
        """
        Return what a piece of the answer says, or raise it.
        """
        return self.engine.result(json.loads(piece), self.thing)

    def pieces(self, player: Answer) -> Iterator[Any]:
        """
        Yield what was yielded.
        """
        try:
            while (piece := player.next("sync")) is not None:
                yield self.value(piece)
        finally:
            player.close()

    async def apieces(self, player: Answer) -> AsyncIterator[Any]:
        """
        Yield what was yielded, on the event loop.
        """
        try:
            while (piece := await player.anext()) is not None:
                yield self.value(piece)
        finally:
            player.close()

    def whole(self, player: Answer) -> Any:  # noqa: ANN401 - as above
        """
        Return what was returned.
        """
        pieces = []
        while (piece := player.next("sync")) is not None:
            pieces.append(piece)
        return self.value(b"".join(pieces))

    async def awhole(self, player: Answer) -> Any:  # noqa: ANN401 - as above
        """
        Return what was returned, on the event loop.
        """
        pieces = []
        while (piece := await player.anext()) is not None:
            pieces.append(piece)
        return self.value(b"".join(pieces))


class Replayed(Call):
    """
    Answer one call from the cassette.
    """

    def make(self) -> Any:  # noqa: ANN401 - as above
        """
        Return what the adapter gets.
        """
        hook: Hook = "async" if self.exchanges.is_awaited(str(self.request.uri)) else "sync"
        player = self.tape.send(self.request, hook).player
        if player is None:
            msg = "the engine is not here, and this tape records"
            raise RuntimeError(msg)
        kind = player.header("content-type")
        if hook == "async":
            return self._awaited(player, kind)
        if STEPS in kind:
            steps = Steps(self, player=player)
            self.exchanges.opened(steps)
            return steps.replayed(self.owner)
        if CALLS in kind:
            return self._call_back(player)
        return self.pieces(player) if kind.startswith(LINES_TYPE) else self.whole(player)

    def _awaited(self, player: Answer, kind: str) -> Any:  # noqa: ANN401 - as above
        if not kind.startswith(LINES_TYPE):
            return self.awhole(player)
        return self._awaited_pieces(player) if AWAITED in kind else self.apieces(player)

    async def _awaited_pieces(self, player: Answer) -> AsyncIterator[Any]:
        return self.apieces(player)

    def _call_back(self, player: Answer) -> Any:  # noqa: ANN401 - as above
        named = {**{str(number): value for number, value in enumerate(self.args)}, **self.kwargs}
        while (piece := player.next("sync")) is not None:
            told = json.loads(piece)
            if "calls" not in told:
                return self.engine.result(told, self.thing)
            named[told["calls"]](*self.engine.served(told["arguments"], self.thing))
        return None

"""
Calls of seams: requests to an engine, and what is still open of their answers.

An answer is a value (one arrival), what an iterator yields (one arrival each), what the engine passes to a
callback (likewise), or what further calls of the same thread return, where a seam continues another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.places import place
from harness.tape.engines import plain
from harness.tape.engines.calls import ASYNC, Replayed
from harness.tape.engines.handles import ABSENT
from harness.tape.engines.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.events import Spot
    from harness.tape.engines.engine import Engine
    from harness.tape.engines.handles import Thing
    from harness.tape.engines.live import Steps
    from harness.tape.tape import Tape


class Exchanges:
    """
    Make the requests of one engine over one tape.

    Args:
        engine: whose calls they are.
        tape: what they are recorded to, or answered from.
    """

    def __init__(self, engine: Engine, tape: Tape) -> None:
        self._engine = engine
        self._tape = tape
        self._open: dict[Spot, Steps] = {}
        self._awaited: dict[str, bool] | None = None

    def call(self, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the engine returns
        """
        Make one call of a seam.
        """
        body = self._engine.body(self._tape, owner, args, kwargs)
        steps = self._open.get(place())
        if steps is not None:
            if self._continues(owner, body):
                return steps.step(owner, args, kwargs)
            self._open.pop(place()).end()
        kind = Recorded if owner.real is not ABSENT and self._tape.recording else Replayed
        return kind(self, self._engine, self._tape, owner, args, kwargs, body).make()

    def opened(self, steps: Steps) -> None:
        """
        Note an answer that further calls of this thread may go on with.
        """
        self._open[place()] = steps

    def finish(self) -> None:
        """
        End what is still open: the adapter's call is over.
        """
        while self._open:
            self._open.popitem()[1].end()

    def is_awaited(self, uri: str) -> bool:
        """
        Tell whether the recorded calls at an address are awaited.
        """
        if self._awaited is None:
            self._awaited = {
                str(request.uri): ASYNC in response["headers"].get("content-type", [""])[0]
                for request, response in self._tape.recorded()
            }
        return self._awaited.get(uri, False)

    def _continues(self, owner: Thing, body: Mapping[str, Any]) -> bool:
        return self._engine.spec.seams[owner.path].continues and not self._tape.marks(
            "\n".join(plain.texts_in(dict(body)))
        )

"""Answers of which the adapter gets each piece at once, because it, or the engine, calls again and again."""

from __future__ import annotations

import importlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from harness.events import Ended
from harness.places import place
from harness.tape.engines import plain
from harness.tape.engines.told import JSON_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.tape.engines.calls import Call
    from harness.tape.engines.handles import Thing
    from harness.tape.engines.spec import Seam
    from harness.tape.player import Answer
    from harness.tape.tape import Recorder

STEPS: Final = "; steps"
"""The adapter called the engine, once for each line."""


class Live:
    """
    Record an answer while the adapter already gets its pieces.

    Args:
        call: the call that began it.
        recorder: takes the pieces down.
        wait: is called before each piece.

    Attributes:
        called: the engine has called the adapter back.
    """

    def __init__(self, call: Call, recorder: Recorder, wait: Callable[[], object]) -> None:
        self._call = call
        self._recorder = recorder
        self._wait = wait
        self._count = 0
        self.called = False

    def args(self) -> tuple[Any, ...]:
        """
        Return the call's arguments as the engine gets them; what it calls back is heard.
        """
        return tuple(self._heard(str(number), value) for number, value in enumerate(self._call.args))

    def kwargs(self) -> dict[str, Any]:
        """
        Return the call's keyword arguments in the same way.
        """
        return {name: self._heard(name, value) for name, value in self._call.kwargs.items()}

    def arrived(self, piece: bytes) -> None:
        """
        Take a piece down, and log that it was handed out.
        """
        self._wait()
        self._recorder.arrived(piece)
        number, tape = self._count, self._call.tape
        self._count += 1
        tape.gate.hold(number, 0, last=False)
        tape.log.arrived(self._recorder.elapsed, place(), self._recorder.number, number, len(piece), "sync")

    def end(self, kind: str) -> None:
        """
        Keep the answer.
        """
        self._recorder.head(200, "OK", [("content-type", kind)], "close")
        self._recorder.end()
        # an answer had by call after call ended with the last of them, and only now is it known which was the last
        if STEPS not in kind:
            self._call.tape.log.note(Ended, request=self._recorder.number, hook="sync")

    def _heard(self, name: str, value: Any) -> Any:  # noqa: ANN401 - any argument
        own = self._call.engine.unwrapped(value)
        if own is not value or isinstance(value, type) or not callable(value):
            return own
        return partial(self._hear, name, value)

    def _hear(self, name: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 - as above
        self.called = True
        packed = self._call.engine.packer(self._call.thing.name).pack(list(args))
        self.arrived(plain.line({"calls": name, "arguments": packed}))
        return function(*args)


class Steps:
    """
    Hold an answer that is had by call after call.

    Args:
        call: the call that began it.
        live: what it is recorded by.
        player: what it is answered from.
    """

    def __init__(self, call: Call, *, live: Live | None = None, player: Answer | None = None) -> None:
        self._call = call
        self._live = live
        self._player = player

    def step(self, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the engine returns
        """
        Make a further call.
        """
        if self._live is None:
            return self.replayed(owner)
        engine = self._call.engine
        return self.recorded(owner, owner.real(*engine.unwrapped(args), **engine.unwrapped(dict(kwargs))))

    def recorded(self, owner: Thing, real: Any) -> Any:  # noqa: ANN401 - as above
        """
        Keep what a call returned; nothing and what is only computed with are no parts of an answer.
        """
        engine, path = self._call.engine, owner.path
        if path in engine.spec.inert:
            return engine.inert(path, real)
        if real is not None and self._live is not None:
            packed = engine.packer(self._call.thing.name, keep=engine.spec.seams[path].keep).pack(real)
            self._live.arrived(plain.line({"call": path, "returns": packed, **in_words(engine.spec.seams[path], real)}))
        return real

    def replayed(self, owner: Thing) -> Any:  # noqa: ANN401 - as above
        """
        Return what a call returned.
        """
        engine, path = self._call.engine, owner.path
        if path in engine.spec.inert:
            return engine.inert(path)
        coming = None if self._player is None else self._player.coming
        if self._player is None or coming is None or json.loads(coming).get("call") != path:
            return None
        piece = self._player.next("sync")
        return None if piece is None else self._call.value(piece)

    def end(self) -> None:
        """
        Make no more of it.
        """
        if self._live is not None:
            self._live.end(JSON_TYPE + STEPS)
        elif self._player is not None:
            self._player.close()


def in_words(seam: Seam, real: object) -> dict[str, Any]:
    """
    Return what an answer says, for a seam that answers in numbers.
    """
    if seam.text is None:
        return {}
    module, _, name = seam.text.partition(":")
    return {"text": getattr(importlib.import_module(module), name)(real)}

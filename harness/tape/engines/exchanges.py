"""
Calls of seams: requests to an engine, and their answers piece by piece.

An answer is a value (one arrival), what an iterator yields (one arrival each), what the engine passes to a
callback (likewise), or what further calls of the same thread return, where a seam continues another.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from harness.events import Ended, place
from harness.tape.engines import plain
from harness.tape.engines.handles import ABSENT
from harness.tape.engines.spec import CALL
from harness.tape.engines.told import JSON_TYPE, request_of
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.events import Hook
    from harness.tape.engines.engine import Engine
    from harness.tape.engines.handles import Handle
    from harness.tape.engines.spec import Seam
    from harness.tape.player import Player
    from harness.tape.tape import Recorder, Tape

LINES_TYPE: Final = "application/x-ndjson"
_CALLS: Final = "; calls"
"""The engine called the adapter back, once for each line but the last."""
_STEPS: Final = "; steps"
"""The adapter called the engine, once for each line."""
_ASYNC: Final = "; async"
_FAILED: Final = 500
_pause = threading.Event().wait
"""`time.sleep` is watched: an adapter that sleeps on its loop is told on, and this is not the adapter's doing."""


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
        self._open: dict[Any, _Steps] = {}
        self._kinds: dict[str, bool] | None = None

    def call(self, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the engine returns
        """
        Make one call of a seam.
        """
        path = owner._harness_path
        body = self._engine.body(self._tape, owner, args, kwargs)
        seam = self._engine.spec.seams[path]
        steps = self._open.get(place())
        if seam.continues and steps is not None and not self._tape.marks("\n".join(plain.texts_in(body))):
            return steps.step(owner, args, kwargs)
        if steps is not None:
            self._open.pop(place()).end()
        one = _Call(self._engine, self._tape, owner, args, kwargs, body)
        return one.record() if one.live else one.replay()

    def opened(self, steps: _Steps) -> None:
        """
        Note an answer that further calls of this thread may go on with.
        """
        self._open[place()] = steps

    def finish(self) -> None:
        """
        End what is still open: the call is over.
        """
        while self._open:
            self._open.popitem()[1].end()

    def is_async(self, uri: str) -> bool:
        """
        Tell whether the recorded calls at an address are awaited.
        """
        if self._kinds is None:
            self._kinds = {
                str(request.uri): _ASYNC in response["headers"].get("content-type", [""])[0]
                for request, response in self._tape.recorded()
            }
        return self._kinds.get(uri, False)


class _Call:
    """
    Hold one call of a seam.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a call is made of
        self,
        engine: Engine,
        tape: Tape,
        owner: Handle,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        body: dict[str, Any],
    ) -> None:
        self.engine, self.tape, self.owner = engine, tape, owner
        self.args, self.kwargs = args, kwargs
        self.path = owner._harness_path
        self.seam: Seam = engine.spec.seams[self.path]
        self.full = f"{owner._harness_name}()#{plain.digest(body)}"
        flag = next((body[name] for name in ("stream", "streaming") if isinstance(body.get(name), bool)), None)
        self.request = request_of(CALL, self.path, body if flag is None else {**body, "stream": flag})
        self.live = owner._harness_real is not ABSENT and tape.recording

    # -- recording ---------------------------------------------------------------------------------------------

    def record(self) -> Any:  # noqa: ANN401 - whatever the engine returns
        real = self.owner._harness_real
        function = real if inspect.isroutine(real) else getattr(real, "__call__", real)  # noqa: B004 - what is behind it
        hook: Hook = "async" if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) else "sync"
        recorder = _recorder(self.tape.send(self.request, hook).recorder)
        live = _Live(self, recorder)
        try:
            found = real(*live.args(), **live.kwargs())
        except Exception as error:
            self._fail(recorder, error)
            raise
        if isinstance(found, AsyncIterator):
            return self._record_aiter(found, recorder)
        if isinstance(found, Awaitable):
            return self._await(found, recorder)
        if isinstance(found, Iterator):
            return self._record_iter(found, recorder)
        if live.called or self._is_stepped():
            return self._record_live(found, live)
        return self._record_value(found, recorder, "sync")

    def _is_stepped(self) -> bool:
        return any(seam.continues for seam in self.engine.spec.seams.values())

    def _record_value(self, found: Any, recorder: Recorder, hook: Hook) -> Any:  # noqa: ANN401 - as above
        self._delay()
        recorder.head(200, "OK", [("content-type", JSON_TYPE + (_ASYNC if hook == "async" else ""))], "length")
        recorder.arrived(self.told("returns", found).rstrip(b"\n"))
        return self._served(recorder.end(), hook)

    def _record_live(self, found: Any, live: _Live) -> Any:  # noqa: ANN401 - as above
        if live.called:
            live.arrived(self.told("returns", found))
            live.end(LINES_TYPE + _CALLS)
            return found
        steps = _Steps(self, live)
        self.engine.state(self.tape).exchanges.opened(steps)
        return steps.recorded(self.owner, found)

    def _record_iter(self, found: Iterator[Any], recorder: Recorder) -> Iterator[Any]:
        recorder.head(200, "OK", [("content-type", LINES_TYPE)], "chunked")
        try:
            for one in found:
                self._delay()
                if not recorder.arrived(self.told("yields", one)):
                    break
        except Exception as error:  # noqa: BLE001 - whatever the engine raises is raised again, in its place
            recorder.arrived(plain.line(plain.pack_error(error)))
        return self._pieces(recorder.end())

    async def _await(self, found: Awaitable[Any], recorder: Recorder) -> Any:  # noqa: ANN401 - as above
        try:
            result = await found
        except Exception as error:
            self._fail(recorder, error, _ASYNC)
            raise
        if isinstance(result, AsyncIterator):
            return await self._taken(result, recorder, awaited=True)
        await asyncio.sleep(self.engine.spec.delay)
        recorder.head(200, "OK", [("content-type", JSON_TYPE + _ASYNC)], "length")
        recorder.arrived(self.told("returns", result).rstrip(b"\n"))
        return await self._aserved(recorder.end())

    async def _record_aiter(self, found: AsyncIterator[Any], recorder: Recorder) -> AsyncIterator[Any]:
        pieces = await self._taken(found, recorder)
        async for one in pieces:
            yield one

    async def _taken(
        self, found: AsyncIterator[Any], recorder: Recorder, *, awaited: bool = False
    ) -> AsyncIterator[Any]:
        kind = "; awaited" if awaited else ""
        recorder.head(200, "OK", [("content-type", LINES_TYPE + _ASYNC + kind)], "chunked")
        try:
            async for one in found:
                await asyncio.sleep(self.engine.spec.delay)
                if not recorder.arrived(self.told("yields", one)):
                    break
        except Exception as error:  # noqa: BLE001 - as above
            recorder.arrived(plain.line(plain.pack_error(error)))
        return self._apieces(recorder.end())

    def _fail(self, recorder: Recorder, error: Exception, kind: str = "") -> None:
        recorder.head(_FAILED, type(error).__name__, [("content-type", JSON_TYPE + kind)], "length")
        recorder.arrived(plain.line(plain.pack_error(error)).rstrip(b"\n"))
        player = recorder.end()
        while player.next() is not None:
            pass

    def told(self, what: str, found: Any, **more: object) -> bytes:  # noqa: ANN401 - as above
        """
        Return one piece of the answer as it is kept.
        """
        packed = self.engine.packer(self.full, keep=self.seam.keep).pack(found)
        if self.seam.text is not None:
            more["text"] = _function(self.seam.text)(found)
        return plain.line({what: packed, **more})

    def _delay(self) -> None:
        if self.engine.spec.delay:
            _pause(self.engine.spec.delay)

    # -- replay, also of what was just recorded ----------------------------------------------------------------

    def replay(self) -> Any:  # noqa: ANN401 - as above
        exchanges = self.engine.state(self.tape).exchanges
        hook: Hook = "async" if exchanges.is_async(str(self.request.uri)) else "sync"
        exchange = self.tape.send(self.request, hook)
        player = exchange.player
        if player is None:
            msg = "a tape that does not record has an answer, or has refused"
            raise AssertionError(msg)
        kind = player.header("content-type")
        if hook == "async":
            return self._areplay(player, kind)
        if _STEPS in kind:
            steps = _Steps(self, None, player)
            exchanges.opened(steps)
            return steps.replayed(self.owner)
        if _CALLS in kind:
            return self._replay_calls(player)
        return self._pieces(player) if kind.startswith(LINES_TYPE) else self._served(player, "sync")

    def _areplay(self, player: Player, kind: str) -> Any:  # noqa: ANN401 - as above
        if not kind.startswith(LINES_TYPE):
            return self._aserved(player)
        return self._apieces_awaited(player) if "awaited" in kind else self._apieces(player)

    def _replay_calls(self, player: Player) -> Any:  # noqa: ANN401 - as above
        callbacks = {name: value for name, value in _named(self.args, self.kwargs).items() if callable(value)}
        while (piece := player.next("sync")) is not None:
            told = json.loads(piece)
            if "calls" not in told:
                return self._value(told)
            callbacks[told["calls"]](*self.engine.served(told["arguments"], self.path, self.full))
        return None

    def _served(self, player: Player, hook: Hook) -> Any:  # noqa: ANN401 - as above
        pieces = []
        while (piece := player.next(hook)) is not None:
            pieces.append(piece)
        return self._value(json.loads(b"".join(pieces)))

    async def _aserved(self, player: Player) -> Any:  # noqa: ANN401 - as above
        pieces = []
        while (piece := await player.anext()) is not None:
            pieces.append(piece)
        return self._value(json.loads(b"".join(pieces)))

    def _pieces(self, player: Player) -> Iterator[Any]:
        try:
            while (piece := player.next("sync")) is not None:
                yield self._value(json.loads(piece))
        finally:
            player.close()

    async def _apieces(self, player: Player) -> AsyncIterator[Any]:
        try:
            while (piece := await player.anext()) is not None:
                yield self._value(json.loads(piece))
        finally:
            player.close()

    async def _apieces_awaited(self, player: Player) -> AsyncIterator[Any]:
        return self._apieces(player)

    def _value(self, told: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        if "raises" in told:
            raise plain.unpack_error(told["raises"])
        found = told["returns"] if "returns" in told else told.get("yields")
        return self.engine.served(found, f"{self.path}()", self.full)

    def step(self, owner: Handle, found: Any) -> bytes:  # noqa: ANN401 - as above
        """
        Return what a further call returned as a piece of this one's answer.
        """
        seam = self.engine.spec.seams[owner._harness_path]
        more = {"text": _function(seam.text)(found)} if seam.text is not None else {}
        packed = self.engine.packer(self.full, keep=seam.keep).pack(found)
        return plain.line({"call": owner._harness_path, "returns": packed, **more})


class _Live:
    """
    Record an answer of which the adapter gets each piece at once, because the engine calls, or is called, on and on.
    """

    def __init__(self, call: _Call, recorder: Recorder) -> None:
        self._call = call
        self._recorder = recorder
        self._sizes: list[int] = []
        self.called = False

    def args(self) -> tuple[Any, ...]:
        return tuple(self._heard(str(number), value) for number, value in enumerate(self._call.args))

    def kwargs(self) -> dict[str, Any]:
        return {name: self._heard(name, value) for name, value in self._call.kwargs.items()}

    def arrived(self, piece: bytes) -> None:
        self._call._delay()
        self._recorder.arrived(piece)
        number = len(self._sizes)
        self._sizes.append(len(piece))
        log, gate = self._call.tape.log, self._call.tape.gate
        gate.hold(number, 0, last=False)
        log.arrived(self._recorder.elapsed, place(), self._recorder.number, number, len(piece), "sync")

    def end(self, kind: str) -> None:
        self._recorder.head(200, "OK", [("content-type", kind)], "close")
        self._recorder.end()
        # an answer had by call after call ended with the last of them, and only now is it known which was the last
        if kind != JSON_TYPE + _STEPS:
            self._call.tape.log.note(Ended, request=self._recorder.number, hook="sync")

    def _heard(self, name: str, value: Any) -> Any:  # noqa: ANN401 - any argument
        own = self._call.engine.unwrapped(value)
        if own is not value or isinstance(value, type) or not callable(value):
            return own
        return partial(self._hear, name, value)

    def _hear(self, name: str, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 - as above
        self.called = True
        packed = self._call.engine.packer(self._call.full).pack(list(args))
        self.arrived(plain.line({"calls": name, "arguments": packed}))
        return function(*args)


class _Steps:
    """
    Hold an answer that is had by call after call.
    """

    def __init__(self, call: _Call, live: _Live | None, player: Player | None = None) -> None:
        self._call = call
        self._live = live
        self._player = player

    def step(self, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        if self._live is None:
            return self.replayed(owner)
        engine = self._call.engine
        real = owner._harness_real(*engine.unwrapped(args), **engine.unwrapped(dict(kwargs)))
        return self.recorded(owner, real)

    def recorded(self, owner: Handle, real: Any) -> Any:  # noqa: ANN401 - as above
        engine, path = self._call.engine, owner._harness_path
        if path in engine.spec.inert:
            return engine.inert(path, real)
        if real is not None and self._live is not None:
            self._live.arrived(self._call.step(owner, real))
        return real

    def replayed(self, owner: Handle) -> Any:  # noqa: ANN401 - as above
        engine, path = self._call.engine, owner._harness_path
        if path in engine.spec.inert:
            return engine.inert(path)
        if self._player is None or self._following() != path:
            return None
        piece = self._player.next("sync")
        return None if piece is None else self._call._value(json.loads(piece))

    def end(self) -> None:
        if self._live is not None:
            self._live.end(JSON_TYPE + _STEPS)
        elif self._player is not None:
            self._player.close()

    def _following(self) -> str | None:
        coming = None if self._player is None else self._player.coming
        return None if coming is None else str(json.loads(coming).get("call"))


def finish(tape: Tape | None = None) -> None:
    """
    End what the engines' calls over a tape have left open: the adapter's call is over.
    """
    from harness.tape.engines.modules import provided  # noqa: PLC0415 - it imports what stands above

    tape = current() if tape is None else tape
    if tape is not None and (engine := provided()) is not None:
        engine.state(tape).exchanges.finish()


def _recorder(recorder: Recorder | None) -> Recorder:
    if recorder is None:
        msg = "a tape that records has a recorder"
        raise AssertionError(msg)
    return recorder


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {**{str(number): value for number, value in enumerate(args)}, **kwargs}


def _function(spec: str) -> Callable[[Any], Any]:
    module, _, name = spec.partition(":")
    found: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    return found

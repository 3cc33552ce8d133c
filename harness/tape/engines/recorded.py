"""One call of a seam, made to the real engine and recorded."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import TYPE_CHECKING, Any, Final

from harness.tape.engines import plain
from harness.tape.engines.calls import ASYNC, AWAITED, CALLS, JSON_TYPE, LINES_TYPE, Call
from harness.tape.engines.live import Live, Steps, in_words

if TYPE_CHECKING:
    from harness.events import Hook
    from harness.tape.player import Player
    from harness.tape.tape import Recorder

_FAILED: Final = 500
_pause = threading.Event().wait
"""`time.sleep` is watched: an adapter that sleeps on its loop is told on, and this is not the adapter's doing."""


class Recorded(Call):
    """
    Make one call, and keep it.

    Answers in pieces are read to their end before the adapter gets the first: a slow consumer does not change when
    the others came, and the adapter is served in the same way as in replay.
    """

    def make(self) -> Any:  # noqa: ANN401 - whatever the engine returns
        """
        Return what the adapter gets.
        """
        hook: Hook = "async" if _is_awaited(self.owner.real) else "sync"
        recorder = self.tape.send(self.request, hook).recorder
        if recorder is None:
            msg = "the engine is here, but this tape does not record"
            raise RuntimeError(msg)
        live = Live(self, recorder, self._wait)
        try:
            found = self.owner.real(*live.args(), **live.kwargs())
        except Exception as error:
            self._fail(recorder, error)
            raise
        return self._taken(found, recorder, live)

    def _taken(self, found: Any, recorder: Recorder, live: Live) -> Any:  # noqa: ANN401 - as above
        if isinstance(found, AsyncIterator):
            return self._aiterated(found, recorder)
        if isinstance(found, Awaitable):
            return self._awaited(found, recorder)
        if isinstance(found, Iterator):
            return self.pieces(self._iterated(found, recorder))
        if live.called:
            live.arrived(self._told("returns", found))
            live.end(LINES_TYPE + CALLS)
            return found
        if any(seam.continues for seam in self.engine.spec.seams.values()):
            steps = Steps(self, live=live)
            self.exchanges.opened(steps)
            return steps.recorded(self.owner, found)
        self._wait()
        return self.whole(self._returned(found, recorder))

    def _returned(self, found: object, recorder: Recorder, kind: str = "") -> Player:
        recorder.head(200, "OK", [("content-type", JSON_TYPE + kind)], "length")
        recorder.arrived(self._told("returns", found).rstrip(b"\n"))
        return recorder.end()

    def _iterated(self, found: Iterator[Any], recorder: Recorder) -> Player:
        recorder.head(200, "OK", [("content-type", LINES_TYPE)], "chunked")
        try:
            for one in found:
                self._wait()
                if not recorder.arrived(self._told("yields", one)):
                    break
        except Exception as error:  # noqa: BLE001 - it is raised again in its place, after what came before it
            recorder.arrived(plain.line(plain.pack_error(error)))
        return recorder.end()

    async def _awaited(self, found: Awaitable[Any], recorder: Recorder) -> Any:  # noqa: ANN401 - as above
        try:
            result = await found
        except Exception as error:
            self._fail(recorder, error, ASYNC)
            raise
        if isinstance(result, AsyncIterator):
            return self.apieces(await self._drawn(result, recorder, ASYNC + AWAITED))
        await asyncio.sleep(self.engine.spec.delay)
        return await self.awhole(self._returned(result, recorder, ASYNC))

    async def _aiterated(self, found: AsyncIterator[Any], recorder: Recorder) -> AsyncIterator[Any]:
        async for one in self.apieces(await self._drawn(found, recorder, ASYNC)):
            yield one

    async def _drawn(self, found: AsyncIterator[Any], recorder: Recorder, kind: str) -> Player:
        recorder.head(200, "OK", [("content-type", LINES_TYPE + kind)], "chunked")
        try:
            async for one in found:
                await asyncio.sleep(self.engine.spec.delay)
                if not recorder.arrived(self._told("yields", one)):
                    break
        except Exception as error:  # noqa: BLE001 - as above
            recorder.arrived(plain.line(plain.pack_error(error)))
        return recorder.end()

    def _fail(self, recorder: Recorder, error: Exception, kind: str = "") -> None:
        recorder.head(_FAILED, type(error).__name__, [("content-type", JSON_TYPE + kind)], "length")
        recorder.arrived(plain.line(plain.pack_error(error)).rstrip(b"\n"))
        player = recorder.end()
        while player.next() is not None:
            pass

    def _told(self, what: str, found: object) -> bytes:
        packed = self.engine.packer(self.thing.name, keep=self.seam.keep).pack(found)
        return plain.line({what: packed, **in_words(self.seam, found)})

    def _wait(self) -> None:
        if self.engine.spec.delay:
            _pause(self.engine.spec.delay)


def _is_awaited(function: Any) -> bool:  # noqa: ANN401 - any callable
    inner = function if inspect.isroutine(function) else getattr(type(function), "__call__", function)  # noqa: B004 - what runs
    return inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner)

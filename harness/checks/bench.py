"""The bench: gives a check instances of the adapter over a tape with faults, and tells what came of a call."""

from __future__ import annotations

import asyncio
import gc
import inspect
import time
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from harness.adapters.build import build
from harness.battery.prompts import PROMPTS
from harness.battery.texts import text_of
from harness.checks.check import NotApplicable
from harness.checks.leaping import leaping_loop, skipped_sleeps
from harness.checks.waits import NEVER, SLICE
from harness.events import Closed, Constructed, Ended, Event, Refused, Sent, first
from harness.marks import carried
from harness.tape.faults import Faults
from harness.tape.faulty import FaultyTape
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.watched import WatchedTape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from vcr.cassette import Cassette

    from harness.adapters.adapter import Adapter
    from harness.tape.passage import Door
    from harness.words import Capability

T = TypeVar("T")

_COLLECT: Final = 10
"""Slices between collections of garbage."""
_GRACE: Final = 60
"""
Slices that the gate waits for further requests of a batch. Giving up early can only excuse an adapter, and one that
honours a limit is waited for in vain.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    Say what came of one call.

    Attributes:
        outputs: what it gave: the items of a stream, the outputs of a batch, otherwise one output.
        raised: what it raised, if it did.
    """

    outputs: tuple[Any, ...] = ()
    raised: BaseException | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """
        Return the outputs as texts; what carries none is an empty one.
        """
        return tuple(text_of(one) or "" for one in self.outputs)


class Stage:
    """
    Hold one instance, made over a tape of its own.

    Attributes:
        capability: the call under test.
        inputs: the prompts: three for a batch, one otherwise.
        instance: the adapter.
        tape: answers it, and counts the harm that it does.
        loop: the event loop of an awaited call.
    """

    def __init__(
        self,
        capability: Capability,
        inputs: tuple[str, ...],
        tape: FaultyTape | WatchedTape,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.capability = capability
        self.inputs = inputs
        self.tape = tape
        self.loop = loop
        self.instance: Any = None

    @property
    def events(self) -> list[Event]:
        """
        Return what happened so far, in its order.
        """
        return self.tape.log.events

    @property
    def sent(self) -> list[Sent]:
        """
        Return the requests that carried a prompt.
        """
        return [one for one in self.events if isinstance(one, Sent) and one.carries]

    @property
    def unread(self) -> set[int]:
        """
        Return the requests with a prompt whose answers were neither read to the end nor given up.
        """
        over = {one.request for one in self.events if isinstance(one, Ended | Closed)}
        return {one.request for one in self.sent} - over

    @property
    def method(self) -> Any:  # noqa: ANN401 - any callable that the adapter offers
        """
        Return the method under test.

        Raises:
            NotApplicable: there is none.
        """
        name = self.capability.value
        found = getattr(self.instance, name, None)
        if not callable(found):
            raise NotApplicable(f"it has no method {name}")
        return found

    @property
    def argument(self) -> str | list[str]:
        """
        Return what the method is called with.
        """
        return list(self.inputs) if self.capability.batches else self.inputs[0]

    def takes(self, name: str) -> bool:
        """
        Tell whether the method names a parameter; what it would swallow among others does not count.
        """
        try:
            return name in inspect.signature(self.method).parameters
        except (TypeError, ValueError):
            return False

    def require(self, name: str) -> None:
        """
        Go on only where the method names a parameter.

        Raises:
            NotApplicable: it does not.
        """
        if not self.takes(name):
            raise NotApplicable(f"its {self.capability} takes no {name}", lasting=True)

    def attempt(self, **arguments: Any) -> Attempt:  # noqa: ANN401 - the method's own
        """
        Make the call as an application does, and read what it gives to the end.

        Args:
            arguments: keyword arguments beside the input.

        Raises:
            NotApplicable: the adapter does not support the call, or asks for what was never recorded.
        """
        given: list[Any] = []
        raised = self._into(given, arguments)
        self.require_recorded()
        if isinstance(raised, NotImplementedError):
            raise NotApplicable("it says that it does not support this call")
        return Attempt(outputs=tuple(given), raised=raised)

    def _into(self, given: list[Any], arguments: dict[str, Any]) -> BaseException | None:
        method = self.method
        try:
            if self.capability.is_async:
                self.wait_for(self._acall(method, given, arguments))
            else:
                self._call(method, given, arguments)
        except BaseException as error:  # noqa: BLE001 - whatever the adapter raises is what came of the call
            return error
        return None

    def _call(self, method: Any, given: list[Any], arguments: dict[str, Any]) -> None:  # noqa: ANN401 - the adapter's
        made = method(self.argument, **arguments)
        if self.capability.streams:
            for item in made:
                # what came before an exception is kept
                given.append(item)
                self.came(item)
        else:
            given += list(made) if self.capability.batches else [made]

    async def _acall(self, method: Any, given: list[Any], arguments: dict[str, Any]) -> None:  # noqa: ANN401 - the adapter's
        made = method(self.argument, **arguments)
        if self.capability.streams:
            async for item in made:
                given.append(item)
                self.came(item)
        else:
            answer = await made
            given += list(answer) if self.capability.batches else [answer]

    def came(self, item: object) -> None:
        """
        Tell the gate that the caller has an item of a stream: the next arrival need not wait for it.
        """
        self.tape.gate.item(text_of(item) or "")

    def require_recorded(self) -> None:
        """
        Go on only where every request so far could be answered.

        Raises:
            NotApplicable: one could not.
        """
        missed = first(self.events, Refused)
        if missed is not None:
            raise NotApplicable(f"it asks for what was not recorded: {missed.why.partition(chr(10))[0]}")

    def wait_for(self, what: Awaitable[T]) -> T:
        """
        Await something on the event loop of the call.
        """

        async def waiting() -> T:
            self.begin()
            return await what

        assert self.loop is not None  # noqa: S101 - every awaited call has one
        return self.loop.run_until_complete(waiting())

    def begin(self) -> None:
        """
        Tell the gate that the caller is here: what this thread or task pulls itself need not wait for anything.
        """
        self.tape.gate.begin()

    def comes_true(self, wish: Callable[[], bool]) -> bool:
        """
        Tell whether something comes to be so before it is called never; ends at once when it does.
        """
        for number in range(NEVER):
            if wish():
                return True
            if number % _COLLECT == 0:
                # what only a cycle keeps alive goes sooner or later in a long-running program
                gc.collect()
            if self.loop is None:
                time.sleep(SLICE)
            else:
                self.wait_for(asyncio.sleep(SLICE))
        return False


class WatchedStage(Stage):
    """
    Hold one instance that goes through a program, whose upstream is another process's.
    """

    tape: WatchedTape

    @property
    def events(self) -> list[Event]:
        """
        Return what happened so far, here and at the program's upstream, as one log.
        """
        return self.tape.happened()

    def begin(self) -> None:
        """
        Do nothing: the gate of a program is told once, when the call begins.
        """


class Bench:
    """
    Give a check what it needs to try one call of one adapter.

    Args:
        adapter: the registration.
        capability: the call under test.
        cassette: its recording.
        recorded: returns the recording of another call; None where it has none.
        door: where the program is that the adapter goes through; None where it reaches its upstream itself.

    Attributes:
        adapter: the registration.
        capability: the call under test.
        inputs: the prompts: three for a batch, one otherwise.
        figure: what was measured, in a few words, for a cell of a table.
        told: the same in a sentence.
    """

    def __init__(
        self,
        adapter: Adapter,
        capability: Capability,
        cassette: Cassette,
        recorded: Callable[[Capability], Cassette | None] = lambda _: None,
        door: Door | None = None,
    ) -> None:
        self.adapter = adapter
        self.capability = capability
        self.figure = ""
        self.told = ""
        prompts = tuple(adapter.prompts or PROMPTS)
        self.inputs = prompts if capability.batches else prompts[:1]
        self._cassette = cassette
        self._recorded = recorded
        self._door = door

    def tell(self, figure: str, sentence: str = "") -> None:
        """
        Say what was measured, whatever comes of the check: it stands in the check's column.

        Args:
            figure: a few words, for a cell of a table.
            sentence: the same in a sentence; the figure where none is given.
        """
        self.figure, self.told = figure, sentence or figure

    def beside(self, capability: Capability) -> Bench | None:
        """
        Return the bench of another call of the same adapter, over that call's recording; None where it has none.
        """
        cassette = self._recorded(capability)
        return None if cassette is None else Bench(self.adapter, capability, cassette, self._recorded, self._door)

    @contextmanager
    def stage(self, faults: Faults | None = None, *, leap: bool = False) -> Iterator[Stage]:
        """
        Make an instance over a tape with faults.

        Args:
            faults: what goes wrong; nothing by default.
            leap: let pauses between tries pass at once, as far as that is safe: not where a program has its own clock.

        Raises:
            NotApplicable: the adapter goes through a program, and the faults have a gate.
        """
        made = self._replayed(faults or Faults(), leap) if self._door is None else self._watched(faults or Faults())
        with made as stage, stage.tape.insert():
            stage.instance = self._built(stage)
            cls = type(stage.instance)
            stage.tape.log.add(Constructed, module=cls.__module__, qualname=cls.__qualname__)
            stage.tape.gate.begin()
            yield stage
        # the loop is left as it is: closing it would wait for threads that an adapter may have left hanging

    @contextmanager
    def _replayed(self, faults: Faults, leap: bool) -> Iterator[Stage]:  # noqa: FBT001 - handed on
        self._cassette.rewind()
        gate = Gate(self.capability, inputs=len(self.inputs), grace=_GRACE)
        tape = FaultyTape(Log(), gate, faults, cassette=self._cassette, marks=self._marks)
        loop = self._loop(leaping_loop if leap else asyncio.new_event_loop)
        with skipped_sleeps() if leap else nullcontext():
            yield Stage(self.capability, self.inputs, tape, loop)

    @contextmanager
    def _watched(self, faults: Faults) -> Iterator[Stage]:
        if faults.gate is not None:
            raise NotApplicable("its answers come through a program, where they cannot be held back one by one")
        assert self._door is not None  # noqa: S101 - who has none does not come here
        with closing(WatchedTape(self._door, self.capability, faults, self._marks)) as tape:
            yield WatchedStage(self.capability, self.inputs, tape, self._loop(asyncio.new_event_loop))

    def _loop(self, make: Callable[[], asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop | None:
        return make() if self.capability.is_async else None

    def bodies(self) -> list[bytes]:
        """
        Return the bodies of the recorded answers.
        """
        kept = (response["body"].get("string") or b"" for _, response in self._cassette.data)
        return [body.encode() if isinstance(body, str) else body for body in kept]

    def _marks(self, text: str) -> tuple[int, ...]:
        return carried(text, self.inputs)

    def _built(self, stage: Stage) -> Any:  # noqa: ANN401 - any class
        if stage.loop is None:
            return build(self.adapter)

        async def inside() -> Any:  # noqa: ANN401 - as above
            return build(self.adapter)

        asyncio.set_event_loop(stage.loop)
        try:
            return stage.wait_for(inside())
        except RuntimeError:
            # some constructors refuse a running loop, and leave none behind
            stage.tape.rewind()
            instance = build(self.adapter)
            asyncio.set_event_loop(stage.loop)
            return instance

"""One cell: an instance, one call over one tape, and the events it left."""

from __future__ import annotations

import asyncio
import os
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.adapters.adapter import Adapter
from harness.adapters.build import build
from harness.adapters.distributions import distributions
from harness.adapters.missing import MissingDependency, missing_dependency
from harness.adapters.reflect import reflected, unbuilt
from harness.battery.aftermath import Aftermath
from harness.battery.calls import Call, chain, files_at, raised
from harness.battery.children import ChildWatch
from harness.battery.counting import Counts
from harness.battery.job import Job, Send, note, notes
from harness.battery.loop import Heartbeat, new_loop, wait_watch
from harness.battery.prompts import PROMPTS
from harness.errors import UserError
from harness.events import (
    Arrival,
    Asked,
    Computed,
    Constructed,
    Event,
    Heard,
    Missing,
    Raised,
    Sent,
    Spawned,
    Stalled,
    encode,
)
from harness.marks import carried
from harness.tape import cassette as files
from harness.tape import clients, guard
from harness.tape.dialling import Detour, Dial
from harness.tape.gate import GRACE, CallersLoop, Gate
from harness.tape.log import Log
from harness.tape.passage import Control, Door, ThroughTape
from harness.tape.recorded import cassette_of, told_of
from harness.tape.tape import Tape, eject

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcr.cassette import Cassette
    from vcr.request import Request

    from harness.words import Capability

COMPUTED_AGAIN: Final = 0.1
"""Processor seconds of one turn from which the call is made again, warm, to leave imports and caches out."""
WARM_PASSES: Final = 3
CLEARLY: Final = 0.5
"""Processor seconds of one turn, warm, that no busy machine makes of less than `COMPUTED_AGAIN`: one pass tells."""


def run(job: Job, capability: Capability, send: Send) -> None:
    """
    Measure one cell and send its events, its recordings and what is to be known of its class.

    Args:
        job: the adapter's registration and the run's settings.
        capability: the call to make.
        send: hands frames to the parent.
    """
    try:
        Cell(job, capability, send).run()
    except UserError as error:
        send("note", note("problem", str(error)))


class Cell:
    """
    Hold what one measurement needs.

    Args:
        job: the adapter's registration and the run's settings.
        capability: the call to make.
        send: hands frames to the parent.
    """

    def __init__(self, job: Job, capability: Capability, send: Send) -> None:
        self._job = job
        self._capability = capability
        self._send = send
        self._adapter = Adapter.from_dict(job.adapter)
        self._inputs = tuple(self._adapter.prompts or PROMPTS)
        self._recorded: list[tuple[Request, dict[str, Any]]] = []
        self._log = Log(self._emit)
        self._cassette = self._load()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heartbeat: Heartbeat | None = None
        self._hottest = 0.0
        self._instance: object = None
        self._aftermath: Aftermath | None = None

    def run(self) -> None:
        """
        Construct the instance, make the call, and make it again where it computed.
        """
        clients.install()
        children = ChildWatch(self._spawned)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._in_child)
        tape = self._through() or self._tape(self._log, self._gate())
        if self._job.mode == "record":
            self._aftermath = Aftermath(lambda: len(self._recorded))
        with tape.insert():
            if self._capability.is_async:
                self._run_async(tape)
            else:
                self._run_sync(tape)
            if self._adapter.engine is not None:
                from harness.tape import engines  # noqa: PLC0415 - for few

                engines.finish(tape)
            children.look()
            self._tell_of_the_class()
            # threads that the adapter left behind have nothing more to say to a cell that is over, neither through the
            # tape nor, once that is taken out, past it
            self._send = _nowhere
            guard.hush()

    def _in_child(self) -> None:
        # what a forked child sends is not the adapter's process's traffic, and its copy of the pipe is not its own
        eject()
        self._log.mute()

    def _run_sync(self, tape: Tape) -> None:
        if self._construct():
            self._call(tape.log, tape.gate).run()
            if self._aftermath is not None:
                self._aftermath.wait()

    def _run_async(self, tape: Tape) -> None:
        loop, heartbeat = new_loop()
        asyncio.set_event_loop(loop)
        self._loop, self._heartbeat = loop, heartbeat
        try:
            if self._construct_for(loop, tape):
                loop.run_until_complete(self._await(tape))
                self._await_quiet(loop)
        except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
            # what a task of the adapter's raised, or that it stopped the loop: neither reaches the call itself
            self._log.add(Raised, **raised(error, "call" if self._log.constructed else "construction"))
            return
        finally:
            wait_watch().watch(None)
            self._watch_loop(None)
        if self._hottest >= COMPUTED_AGAIN:
            self._again(loop, heartbeat)
        # the loop is left as it is: closing it would wait for threads that an adapter may have left hanging

    def _await_quiet(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watch_loop(None)
        # the call is over: what a task raises now is no part of it
        with suppress(SystemExit, KeyboardInterrupt, RuntimeError):
            if self._aftermath is not None:
                loop.run_until_complete(self._aftermath.await_quiet())

    def _construct_for(self, loop: asyncio.AbstractEventLoop, tape: Tape) -> bool:
        """
        Construct where an asynchronous program does, on the running loop, or else before it runs.

        Some constructors need a running loop (an aiohttp session), others refuse one (`asyncio.run`); a program can
        serve either, so neither is broken for it.
        """
        constructed = loop.run_until_complete(self._construct_inside())
        if constructed is None:
            tape.rewind()
            constructed = self._construct()
            # asyncio.run leaves no loop behind
            asyncio.set_event_loop(loop)
        return constructed is True

    async def _construct_inside(self) -> bool | None:
        return self._construct(inside=True)

    async def _await(self, tape: Tape) -> None:
        await asyncio.sleep(0)
        self._watch_loop(lambda seconds: self._computed(seconds, warm=False))
        wait_watch().watch(self._waited)
        await self._call(tape.log, tape.gate).arun()
        await asyncio.sleep(0)

    def _construct(self, *, inside: bool = False) -> bool | None:
        """
        Tell whether there is an instance now; None where there may be one outside a running loop.
        """
        try:
            self._instance = build(self._adapter)
        except MissingDependency as error:
            self._log.add(Missing, what="module", name=error.told)
            return False
        except UserError as error:
            self._send("note", note("problem", str(error)))
            self._log.add(Raised, **raised(error, "construction"))
            return False
        except BaseException as error:  # noqa: BLE001 - also SystemExit is what the constructor did
            if inside and _is_of_loops(error):
                return None
            self._log.add(Raised, **raised(error, "construction", files_at(self._adapter.target)))
            return False
        cls = type(self._instance)
        self._log.add(Constructed, module=cls.__module__, qualname=cls.__qualname__)
        self._send("note", note("started"))
        return True

    def _call(self, log: Log, gate: Gate) -> Call:
        return Call(self._instance, self._capability, self._inputs, log, gate, lacking=self._lacking)

    def _lacking(self, error: BaseException) -> str | None:
        missing = missing_dependency(error, self._adapter)
        return None if missing is None else missing.told

    def _again(self, loop: asyncio.AbstractEventLoop, heartbeat: Heartbeat) -> None:
        """
        Make the call again over the same answers, to see whether it computes when warm.

        The least of some passes counts: a busy machine makes processor time longer, never shorter.
        """
        cassette = cassette_of(self._recorded, self._adapter.match_on) if self._recorded else self._cassette
        if cassette is None:
            return
        least = self._pass(loop, heartbeat, cassette)
        for _ in range(WARM_PASSES - 1):
            if COMPUTED_AGAIN <= least < CLEARLY:
                least = min(least, self._pass(loop, heartbeat, cassette))
        self._computed(least, warm=True)

    def _pass(self, loop: asyncio.AbstractEventLoop, heartbeat: Heartbeat, cassette: Cassette) -> float:
        # the call itself was in time, and each pass may take as long
        self._send("note", note("again"))
        cassette.rewind()
        turns: list[float] = []
        log = Log(self._lap)
        gate = self._gate()
        tape = Tape(log, gate, cassette=cassette, marks=self._marks)
        log.add(Constructed, module="", qualname="")

        async def again() -> None:
            heartbeat.on_turn = turns.append
            await self._call(log, gate).arun()
            await asyncio.sleep(0)

        # whatever happens here has been judged by the first pass
        with tape.insert(), suppress(SystemExit, KeyboardInterrupt, RuntimeError):
            loop.run_until_complete(again())
        heartbeat.on_turn = None
        return max(turns, default=0.0)

    def _tape(self, log: Log, gate: Gate) -> Tape:
        recording = self._job.mode == "record"
        return Tape(
            log,
            gate,
            cassette=self._cassette,
            marks=self._marks,
            pace=self._job.pace,
            dial=self._dial() if recording else None,
            missing=None if recording or self._cassette is not None else "there is no cassette for this call",
            on_miss=self._give_up,
            on_interaction=self._keep,
        )

    def _through(self) -> Tape | None:
        """
        Return the tape of a call that goes through a program, where there is one.
        """
        told = self._job.options.get("program")
        if not isinstance(told, dict):
            return None
        door = Door(**told)
        control = Control(door, self._capability, self._log)
        return ThroughTape(self._log, control, door, marks=self._marks, on_miss=self._give_up)

    def _load(self) -> Cassette | None:
        path = self._job.cassettes.get(self._capability.value)
        if self._job.mode == "record" or not path or not Path(path).exists():
            return None
        cassette = files.load(Path(path), match_on=self._adapter.match_on)
        self._send("notes", notes(told_of(cassette)))
        return cassette

    def _gate(self) -> Gate:
        inputs = len(self._inputs) if self._capability.batches else 1
        grace = int(self._job.number("grace", GRACE))
        return Gate(
            self._capability,
            inputs=inputs,
            counts=self._counts,
            grace=grace,
            loop=CallersLoop(idle=self._loop_waits, quiet=self._loop_is_quiet, on_stall=self._stalled),
        )

    def _marks(self, text: str) -> tuple[int, ...]:
        return carried(text, self._inputs if self._capability.batches else self._inputs[:1])

    def _counts(self, text: str) -> bool:
        return Counts(self._recorded if self._cassette is None else self._cassette.data)(text)

    def _dial(self) -> Dial | None:
        address = self._job.options.get("dial")
        return Detour(address) if isinstance(address, str) else None

    def _keep(self, request: Request, response: dict[str, Any]) -> None:
        self._recorded.append((request, response))
        try:
            self._send("interaction", files.dump([(request, response)]).encode())
        except Exception:  # noqa: BLE001 - a fault of the harness, which must not look like one of the adapter
            self._send("note", note("fault", traceback.format_exc()))

    def _emit(self, event: Event) -> None:
        self._lap(event)
        self._send("event", encode(event))

    def _lap(self, event: Event) -> None:
        if self._heartbeat is not None and isinstance(event, Sent | Arrival | Asked | Heard):
            self._heartbeat.lap()

    def _spawned(self, what: str) -> None:
        self._log.add(Spawned, what=what)

    def _loop_waits(self) -> bool | None:
        return None if self._heartbeat is None else self._heartbeat.waiting

    def _loop_is_quiet(self) -> bool:
        if self._heartbeat is None or not self._heartbeat.waiting_forever:
            return False
        # what another thread handed over stands in there before the loop wakes up; asyncio has no public name for it
        return not getattr(self._loop, "_ready", True)

    def _watch_loop(self, on_turn: Callable[[float], None] | None) -> None:
        if self._heartbeat is not None:
            self._heartbeat.on_turn = on_turn

    def _computed(self, seconds: float, *, warm: bool) -> None:
        if not warm:
            self._hottest = max(self._hottest, seconds)
        self._log.add(Computed, seconds=seconds, warm=warm)

    def _waited(self, what: str) -> None:
        self._log.add(Stalled, what=what)

    def _give_up(self) -> None:
        """
        End the cell at once after a miss: the verdict is decided, and many adapters retry for a minute.
        """
        if not self._job.options.get("give_up", True):
            return
        try:
            self._tell_of_the_class()
        finally:
            self._send("note", note("done"))
            os._exit(0)

    def _stalled(self) -> None:
        self._log.add(Stalled, what="the event loop did not turn while another thread waited for the answer")

    def _tell_of_the_class(self) -> None:
        cls = type(self._instance) if self._instance is not None else unbuilt(self._adapter)
        overridden = {} if cls is None else reflected(cls)
        told = {f"reflected.{capability.value}": verdict.value for capability, verdict in overridden.items()}
        through = [name for event in self._log.events if isinstance(event, Sent | Asked) for name in event.through]
        passed = {**self._engines_versions(), **distributions(self._adapter.target.partition(":")[0], through)}
        told |= {f"distribution.{name}": version for name, version in passed.items()}
        self._send("notes", notes(told))

    def _engines_versions(self) -> dict[str, str]:
        """
        Return what the engine was, where the adapter has one: in replay it need not be there, but the cassette knows.
        """
        if self._adapter.engine is None:
            return {}
        if self._job.mode == "record":
            from harness.tape import engines  # noqa: PLC0415 - for few

            spec = engines.EngineSpec.of(self._adapter.engine)
            return distributions(self._adapter.target.partition(":")[0], spec.modules)
        return (
            dict(files.read_timing(self._cassette.data[0][1]).versions)
            if self._cassette and self._cassette.data
            else {}
        )


def _is_of_loops(error: BaseException) -> bool:
    # asyncio, anyio and asgiref all say by a RuntimeError that a loop is running already, and libraries wrap it
    return any(isinstance(one, RuntimeError) for one in chain(error))


def _nowhere(kind: str, payload: bytes) -> None:
    """
    Send nothing.
    """

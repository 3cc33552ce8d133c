"""
The gate: holds an arrival back until what it could hide has had its chance to happen.

Replay is instant, so a reader in another thread or task can drain a whole answer before the
caller gets its first turn; the order of events would then call a true stream a buffered one.
The gate restores what the recorded pauses between the arrivals guaranteed live. A wait ends
at once when the awaited event comes; giving up is a time-out for "never", counted in slices
of waiting and not in wall time, so that a starved process gets proportionally longer.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.events import Where
from harness.places import here, place
from harness.words import FEWEST_ARRIVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.events import Spot
    from harness.words import Capability

SLICE = 0.01
"""Seconds of one slice of waiting."""
GRACE = 100
"""Slices before "never": natives needed at most 74 ms on a machine with twice as many busy processes as cores."""
SETTLE = 10
"""Slices that one arrival waits for its own item; missing it costs fidelity of the order only, never a verdict."""
APART = 5
"""Slices between the ends of two answers that came side by side: whoever awaits the first has it by then."""
PATIENCE = 3
"""Arrivals in a row that may pass without an item before the gate stops expecting one for each."""
_TRIO_TASKS = 2
"""Tasks that each of trio's loops has beside those of the program."""
TURNS = 20
"""Turns that a loop gets before a wait on it starts to sleep."""
_REAL_THREAD = threading.get_ident
"""What tells real threads apart; this module is imported before an adapter could put green ones in their place."""


async def pause(seconds: float) -> None:
    """
    Sleep on whatever event loop runs here: asyncio's, or trio's, which is the other one that clients know.
    """
    trio = sys.modules.get("trio")
    # trio may be the guest of asyncio's loop, which runs as well then
    if trio is not None and (place()[1] is None or trio.lowlevel.in_trio_task()):
        await trio.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


def _are_green() -> bool:
    """
    Tell whether green threads stand under the names of `threading`: they all run in one thread, and none is counted.
    """
    return threading.get_ident is not _REAL_THREAD


def _tasks_here() -> int:
    """
    Count the tasks of the event loop that runs here, but for those that trio itself needs.
    """
    if place()[1] is not None:
        return len(asyncio.all_tasks())
    trio = sys.modules.get("trio")
    # who pulls asynchronously does so on a loop, and the only other one that clients know is trio's
    return 0 if trio is None else int(trio.lowlevel.current_statistics().tasks_living) - _TRIO_TASKS


@dataclass(frozen=True, slots=True)
class _Wait:
    over: Callable[[], bool]
    slices: int
    give_up: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallersLoop:
    """
    Answer what the gate asks of the event loop that the caller awaits on; by default there is none.

    Attributes:
        idle: tells whether it waits; None where there is none.
        quiet: tells whether it waits without a timer and with nothing to run.
        on_stall: is called when it does not turn although a worker thread waits for the answer.
    """

    idle: Callable[[], bool | None] = lambda: None
    quiet: Callable[[], bool] = lambda: False
    on_stall: Callable[[], None] = lambda: None


class Gate:
    """
    Decide when the next arrival of an answer may be handed out.

    Args:
        capability: the call under test.
        inputs: how many inputs it was given.
        counts: tells whether an item's text carries part of the upstream's answer.
        grace: slices of `SLICE` seconds before a wait is given up.
        loop: what it asks of the event loop that the caller awaits on.

    Attributes:
        batches: the call under test is given several inputs.
    """

    batches: bool = False

    def __init__(
        self,
        capability: Capability,
        *,
        inputs: int = 1,
        counts: Callable[[str], bool] = lambda text: bool(text.strip()),
        grace: int = GRACE,
        loop: CallersLoop = CallersLoop(),
    ) -> None:
        self._capability = capability
        self._streams, self.batches = capability.streams, capability.batches
        self._inputs = frozenset(range(inputs))
        self._counts = counts
        self._grace = grace
        self._loop = loop
        self._loop_checked = False
        self._changed = threading.Condition(threading.RLock())
        self._home: Where | None = None
        self._spot: Spot | None = None
        # those that a constructor starts from here on can send what an input of a batch needs as well as any
        self._threads = threading.active_count()
        self._tasks = 0
        self._counted = False
        self._items = 0
        self._items_at_arrival = -1
        self._misses = 0
        self._carried: dict[str, set[int]] = {}
        self._blind_sends: Counter[str] = Counter()
        self._flying: dict[str, set[int]] = {}
        self._met: set[int] = set()
        self._spent: set[str] = set()
        self._ends: dict[int, float] = {}
        self._over: set[int] = set()
        self._landed: Counter[str] = Counter()
        self._unordered: set[str] = set()
        self._open = False

    def begin(self) -> None:
        """
        Note that the call starts here: in this thread, loop and task.
        """
        self._spot = place()
        self._home = Where(*self._spot)
        self._tasks = len(asyncio.all_tasks()) if self._home.loop is not None else 0

    def finish(self) -> None:
        """
        Let everything through: the call is over.
        """
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def item(self, text: str) -> None:
        """
        Note that the caller has got an item.
        """
        with self._changed:
            self._items += 1
            if not self._counted:
                self._counted = self._counts(text)
            self._changed.notify_all()

    def sent(self, request: int, carries: tuple[int, ...], address: str) -> None:
        """
        Note that a request has left for an address, carrying these inputs.

        One that the upstream refuses is best left out: what is sent again is sent later.
        """
        with self._changed:
            flying = self._flying.setdefault(address, set())
            # an empty answer is over as soon as it is there
            flying |= {request} - self._over
            if len(flying) > 1:
                self._met |= flying
            if carries:
                self._carried.setdefault(address, set()).update(carries)
            else:
                self._blind_sends[address] += 1
            self._changed.notify_all()

    def ended(self, request: int, address: str) -> None:
        """
        Note that an answer has come to its end.
        """
        with self._changed:
            self._flying.get(address, set()).discard(request)
            self._over.add(request)
            self._landed[address] += 1
            self._changed.notify_all()

    def expects(self, request: int, end: float) -> None:
        """
        Note when an answer ends: seconds on the recording's clock.
        """
        self._ends[request] = end

    def hold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:
        """
        Wait, in a thread, until an arrival may be handed out.

        Args:
            position: the arrival's place in its answer, from 0; of a poll's first arrival, the poll's place.
            of: how many arrivals, or polls, there are.
            last: it is the last one of its answer, and what it waits for may be other requests of a batch.
            address: method and address of the request.
            request: the request's number in the log.
        """
        for wait in self._waits(position, of, last=last, address=address, request=request, sync=True):
            with self._changed:
                for _ in range(wait.slices):
                    if wait.over() or self._open or self._alone():
                        break
                    self._changed.wait(SLICE)
                else:
                    wait.give_up()
        self._note_arrival()

    def lets_pass(self, spot: Spot, *, last: bool) -> bool:
        """
        Note the arrival and return True where it is plain that `hold` would not wait: the common case, and cheap.

        That is so while no call runs, and where the caller itself pulls one of several arrivals.

        Args:
            spot: the place that the arrival is pulled from.
            last: it is the last one of its answer.
        """
        if self._spot is not None and (spot != self._spot or (last and self.batches)):
            return False
        if not self._streams:
            return True
        if self._items > self._items_at_arrival:
            self._items_at_arrival = self._items
        else:
            self._misses += 1
        return True

    async def ahold(self, position: int, of: int, *, last: bool, address: str = "", request: int = 0) -> None:
        """
        Wait, on an event loop, until an arrival may be handed out; the arguments are those of `hold`.
        """
        for wait in self._waits(position, of, last=last, address=address, request=request, sync=False):
            for turn in range(TURNS + wait.slices):
                if wait.over() or self._open:
                    break
                await pause(0 if turn < TURNS else SLICE)
            else:
                wait.give_up()
        self._note_arrival()

    def _waits(  # noqa: PLR0913 - what is known of an arrival
        self, position: int, of: int, *, last: bool, address: str, request: int, sync: bool
    ) -> Iterator[_Wait]:
        if self._home is None:
            return
        if self._capability.is_async and not self._loop_checked and here().thread != self._home.thread:
            self._loop_checked = True
            yield _Wait(self._loop_turns, self._grace, self._loop.on_stall)
        if self._streams and not self._pulled_by_caller(sync=sync):
            if position and self._misses < PATIENCE:
                yield _Wait(self._item_came, SETTLE)
            if of >= FEWEST_ARRIVALS and position == of // 2:
                yield _Wait(self._item_counted, self._grace)
        if self.batches and last and self._others_could_send(sync=sync):
            yield _Wait(partial(self._all_sent, address, request), self._grace, partial(self._spend, address))
            if address in self._carried and address not in self._unordered:
                yield _Wait(partial(self._is_next, address, request), SETTLE, partial(self._unordered.add, address))
                if self._landed[address]:
                    yield _Wait(lambda: False, APART)

    def _pulled_by_caller(self, *, sync: bool) -> bool:
        place, home = here(), self._home
        if home is None or place.thread != home.thread:
            return False
        # synchronous code on the caller's thread keeps the caller from getting anything, whatever its task
        return sync or place.task == home.task

    def _others_could_send(self, *, sync: bool) -> bool:
        if threading.active_count() > self._threads or _are_green():
            return True
        return not sync and _tasks_here() > self._tasks

    def _alone(self) -> bool:
        """
        Tell whether nobody but this thread could do anything: the awaited event can never come.

        The caller's loop waits for nothing but another thread, and there is no other thread.
        """
        home = self._home
        if home is None or threading.get_ident() == home.thread or threading.active_count() > self._threads + 1:
            return False
        return self._loop.quiet()

    def _item_came(self) -> bool:
        came = self._items > self._items_at_arrival
        if came:
            self._misses = 0
        return came

    def _loop_turns(self) -> bool:
        return self._loop.idle() is not False

    def _item_counted(self) -> bool:
        return self._counted

    def _all_sent(self, address: str, request: int) -> bool:
        """
        Tell whether every input has been sent to this address, or no more are to be waited for.

        Each address for itself: a moderation request of each input says nothing about when the
        inference requests leave. And a request that carries them all, for company, may still have others beside it.
        """
        if address in self._spent:
            return True
        if address in self._carried:
            return self._carried[address] >= self._inputs and request in self._met
        looks_up = address.startswith(("GET ", "HEAD "))
        return looks_up or bool(self._carried) or self._blind_sends[address] >= len(self._inputs)

    def _is_next(self, address: str, request: int) -> bool:
        """
        Tell whether no answer beside this one ends sooner: who takes them as they come gets them in their order.
        """
        mine = self._ends.get(request, 0.0), request
        # asked from an event loop as well, without the lock, while requests of other threads leave and land
        with self._changed:
            return all((self._ends[one], one) >= mine for one in self._flying.get(address, ()) if one in self._ends)

    def _spend(self, address: str) -> None:
        with self._changed:
            self._spent.add(address)
            self._changed.notify_all()

    def _note_arrival(self) -> None:
        if self._items <= self._items_at_arrival:
            self._misses += 1
        self._items_at_arrival = self._items

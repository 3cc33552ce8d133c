"""
The gate: an arrival waits for what it could hide, at once passes what hides nothing, and never waits for ever.

A wait that must not end by itself has slices for an hour, so that a test which ends proves that it was released; one
that must be given up has a few.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.tape import gate as gates
from harness.tape.gate import PATIENCE, CallersLoop, Gate
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from outcome import Outcome

AN_HOUR: Final = 360_000
FEW: Final = 3
ARRIVALS: Final = 8
ANSWER: Final = "POST http://h/v1"


@contextmanager
def _thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(30)
    assert not thread.is_alive(), "the gate still holds the arrival"


def _hold_all(gate: Gate, passed: list[int], arrivals: int = ARRIVALS) -> None:
    for index in range(arrivals):
        gate.hold(index, arrivals, last=index == arrivals - 1, address=ANSWER)
        passed.append(index)


def _stays(passed: list[int], count: int) -> bool:
    time.sleep(0.1)
    return len(passed) == count


def _comes(passed: list[int], count: int) -> bool:
    give_up = time.monotonic() + 20
    while len(passed) < count and time.monotonic() < give_up:
        time.sleep(0.002)
    return len(passed) >= count


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let the gate wait for each item as long as it takes.
    """
    monkeypatch.setattr(gates, "SETTLE", AN_HOUR)


@pytest.mark.parametrize("capability", list(Capability))
def test_before_a_call_nothing_waits(capability: Capability) -> None:
    """
    What a constructor reads is handed out at once.
    """
    passed: list[int] = []
    _hold_all(Gate(capability, inputs=3, grace=AN_HOUR), passed)
    assert len(passed) == ARRIVALS


@pytest.mark.parametrize("capability", [Capability.INVOKE, Capability.STREAM, Capability.BATCH])
@pytest.mark.usefixtures("patient")
def test_what_the_caller_pulls_passes_at_once(capability: Capability) -> None:
    """
    The caller cannot get an item before the arrival that it reads itself, so nothing is waited for.
    """
    gate, passed = Gate(capability, inputs=3, grace=AN_HOUR), list[int]()
    gate.begin()
    _hold_all(gate, passed)
    assert len(passed) == ARRIVALS


@pytest.mark.usefixtures("patient")
def test_a_reader_in_a_thread_waits_for_each_item() -> None:
    """
    Each arrival but the first is held until the caller has got an item for the one before.
    """
    gate, passed = Gate(Capability.STREAM, grace=AN_HOUR), list[int]()
    gate.begin()
    with _thread(lambda: _hold_all(gate, passed)):
        for count in range(1, ARRIVALS):
            assert _comes(passed, count)
            assert len(passed) == count
            gate.item("piece")
        assert _comes(passed, ARRIVALS)


def test_the_middle_waits_for_an_item_that_counts() -> None:
    """
    A placeholder does not release the middle of an answer; a piece of the answer does.
    """
    gate = Gate(Capability.STREAM, grace=AN_HOUR, counts=lambda text: text == "answer")
    passed: list[int] = []
    gate.begin()
    with _thread(lambda: _hold_all(gate, passed)):
        assert _comes(passed, ARRIVALS // 2)
        gate.item("thinking")
        assert _stays(passed, ARRIVALS // 2)
        gate.item("answer")
        assert _comes(passed, ARRIVALS)


def test_fewer_arrivals_than_can_show_streaming_have_no_middle() -> None:
    """
    An answer of three arrivals is handed out though no item comes.
    """
    gate, passed = Gate(Capability.STREAM, grace=AN_HOUR), list[int]()
    gate.begin()
    with _thread(lambda: _hold_all(gate, passed, 3)):
        assert _comes(passed, 3)


def test_a_wait_for_what_never_comes_is_given_up() -> None:
    """
    An adapter that reads everything first gets everything, after the slices of one wait.
    """
    gate, passed = Gate(Capability.STREAM, grace=FEW), list[int]()
    gate.begin()
    with _thread(lambda: _hold_all(gate, passed)):
        assert _comes(passed, ARRIVALS)


def test_after_some_misses_no_item_is_expected_for_each_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Lock-step ends when arrivals bring no items, so that a buffering reader waits a few times and not each time.
    """
    waits: list[int] = []
    gate = Gate(Capability.STREAM, grace=FEW)
    original = gate._item_came  # noqa: SLF001 - counts the waits

    def counted() -> bool:
        waits.append(gate._misses)  # noqa: SLF001 - as above
        return original()

    monkeypatch.setattr(gate, "_item_came", counted)
    gate.begin()
    passed: list[int] = []
    with _thread(lambda: _hold_all(gate, passed, 40)):
        assert _comes(passed, 40)
    assert max(waits) < PATIENCE


def test_the_end_of_the_call_lets_everything_through() -> None:
    """
    A reader that is left behind is not held any more.
    """
    gate, passed = Gate(Capability.STREAM, grace=AN_HOUR), list[int]()
    gate.begin()
    with _thread(lambda: _hold_all(gate, passed)):
        assert _comes(passed, ARRIVALS // 2)
        assert _stays(passed, ARRIVALS // 2)
        gate.finish()


def test_the_last_arrival_of_a_batch_waits_for_the_other_inputs() -> None:
    """
    With other threads at work, no answer ends before every input was sent to that address.
    """
    gate, passed = Gate(Capability.BATCH, inputs=3, grace=AN_HOUR), list[int]()
    gate.begin()
    gate.sent(0, (0,), ANSWER)
    with _thread(lambda: _hold_all(gate, passed)):
        assert _comes(passed, ARRIVALS - 1)
        gate.sent(1, (1,), ANSWER)
        gate.sent(2, (2,), "POST http://h/moderate")
        assert _stays(passed, ARRIVALS - 1)
        gate.sent(3, (2,), ANSWER)


@contextmanager
def _worker(gates_: list[Gate], passed: threading.Event, seconds: float) -> Iterator[list[bool]]:
    """
    Start a worker that sends the inputs 1 and 2 when the caller's answer has passed, or did not within some seconds.

    It is to say by a value in the list that it gives whether the answer stayed.
    """
    stayed: list[bool] = []

    def work() -> None:
        stayed.append(not passed.wait(seconds))
        for index in (1, 2):
            gates_[0].sent(index, (index,), ANSWER)

    with _thread(work):
        yield stayed


def _hold_the_callers(gate: Gate, passed: threading.Event) -> None:
    gate.begin()
    gate.sent(0, (0,), ANSWER)
    gate.hold(0, 1, last=True, address=ANSWER, request=0)
    passed.set()


def _three_inputs() -> Gate:
    return Gate(Capability.BATCH, inputs=3, grace=AN_HOUR)


@pytest.mark.usefixtures("patient")
def test_workers_that_a_constructor_started_are_waited_for() -> None:
    """
    It may hand them the other inputs, though no thread was started in the call.
    """
    gate, passed = _three_inputs(), threading.Event()
    with _worker([gate], passed, 0.2) as stayed:
        _hold_the_callers(gate, passed)
    assert stayed == [True]


@pytest.mark.parametrize("green", [True, False])
def test_threads_from_before_are_waited_for_only_where_threads_are_green(
    monkeypatch: pytest.MonkeyPatch, *, green: bool
) -> None:
    """
    Where a library has put green threads under the names of `threading`, others may send, though no thread is counted.
    """
    made, passed = list[Gate](), threading.Event()
    with _worker(made, passed, 0.2 if green else 30) as stayed:
        made.append(_three_inputs())
        if green:
            monkeypatch.setattr(threading, "get_ident", partial(threading.get_ident))
        _hold_the_callers(made[0], passed)
    assert stayed == [green]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_answers_side_by_side_end_in_the_order_of_the_recording(order: Sequence[int]) -> None:
    """
    Whichever thread comes first: who takes answers as they are completed gets them in the order that they had.
    """
    gate, ended = Gate(Capability.BATCH, inputs=3, grace=AN_HOUR), list[int]()
    gate.begin()

    def ask(number: int) -> None:
        gate.hold(0, 1, last=True, address=ANSWER, request=number)
        ended.append(number)
        gate.ended(number, ANSWER)

    for number in range(3):
        gate.expects(number, float(order.index(number)))
        gate.sent(number, (number,), ANSWER)
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(_thread(partial(ask, number)))
    assert ended == list(order)


def test_an_answer_on_a_loop_looks_at_those_beside_it_while_others_leave() -> None:
    """
    Each input of a batch may have a thread and a loop of its own: a request of one raises nothing in another.
    """
    gate, passed = Gate(Capability.BATCH, inputs=3, grace=AN_HOUR), list[int]()
    gate.begin()

    def send(numbers: Sequence[int]) -> None:
        for number in numbers:
            gate.expects(number, float(number))
            gate.sent(number, (number % 3,), ANSWER)

    async def first(sending: threading.Thread) -> None:
        while sending.is_alive():
            await gate.ahold(0, 1, last=True, address=ANSWER, request=0)
        passed.append(0)

    send(range(2_000))
    with _thread(lambda: send(range(2_000, 6_000))) as sending, _thread(lambda: asyncio.run(first(sending))):
        assert _comes(passed, 1)


def test_a_request_that_carries_all_inputs_waits_for_another_beside_it() -> None:
    """
    Each of three may carry all three, as company for its own; only what is sent tells it from one request for all.
    """
    gate, passed = Gate(Capability.BATCH, inputs=3, grace=AN_HOUR), list[int]()
    gate.begin()
    gate.sent(7, (0, 1, 2), ANSWER)
    gate.ended(7, ANSWER)
    gate.sent(0, (0, 1, 2), ANSWER)
    with _thread(lambda: _hold_all(gate, passed)):
        assert _comes(passed, ARRIVALS - 1)
        assert _stays(passed, ARRIVALS - 1)
        gate.sent(1, (0, 1, 2), ANSWER)


@pytest.mark.parametrize("address", ["GET http://h/models", "POST http://h/log"])
def test_what_carries_no_input_does_not_wait_for_inputs(address: str) -> None:
    """
    A look-up, or a log beside requests that do carry inputs, ends when it ends.
    """
    gate = Gate(Capability.BATCH, inputs=3, grace=AN_HOUR)
    gate.begin()
    gate.sent(0, (0,), ANSWER)
    gate.sent(1, (), address)
    with _thread(lambda: gate.hold(0, 1, last=True, address=address)):
        pass


def test_a_barrier_is_given_up_once_for_each_address() -> None:
    """
    A sequential adapter in a thread of its own pays for one wait, not for one each input.
    """
    gave_up: list[int] = []
    gate = Gate(Capability.BATCH, inputs=3, grace=FEW)
    gate.begin()

    def one_by_one() -> None:
        for number in range(3):
            gate.sent(number, (number,), ANSWER)
            gate._grace = FEW if number == 0 else AN_HOUR  # noqa: SLF001 - a second wait would never end
            gate.hold(0, 1, last=True, address=ANSWER, request=number)
            gate.ended(number, ANSWER)
            gave_up.append(number)

    with _thread(one_by_one):
        pass
    assert gave_up == [0, 1, 2]


def test_a_reader_that_nobody_could_serve_is_released() -> None:
    """
    Where the caller's loop waits for the reader alone and there is no other thread, no item can come.
    """
    passed: list[int] = []

    async def call() -> None:
        gate = Gate(Capability.ASTREAM, grace=AN_HOUR, loop=CallersLoop(quiet=lambda: True))
        gate.begin()
        thread = threading.Thread(target=_hold_all, args=(gate, passed), daemon=True)
        thread.start()
        while thread.is_alive():  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(call(), 30))
    assert len(passed) == ARRIVALS


@pytest.mark.parametrize(("idle", "stalls"), [(True, 0), (False, 1), (None, 0)])
def test_a_loop_that_does_not_turn_is_told_once(idle: bool | None, stalls: int) -> None:
    """
    While a thread reads for an awaited call, a loop that never waits is blocked by somebody.
    """
    told: list[int] = []
    gate = Gate(Capability.AINVOKE, grace=FEW, loop=CallersLoop(idle=lambda: idle, on_stall=lambda: told.append(1)))
    gate.begin()
    passed: list[int] = []
    with _thread(lambda: _hold_all(gate, passed)):
        pass
    assert (len(told), len(passed)) == (stalls, ARRIVALS)


@pytest.mark.usefixtures("patient")
def test_a_reader_task_waits_for_each_item() -> None:
    """
    On a loop the same holds for a task beside the caller's: it never gets ahead of the items.
    """
    ahead: list[int] = []

    async def call() -> None:
        gate = Gate(Capability.ASTREAM, grace=AN_HOUR)
        gate.begin()
        queue: asyncio.Queue[int] = asyncio.Queue()

        async def read() -> None:
            for index in range(ARRIVALS):
                await gate.ahold(index, ARRIVALS, last=index == ARRIVALS - 1)
                queue.put_nowait(index)

        task = asyncio.create_task(read())
        for _ in range(ARRIVALS):
            await queue.get()
            await asyncio.sleep(0.01)
            ahead.append(queue.qsize())
            gate.item("piece")
        await task

    asyncio.run(asyncio.wait_for(call(), 60))
    assert ahead == [0] * ARRIVALS


STEPS = st.lists(st.sampled_from(["hold", "item", "blank", "sent", "blind", "pause"]), min_size=1, max_size=12)


@settings(max_examples=40)
@given(st.sampled_from(list(Capability)), st.lists(STEPS, min_size=1, max_size=3), STEPS)
def test_no_order_of_events_holds_anybody_for_ever(
    capability: Capability, workers: list[list[str]], callers: list[str]
) -> None:
    """
    Whatever threads do beside each other, each comes to its end, also while the call has not ended.
    """
    gate = Gate(capability, inputs=3, grace=2, loop=CallersLoop(idle=lambda: False))

    def act(steps: list[str]) -> None:
        for index, step in enumerate(steps):
            if step == "hold":
                gate.hold(index, len(steps), last=index == len(steps) - 1, address=ANSWER)
            elif step in {"item", "blank"}:
                gate.item("piece" if step == "item" else " ")
            elif step in {"sent", "blind"}:
                gate.sent(index, (index % 3,) if step == "sent" else (), ANSWER)
            else:
                time.sleep(0.001)

    gate.begin()
    threads = [threading.Thread(target=act, args=(steps,), daemon=True) for steps in workers]
    for thread in threads:
        thread.start()
    act(callers)
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_a_wait_is_one_of_the_loop_whose_task_it_is() -> None:
    """
    Also where trio is the guest of asyncio's loop, so that both run: asyncio's sleep would end trio's task.
    """

    async def guest() -> str:
        await gates.pause(0)
        await gates.pause(0.001)
        return "done"

    async def host() -> str:
        await gates.pause(0)
        loop = asyncio.get_running_loop()
        over: asyncio.Future[Outcome[str]] = loop.create_future()
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=loop.call_soon_threadsafe, done_callback=over.set_result
        )
        return (await over).unwrap()

    assert asyncio.run(host()) == "done"

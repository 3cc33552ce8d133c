"""What an application relies on when it hands over several inputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from harness.checks.check import NotApplicable, check
from harness.checks.gates import InTurn
from harness.events import Closed, Ended, Sent
from harness.marks import code_word
from harness.tape.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.checks.bench import Attempt, Bench, Stage
    from harness.events import Event
    from harness.tape.gate import Gate

BATCHES: Final = ("batch", "abatch")
_LIMIT: Final = 2
_BAD: Final = 1
"""The input that is refused, counted from 0: neither the first nor the last."""


@check(
    name="batch-order",
    promise="a batch gives one output for each input, in the order of the inputs, whatever comes back first",
    calls=BATCHES,
    hint="outputs are collected as they complete (`as_completed`); keep each one's place, as `map` and `gather` do",
)
def batch_order(bench: Bench) -> Iterator[str]:
    """
    Let the upstream answer the last input first.
    """
    if len({one.carries for one in _overlapping(bench)}) < len(bench.inputs):
        raise NotApplicable("its requests do not overlap")
    made = _answered(bench, backwards=True)
    if made.raised is not None:
        yield f"it raises {type(made.raised).__name__} where the answers come in another order"
    elif len(made.outputs) != len(bench.inputs):
        yield f"{len(bench.inputs)} inputs gave {len(made.outputs)} outputs where the answers came in another order"
    elif not _in_order(bench, made):
        places = [str(number or "?") for number in _whose(bench, made)]
        yield f"the upstream answered the last input first, and the outputs came in the order {', '.join(places)}"


def _in_order(bench: Bench, made: Attempt) -> bool:
    """
    Tell by the code words, or where the answers do not repeat them, by what comes of answers that come in order.
    """
    whose = _whose(bench, made)
    if None not in whose and len(set(whose)) == len(whose):
        return whose == sorted(filter(None, whose))
    return made.texts == _answered(bench, backwards=False).texts


def _whose(bench: Bench, made: Attempt) -> list[int | None]:
    words = [code_word(one) for one in bench.inputs]
    return [next((at for at, word in enumerate(words, 1) if word and word in text), None) for text in made.texts]


def _answered(bench: Bench, *, backwards: bool) -> Attempt:
    turns: list[tuple[int, tuple[int, ...]]] = []
    stages: list[Stage] = []

    def gate(number: int, carries: tuple[int, ...]) -> Gate | None:
        turns.append((number, carries))
        if not carries:
            return None
        first = range(max(carries) + 1, len(bench.inputs)) if backwards else range(min(carries))
        return InTurn(bench.capability, partial(_are_read, stages, turns, frozenset(first)))

    with bench.stage(Faults(gate=gate)) as stage:
        stages.append(stage)
        return stage.attempt()


def _overlapping(bench: Bench) -> list[Sent]:
    """
    Return the requests that leave before the answer to any has ended.
    """
    with bench.stage() as stage:
        if stage.attempt().raised is not None:
            raise NotApplicable("the call raises")
        first = next((place for place, one in enumerate(stage.events) if _ends(one, stage)), len(stage.events))
        return [one for one in stage.events[:first] if isinstance(one, Sent) and len(one.carries) == 1]


def _ends(event: Event, stage: Stage) -> bool:
    return isinstance(event, Ended | Closed) and any(one.request == event.request for one in stage.sent)


def _are_read(stages: Sequence[Stage], turns: Sequence[tuple[int, tuple[int, ...]]], inputs: frozenset[int]) -> bool:
    over = {one.request for one in stages[0].events if isinstance(one, Ended | Closed)}
    # other threads send requests meanwhile: a list may grow while it is gone through, a dictionary may not
    return inputs <= {number for request, numbers in turns if request in over for number in numbers}


@check(
    name="batch-survives",
    promise="with return_exceptions=True, one bad input does not lose the others",
    calls=BATCHES,
    hint="the exception of one input ends the whole batch: catch it where that input is served, and keep its place",
)
def batch_survives(bench: Bench) -> Iterator[str]:
    """
    Let the upstream refuse the second of three inputs.
    """
    with bench.stage() as stage:
        stage.require("return_exceptions")
        plain = stage.attempt(return_exceptions=True)
    with bench.stage(Faults(status=400, only=_BAD), leap=True) as stage:
        made = stage.attempt(return_exceptions=True)
        if not stage.tape.harm.refused:
            together = any(len(one.carries) > 1 for one in stage.sent)
            why = "one request carries all inputs, so that all of them fail together"
            raise NotApplicable(why, lasting=together)
    if made.raised is not None:
        yield f"one of {len(bench.inputs)} inputs was refused, and the batch raised {type(made.raised).__name__}"
        return
    if len(made.outputs) != len(bench.inputs):
        yield f"one of {len(bench.inputs)} inputs was refused, and {len(made.outputs)} outputs came back"
        return
    if not isinstance(made.outputs[_BAD], BaseException):
        yield f"the refused input gave {type(made.outputs[_BAD]).__name__} instead of its exception"
    lost = [
        number for number in range(len(bench.inputs)) if number != _BAD and made.texts[number] != plain.texts[number]
    ]
    if lost:
        which = " and ".join(str(number + 1) for number in lost)
        kind = type(made.outputs[lost[0]]).__name__
        yield f"only input {_BAD + 1} was refused, and the output for input {which} was lost as well (it is a {kind})"


@check(
    name="max-concurrency",
    promise="max_concurrency is honoured: no more requests are under way at a time",
    calls=BATCHES,
    hint="the limit is taken and not passed on to the pool or the semaphore that runs the requests",
)
def max_concurrency(bench: Bench) -> Iterator[str]:
    """
    Allow two requests at a time, for three inputs.
    """
    with bench.stage() as stage:
        answered = stage.attempt().raised is None
        peak = _most_at_once(stage)
    bench.tell(f"{peak} in flight", f"{_under_way(peak)} at a time")
    with bench.stage() as stage:
        limited = _limited(stage)
        try:
            stage.attempt(**limited)
        except NotApplicable as error:
            # what was answered a moment ago without the limit, and is not with it, it asks for in another way
            raise NotApplicable(str(error), lasting=answered) from error
        most = _most_at_once(stage)
    bench.tell(f"{peak} in flight", f"{_under_way(peak)} at a time, and {most} with max_concurrency={_LIMIT}")
    if most > _LIMIT:
        yield f"with max_concurrency={_LIMIT}, {_under_way(most)} at a time"


def _limited(stage: Stage) -> dict[str, Any]:
    if stage.takes("max_concurrency"):
        return {"max_concurrency": _LIMIT}
    if stage.takes("config"):
        return {"config": {"max_concurrency": _LIMIT}}
    raise NotApplicable(f"its {stage.capability} takes neither max_concurrency nor config", lasting=True)


def _under_way(requests: int) -> str:
    return "1 request was under way" if requests == 1 else f"{requests} requests were under way"


def _most_at_once(stage: Stage) -> int:
    open_now: set[int] = set()
    most = 0
    for event in stage.events:
        if isinstance(event, Sent) and event.carries:
            open_now.add(event.request)
            most = max(most, len(open_now))
        elif isinstance(event, Ended | Closed):
            open_now.discard(event.request)
    return most

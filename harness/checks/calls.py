"""What an application relies on in every call."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from harness.checks.check import NotApplicable, check
from harness.checks.gates import Held
from harness.checks.waits import NEVER, SLICE
from harness.events import Refused
from harness.tape.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.checks.bench import Attempt, Bench, Stage

STATUSES: Final = (401, 429, 500)
_SHOWN: Final = 40
_WORD: Final = re.compile(r"[A-Za-z]{5,}")
_AGAIN: Final = "it swallowed the cancellation, and asked the provider again"


@check(
    name="http-status",
    promise="an HTTP status of 401, 429 or 500 comes out as an exception",
    hint="the status is not looked at before the answer is used: call raise_for_status(), or let the SDK raise",
)
def http_status(bench: Bench) -> Iterator[str]:
    """
    Let the upstream refuse every request that carries a prompt, however often it is sent.
    """
    passed: dict[int, str] = {}
    for status in STATUSES:
        with bench.stage(Faults(status=status), leap=True) as stage:
            made = stage.attempt()
            if not stage.tape.harm.refused:
                raise NotApplicable("no request can be seen to carry the prompt")
        if made.raised is None:
            passed[status] = "".join(made.texts)[:_SHOWN]
    if passed:
        statuses = " and ".join(map(str, passed))
        yield f"the upstream answered with HTTP status {statuses}, and the call gave {next(iter(passed.values()))!r}"


@check(
    name="stop",
    promise="stop reaches the provider, or cuts the answer off",
    hint="the parameter is taken and not put into the request",
)
def stop(bench: Bench) -> Iterator[str]:
    """
    Ask for the answer to stop at a word from its middle.
    """
    with bench.stage() as stage:
        stage.require("stop")
        word = _word_of_the_answer(bench, stage.attempt())
    with bench.stage(Faults(lenient=True)) as stage:
        made = stage.attempt(stop=[word])
        passed_on = any(word in one.text for one in stage.sent)
    said = "".join(made.texts)
    if made.raised is None and not passed_on and word in said:
        yield f"stop=[{word!r}] was given, and neither is it in the request nor was the answer cut off at it"


def _word_of_the_answer(bench: Bench, plain: Attempt) -> str:
    """
    Return a word that stands in the middle of the answer, and in no prompt.
    """
    said = "".join(plain.texts)
    words = [word for word in _WORD.findall(said) if not any(word in prompt for prompt in bench.inputs)]
    if not words:
        raise NotApplicable("the answer has no word to stop at")
    return str(words[len(words) // 2])


@check(
    name="cancel",
    promise="cancelling an awaited call ends it at once",
    calls=("ainvoke", "astream", "abatch"),
    hint="CancelledError is caught, the work is shielded from it, or synchronous code keeps the loop from turning",
)
def cancel(bench: Bench) -> Iterator[str]:
    """
    Cancel the call while the upstream takes its time.
    """
    gate = Held(bench.capability)
    try:
        with bench.stage(Faults(gate=lambda _, carries: gate if carries else None)) as stage:
            gate.loop = stage.loop
            found = stage.wait_for(_cancelled(stage, gate))
            if found != [_AGAIN]:
                stage.require_recorded()
            yield from found
    finally:
        gate.open()


async def _cancelled(stage: Stage, gate: Held) -> list[str]:
    task = asyncio.create_task(_consume(stage))
    await _until(lambda: gate.reached or task.done())
    if gate.blocked:
        task.cancel()
        return ["the event loop does not turn while it waits for the answer, so nothing can cancel it"]
    if task.done():
        raise NotApplicable("it does not wait for the answer to a request that carries the prompt")
    so_far = len(stage.events)
    task.cancel()
    over = await _until(task.done)
    if not (over and task.cancelled()) and _asks_again(stage, so_far):
        return [_AGAIN]
    if not over:
        return ["it went on waiting for the answer after it was cancelled"]
    if task.cancelled():
        return []
    error = task.exception()
    came = "returned as if nothing had happened" if error is None else f"raised {type(error).__name__} instead"
    return [f"it swallowed the cancellation, and {came}"]


def _asks_again(stage: Stage, so_far: int) -> bool:
    """
    Tell whether a prompt went to its address once more, where no recording has a second answer.
    """
    asked = {(one.method, one.uri) for one in stage.sent}
    return any(isinstance(one, Refused) and (one.method, one.uri) in asked for one in stage.events[so_far:])


async def _until(wish: Any) -> bool:  # noqa: ANN401 - a function without arguments
    for turn in range(NEVER):
        if wish():
            return True
        await asyncio.sleep(0 if turn < 20 else SLICE)  # noqa: PLR2004 - turns that a loop gets before time passes
    return bool(wish())


async def _consume(stage: Stage) -> None:
    made = stage.method(stage.argument)
    if stage.capability.streams:
        async for _ in made:
            pass
    else:
        await made

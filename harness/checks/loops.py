"""Whether an upstream that repeats one piece for ever is stopped."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from harness.checks.check import NotApplicable, check
from harness.checks.streams import STREAMS
from harness.events import Arrival
from harness.tape.faults import Faults
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.checks.bench import Attempt, Bench, Stage

REPEATS: Final = 1000
"""
Times that the piece comes again before an adapter is said to have no guard. The guards that are known stop after 100
(LiteLLM's `REPEATED_STREAMING_CHUNK_LIMIT`) or fewer; a bound on pieces needs no clock.
"""


@check(
    name="loop-guard",
    promise="an upstream that repeats one piece for ever is stopped, and the caller is told by an exception",
    calls=STREAMS,
    hint="nothing compares a piece with those before it; raise when the same one has come, say, 100 times in a row",
    since=2,
    asked=True,
)
def loop_guard(bench: Bench) -> Iterator[str]:
    """
    Let a piece from the middle of the answer come a thousand times more.
    """
    with bench.stage() as stage:
        if stage.attempt().raised is not None:
            raise NotApplicable("the call raises")
    with bench.stage(Faults(repeat=REPEATS), leap=True) as stage:
        made = stage.attempt()
        if not stage.tape.harm.repeated:
            raise NotApplicable("no answer comes in four pieces or more")
        read_all = _arrivals(stage) >= REPEATS
    error, pieces = made.raised, _equal_at_the_end(made)
    if error is None and len(made.outputs) <= 1 and not read_all:
        # it asks for what it wants and stops by itself: nothing repeats as far as it can tell
        raise NotApplicable("it comes in one piece")
    # whoever reads ahead has read everything, and may stop all the same
    if error is not None and (not read_all or 0 < len(made.outputs) < REPEATS):
        name = type(error).__name__
        bench.tell(f"{name} after {pieces}", f"{name} is raised after {counted(pieces, 'piece')}")
    elif error is None and not read_all:
        bench.tell(f"ends after {pieces}")
        yield f"it ends after {counted(pieces, 'piece')} as if the answer were whole: no exception tells the caller"
    else:
        bench.tell("not stopped")
        yield f"not stopped after {REPEATS} pieces that are the same"


def _arrivals(stage: Stage) -> int:
    numbers = {one.request for one in stage.sent}
    return sum(isinstance(one, Arrival) and one.request in numbers for one in stage.events)


def _equal_at_the_end(made: Attempt) -> int:
    """
    Count the items at the end that say the same; all of them where what repeats was handed out in other pieces.
    """
    texts = [text for text in made.texts if text]
    alike = sum(1 for _ in takewhile(lambda text: text == texts[-1], reversed(texts)))
    return alike if alike > 1 else len(texts)

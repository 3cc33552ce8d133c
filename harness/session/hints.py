"""What usually causes a verdict: where an adapter's author might begin to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.words import Mechanism, Verdict

if TYPE_CHECKING:
    from harness.cells import Cell

_MECHANISMS: Final = {
    Mechanism.BLOCKS_LOOP: "a synchronous client, time.sleep or heavy computing inside of an async def",
    Mechanism.SINGLE_ITEM: "the streaming method is not overridden, or it awaits the whole answer and yields it once",
    Mechanism.BUFFERED: "the answer is read to its end (`.read()`, `.json()`, a list of chunks) before the first yield",
    Mechanism.SEQUENTIAL: "a loop makes one request for each input; send a list where the provider takes one",
    Mechanism.WORKER_THREAD: "the async method is not overridden, and the default runs the sync one in an executor",
    Mechanism.OTHER_LOOP: "an event loop of its own is run in a thread; await on the caller's loop instead",
    Mechanism.CONCURRENT: "the batch method is not overridden; send all inputs in one request where the provider can",
}
_VERDICTS: Final = {
    Verdict.BROKEN: "`harness explain` shows the exchange, the items and the exception",
    Verdict.BLOCKED: "the import or the constructor fails: mend that first, the calls come after it",
    Verdict.UNSUPPORTED: "the method is missing, or raises NotImplementedError",
    Verdict.UNKNOWN: "nothing was recorded for this call, or the recording no longer fits what the adapter asks",
}


def usual_cause(cell: Cell) -> str:
    """
    Return what usually makes a cell what it is.
    """
    if cell.mechanism is not None:
        return _MECHANISMS[cell.mechanism]
    return _VERDICTS.get(cell.verdict, "the registration no longer says what is true: bring it up to date")

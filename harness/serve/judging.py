"""
Judging a program in another process: the server's log and the program's own, put together, are an event log.

Both have the system's monotonic clock, so that one order holds for the arrivals of the one and
the items of the other, and the same rules decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.events import Constructed, Event, Where
from harness.marks import carried
from harness.serve.errors import NotOneCallError, UnendedCallError, UnjudgeableCallError
from harness.serve.log import SERVED, event_of, read_lines
from harness.verdicts.judge import judge
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.cells import Judgement

TOLD: Final = ("Started", "Item", "Returned", "Raised", "Missing", "Endless", "Died")
"""The events that a program tells of."""
_ENDS: Final = frozenset({"Returned", "Raised", "Missing", "Endless", "Died"})
_JUDGED: Final = (Capability.INVOKE, Capability.STREAM, Capability.BATCH)

Line = dict[str, Any]


def judge_logs(served: Path, told: Path) -> Judgement:
    """
    Judge one call of a program in another process.

    Args:
        served: the log of `harness serve`; it may hold other calls as well, before and after.
        told: what the program logged of this call: one Started, its items, and how it ended.

    Raises:
        UserError: a file cannot be read, or does not tell what is needed; each cause has a class of its own.
    """
    lines = read_lines(told)
    started = _started(lines, told)
    capability = _capability(started, told)
    _refuse_unfinished(lines, told)
    events = events_of(read_lines(served), lines, str(served), str(told))
    return judge(capability, events)


def events_of(served: Sequence[Line], told: Sequence[Line], server: str = "", program: str = "") -> list[Event]:
    """
    Return the event log of one call: what the server saw while it lasted, and what the program told, in one order.

    Args:
        served: lines of the server's log.
        told: lines of the program's log.
        server: the name of the server's log, for errors.
        program: the name of the program's log, for errors.
    """
    start = next(line["clock"] for line in told if line["event"] == "Started")
    until = max(line["clock"] for line in told)
    inputs = tuple(next(line["inputs"] for line in told if line["event"] == "Started"))
    sent = _sent(served, start, until)
    begin = Constructed(at=0.0, real=0.0, where=Where(thread=0), module="", qualname="")
    both = [(line["clock"], 0, line) for line in served if _belongs(line, sent, start, until)]
    # of what happened at one moment, the arrival came first: an item follows from it
    both += [(line["clock"], 1, line) for line in told if line["event"] in TOLD]
    both.sort(key=lambda one: one[:2])
    found = [_event(line, at - start, server if side == 0 else program, inputs) for at, side, line in both]
    return [begin, *found]


def _event(line: Line, at: float, where: str, inputs: tuple[str, ...]) -> Event:
    more: dict[str, object] = {}
    match line["event"]:
        case "Sent":
            more = {"carries": carried(str(line.get("text", "")), inputs)}
        case "Returned":
            texts = line.get("texts", ())
            more = {"types": tuple("None" if text is None else "str" for text in texts), "plural": len(texts) > 1}
    return event_of(line, at, where, **more)


def _sent(served: Sequence[Line], start: float, until: float) -> frozenset[int]:
    return frozenset(line["request"] for line in served if line["event"] == "Sent" and start <= line["clock"] <= until)


def _belongs(line: Line, sent: frozenset[int], start: float, until: float) -> bool:
    if line["event"] not in SERVED:
        return False
    if line["event"] == "Refused":
        return bool(start <= line["clock"] <= until)
    return line["request"] in sent


def _started(lines: Sequence[Line], told: Path) -> Line:
    found = [line for line in lines if line["event"] == "Started"]
    if len(found) != 1 or not isinstance(found[0].get("inputs"), list) or not found[0]["inputs"]:
        raise NotOneCallError(
            f"the log tells of {len(found)} calls that began with inputs, not of one",
            where=str(told),
            hint="log one call a file, and one event in it that is Started, with capability and inputs",
        )
    return found[0]


def _refuse_unfinished(lines: Sequence[Line], told: Path) -> None:
    if not any(line["event"] in _ENDS for line in lines):
        raise UnendedCallError(
            "the log does not tell how the call ended",
            where=str(told),
            hint="log Returned or Raised; for a program that had to be ended, Died with how (hung, signal or exit) and"
            " detail",
        )


def _capability(started: Line, told: Path) -> Capability:
    name = started.get("capability")
    known = next((one for one in _JUDGED if one.value == name), None)
    if known is None:
        raise UnjudgeableCallError(
            f"{name!r} cannot be judged from outside of the program",
            where=str(told),
            hint="invoke, stream and batch can; where a program does its input and output, which the other three"
            " ask, cannot be seen on the wire: an asynchronous stream is judged as stream",
        )
    return known

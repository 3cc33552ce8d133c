"""Whether what an application is told of a stream by events comes while the answer arrives."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from harness.battery.calls import Call
from harness.battery.texts import text_of
from harness.checks.check import NotApplicable, check
from harness.checks.finish import part
from harness.verdicts.judge import judge
from harness.words import Capability, Delivery, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from harness.cells import Judgement
    from harness.checks.bench import Bench

METHODS: Final = ("astream_events", "astream_log")
_NEWEST: Final = "v2"
"""The form of events that is asked for where a method insists on being told."""
_UNTRIED: Final = frozenset({Verdict.UNKNOWN, Verdict.UNSUPPORTED})
_OUTPUT: Final = "/streamed_output/-"
"""Where a log is told of each piece of the answer."""


@check(
    name="event-streaming",
    promise="astream_events and astream_log tell of each piece while the answer arrives, in order, and of all of them",
    calls=(Capability.ASTREAM,),
    hint="the method that streams is not the one that tells of its pieces, or whoever tells waits for the whole answer",
    since=2,
)
def event_streaming(bench: Bench) -> Iterator[str]:
    """
    Read the pieces from the events instead of from the stream, and judge them as those of a stream.
    """
    found = _found(bench)
    plain = _judged(bench, Capability.ASTREAM)
    told = []
    for name, (judgement, told_by) in found.items():
        wrong = _wrong(judgement, told_by)
        if wrong and plain and plain[0].evidence.delivery is not Delivery.INCREMENTAL:
            bench.tell("late", "its astream gives nothing before the middle of the answer, and so its events do not")
            raise NotApplicable(bench.told)
        if wrong:
            yield f"{name}: {wrong}"
        told.append(f"{name}: {_first(judgement)}")
    bench.tell(" and ".join(name.removeprefix("astream_") for name in found), "; ".join(told))


def _found(bench: Bench) -> dict[str, tuple[Judgement, _Told]]:
    found = {name: one for name in METHODS if (one := _judged(bench, name)) is not None}
    if not found:
        raise NotApplicable(f"it has neither {' nor '.join(METHODS)}")
    tried = {name: one for name, one in found.items() if one[0].verdict not in _UNTRIED}
    if not tried:
        raise NotApplicable("; ".join(f"{name}: {judgement.reason}" for name, (judgement, _) in found.items()))
    return tried


def _judged(bench: Bench, name: str) -> tuple[Judgement, _Told] | None:
    """
    Judge a method as if it were astream; None where there is none.
    """
    with bench.stage() as stage:
        if not callable(getattr(stage.instance, name, None)):
            return None
        told = _Told(stage.instance, name)
        call = Call(told, bench.capability, bench.inputs, stage.tape.log, stage.tape.gate)
        stage.wait_for(call.arun())
        return judge(bench.capability, stage.events), told


def _wrong(judgement: Judgement, told: _Told) -> str:
    if judgement.verdict is Verdict.BROKEN:
        return judgement.reason
    if judgement.evidence.delivery is not Delivery.INCREMENTAL:
        return f"nothing of the answer before its middle: {judgement.reason}"
    return told.disorder


def _first(judgement: Judgement) -> str:
    evidence = judgement.evidence
    first = next((one.after for one in evidence.timeline.items if one.counts), 0)
    return f"{evidence.items} pieces, the first after {first} of {evidence.arrivals} arrivals"


class _Told:
    """
    Hand out, as a stream, the pieces that events or a log tell of.

    Attributes:
        disorder: what does not come in its order; empty where all does.
    """

    def __init__(self, instance: Any, name: str) -> None:  # noqa: ANN401 - any class
        self._method = getattr(instance, name)
        self._pieces = self._plain if name == Capability.ASTREAM.value else self._of_event
        self._root: object = None
        self._over = False
        self.disorder = ""

    async def astream(self, prompt: str) -> AsyncIterator[Any]:
        """
        Yield the pieces.
        """
        async for one in self._method(prompt, **self._version()):
            for piece in self._pieces(one):
                if text_of(piece):
                    yield piece

    def _version(self) -> dict[str, str]:
        try:
            version = inspect.signature(self._method).parameters.get("version")
        except (TypeError, ValueError):
            return {}
        return {"version": _NEWEST} if version is not None and version.default is version.empty else {}

    def _plain(self, one: object) -> Iterator[object]:
        yield one

    def _of_event(self, one: object) -> Iterator[object]:
        """
        Yield what an event or a patch of a log tells of the run that was asked for, and not of what runs within it.
        """
        for operation in part(one, "ops") or ():
            if part(operation, "op") == "add" and part(operation, "path") == _OUTPUT:
                yield part(operation, "value")
        if not isinstance(one, Mapping):
            return
        run = one.get("run_id")
        self._root = self._root or run
        if run != self._root:
            return
        kind = str(one.get("event", ""))
        chunk = part(one.get("data"), "chunk")
        if chunk is not None and self._over:
            self.disorder = f"a piece is told of after the end: {kind}"
        self._over |= kind.endswith("_end")
        if chunk is not None:
            yield chunk

"""Whether the pieces of a stream, put together as their framework does it, are the answer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.adapters.build import load_rebuild
from harness.battery.texts import text_of
from harness.checks.check import NotApplicable, check
from harness.checks.finish import Usage, reason_of, usage_of
from harness.checks.streams import STREAMS, around
from harness.checks.usage import upstream_usage
from harness.errors import UserError
from harness.tape.faults import Faults
from harness.verdicts.texts import squeeze
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.adapters.adapter import Adapter
    from harness.checks.bench import Attempt, Bench

_WHOLE: Final = {Capability.STREAM: Capability.INVOKE, Capability.ASTREAM: Capability.AINVOKE}
_BUILDER: Final = "stream_chunk_builder"
"""The function with which a package of which pieces are instances puts them together, where it has one."""
_FEWEST: Final = 2


class _Way(NamedTuple):
    name: str
    build: Callable[[list[Any]], Any]


@check(
    name="stream-rebuilds",
    promise="the pieces of a stream, put together, are the answer, with its finish reason and usage",
    calls=STREAMS,
    hint="addition of the pieces drops or doubles a field; let one piece say each thing, or add what may be added",
    since=2,
)
def stream_rebuilds(bench: Bench) -> Iterator[str]:
    """
    Put the pieces together, and compare the result with them and with the answer that came whole.
    """
    asked = bench.adapter.usage or {}
    # what an adapter says of usage where its upstream says nothing is its own guess, and not to be compared
    if asked and (not upstream_usage(bench) or _raises(bench, asked)):
        asked = {}
    # a further argument changes the request, and not what is replayed
    with bench.stage(Faults(lenient=bool(asked))) as stage:
        made = stage.attempt(**asked)
        pieces = _pieces(made)
        try:
            way = _way(pieces, bench.adapter)
            rebuilt = way.build(pieces)
        except UserError as error:
            yield f"the function that its registration names as rebuild cannot be had: {error.message}"
            return
        except Exception as error:  # noqa: BLE001 - whatever the pieces' own code raises
            yield f"put together, {len(pieces)} pieces raise {type(error).__name__}: {error}"
            return
    joined = "".join(made.texts)
    yield from _text(way, text_of(rebuilt) or "", joined, pieces)
    whole = _whole(bench, joined)
    found = {"finish reason": _reason(way, rebuilt, pieces, whole), "usage": _usage(way, rebuilt, pieces, whole)}
    yield from filter(None, found.values())
    *others, last = ["text", *(name for name, wrong in found.items() if wrong is not None)]
    compared = f"{', '.join(others)} and {last}" if others else last
    bench.tell(way.name, f"put together {way.name}, {len(pieces)} pieces were compared by {compared}")


def _raises(bench: Bench, asked: Mapping[str, Any]) -> bool:
    """
    Tell whether a stream cannot be asked for usage: then it is put together without.
    """
    with bench.stage(Faults(lenient=True)) as stage:
        return stage.attempt(**asked).raised is not None


def _pieces(made: Attempt) -> list[Any]:
    if made.raised is not None:
        raise NotApplicable("the call raises")
    pieces = [one for one in made.outputs if one is not None]
    if len(pieces) < _FEWEST:
        raise NotApplicable("it comes in one piece")
    return pieces


def _way(pieces: Sequence[Any], adapter: Adapter) -> _Way:
    """
    Return how pieces are put together: as the registration says, by their package's function, by addition, as texts.
    """
    named = load_rebuild(adapter)
    if named is not None:
        return _Way(f"by {named.__name__}", named)
    kinds = {type(one) for one in pieces}
    for kind in kinds:
        builder = getattr(sys.modules.get(kind.__module__.partition(".")[0]), _BUILDER, None)
        if callable(builder):
            return _Way(f"by {_BUILDER}", builder)
    if all(hasattr(kind, "__add__") and not issubclass(kind, str | bytes | tuple | list | int) for kind in kinds):
        return _Way("by addition", lambda every: reduce(add, every))
    return _Way("by joining text", _joined)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """
    Hold what an application has that joins texts, and takes the last word of what else the pieces say.
    """

    content: str
    finish_reason: str | None
    usage: dict[str, int]


def _joined(pieces: Sequence[Any]) -> _Joined:
    reasons = [one for one in map(reason_of, pieces) if one]
    usage = {f"{kind}_tokens": number for one in pieces for kind, number in usage_of(one).items()}
    content = "".join(text_of(one) or "" for one in pieces)
    return _Joined(content=content, finish_reason=reasons[-1] if reasons else None, usage=usage)


def _text(way: _Way, rebuilt: str, joined: str, pieces: Sequence[Any]) -> Iterator[str]:
    # the arguments that a message calls tools with are parsed when it is whole, and read otherwise
    if rebuilt == joined or any(getattr(one, "tool_call_chunks", None) for one in pieces):
        return
    at = next((at for at, (one, two) in enumerate(zip(rebuilt, joined, strict=False)) if one != two), None)
    at = min(len(rebuilt), len(joined)) if at is None else at
    yield f"put together {way.name}, they read {around(rebuilt, at)}, and one by one {around(joined, at)}"


def _whole(bench: Bench, joined: str) -> Any | None:  # noqa: ANN401 - whatever the adapter returns
    """
    Return the answer as it came whole, where the recording of that call holds the same answer.
    """
    other = bench.beside(_WHOLE[bench.capability])
    if other is None:
        return None
    try:
        with other.stage() as stage:
            made = stage.attempt()
    except NotApplicable:
        return None
    same = made.raised is None and len(made.texts) == 1 and squeeze(made.texts[0]) == squeeze(joined)
    return made.outputs[0] if same else None


def _reason(way: _Way, rebuilt: object, pieces: Sequence[object], whole: object) -> str | None:
    """
    Return what is wrong with the finish reason: nothing is an empty text, and None that nobody says one.
    """
    said = list(dict.fromkeys(filter(None, map(reason_of, pieces))))
    found, expected = reason_of(rebuilt), reason_of(whole)
    if not said and (found is None or expected is None):
        return None
    if found in {expected, *(said if expected is None else ())}:
        return ""
    source = "the answer that comes whole" if expected else "a piece"
    return f"put together {way.name}, they say the finish reason {found!r}, and {source} says {expected or said[-1]!r}"


def _usage(way: _Way, rebuilt: object, pieces: Sequence[object], whole: object) -> str | None:
    """
    Return what is wrong with the usage: nothing is an empty text, and None that no piece says any.
    """
    told = [one for one in map(usage_of, pieces) if one]
    if not told:
        return None
    found, expected = usage_of(rebuilt), usage_of(whole) or (told[0] if len(told) == 1 else {})
    wrong = {kind for kind in expected if found.get(kind) != expected[kind]} if found else set(expected)
    if not wrong:
        return ""
    source = "the answer that comes whole" if usage_of(whole) else "the piece that has it"
    return f"put together {way.name}, they say {_tokens(found)}, and {source} says {_tokens(expected)}"


def _tokens(usage: Usage) -> str:
    return ", ".join(f"{number} {kind} tokens" for kind, number in sorted(usage.items())) or "nothing of usage"

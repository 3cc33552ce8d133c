"""Whether the token usage of a stream arrives when it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.check import NotApplicable, check
from harness.checks.finish import told, usage_of
from harness.checks.streams import STREAMS
from harness.tape.faults import Faults
from harness.verdicts.documents import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.checks.bench import Bench
    from harness.checks.finish import Usage


@check(
    name="usage-in-streams",
    promise="the token usage of a stream arrives when it is asked for, as the upstream told it",
    calls=STREAMS,
    hint="the piece that has the usage has no text, and pieces without text are left out",
    since=2,
)
def usage_in_streams(bench: Bench) -> Iterator[str]:
    """
    Ask for usage as the registration says, and look for the upstream's figures among the pieces.
    """
    asked = bench.adapter.usage
    if asked is None:
        why = "its registration does not say how usage is asked for (the key `usage`)"
        raise NotApplicable(why, lasting=True)
    upstream = upstream_usage(bench)
    # an argument that was not recorded changes the request, and not what is replayed
    with bench.stage(Faults(lenient=True)) as stage:
        made = stage.attempt(**asked)
    if made.raised is not None and _raises_unasked(bench):
        raise NotApplicable("the call raises")
    raises = made.raised and f"asked for usage, it raises {type(made.raised).__name__}: {made.raised}"
    if not upstream:
        why = f", and {raises}" if raises else ": record it again with usage asked for"
        raise NotApplicable(f"the recording has no usage{why}")
    if raises:
        yield raises
        return
    pieces = [one for one in map(usage_of, made.outputs) if one]
    if not pieces:
        yield f"the upstream told {_tokens(upstream)}, and none of {len(made.outputs)} items has any usage"
        return
    wrong = [kind for kind in upstream if not _arrives(kind, upstream[kind], pieces)]
    bench.tell(f"{_last(pieces)} tokens", f"the upstream's usage arrives: {_tokens(upstream)}")
    for kind in wrong:
        told_here = ", ".join(str(one[kind]) for one in pieces if kind in one)
        yield f"the upstream told {_tokens({kind: upstream[kind]})}, and the items say {told_here or 'nothing'}"


def _raises_unasked(bench: Bench) -> bool:
    with bench.stage() as stage:
        return stage.attempt().raised is not None


def upstream_usage(bench: Bench) -> dict[str, list[int]]:
    """
    Return every count of tokens in the recorded answers, by kind and in order; nothing where none was sent.
    """
    found: dict[str, list[int]] = {}
    for body in bench.bodies():
        for document in documents(body):
            for kind, numbers in told(document.value).items():
                found.setdefault(kind, []).extend(numbers)
    return found


def _arrives(kind: str, numbers: Sequence[int], pieces: Sequence[Usage]) -> bool:
    """
    Tell whether what pieces say together is what the upstream said: its last word, or what it told in parts.

    A kind that no piece names is another's sum, or the client library's to leave out.
    """
    said = [one[kind] for one in pieces if kind in one]
    return not said or bool({said[-1], max(said), sum(said)} & {numbers[-1], max(numbers), sum(numbers)})


def _last(pieces: Sequence[Usage]) -> int:
    last = pieces[-1]
    return last.get("total") or sum(last.values())


def _tokens(usage: dict[str, list[int]]) -> str:
    return ", ".join(f"{numbers[-1]} {kind}" for kind, numbers in sorted(usage.items())) + " tokens"

"""What a recording left behind, adapter by adapter: files, requests, what was scrubbed and what was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.report.text import one_line
from harness.session.problems import Trouble
from harness.words import Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cells import Cell
    from harness.session.rows import Row
    from harness.tape.tally import Tally

_NOTHING_TO_KEEP: Final = frozenset({Verdict.UNSUPPORTED, Verdict.BLOCKED})
_MOST_NAMES: Final = 8


def lines(row: Row) -> Iterator[str]:
    """
    Say what was kept of an adapter's calls, one line each, and then of all together.
    """
    unkept = {one.capability: one.message for one in row.problems if one.kind is Trouble.UNKEPT}
    for cell in row.cells:
        requests = counted(cell.evidence.requests, "request")
        if cell.capability in row.kept:
            yield f"{cell.capability}: kept, {requests}"
        elif cell.capability in unkept:
            yield f"{cell.capability}: NOT KEPT, {requests}: {unkept[cell.capability]}"
        else:
            yield f"{cell.capability}: nothing to keep: {_why_nothing(cell)}"
    yield from _requests(row)
    tallies = [one.tally for one in row.made.values() if one.tally is not None]
    if tallies:
        yield from _content(sum(tallies[1:], tallies[0]), row)


def _why_nothing(cell: Cell) -> str:
    if cell.verdict in _NOTHING_TO_KEEP:
        return f"{cell.verdict}: {one_line(cell.reason)}"
    # what had not been answered when it ended was sent all the same
    asked = "no answer was complete" if cell.evidence.requests else "no request was seen"
    return f"{asked}; {cell.verdict}: {one_line(cell.reason)}"


def _requests(row: Row) -> Iterator[str]:
    made = row.made
    total, inference = (sum(getattr(one, name) for one in made.values()) for name in ("requests", "inference"))
    if total:
        yield f"made: {counted(total, 'request')}, {inference} with a prompt"
    repeated = {capability.value: one.repeated for capability, one in made.items() if one.repeated}
    if repeated:
        calls = ", ".join(f"{name} {times}" for name, times in repeated.items())
        more = counted(sum(repeated.values()), "request")
        yield f"RETRIED: {more} more than the calls need ({calls}): a prompt was sent to the same address again;"
        yield "  turn retries off in the registration, such as kwargs = { max_retries = 0 }"


def _content(tally: Tally, row: Row) -> Iterator[str]:
    upstream = f" ({row.adapter.upstream})" if row.adapter.upstream else ""
    yield f"from: {_some(sorted(tally.hosts))}{upstream}"
    counts = [what if times == 1 else f"{what} ({times}x)" for what, times in sorted(tally.scrubbed.items())]
    yield f"scrubbed: {_some(counts) if counts else 'nothing looked like a credential'}"
    if tally.left_out:
        yield f"left out: {counted(len(tally.left_out), 'other header')}: {_some(sorted(tally.left_out))}"
    answers = f"answers with status and {tally.size} bytes in {counted(tally.arrivals, 'arrival')}"
    headers = f"headers {_some(sorted(tally.kept)) or 'none'}"
    yield f"kept: {counted(tally.requests, 'request')} with method, address and body; {answers}; {headers}"
    yield "scanned: nothing that was written looks like a secret"


def _some(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")

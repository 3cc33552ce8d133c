"""The figures behind a verdict, named for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.text import seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cells import Cell, Evidence, Measured


def figures(cell: Cell) -> Iterator[tuple[str, str]]:
    """
    Yield the figures that say something about this call, with their names.
    """
    evidence = cell.evidence
    if cell.capability.streams:
        yield "items", str(evidence.items)
    yield "arrivals", str(evidence.arrivals)
    if cell.capability.batches or evidence.requests != 1 or evidence.inference_requests != 1:
        yield "requests", _requests(evidence)
    if cell.capability.batches:
        yield "inputs", str(evidence.inputs)
        yield "most in a request", str(evidence.most_inputs_in_a_request)
        yield "most at once", str(evidence.peak_in_flight)
    moments = {
        "first item": evidence.first_item_at,
        "last item": evidence.last_item_at,
        "answer ends": evidence.answer_ends_at,
    }
    for name, at in moments.items():
        if at is not None:
            yield name, seconds(at)


def versions(adapter: Measured) -> str:
    """
    Return the distributions that an adapter went through, as `langchain 0.0.337, openai 1.3.3`.
    """
    return ", ".join(f"{name} {version}" for name, version in sorted(adapter.distributions.items()))


def figure(name: str, value: str) -> str:
    """
    Return a figure as a phrase: `items 21`, `first item at 0.412 s`.
    """
    return f"{name} {'at ' if value.endswith(' s') else ''}{value}"


def _requests(evidence: Evidence) -> str:
    if evidence.requests == evidence.inference_requests:
        return str(evidence.requests)
    return f"{evidence.requests}, {evidence.inference_requests} of them inference"

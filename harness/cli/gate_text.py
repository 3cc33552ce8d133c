"""What the merge gate says: for people, and as plain values for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.checks.result import State
from harness.report.text import one_line, printable
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.session.readiness import Item, Readiness

_GREEN: Final = "\x1b[1;32m"
_RED: Final = "\x1b[1;31m"
_RESET: Final = "\x1b[0m"


def render(found: Readiness, *, colour: bool) -> str:
    """
    Return READY or NOT READY, what there is to do, and what is worth knowing.
    """
    return "\n".join([_head(found, colour=colour), *_body(found)])


def _head(found: Readiness, *, colour: bool) -> str:
    word = "READY" if found.ready else "NOT READY"
    if colour:
        word = f"{_GREEN if found.ready else _RED}{word}{_RESET}"
    if not found.ready:
        number = counted(len(found.items), "thing")
        return f"{word}: {one_line(found.adapter)}: {number} to do"
    counts = [(found.count(state), name) for state, name in _COUNTED.items()]
    said = ", ".join(f"{number} {name}" for number, name in counts if number)
    checks = f"; checks: {said}" if said else ""
    return f"{word}: {one_line(found.adapter)}: {counted(len(found.row.cells), 'cell')} as they should be{checks}"


_COUNTED: Final = {State.PASSED: "passed", State.SKIPPED: "not applicable", State.OFF: "switched off"}


def _body(found: Readiness) -> Iterator[str]:
    for number, item in enumerate(found.items, 1):
        yield ""
        yield from _item(number, item)
    if found.items and found.notes:
        yield ""
    for text in found.notes:
        yield f"note: {one_line(text)}"
    off: dict[tuple[str, str], list[str]] = {}
    for call, results in found.results.items():
        for one in results:
            if one.state is State.OFF:
                off.setdefault((one.check, one.why), []).append(call.value)
    for (check, why), calls in off.items():
        yield f"note: {', '.join(calls)}: the check {check} is switched off: {one_line(why)}"


def _item(number: int, item: Item) -> Iterator[str]:
    yield f"{number}. {', '.join(item.calls)}: {item.rule}"
    lines = {"expected": item.expected, "measured": item.measured, "evidence": item.evidence}
    if item.source is not None:
        lines["look at"] = f"{item.source.path}:{item.source.line}: {item.source.text}"
        if item.source.inherited:
            lines["look at"] += f"   (it inherits {item.calls[0]} from {item.source.inherited})"
    lines |= {"usually": item.hint, "try": item.again}
    for name, text in lines.items():
        yield f"   {name:9} {one_line(printable(text))}"


def plain(found: Readiness) -> dict[str, Any]:
    """
    Return everything as values that can be written as JSON.
    """
    return {
        "adapter": found.adapter,
        "ready": found.ready,
        "items": [asdict(item) for item in found.items],
        "notes": list(found.notes),
        "cells": {cell.capability: {"verdict": cell.verdict, "mechanism": cell.mechanism} for cell in found.row.cells},
        "checks": {call: [asdict(one) for one in results] for call, results in found.results.items()},
    }

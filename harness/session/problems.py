"""What went wrong beside the verdicts: the user's mistakes, recordings that were not kept, the harness's own faults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.words import Capability


class Trouble(StrEnum):
    """
    Say whose a problem is.

    `mistake` is the user's to mend (a registration, a cassette), `unkept` is a recording that was not kept, `fault` is
    the harness's own failure.
    """

    MISTAKE = "mistake"
    UNKEPT = "unkept"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    Say what went wrong in one cell.
    """

    kind: Trouble
    capability: Capability
    message: str


def messages(problems: Iterable[Problem], kind: Trouble) -> dict[str, tuple[Capability, ...]]:
    """
    Return what went wrong in one way, each message once, with the calls that it concerns.
    """
    found: dict[str, tuple[Capability, ...]] = {}
    for problem in problems:
        if problem.kind is kind:
            found[problem.message] = (*found.get(problem.message, ()), problem.capability)
    return found

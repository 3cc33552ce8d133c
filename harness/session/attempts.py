"""
What is kept of a recording that gave no cassette.

An adapter that raises, exits or hangs while it is recorded was tried, and a later replay has
to know it; so does one whose traffic cannot be seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import CassetteError
from harness.report.files import replace_file
from harness.words import Verdict

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX: Final = ".attempt.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    Hold the outcome of a recording without a cassette.

    Attributes:
        recorded: when, as an ISO 8601 date-time in UTC.
        verdict: what it was judged to be.
        reason: why.
        error: the exception or the stack, where there is one.
    """

    recorded: str
    verdict: Verdict
    reason: str
    error: str | None = None


def path_of(cassette: Path) -> Path:
    """
    Return where the attempt for a cassette stands.
    """
    return cassette.with_name(cassette.stem + _SUFFIX)


def read_attempt(cassette: Path) -> Attempt | None:
    """
    Return what is kept of the attempt to record a cassette; None where nothing is.

    Raises:
        CassetteError: the file is damaged.
    """
    path = path_of(cassette)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Attempt(
            recorded=str(values["recorded"]),
            verdict=Verdict(values["verdict"]),
            reason=str(values["reason"]),
            error=values.get("error"),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise CassetteError(
            f"the note of an attempted recording cannot be read: {error}",
            where=str(path),
            hint="delete it and record the adapter again",
        ) from error


def write_attempt(cassette: Path, attempt: Attempt) -> None:
    """
    Keep an attempt beside the place where the cassette would be.
    """
    values = {
        "recorded": attempt.recorded,
        "verdict": attempt.verdict.value,
        "reason": attempt.reason,
        "error": attempt.error,
    }
    text = json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True)
    replace_file(path_of(cassette), f"{text}\n".encode())


def forget_attempt(cassette: Path) -> None:
    """
    Drop the note: there is a cassette now.
    """
    path_of(cassette).unlink(missing_ok=True)

"""What there is to do, each beside the line of source that it is about: what annotations and SARIF are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """
    Hold one remark about a line of source.

    Attributes:
        rule: what is not met, as one word.
        meaning: what that rule asks for, the same for all remarks of a rule.
        subject: what it is about, as `family/Adapter stream, astream`.
        message: what was expected, what was measured, and why.
        path: the file, with forward slashes, relative to the repository; None where the line is not in it.
        line: from 1.
        is_error: it fails the gate; otherwise it is a note.
    """

    rule: str
    meaning: str
    subject: str
    message: str
    path: str | None = None
    line: int | None = None
    is_error: bool = True

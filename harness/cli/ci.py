"""What the gate leaves on GitHub Actions: annotations in its log, and a section of the job summary."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.cli.screen import say
from harness.cli.summary import summarize
from harness.report.annotations import Annotation
from harness.report.github import render_annotations
from harness.session.rows import matrix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.cells import Matrix
    from harness.checks.result import Source
    from harness.session.readiness import Item, Readiness

_WORKSPACE: Final = "GITHUB_WORKSPACE"
_MEANINGS: Final = {
    "broken": "a call works",
    "blocked": "an adapter can be constructed",
    "contradicts": "what is declared to be native is native",
    "behind": "what is native in the committed matrix stays native",
    "stale": "an expectation in the registration holds",
    "unknown": "every call is measured",
}


def annotations_of(found: Iterable[Readiness], root: Path) -> list[Annotation]:
    """
    Return what there is to do with several adapters, and what is worth knowing, beside the lines that it is about.

    Args:
        found: what was assessed.
        root: the project's directory.
    """
    return [one for each in found for one in (*_errors(each, root), *_notes(each))]


def _errors(found: Readiness, root: Path) -> Iterator[Annotation]:
    for item in found.items:
        place = _place(item.source, root)
        yield Annotation(
            rule=item.rule,
            meaning=_MEANINGS.get(item.rule, item.expected),
            subject=f"{found.adapter} {', '.join(item.calls)}",
            message=_message(item),
            path=place,
            line=item.source.line if place and item.source else None,
        )


def _message(item: Item) -> str:
    measured = "" if item.rule not in _MEANINGS else f" Measured: {item.measured}."
    return (
        f"Expected: {item.expected}.{measured} Evidence: {item.evidence}. Usual cause: {item.hint}. Try: {item.again}"
    )


def _notes(found: Readiness) -> Iterator[Annotation]:
    for text in found.notes:
        yield Annotation(rule="note", meaning="worth knowing", subject=found.adapter, message=text, is_error=False)


def _place(source: Source | None, root: Path) -> str | None:
    """
    Return a source file's path in the repository; None where it is that of an installed package.
    """
    if source is None or not (root / source.path).is_file():
        return None
    top = Path(os.environ.get(_WORKSPACE) or _repository(root)).resolve()
    file = (root / source.path).resolve()
    return file.relative_to(top).as_posix() if file.is_relative_to(top) else source.path


def _repository(root: Path) -> Path:
    return next((one for one in (root, *root.parents) if (one / ".git").exists()), root)


def publish(found: Sequence[Readiness], baseline: Matrix | None, root: Path) -> None:
    """
    Print annotations, and append a section to the job summary where there is one.

    Args:
        found: what was assessed.
        baseline: the committed matrix.
        root: the project's directory.

    Raises:
        ReportError: the summary cannot be written.
    """
    annotations = annotations_of(found, root)
    text = render_annotations(annotations)
    if text:
        say(text.rstrip("\n"))
    summarize(matrix_of([one.row for one in found], complete=False), baseline, annotations)

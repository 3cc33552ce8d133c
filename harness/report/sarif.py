"""SARIF 2.1.0: what there is to do, for code scanning and editors."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from harness.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.annotations import Annotation

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
MOST_RESULTS: Final = 5_000
"""As many as GitHub shows of one run; it refuses more than 25,000."""


def render_sarif(annotations: Iterable[Annotation]) -> str:
    """
    Return the log of one run, equal bytes for equal remarks.
    """
    found = list(annotations)[:MOST_RESULTS]
    rules = {one.rule: one for one in found}
    driver = {
        "name": "capability-harness",
        "semanticVersion": version("capability-harness"),
        "rules": [_rule(rules[name]) for name in sorted(rules)],
    }
    order = {name: number for number, name in enumerate(sorted(rules))}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, order[one.rule]) for one in found],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _rule(one: Annotation) -> dict[str, Any]:
    return {
        "id": one.rule,
        "shortDescription": {"text": one_line(one.meaning)},
        "defaultConfiguration": {"level": "error" if one.is_error else "note"},
    }


def _result(one: Annotation, number: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": "error" if one.is_error else "note",
        "message": {"text": f"{one_line(one.subject)}: {one_line(one.message)}"},
        # the line moves and the figures change; what it is about stays the same finding
        "partialFingerprints": {
            "subject/v1": hashlib.sha256(f"{one.rule}\0{one.subject}".encode(errors="replace")).hexdigest()
        },
    }
    if one.path is not None:
        result["locations"] = _locations(one.path, one.line)
    return result


def _locations(path: str, line: int | None) -> Sequence[dict[str, Any]]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(path), "uriBaseId": "%SRCROOT%"}}
    if line is not None:
        place["region"] = {"startLine": max(line, 1)}
    return [{"physicalLocation": place}]

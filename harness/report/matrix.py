"""
The codec of matrix.json: read and write.

Equal matrices give equal bytes: keys, adapters and cells are sorted, times have six digits.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from harness.cells import Cell, Checked, Evidence, ItemLine, Matrix, Measured, Provenance, RequestLine, Shard, Timeline
from harness.errors import ReportError
from harness.report.files import replace_file
from harness.report.schema import first_problem
from harness.words import AsyncIO, Capability, Delivery, FanOut, Mechanism, State, Upstream, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from _typeshed import DataclassInstance

SCHEMA_VERSION: Final = 1
_DIGITS: Final = 6
_AGAIN: Final = "run `harness run --json FILE` to write it again"
_ORDER: Final = {capability: number for number, capability in enumerate(Capability)}

Key = tuple[str, str]
T = TypeVar("T")


def read_matrix(path: Path) -> Matrix:
    """
    Read a matrix.json.

    Raises:
        ReportError: the file is missing, cut off, not a matrix or of another schema version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "name a matrix.json; `harness run` writes one into the reports folder"
        raise ReportError(f"cannot be read: {error.strerror or error}", where=str(path), hint=hint) from error
    return decode_matrix(data, where=str(path))


def write_matrix(path: Path, matrix: Matrix) -> None:
    """
    Write a matrix.json; the old file is replaced only by a complete new one.

    Raises:
        ReportError: the folder cannot be written.
    """
    replace_file(path, encode_matrix(matrix))


def encode_matrix(matrix: Matrix) -> bytes:
    """
    Return a matrix as the bytes of its matrix.json.
    """
    shard = {} if matrix.shard is None else {"shard": plain(matrix.shard)}
    checks = {"checks": [plain(one) for one in sorted_checks(matrix)]} if matrix.checks else {}
    document = {
        "schema_version": SCHEMA_VERSION,
        "complete": matrix.complete,
        "generator": generator(matrix),
        **shard,
        "adapters": [plain(adapter) for adapter in sorted_adapters(matrix)],
        "cells": [plain(cell) for cell in sorted_cells(matrix)],
        **checks,
    }
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    # A lone surrogate has no UTF-8; the escape it becomes here is JSON's own and reads back as it was.
    return f"{_folded(text)}\n".encode("utf-8", "backslashreplace")


def generator(matrix: Matrix) -> dict[str, object]:
    """
    Return the versions that made a matrix.
    """
    battery = {} if matrix.battery is None else {"battery": matrix.battery}
    return {"harness": matrix.harness, "python": matrix.python, **battery}


def decode_matrix(data: bytes, *, where: str) -> Matrix:
    """
    Return the matrix that the bytes of a matrix.json hold.

    Args:
        data: the file's content.
        where: its name, for messages.

    Raises:
        ReportError: the bytes are cut off, not a matrix or of another schema version.
    """
    document = _parse(data, where)
    _refuse_foreign(document, where)
    problem = first_problem(document)
    if problem is not None:
        hint = f"compare it with `harness report --schema`, or {_AGAIN}"
        raise ReportError(f"{problem.path or 'the document'}: {problem.message}", where=where, hint=hint)
    return _matrix(document, where)


def sorted_adapters(matrix: Matrix) -> list[Measured]:
    """
    Return a matrix's adapters by family, then by name regardless of case.
    """
    return sorted(matrix.adapters, key=lambda adapter: adapter_order(adapter.family, adapter.name))


def sorted_cells(matrix: Matrix) -> list[Cell]:
    """
    Return a matrix's cells in the order of its adapters, then of the six calls.
    """
    return sorted(matrix.cells, key=lambda cell: (*adapter_order(cell.family, cell.adapter), _ORDER[cell.capability]))


def sorted_checks(matrix: Matrix) -> list[Checked]:
    """
    Return what came of a matrix's checks, in the order of its adapters, then by check, then of the six calls.
    """
    return sorted(
        matrix.checks, key=lambda one: (*adapter_order(one.family, one.adapter), one.check, _ORDER[one.capability])
    )


def cells_of(matrix: Matrix) -> dict[Key, dict[Capability, Cell]]:
    """
    Return the cells by (family, adapter name) and capability.
    """
    found: dict[Key, dict[Capability, Cell]] = {}
    for cell in sorted_cells(matrix):
        found.setdefault((cell.family, cell.adapter), {})[cell.capability] = cell
    return found


def adapter_order(family: str, name: str) -> tuple[str, str, str]:
    """
    Return the sort key of an adapter.
    """
    return family, name.casefold(), name


def plain(value: object) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """
    Return a value as JSON has it; equal values are equal there.
    """
    if isinstance(value, float):
        return round(value, _DIGITS) + 0.0  # adding zero turns -0.0 into 0.0
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return _plain_fields(value) if isinstance(value, _KINDS) else value


_KINDS: Final = (Shard, Measured, Cell, Checked, Evidence, Provenance, Timeline, RequestLine, ItemLine)


def _plain_fields(value: DataclassInstance) -> dict[str, Any]:
    made = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    # 1 and 1.0 are equal, and so must their bytes be.
    for name in _TIMES.get(type(value), ()):
        made[name] = _floats(made[name])
    return made


def _floats(value: Any) -> Any:  # noqa: ANN401 - a number, a list of numbers or None
    if isinstance(value, list):
        return [float(item) for item in value]
    return None if value is None else float(value)


_TIMES: Final[dict[type, tuple[str, ...]]] = {
    Evidence: ("first_item_at", "last_item_at", "answer_ends_at"),
    RequestLine: ("sent_at", "arrivals", "ends_at"),
    ItemLine: ("at",),
}


def _folded(text: str) -> str:
    """
    Put the innermost lists and objects on one line each: a number a line makes the file too long to read or to diff.
    """
    lines: list[str] = []
    opened: int | None = None
    for line in text.split("\n"):
        last = line[-1:]
        if last in "[{" and not line.endswith(("[]", "{}")):
            opened = len(lines)
        lines.append(line)
        if line.strip() in _CLOSERS and opened is not None:
            lines[opened:] = [lines[opened] + " ".join(part.strip() for part in lines[opened + 1 : -1]) + line.strip()]
            opened = None
    return "\n".join(lines)


_CLOSERS: Final = frozenset({"]", "}", "],", "},"})


def _parse(data: bytes, where: str) -> object:
    try:
        document: object = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ReportError("is not UTF-8 text", where=where, hint="name a matrix.json") from error
    except json.JSONDecodeError as error:
        raise ReportError(_json_message(data, error), where=where, hint=_AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(f"is not JSON that can be used: {error}", where=where, hint=_AGAIN) from error
    return document


def _json_message(data: bytes, error: json.JSONDecodeError) -> str:
    if not data.strip():
        return "is empty"
    if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
        return f"is cut off at line {error.lineno}"
    return f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is not a JSON number"
    raise ValueError(msg)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse_constant(digits)
    return number


def _refuse_foreign(document: object, where: str) -> None:
    if not isinstance(document, dict) or "schema_version" not in document:
        hint = "name a matrix.json; `harness run` writes one into the reports folder"
        raise ReportError("is JSON, but not a matrix: it has no schema_version", where=where, hint=hint)
    version = document["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, bool):
        hint = f"read it with the harness that wrote it, or {_AGAIN}"
        message = f"has schema_version {json.dumps(version)[:60]}; this harness reads {SCHEMA_VERSION}"
        raise ReportError(message, where=where, hint=hint)


def _matrix(document: Any, where: str) -> Matrix:  # noqa: ANN401 - checked against the schema by now
    try:
        matrix = Matrix(
            complete=document["complete"],
            harness=document["generator"]["harness"],
            python=document["generator"]["python"],
            battery=_count(document["generator"].get("battery")),
            shard=_shard(document.get("shard")),
            adapters=tuple(_adapter(value) for value in document["adapters"]),
            cells=tuple(_cell(value) for value in document["cells"]),
            checks=tuple(_checked(value) for value in document.get("checks", ())),
        )
    except OverflowError as error:
        raise ReportError("holds a number too large to be a time", where=where, hint=_AGAIN) from error
    _refuse_strays(matrix, where)
    return matrix


def _refuse_strays(matrix: Matrix, where: str) -> None:
    known = {(adapter.family, adapter.name) for adapter in matrix.adapters}
    seen: set[tuple[str, str, str]] = set()
    if len(known) < len(matrix.adapters):
        raise ReportError("names an adapter twice", where=where, hint=_AGAIN)
    for cell in matrix.cells:
        key = (cell.family, cell.adapter, cell.capability)
        if key[:2] not in known:
            raise ReportError(f"cell {cell_title(cell)} has no adapter", where=where, hint=_AGAIN)
        if key in seen:
            raise ReportError(f"has cell {cell_title(cell)} twice", where=where, hint=_AGAIN)
        seen.add(key)
    tried: set[str] = set()
    for one in matrix.checks:
        if (one.family, one.adapter) not in known:
            raise ReportError(f"check {checked_title(one)} has no adapter", where=where, hint=_AGAIN)
        if checked_title(one) in tried:
            raise ReportError(f"has check {checked_title(one)} twice", where=where, hint=_AGAIN)
        tried.add(checked_title(one))


def _shard(value: Mapping[str, Any] | None) -> Shard | None:
    return None if value is None else Shard(**_known(Shard, value))


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)


def _adapter(value: Mapping[str, Any]) -> Measured:
    upstream = _word(Upstream, value["upstream"])
    return Measured(**{**_known(Measured, value), "upstream": upstream})


def _cell(value: Mapping[str, Any]) -> Cell:
    words: dict[str, object] = {
        name: _word(Verdict, value.get(name)) for name in ("verdict", "declared", "reflected", "published", "expected")
    }
    words["capability"] = Capability(value["capability"])
    words["mechanism"] = _word(Mechanism, value["mechanism"])
    words["evidence"] = _evidence(value["evidence"])
    return Cell(**{**_known(Cell, value), **words})


def _checked(value: Mapping[str, Any]) -> Checked:
    words = {"capability": Capability(value["capability"]), "state": State(value["state"])}
    return Checked(**{**_known(Checked, value), **words})


def _evidence(value: Mapping[str, Any]) -> Evidence:
    cassette = value["cassette"]
    made: dict[str, object] = {
        "delivery": _word(Delivery, value["delivery"]),
        "async_io": _word(AsyncIO, value["async_io"]),
        "fan_out": _word(FanOut, value["fan_out"]),
        "cassette": None if cassette is None else Provenance(**_known(Provenance, cassette)),
        "timeline": _timeline(value.get("timeline", {"requests": [], "items": []})),
    }
    return Evidence(**{**_known(Evidence, value), **made})


def _timeline(value: Mapping[str, Any]) -> Timeline:
    return Timeline(
        requests=tuple(_request(request) for request in value["requests"]),
        items=tuple(ItemLine(**_known(ItemLine, item)) for item in value["items"]),
    )


def _request(value: Mapping[str, Any]) -> RequestLine:
    known = _known(RequestLine, value)
    inputs = tuple(int(number) for number in value["inputs"])
    status = value["status"]
    return RequestLine(**{**known, "inputs": inputs, "status": _count(status)})


def _known(kind: type[DataclassInstance], value: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the keys that a class knows: a newer harness may have added others.
    """
    known = {field.name: value[field.name] for field in fields(kind) if field.name in value}
    for name in _TIMES.get(kind, ()):
        known[name] = _time(known[name])
    for name in _COUNTS.get(kind, ()):
        known[name] = int(known[name])
    return known


_COUNTS: Final[dict[type, tuple[str, ...]]] = {
    Evidence: (
        "items", "arrivals", "requests", "inference_requests", "inputs", "most_inputs_in_a_request", "peak_in_flight",
    ),
    ItemLine: ("after",),
    Shard: ("number", "of", "cells"),
}  # fmt: skip


def _time(value: Any) -> Any:  # noqa: ANN401 - a number, a list of numbers or None
    found = _floats(value)
    return tuple(found) if isinstance(found, list) else found


def _word(kind: Callable[[str], T], value: str | None) -> T | None:
    return None if value is None else kind(value)


def adapter_title(adapter: Measured) -> str:
    """
    Return how messages name an adapter.
    """
    return f"{adapter.family}/{adapter.name}"


def cell_title(cell: Cell) -> str:
    """
    Return how messages name a cell.
    """
    return f"{cell.family}/{cell.adapter}::{cell.capability}"


def checked_title(one: Checked) -> str:
    """
    Return how messages name what came of a check.
    """
    return f"{one.family}/{one.adapter}::{one.capability} {one.check}"

"""
Matrices joined into one: parts of a family, the shards of a run.

What does not fit together is refused by the name of its file: a shard that is missing or doubled, other versions of the
harness or of the battery, other registrations or cassettes, one cell with two outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from harness.cells import Matrix
from harness.errors import ReportError
from harness.report.matrix import adapter_title, cell_title, checked_title, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.cells import Shard

T = TypeVar("T")
_ONE_COMMIT = "run all the shards from one commit, each with `--shard NUMBER/OF --json FILE`"


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class _Slice:
    name: str
    matrix: Matrix
    shard: Shard

    @property
    def title(self) -> str:
        return f"{self.name} (shard {self.shard.number}/{self.shard.of})"


def merge(matrices: Iterable[Matrix], names: Sequence[str] = ()) -> Matrix:
    """
    Join the matrices of several runs into one, complete only if all of them are.

    All shards of a run give, byte for byte, what the run without shards would have given.

    Args:
        matrices: what was measured.
        names: what messages call them, such as their files.

    Raises:
        ReportError: there are none, versions differ, a shard is missing, doubled, cut short or from another run, or one
            adapter or cell was measured twice with different outcomes.
    """
    given = tuple(matrices)
    if not given:
        raise ReportError("there is no matrix to merge", hint="name at least one matrix.json")
    called = names or [f"matrix {number}" for number in range(1, len(given) + 1)]
    parts = [_Part(name, matrix) for name, matrix in zip(called, given, strict=True)]
    harness = _agreed("harness", {part.name: part.matrix.harness for part in parts})
    python = _agreed("Python", {part.name: part.matrix.python for part in parts})
    # a matrix of an older harness does not say, and stands in nobody's way
    batteries = {part.name: part.matrix.battery for part in parts if part.matrix.battery is not None}
    battery = _agreed("battery", batteries) if batteries else None
    whole = _whole_run([_Slice(part.name, part.matrix, part.matrix.shard) for part in parts if part.matrix.shard])
    return Matrix(
        complete=whole and all(part.matrix.complete for part in parts if part.matrix.shard is None),
        harness=harness,
        python=python,
        battery=battery,
        adapters=_joined([(part.name, part.matrix.adapters) for part in parts], adapter_title),
        cells=_joined([(part.name, part.matrix.cells) for part in parts], cell_title),
        checks=_joined([(part.name, part.matrix.checks) for part in parts], checked_title),
    )


def _whole_run(shards: Sequence[_Slice]) -> bool:
    """
    Tell whether shards together are everything that is registered; several runs may be there, each with all its shards.
    """
    runs: dict[tuple[int, str], list[_Slice]] = {}
    for one in shards:
        runs.setdefault((one.shard.of, one.shard.inputs), []).append(one)
    for one in shards:
        _refuse_short(one)
    for run in runs.values():
        _refuse_doubled(run)
    broken = [run for run in runs.values() if len(run) < run[0].shard.of]
    if broken and len(runs) > 1:
        _refuse_foreign(min(broken, key=len), [run for run in runs.values() if run is not min(broken, key=len)])
    for run in broken:
        _refuse_missing(run)
    return all(one.shard.whole for one in shards)


def _refuse_short(one: _Slice) -> None:
    if len(one.matrix.cells) != one.shard.cells:
        measured = f"it has {len(one.matrix.cells)} of its {one.shard.cells} cells"
        hint = f"run it again: `--shard {one.shard.number}/{one.shard.of} --json {one.name}`"
        raise ReportError(
            f"shard {one.shard.number}/{one.shard.of} was cut short: {measured}", where=one.name, hint=hint
        )


def _refuse_doubled(run: Sequence[_Slice]) -> None:
    seen: dict[int, _Slice] = {}
    for one in run:
        if one.shard.number in seen:
            other = seen[one.shard.number].name
            hint = "name each shard's file once, and let no two machines run the same shard"
            message = f"shard {one.shard.number}/{one.shard.of} is there twice: {other} and {one.name}"
            raise ReportError(message, where=one.name, hint=hint)
        seen[one.shard.number] = one


def _refuse_foreign(run: Sequence[_Slice], others: Sequence[Sequence[_Slice]]) -> None:
    known = [one for other in others for one in other]
    names = ", ".join(one.title for one in run)
    rest = ", ".join(one.title for one in known)
    if any(one.shard.of == run[0].shard.of for one in known):
        why = "measured other registrations or cassettes than"
    else:
        why = "is of another number of shards than"
    raise ReportError(f"{names} {why} {rest}", hint=_ONE_COMMIT)


def _refuse_missing(run: Sequence[_Slice]) -> None:
    of = run[0].shard.of
    missing = sorted(set(range(1, of + 1)) - {one.shard.number for one in run})
    there = ", ".join(one.title for one in run)
    numbers = ", ".join(f"{number}/{of}" for number in missing)
    named, rest = ("shard {} is", "its file") if len(missing) == 1 else ("shards {} are", "their files")
    hint = f"name {rest} too, or run what is missing: `--shard {missing[0]}/{of} --json FILE`"
    there = f"there {'is' if len(run) == 1 else 'are'} {there}"
    raise ReportError(f"{named.format(numbers)} missing; {there}", hint=hint)


def _agreed(what: str, versions: Mapping[str, T]) -> T:
    by_version: dict[T, list[str]] = {}
    for name, version in versions.items():
        by_version.setdefault(version, []).append(name)
    if len(by_version) > 1:
        told = "; ".join(f"{version} in {', '.join(names)}" for version, names in _sorted(by_version))
        hint = "run them again with one version, or report them apart"
        raise ReportError(f"{what} versions differ: {told}", hint=hint)
    return next(iter(by_version))


def _sorted(by_version: Mapping[T, list[str]]) -> list[tuple[T, list[str]]]:
    return sorted(by_version.items(), key=lambda item: str(item[0]))


def _joined(parts: Sequence[tuple[str, Iterable[T]]], title: Callable[[T], str]) -> tuple[T, ...]:
    found: dict[str, tuple[str, T]] = {}
    for name, values in parts:
        for value in values:
            called = title(value)
            if called in found and plain(found[called][1]) != plain(value):
                files = f"{found[called][0]} and {name}"
                hint = "keep the newer of the two runs, or give one of the two adapters another name or family"
                raise ReportError(f"{called} was measured twice with different outcomes: {files}", hint=hint)
            found[called] = (name, value)
    return tuple(value for _, value in found.values())

"""Recordings on their way from a cell to a cassette."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vcr.cassette import Cassette
from vcr.record_mode import RecordMode
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from harness.tape.cassette import recorder, save
from harness.tape.matchers import checked
from harness.tape.timing import read_timing, write_timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vcr.request import Request

    from harness.tape.secrets import Secrets

Interaction = tuple["Request", dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """
    Say when, from where and with what a recording was made.
    """

    recorded: str
    upstream: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    battery: int | None = None


def parse(text: str) -> list[Interaction]:
    """
    Return the interactions that `cassette.dump` wrote.
    """
    requests, responses, *_ = deserialize(text, yamlserializer)
    return list(zip(requests, responses, strict=True))


def cassette_of(interactions: Sequence[Interaction], match_on: Sequence[str] | None) -> Cassette:
    """
    Return a cassette that replays what was just recorded, without a file.
    """
    known = recorder()
    names = checked(match_on)
    cassette = Cassette(
        path="",
        record_mode=RecordMode.NONE,
        match_on=tuple(known.matchers[name] for name in names),
    )
    for request, response in interactions:
        cassette.append(request, response)
    cassette.rewound = True
    return cassette


def told_of(cassette: Cassette) -> dict[str, str]:
    """
    Return what a cassette says of itself, as notes of its cell.
    """
    if not cassette.data:
        return {}
    timing = read_timing(cassette.data[0][1])
    told = {"recorded": timing.recorded, "upstream": timing.upstream}
    notes = {name: str(value) for name, value in told.items() if value}
    # what an engine is asked beside its seams has no arrivals in any recording
    if all(read_timing(response).made_up for _, response in cassette.data):
        notes["arrivals"] = "made up"
    return notes


def save_recording(
    path: Path, interactions: Sequence[Interaction], secrets: Secrets, stamp: Stamp, *, by_looks: bool = False
) -> None:
    """
    Write a cell's cassette with its provenance, scrubbed, all of it or nothing.

    Args:
        path: the file; folders are made.
        interactions: requests and answers, in any order.
        secrets: values that must not reach the file.
        stamp: when, from where and with what.
        by_looks: refuse also what only looks like a secret.

    Raises:
        SecretFound: something that looks like a secret is left.
        CassetteError: the file cannot be written.
    """
    ordered = sorted(interactions, key=lambda one: read_timing(one[1]).sent)
    first = ordered[0][1]
    timing = replace(
        read_timing(first),
        recorded=stamp.recorded,
        upstream=stamp.upstream,
        versions=stamp.versions,
        battery=stamp.battery,
    )
    write_timing(first, timing)
    save(path, ordered, secrets, by_looks=by_looks)

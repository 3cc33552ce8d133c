"""A run in several parts, on several machines: which adapters are whose, and what shows that parts belong together."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import UserError
from harness.session.attempts import path_of
from harness.session.paths import cassette_path, family_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.words import Capability

_FORM: Final = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
# where an adapter was registered differs from machine to machine, and changes nothing that is measured
_NOT_MEASURED: Final = "origin"


@dataclass(frozen=True, slots=True)
class Slice:
    """
    Name one of several parts.
    """

    number: int
    of: int

    def take(self, project: Project, adapters: Iterable[Adapter]) -> tuple[Adapter, ...]:
        """
        Return the adapters of this part: whole ones, dealt out by name, so that no two parts differ by more than one.
        """
        ordered = sorted(adapters, key=lambda adapter: (family_of(project, adapter), adapter.name))
        return tuple(ordered[self.number - 1 :: self.of])


class ShardError(UserError):
    """
    Report a part of a run that does not exist, such as the sixth of five.
    """

    code = "shard"


def read_slice(text: str, where: str | None = None) -> Slice:
    """
    Return the part that `2/5` names.

    Args:
        text: which part of how many.
        where: who names it, for errors.

    Raises:
        ShardError: it is not of this form, or there is no such part.
    """
    found = _FORM.fullmatch(text.strip())
    number, of = map(int, found.groups()) if found else (1, 0)
    if number > of:
        hint = "say which one of how many, from 1: 2/5 is the second of five"
        raise ShardError(f"{text!r} is no shard", where=where, hint=hint)
    return Slice(number, of)


def digest_of_inputs(project: Project, adapters: Iterable[Adapter], capabilities: Sequence[Capability]) -> str:
    """
    Return a digest of registrations, and of the cassettes that they are replayed from; it is the same on every machine.
    """
    state = hashlib.sha256()
    for adapter in sorted(adapters, key=lambda one: (family_of(project, one), one.name)):
        values = {name: value for name, value in adapter.as_dict().items() if name != _NOT_MEASURED}
        values["family"] = family_of(project, adapter)
        program = project.programs.get(adapter.program or "")
        values["program"] = None if program is None else {**asdict(program), _NOT_MEASURED: None}
        state.update(json.dumps(values, sort_keys=True).encode())
        for capability in capabilities:
            cassette = cassette_path(project, adapter, capability)
            state.update(f"\0{capability}\0{_content(cassette)}\0{_content(path_of(cassette))}\0".encode())
    return state.hexdigest()


def _content(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        # that it is not there, or cannot be read, is the cell's to tell
        return ""

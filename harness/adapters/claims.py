"""What a family's own pages say: the published table, the documented defaults, and how the table was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.adapters import checks
from harness.adapters.configuration import read_toml
from harness.adapters.published import load_published
from harness.cells import Claims, Default
from harness.errors import RegistrationError
from harness.words import Capability, Mechanism

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.adapters.project import Project
    from harness.words import Verdict

_KEYS: Final = ("source", "origin", "defaults", "exceptions")
_DEFAULT_KEYS: Final = ("says", "mechanism")


def load_claims(project: Project) -> Claims | None:
    """
    Return what the pages of a project's family say; None where it has no published table.

    Raises:
        ConfigurationError: a file cannot be read or is no such table.
        RegistrationError: a key is misspelt, or a value is of the wrong kind or names something unknown.
    """
    if project.published is None:
        return None
    published = load_published(project.published)
    if project.documented is None:
        return Claims(family=project.family, published=published)
    return _documented(project.documented, project.family, published)


def _documented(file: Path, family: str, published: Mapping[str, Mapping[Capability, Verdict]]) -> Claims:
    tables = read_toml(file)
    checks.known_keys(tables, _KEYS, str(file), {})
    exceptions = checks.table(tables.get("exceptions", {}), f"{file} [exceptions]")
    for name in exceptions:
        if name not in published:
            hint = "write the name as the published table does"
            raise RegistrationError(f"{name!r} has no row in the published table", where=str(file), hint=hint)
    return Claims(
        family=family,
        published=published,
        defaults=_defaults(tables.get("defaults", {}), file),
        source=checks.optional(checks.text)(tables.get("source"), f"{file}, source"),
        origin=checks.optional(checks.text)(tables.get("origin"), f"{file}, origin"),
        exceptions={name: checks.text(why, f"{file} [exceptions], {name}") for name, why in exceptions.items()},
    )


def _defaults(value: object, file: Path) -> dict[Capability, Default]:
    tables = checks.table(value, f"{file} [defaults]")
    names = {name: checks.word(Capability, name, f"{file} [defaults]") for name in tables}
    return {names[name]: _default(table, f"{file} [defaults.{name}]") for name, table in tables.items()}


def _default(value: object, where: str) -> Default:
    keys = checks.table(value, where)
    checks.known_keys(keys, _DEFAULT_KEYS, where, {})
    for key in _DEFAULT_KEYS:
        if key not in keys:
            hint = 'for example: says = "runs the sync call in a thread", mechanism = "worker-thread"'
            raise RegistrationError(f"has no {key}", where=where, hint=hint)
    return Default(
        says=checks.text(keys["says"], f"{where}, says"),
        mechanism=checks.word(Mechanism, keys["mechanism"], f"{where}, mechanism"),
    )

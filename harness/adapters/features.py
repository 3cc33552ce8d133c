"""A published table of features, as a file: its rows are calls, its columns families; and what its page promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.adapters import checks
from harness.adapters.configuration import read_toml
from harness.adapters.spelling import did_you_mean, listed
from harness.cells import Column, Features, Promise
from harness.errors import RegistrationError
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_NEEDED: Final = ("title", "source", "features", "columns")
_KEYS: Final = (*_NEEDED, "checks", "promises")
_COLUMN_KEYS: Final = ("family", "published", "adapters", "example")
_PROMISE_KEYS: Final = ("says", "feature", "columns", "cells", "verdict", "check", "figure", "unjudged")
_SHOWN_BY: Final = ("feature", "cells", "check", "unjudged")


def load_features(file: Path) -> Features:
    """
    Return what a file says of a published table of features.

    Raises:
        ConfigurationError: it cannot be read or is not TOML.
        RegistrationError: a key is misspelt or missing, or names something unknown.
    """
    tables, place = read_toml(file), str(file)
    checks.known_keys(tables, _KEYS, place, {})
    for key in _NEEDED:
        if key not in tables:
            raise RegistrationError(f"has no {key}", where=place, hint="docs/programs.md leads to a whole one")
    named = checks.table(tables["features"], f"{place} [features]")
    features = {name: checks.word(Capability, call, f"{place} [features], {name}") for name, call in named.items()}
    columns = checks.table(tables["columns"], f"{place} [columns]")
    tried = checks.table(tables.get("checks", {}), f"{place} [checks]")
    names = {name: checks.text(check, f"{place} [checks], {name}") for name, check in tried.items()}
    promises = tables.get("promises", [])
    if not isinstance(promises, list):
        checks.refuse(promises, "a list of tables", f"{place}, promises", hint="write [[promises]] above each")
    return Features(
        title=checks.text(tables["title"], f"{place}, title"),
        source=checks.text(tables["source"], f"{place}, source"),
        features=features,
        columns=tuple(_column(name, table, features, f"{place} [columns.{name}]") for name, table in columns.items()),
        checks=names,
        promises=tuple(
            _promise(one, features, columns, names, f"{place} [[promises]] {number}")
            for number, one in enumerate(promises, 1)
        ),
    )


def _column(name: str, value: object, features: Mapping[str, object], where: str) -> Column:
    table = checks.table(value, where)
    checks.known_keys(table, _COLUMN_KEYS, where, {})
    if "family" not in table:
        raise RegistrationError("has no family", where=where, hint='say whose cells it shows: family = "my-package"')
    return Column(
        name=name,
        family=checks.text(table["family"], f"{where}, family"),
        published=_known(table.get("published", ()), features, f"{where}, published"),
        adapters=checks.texts(table.get("adapters", ()), f"{where}, adapters"),
        example=checks.optional(checks.text)(table.get("example"), f"{where}, example"),
    )


def _promise(
    value: object, features: Mapping[str, object], columns: Mapping[str, object], names: Mapping[str, str], where: str
) -> Promise:
    table = checks.table(value, where)
    checks.known_keys(table, _PROMISE_KEYS, where, {})
    one_way = sum(key in table for key in _SHOWN_BY) == 1 and ("cells" in table) is ("verdict" in table)
    one_way = one_way and ("figure" not in table or "check" in table)
    if "says" not in table or not one_way:
        hint = "say what is promised (says), and its feature, its check, cells and their verdict, or why it is unjudged"
        raise RegistrationError("cannot be judged, and does not say so", where=where, hint=hint)
    feature, check = table.get("feature"), table.get("check")
    return Promise(
        says=checks.text(table["says"], f"{where}, says"),
        feature=None if feature is None else _known([feature], features, f"{where}, feature")[0],
        columns=_known(table.get("columns", ()), columns, f"{where}, columns"),
        cells=checks.texts(table.get("cells", ()), f"{where}, cells"),
        verdict=checks.word(Verdict, table["verdict"], f"{where}, verdict") if "verdict" in table else None,
        check=None if check is None else _known([check], names, f"{where}, check")[0],
        figure=checks.optional(checks.text)(table.get("figure"), f"{where}, figure"),
        unjudged=checks.optional(checks.text)(table.get("unjudged"), f"{where}, unjudged"),
    )


def _known(value: object, known: Iterable[str], where: str) -> tuple[str, ...]:
    names = checks.texts(value, where)
    for name in names:
        if name not in known:
            raise RegistrationError(
                f"{name!r} is not in the table{did_you_mean(name, known)}",
                where=where,
                hint=f"there are {listed(known)}",
            )
    return names

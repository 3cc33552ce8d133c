"""Reading of one TOML table key by key: a wrong type, a missing or an unknown key is an error that teaches."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class ShapeError(UserError):
    """
    Report a description of a provider's wire format that cannot be used.
    """

    code = "shape"


class Table:
    """
    Hand out the keys of a table and remember which were asked for.

    Args:
        values: what TOML made of the table.
        file: the file's name, for messages.
        key: the table's place in the file, for messages; empty for the file itself.
    """

    def __init__(self, values: Mapping[str, object], file: str, key: str = "") -> None:
        self.file = file
        self.key = key
        self._values = values
        self._known: list[str] = []

    def having(self, key: str, value: object) -> Table:
        """
        Return the same table with another value of a key.
        """
        return Table({**self._values, key: value}, self.file, self.key)

    def error(self, key: str, message: str, hint: str) -> ShapeError:
        """
        Return an error that names the file and the key.
        """
        return ShapeError(message, where=f"{self.file}: {self._path(key)}", hint=hint)

    def has(self, key: str) -> bool:
        """
        Tell whether the key is given.
        """
        return key in self._values

    def text(self, key: str, default: str | None = None, *, among: Iterable[str] = ()) -> str:
        """
        Return a string; without a default it is mandatory.
        """
        value = self._take(key, default, str, "a string")
        among = tuple(among)
        if among and value not in among:
            raise self.error(key, f"{value!r} is not one of {', '.join(among)}", _close(value, among))
        return str(value)

    def number(self, key: str, default: int) -> int:
        """
        Return a whole number.
        """
        return int(self._take(key, default, int, "a whole number"))

    def flag(self, key: str) -> bool:
        """
        Return true or false; false where it is not given.
        """
        return bool(self._take(key, False, bool, "true or false"))  # noqa: FBT003 - the default

    def texts(self, key: str, default: Iterable[str] | None = None) -> tuple[str, ...]:
        """
        Return strings; a single one may stand without its brackets.
        """
        value = self._take(key, default, (str, list, tuple), "a string or an array of strings")
        values = (value,) if isinstance(value, str) else tuple(value)
        if not all(isinstance(element, str) for element in values):
            raise self.error(key, "has to be an array of strings", "put each element in quotes")
        return values

    def numbers(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """
        Return the least and the most of a range.
        """
        value = self._take(key, list(default), list, "an array of two numbers")
        good = len(value) == 2 and all(isinstance(bound, (int, float)) for bound in value)  # noqa: PLR2004 - a range
        if not good or not 0 <= value[0] <= value[1]:
            raise self.error(key, "has to be [least, most] in milliseconds", f"for example {key} = [20, 60]")
        return float(value[0]), float(value[1])

    def mapping(self, key: str) -> dict[str, str]:
        """
        Return a table of strings; empty where it is not given.
        """
        value: dict[str, object] = self._take(key, {}, dict, "a table of strings")
        if not all(isinstance(element, str) for element in value.values()):
            raise self.error(key, "has to be a table of strings", f'for example {key} = {{ "x-request-id" = "abc" }}')
        return {name: str(element) for name, element in value.items()}

    def table(self, key: str) -> Table:
        """
        Return the table of that name; empty where it is not given.
        """
        return Table(self._take(key, {}, dict, "a table"), self.file, self._path(key))

    def tables(self, key: str) -> list[Table]:
        """
        Return the tables of an array of tables; none where it is not given.
        """
        value = self._take(key, [], list, f"an array of tables ([[{key}]])")
        if not all(isinstance(element, dict) for element in value):
            raise self.error(key, "has to be an array of tables", f"begin each with [[{key}]]")
        return [Table(element, self.file, f"{self._path(key)}[{at}]") for at, element in enumerate(value)]

    def anything(self, key: str) -> Any:  # noqa: ANN401 - the caller knows what may stand there
        """
        Return the value as it is; None where it is not given.
        """
        return self._take(key, None, object, "")

    def done(self) -> None:
        """
        Refuse the keys that nobody asked for.

        Raises:
            ShapeError: there is one.
        """
        for key in self._values:
            if key not in self._known:
                raise self.error(key, "there is no such key", _close(key, self._known))

    def _path(self, key: str) -> str:
        return f"{self.key}.{key}" if self.key else key

    def _take(self, key: str, default: object, kind: type | tuple[type, ...], called: str) -> Any:  # noqa: ANN401 - see anything
        self._known.append(key)
        value = self._values.get(key, default)
        if value is None and kind is not object:
            raise self.error(key, "is missing", f"add it: {key} = {called}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.error(
                key, f"has to be {called}, not {type(value).__name__}", "see the other shapes for examples"
            )
        return value


def _close(given: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(given, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"one of {', '.join(sorted(names))}"

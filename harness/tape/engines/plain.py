"""
Plain values: how what goes to an engine and comes back is written as JSON, and read again.

What JSON has stays as it is. The rest is a mapping with one key that says what it is; an object that
cannot be written is named, and the name is what stands for it in replay.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MARKS: Final = frozenset({"object", "tuple", "set", "bytes", "pairs", "record", "special"})
_SPECIAL: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class NotKeptError(AttributeError):
    """
    Say that an attribute of an engine's answer is not in the recording.
    """


class Opaque:
    """
    Mark what cannot be written, and must not be asked for what it holds.
    """

    __slots__ = ()


class Record:
    """
    Stand for an object of an answer: its class's name and the attributes that were kept.
    """

    def __init__(self, kind: str, fields: Mapping[str, Any]) -> None:
        self.__dict__.update(fields)
        self.__dict__["_harness_kind"] = kind

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - raises always
        kind = self.__dict__.get("_harness_kind", "")
        msg = f"the recording keeps no attribute {name!r} of {kind}; it has {', '.join(sorted(self.fields()))}"
        raise NotKeptError(msg)

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - what a named tuple or a mapping has there
        return list(self.fields().values())[key] if isinstance(key, int | slice) else self.fields()[key]

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator over anything
        return iter(self.fields().values())

    def __repr__(self) -> str:
        return f"{self.__dict__['_harness_kind']}({', '.join(f'{k}={v!r}' for k, v in self.fields().items())})"

    def fields(self) -> dict[str, Any]:
        """
        Return what was kept.
        """
        return {name: value for name, value in self.__dict__.items() if name != "_harness_kind"}


@dataclasses.dataclass(frozen=True, slots=True)
class Packer:
    """
    Write values as JSON.

    Args:
        named: is given an object that cannot be written, and its place in the value; returns what stands for it.
        keep: attributes that are kept of objects that have them.
        records: objects that are nothing but their fields are written; otherwise they are named, too.
    """

    named: Callable[[object, str], Any]
    keep: tuple[str, ...] = ()
    records: bool = True

    def pack(self, value: Any, place: str = "") -> Any:  # noqa: ANN401 - any value
        """
        Return a value as JSON has it.

        Args:
            value: what to write.
            place: where it stands in the whole.
        """
        match value:
            case None | bool() | int() | str():
                return value if type(value) in _EXACT else self._other(value, place)
            case float():
                return value if math.isfinite(value) else {"special": str(value)}
            case bytes() | bytearray():
                return {"bytes": base64.b64encode(value).decode()}
            case dict() if not dataclasses.is_dataclass(value):  # transformers has answers that are both
                return self._mapping(value, place)
            case list():
                return self._items(value, place)
            case tuple() if type(value) is tuple:
                return {"tuple": self._items(value, place)}
            case set() | frozenset():
                return {"set": self._items(sorted(value, key=repr), place)}
        return self._other(value, place)

    def _items(self, values: Iterable[Any], place: str) -> list[Any]:
        return [self.pack(one, f"{place}[{number}]") for number, one in enumerate(values)]

    def _mapping(self, value: dict[Any, Any], place: str) -> Any:  # noqa: ANN401 - as in `pack`
        ambiguous = "record" in value or (len(value) == 1 and MARKS & value.keys())
        if not ambiguous and all(isinstance(key, str) for key in value):
            return {key: self.pack(one, f"{place}.{key}") for key, one in value.items()}
        return {"pairs": [self._items(pair, f"{place}[{number}]") for number, pair in enumerate(value.items())]}

    def _other(self, value: Any, place: str) -> Any:  # noqa: ANN401 - as in `pack`
        if isinstance(value, Opaque):
            return self.named(value, place)
        single = _single(value)
        if single is not None:
            return self.pack(single, place)
        fields = self._content(value)
        if not fields:
            return self.named(value, place)
        kept = {name: self.pack(one, f"{place}.{name}") for name, one in fields.items()}
        return {"record": type(value).__name__, **kept}

    def _content(self, value: Any) -> dict[str, Any]:  # noqa: ANN401 - as in `pack`
        if isinstance(value, Record):
            return value.fields()
        return {name: getattr(value, name) for name in _fields(value, self.keep)} if self.records else {}


_EXACT: Final = frozenset({type(None), bool, int, str})


def _single(value: Any) -> Any:  # noqa: ANN401 - any value
    """
    Return the number that a scalar of numpy or torch holds, or the text of a subclass of `str`; None for other values.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    item, size = getattr(value, "item", None), getattr(value, "shape", None)
    return item() if callable(item) and size == () else None


def _fields(value: Any, keep: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ANN401 - any value
    """
    Return which attributes of an object are its content; none of an object that is more than content.
    """
    if isinstance(value, type):
        return ()
    kept = tuple(name for name in keep if hasattr(value, name))
    if kept:
        return kept
    if dataclasses.is_dataclass(value):
        return tuple(field.name for field in dataclasses.fields(value))
    if isinstance(value, tuple):
        return tuple(getattr(value, "_fields", ()))
    for name in ("model_fields", "__fields__"):  # pydantic 2 and 1
        found = getattr(type(value), name, None)
        if isinstance(found, dict) and found:
            return tuple(found)
    return ()


def unpack(value: Any, named: Callable[[str], Any]) -> Any:  # noqa: ANN401 - any value
    """
    Return the value that `Packer.pack` wrote.

    Args:
        value: JSON.
        named: returns what stands for an object of this name.
    """
    if isinstance(value, list):
        return [unpack(one, named) for one in value]
    if not isinstance(value, dict):
        return value
    if "record" in value:
        fields = {name: unpack(one, named) for name, one in value.items() if name != "record"}
        return Record(str(value["record"]), fields)
    if len(value) == 1:
        (mark, held), *_ = value.items()
        found = _unmarked(mark, held, named)
        if found is not ...:
            return found
    return {key: unpack(one, named) for key, one in value.items()}


def _unmarked(mark: str, held: Any, named: Callable[[str], Any]) -> Any:  # noqa: ANN401 - as in `unpack`
    match mark:
        case "object":
            return named(held)
        case "tuple":
            return tuple(unpack(held, named))
        case "set":
            return set(unpack(held, named))
        case "bytes":
            return base64.b64decode(held)
        case "pairs":
            return {unpack(key, named): unpack(one, named) for key, one in held}
        case "special":
            return _SPECIAL[held]
    return ...


def is_plain(packed: Any) -> bool:  # noqa: ANN401 - JSON is any value
    """
    Tell whether a packed value names no object.
    """
    if isinstance(packed, list):
        return all(map(is_plain, packed))
    if isinstance(packed, dict):
        return "object" not in packed and all(map(is_plain, packed.values()))
    return True


def line(value: Any) -> bytes:  # noqa: ANN401 - JSON is any value
    """
    Return a value as one line of JSON.
    """
    try:
        return json.dumps(value, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a character, which some engines hand out as a piece
        return json.dumps(value).encode() + b"\n"


def key(value: Any) -> str:  # noqa: ANN401 - JSON is any value
    """
    Return a text that equal JSON values share.
    """
    return json.dumps(value, sort_keys=True)


def digest(value: Any) -> str:  # noqa: ANN401 - JSON is any value
    """
    Return eight decimal digits that equal JSON values share.
    """
    return f"{zlib.crc32(key(value).encode()) % 10**8:08d}"


def texts_in(value: Any) -> list[str]:  # noqa: ANN401 - JSON is any value
    """
    Return the strings of a JSON value, in order.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for one in value for text in texts_in(one)] if isinstance(value, list) else []


_BUILTINS: Final = {name: kind for name, kind in vars(__import__("builtins")).items() if isinstance(kind, type)}


def pack_error(error: BaseException) -> dict[str, Any]:
    """
    Return an exception as JSON has it.
    """
    kind = type(error)
    known = next(base.__name__ for base in kind.__mro__ if base.__module__ == "builtins")
    return {"error": {"type": kind.__name__, "is": known, "message": str(error)}}


def unpack_error(told: Mapping[str, str]) -> BaseException:
    """
    Return the exception that `pack_error` wrote; one of the engine's own is of the nearest built-in kind.
    """
    known = _BUILTINS.get(told["is"], Exception)
    kind = known if told["type"] == told["is"] else type(told["type"], (known,), {})
    try:
        error = kind(told["message"])
    except TypeError:  # some, such as UnicodeDecodeError, want more than a message
        error = type(told["type"], (Exception,), {})(told["message"])
    return error if isinstance(error, BaseException) else Exception(told["message"])

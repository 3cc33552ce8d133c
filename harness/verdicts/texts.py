"""
The texts of an upstream answer, found without knowing any provider.

An answer's documents are flattened into columns: all strings that stand at one path, in
order. Which column is *the* text is not decided by its name but by what the adapter made of
it: see `fidelity`.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from codecs import getincrementaldecoder
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations, pairwise, permutations
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from harness.packed import unpacked
from harness.verdicts.documents import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.verdicts.documents import Document

_KINDS: Final = ("type", "event_type", "event", "kind")
_NUMBER: Final = re.compile(r"\[\d*\]")
_DIGITS: Final = re.compile(r"\[(\d+)\]")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_FENCED: Final = re.compile(r"\s*```[\w+.-]*[ \t]*\n(?P<inside>(?:(?!```).)*)```\s*", re.DOTALL)
_FENCED_JSON: Final = re.compile(r"```(?:json)?(?P<inside>[\[{].*[\]}])```", re.DOTALL | re.IGNORECASE)
"""As it is when it has been squeezed, also of pieces."""
SET: Final = "+"
"""Stands behind the path of strings that a flag tells apart, before the flag's name where it is set."""
_MOST_COLUMNS_JOINED: Final = 3
_DEEPEST: Final = 8
"""Levels of an answer at which arguments of a tool stand."""
_MOST_FITTING: Final = 12
"""Columns; of more than that, three can be chosen in too many ways."""
_FEWEST_PACKED: Final = 4
"""Strings; fewer words happen to be base64 of something."""
_MOST_NAMES: Final = 8
"""Words under one key; of more than that, they are told and do not tell apart."""
_FEWEST_GROWING: Final = 3
"""Two strings of which one begins the other happen by chance; a text that grows does so again and again."""


def squeeze(text: str) -> str:
    """
    Return a text without white space, in one Unicode form: what must agree, and nothing else.

    The form is one that does not depend on where a text is cut: letters stand apart from their
    accents, and characters beyond the first plane are written as the two halves that JSON cuts them into.
    """
    if not text.isascii():
        # tokens of SentencePiece have this block for a space
        text = _ASTRAL.sub(_halves, unicodedata.normalize("NFKD", text)).replace("\u2581", " ")
    # a NUL closes the pieces of some streams
    return "".join(text.replace("\0", " ").split())


def readable(squeezed: str) -> str:
    """
    Return a squeezed text with whole characters, for people to read; an accent alone stands on a circle.
    """
    if squeezed and unicodedata.combining(squeezed[0]):
        squeezed = f"\u25cc{squeezed}"
    return unicodedata.normalize("NFC", squeezed.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def _halves(found: re.Match[str]) -> str:
    above = ord(found[0]) - 0x10000
    return chr(0xD800 + (above >> 10)) + chr(0xDC00 + (above & 0x3FF))


@dataclass(frozen=True, slots=True)
class Column:
    """
    Hold the strings at one path of an answer.

    Attributes:
        path: where the strings stand, without the numbers of a list's elements.
        number: the number of the first list's element that they stand in; 0 where elements have none.
        places: the number of each string's leaf in document order, for joining columns.
        pieces: the strings, squeezed; empty ones are left out.
        cumulative: each string repeats the one before and goes on, or the last one repeats all before it.
        listed: one document holds several of the strings, as a list of answers does.
    """

    path: str
    number: int
    places: tuple[int, ...]
    pieces: tuple[str, ...]
    cumulative: bool
    listed: bool

    @property
    def text(self) -> str:
        """
        Return what the column says as a whole.
        """
        return self.pieces[-1] if self.cumulative else "".join(self.pieces)


@lru_cache(maxsize=256)
def columns(body: bytes) -> tuple[Column, ...]:
    """
    Return the columns of an answer's body that hold text.
    """
    found: dict[str, list[_Leaf]] = {}
    place = 0
    for number, (document, labels) in enumerate(_labelled(documents(body))):
        for path, text, flags in _flagged(document.value, ""):
            squeezed = squeeze(text)
            place += 1
            if squeezed:
                for label in labels:
                    found.setdefault(label + path, []).append(_Leaf(number, place, squeezed, flags))
    told = [*found.items(), *((f"{path}!", inner) for path, leaves in found.items() if (inner := _unpacked(leaves)))]
    told += [one for path, leaves in found.items() for one in _set_apart(path, leaves)]
    return tuple(_column(path, leaves) for path, leaves in told)


@lru_cache(maxsize=256)
def texts(body: bytes) -> tuple[str, ...]:
    """
    Return every text that an answer's body may be saying: its columns, their parts, their joins.
    """
    single = columns(body)
    found = dict.fromkeys(column.text for column in single)
    # what a stream said in one go are parts of one answer, though a closing event lists them as several answers are
    streamed = {column.text for column in single if not column.listed}
    several = [column for column in single if column.listed and column.text not in streamed]
    found.update(dict.fromkeys(piece for column in several for piece in column.pieces))
    found.update(dict.fromkeys(inner for text in tuple(found) for inner in _fields(text)))
    # the marks of a fence around a streamed answer come in pieces of their own
    fences = filter(None, map(_FENCED.fullmatch, wordings(body)))
    found.update(dict.fromkeys(inner for fence in fences if (inner := squeeze(fence["inside"]))))
    return tuple(found)


def _fields(text: str) -> Iterator[str]:
    """
    Give the texts in an answer that is JSON itself, as one in a form that was asked for, be it in a fence of Markdown.
    """
    fenced = _FENCED_JSON.fullmatch(text)
    text = fenced["inside"] if fenced else text
    if text[:1] + text[-1:] not in {"{}", "[]"}:
        return
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        return
    if fenced:
        yield text
    yield from filter(None, (squeeze(inner) for _, inner in _leaves(value, "")))


def _unpacked(leaves: Sequence[_Leaf]) -> list[_Leaf]:
    """
    Return what pieces say each of which is base64; nothing where one is not.
    """
    decode = getincrementaldecoder("utf-8")().decode
    try:
        said = [decode(base64.b64decode(leaf.text, validate=True)) for leaf in leaves]
    except ValueError:
        return []
    told = [replace(leaf, text=squeeze(text)) for leaf, text in zip(leaves, said, strict=True)]
    return [leaf for leaf in told if leaf.text] if len(leaves) >= _FEWEST_PACKED else []


@lru_cache(maxsize=64)
def wordings(body: bytes) -> tuple[str, ...]:
    """
    Return what the columns of an answer say, with their white space; a text that grows is its last state.
    """
    found: dict[str, list[str]] = {}
    for document in documents(body):
        for path, text in _leaves(document.value, document.label):
            found.setdefault(path, []).append(text)
    whole = ["".join(parts) for parts in found.values()]
    return tuple(dict.fromkeys([*whole, *(text for parts in found.values() for text in parts)]))


@lru_cache(maxsize=64)
def packed(body: bytes) -> tuple[str, ...]:
    """
    Return the mappings within an answer as JSON, squeezed: each, and what stands at one path together.

    Where an answer is a call of a tool, some providers have its arguments as what they are, and not as a text; who
    hands them out writes them down.
    """
    found: dict[str, list[str]] = {}
    for document in documents(body):
        for path, text in _mappings(document.value, document.label, 0):
            found.setdefault(path, []).append(text)
    joined = ("".join(parts) for parts in found.values())
    return tuple(dict.fromkeys([*joined, *(text for parts in found.values() for text in parts)]))


def mappings_of(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON is any value
    """
    Give the mappings within a value as JSON, squeezed; the value itself is none of them.
    """
    # the elements of a list stand within it
    yield from (text for _, text in _mappings(value, "", int(isinstance(value, list))))


def _mappings(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON is any value
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _mappings(inner, path, depth)
    elif isinstance(value, dict):
        if value and depth:
            yield path, squeeze(json.dumps(value, ensure_ascii=False))
        for key, inner in value.items():
            yield from _mappings(inner, f"{path}.{key}", depth + 1)


@lru_cache(maxsize=256)
def canonical(squeezed: str) -> str:
    """
    Return JSON values, one behind the other, in the one form that says the same; an empty text where it is none.

    The order of keys is no matter, nor the way in which a number or a character is written.
    """
    read = json.JSONDecoder(strict=False).raw_decode
    found, place = [], 0
    try:
        while place < len(squeezed):
            value, place = read(squeezed, place)
            found.append(json.dumps(value, ensure_ascii=False, sort_keys=True))
    except (ValueError, RecursionError):
        return ""
    return squeeze("".join(found))


def listing(body: bytes) -> dict[str, tuple[int, int]]:
    """
    Return where each string of a body stands: the number of its list's element, and its place.
    """
    found: dict[str, tuple[int, int]] = {}
    for column in columns(body):
        for place, piece in zip(column.places, column.pieces, strict=True):
            found.setdefault(piece, (column.number, place))
    return found


@lru_cache(maxsize=64)
def slots(body: bytes) -> dict[str, tuple[str, ...]]:
    """
    Return what stands at each path, squeezed, also where that is nothing: by the numbers of a list's elements.
    """
    found: dict[str, list[tuple[int, str]]] = {}
    for document in documents(body):
        for path, text in _leaves(document.value, document.label):
            number = int(numbers[0]) if (numbers := _DIGITS.findall(path)) else 0
            found.setdefault(_NUMBER.sub("[]", path), []).append((number, squeeze(text)))
    return {path: tuple(text for _, text in sorted(told, key=itemgetter(0))) for path, told in found.items()}


def joins(body: bytes, wanted: str) -> Iterator[str]:
    """
    Yield what two or three columns say together, in order, where every piece stands in `wanted`.

    Reasoning and answer, or blocks of several kinds, are told apart by some providers; an
    adapter may hand out both.
    """
    fitting = [column for column in columns(body) if all(piece in wanted for piece in column.pieces)]
    distinct = {column.text: column for column in sorted(fitting, key=lambda one: -len(one.text))}
    longest = list(distinct.values())[:_MOST_FITTING]
    for size in range(2, _MOST_COLUMNS_JOINED + 1):
        for chosen in combinations(longest, size):
            if sum(len(column.text) for column in chosen) != len(wanted):
                continue
            if any(one.text in two.text or _side_by_side(one, two) for one, two in permutations(chosen, 2)):
                continue
            if all(len(column.pieces) == 1 for column in chosen):
                # the order of the keys of one document means nothing
                yield from ("".join(one.text for one in order) for order in permutations(chosen))
                continue
            parts = sorted(part for column in chosen for part in zip(column.places, column.pieces, strict=True))
            yield "".join(piece for _, piece in parts)


def _side_by_side(one: Column, two: Column) -> bool:
    """
    Tell whether two columns are answers of one list that were told at the same time: one or the other is the answer.
    """
    return one.path == two.path and one.places[0] < two.places[0] < one.places[-1]


def _labelled(found: Sequence[Document]) -> Iterator[tuple[Document, tuple[str, ...]]]:
    """
    Give documents with the beginnings of their paths: apart by whose they are where several answers are told by turns.

    An index that only grows numbers the parts of one answer. One that comes again may number those of the next answer,
    too, so that both ways to read it stand; unless most documents follow one of another index. So both stand where only
    its numbers make something look like an index.
    """
    owners = [_owner(one.value) for one in found]
    turns, again = _taken_up_again(owners)
    if not again:
        owners, turns = _numbered(found) or _named(found), 0
        again = bool(owners)
    order = list(dict.fromkeys(filter(None, owners)))
    by_turns = again and turns * 2 >= len(found)
    for document, owner in zip(found, owners or [()] * len(found), strict=True):
        apart = (f"{document.label}[{_number(owner, order)}]",) if again and owner else ()
        yield document, apart if apart and by_turns else (document.label, *apart)


def _taken_up_again(owners: Sequence[tuple[int | str, ...]]) -> tuple[int, bool]:
    """
    Return how often one owner follows another, and whether any of several comes again.
    """
    told = [one for one in owners if one]
    turns = sum(one != two for one, two in pairwise(told))
    return turns, turns >= len({*told}) > 1


def _numbered(found: Sequence[Document]) -> list[tuple[int | str, ...]]:
    """
    Return the numbers that documents have under a key of any name; nothing where they do not count something by turns.
    """
    values = [one.value for one in found if isinstance(one.value, dict)]
    keys = values[0] if values and len(values) == len(found) else ()
    for key in keys:
        numbers = [value.get(key) for value in values]
        if all(type(one) is int for one in numbers):
            owners: list[tuple[int | str, ...]] = [(int(one or 0),) for one in numbers]
            first = list(dict.fromkeys(numbers))
            if first in (list(range(len(first))), list(range(1, len(first) + 1))) and _taken_up_again(owners)[1]:
                return owners
    return []


def _named(found: Sequence[Document]) -> list[tuple[int | str, ...]]:
    """
    Return the words by which documents are told apart under a key of any name, such as a channel; nothing where a word
    stands there only once, as what tells of the end does.
    """
    values = [one.value if isinstance(one.value, dict) else {} for one in found]
    for key in dict.fromkeys(key for value in values for key in value):
        words = [word if isinstance(word := value.get(key), str) else "" for value in values]
        told = Counter(word for word in words if word)
        if 1 < len(told) <= _MOST_NAMES and min(told.values()) > 1:
            return [(word,) if word else () for word in words]
    return []


def _number(owner: tuple[int | str, ...], order: Sequence[tuple[int | str, ...]]) -> int:
    return owner[0] if isinstance(owner[0], int) else order.index(owner)


def _owner(value: object) -> tuple[int | str, ...]:
    """
    Return what a document says of whose it is: the number of an answer, or the name of a question.
    """
    said = [value.get(key) for key in ("index", "id", "request_id", "custom_id")] if isinstance(value, dict) else []
    return tuple(one for one in said if isinstance(one, int | str))


@dataclass(frozen=True, slots=True)
class _Leaf:
    document: int
    place: int
    text: str
    flags: frozenset[tuple[str, bool]] = frozenset()


def _column(path: str, leaves: list[_Leaf]) -> Column:
    pieces = tuple(leaf.text for leaf in leaves)
    grows = len(pieces) >= _FEWEST_GROWING and all(after.startswith(before) for before, after in pairwise(pieces))
    return Column(
        path=_NUMBER.sub("[]", path),
        number=int(numbers[0]) if (numbers := _DIGITS.findall(path)) else 0,
        places=tuple(leaf.place for leaf in leaves),
        pieces=pieces,
        cumulative=(grows and pieces[0] != pieces[-1]) or _summed_up(pieces),
        listed=any(one.document == two.document for one, two in pairwise(leaves)),
    )


def _summed_up(pieces: Sequence[str]) -> bool:
    """
    Tell whether the last of the pieces says all the others again, as a closing event does.
    """
    *parts, last = pieces
    return len(parts) >= _FEWEST_GROWING and last == "".join(parts)


def _set_apart(path: str, leaves: Sequence[_Leaf]) -> Iterator[tuple[str, list[_Leaf]]]:
    """
    Give the strings beside which a flag is set, and those beside which it is not, each as a column by themselves.

    So thoughts are told from the answer by `"thought": true`. What is said of the end, by a flag beside the last
    string or by one that is false elsewhere, tells nothing apart.
    """
    for flag in sorted({name for leaf in leaves for name, is_set in leaf.flags if is_set}):
        inside = [leaf for leaf in leaves if (flag, True) in leaf.flags]
        if inside[-1] is leaves[-1] or any((flag, False) in leaf.flags for leaf in leaves):
            continue
        yield f"{path}{SET}{flag}", inside
        yield f"{path}{SET}", [leaf for leaf in leaves if leaf not in inside]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON is any value
    yield from ((where, text) for where, text, _ in _flagged(value, path))


def _flagged(
    value: Any,  # noqa: ANN401 - JSON is any value
    path: str,
    flags: frozenset[tuple[str, bool]] = frozenset(),
) -> Iterator[tuple[str, str, frozenset[tuple[str, bool]]]]:
    """
    Give the strings of a value with their paths and the flags that stand beside them.
    """
    if isinstance(value, str):
        yield path, value, flags
        yield from ((f"{path}!", inner, flags) for inner in unpacked(value))
        if fenced := _FENCED.fullmatch(value):
            yield f"{path}`", fenced["inside"], flags
    elif isinstance(value, dict):
        kind = next((value[key] for key in _KINDS if isinstance(value.get(key), str)), "")
        beside = frozenset((key, inner) for key, inner in value.items() if isinstance(inner, bool))
        for key, inner in value.items():
            yield from _flagged(inner, f"{path}<{kind}>.{key}", beside)
    elif isinstance(value, list):
        for inner in value:
            index = inner.get("index", "") if isinstance(inner, dict) else ""
            yield from _flagged(inner, f"{path}[{index}]", flags)

"""
The places in hand-written pages that tables are written into: lines that hold a marker and nothing else.

A page is bytes here: whatever stands outside of the markers is not looked at, and stays what it is, byte for byte.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

EXAMPLE: Final = "<!-- harness:begin family=my-family --> and, on a later line, <!-- harness:end -->"
_BOM: Final = b"\xef\xbb\xbf"
_MARKER: Final = re.compile(
    rb"(?P<prefix>[ \t>]*)(?:<!--|\{/\*)[ \t]*harness:(?P<word>\S*?)"
    rb"(?P<options>(?:[ \t][^\r\n]*?)?)[ \t]*(?:-->|\*/\})[ \t]*"
)
_MENTION: Final = re.compile(rb"(?:<!--|\{/\*)[ \t]*harness:")
_CODE_SPAN: Final = re.compile(rb"(?<!`)(`+)(?!`)(?:.*?[^`])?\1(?!`)")
_FENCE: Final = re.compile(rb"[ \t>]*(?P<fence>`{3,}|~{3,})(?P<info>[^\r\n]*)")
_DIRECTIVE: Final = re.compile(rb"[ \t]*\{(?!code|literal|raw|math|eval)")


class PageError(UserError):
    """
    Report a page whose markers cannot be used; names file and line.
    """

    code = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    Hold one pair of markers.

    Attributes:
        line: where the first of them stands, from 1.
        start, end: the bytes between the two lines.
        prefix: what stands before the marker on its line: indentation, or the sign of a quotation.
        newline: how lines end there.
        options: what the marker says, by key.
    """

    line: int
    start: int
    end: int
    prefix: bytes
    newline: bytes
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    start: int
    text: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def blocks(data: bytes, name: str) -> tuple[Block, ...]:
    """
    Return the marked places of a page, in their order.

    Args:
        data: the page.
        name: the file's name, for messages.

    Raises:
        PageError: a marker is doubled, nested, not closed, without its counterpart, or no marker that there is.
    """
    found: list[Block] = []
    opened: tuple[_Line, re.Match[bytes]] | None = None
    for line in _lines_of_prose(data):
        marker = _marker(line, name)
        if marker is None:
            continue
        if marker["word"] == b"begin":
            if opened is not None:
                _refuse(line, name, f"harness:begin inside of the one in line {opened[0].number}", _CLOSE)
            opened = line, marker
        elif opened is None:
            _refuse(line, name, "harness:end without a harness:begin before it", "remove it, or write the first marker")
        else:
            found.append(_block(*opened, line, name))
            opened = None
    if opened is not None:
        _refuse(opened[0], name, "harness:begin is never closed", _CLOSE)
    _refuse_doubles(found, name)
    return tuple(found)


_CLOSE: Final = "write <!-- harness:end --> on a line of its own where the table is to end"


def refilled(data: bytes, filled: Iterable[tuple[Block, str]]) -> bytes:
    """
    Return a page with new text between its markers.

    Args:
        data: the page.
        filled: its blocks in their order, each with what is to stand there; lines end in newlines.
    """
    parts: list[bytes] = []
    done = 0
    for block, text in filled:
        parts += [data[done : block.start], *_as_there(block, text)]
        done = block.end
    return b"".join([*parts, data[done:]])


def _as_there(block: Block, text: str) -> Iterator[bytes]:
    for line in text.encode("utf-8", "replace").split(b"\n")[:-1]:
        yield (block.prefix + line).rstrip(b" \t") + block.newline


def _lines(data: bytes) -> Iterator[_Line]:
    start = 0
    for number, text in enumerate(re.findall(rb"[^\n]*\n|[^\n]+", data), 1):
        yield _Line(number, start, text)
        start += len(text)


@dataclass(frozen=True, slots=True)
class _Fence:
    mark: bytes
    code: bool

    def is_closed_by(self, found: re.Match[bytes]) -> bool:
        return found["fence"].startswith(self.mark) and not found["info"].strip()


def _lines_of_prose(data: bytes) -> Iterator[_Line]:
    """
    Yield the lines that are not in a block of code; what shows there how markers are written is none.

    The content of MyST's directives is prose, though it stands between fences.
    """
    opened: list[_Fence] = []
    for line in _lines(data):
        found = _FENCE.match(line.text.removeprefix(_BOM))
        in_code = bool(opened) and opened[-1].code
        if found is None or (found["fence"].startswith(b"`") and b"`" in found["info"]):
            if not in_code:
                yield line
        elif opened and opened[-1].is_closed_by(found):
            opened.pop()
        elif not in_code:
            opened.append(_Fence(found["fence"], code=not _DIRECTIVE.match(found["info"])))


def _marker(line: _Line, name: str) -> re.Match[bytes] | None:
    text = line.text.removeprefix(_BOM) if line.number == 1 else line.text
    bare = text.rstrip(b"\r\n")
    if not _MENTION.search(_CODE_SPAN.sub(b"", bare)):
        return None
    found = _MARKER.fullmatch(bare)
    if found is None:
        why = "a marker must stand on a line of its own, from its beginning to its end"
        _refuse(line, name, why, f"write {EXAMPLE}")
    if found["word"] not in {b"begin", b"end"}:
        word = found["word"].decode("utf-8", "replace")
        _refuse(line, name, f"there is no marker harness:{word}", "there are harness:begin and harness:end")
    if found["word"] == b"end" and found["options"].strip():
        _refuse(line, name, "harness:end takes no options", "write them into harness:begin")
    return found


def _block(first: _Line, marker: re.Match[bytes], last: _Line, name: str) -> Block:
    return Block(
        line=first.number,
        start=first.end,
        end=last.start,
        prefix=marker["prefix"],
        newline=b"\r\n" if first.text.endswith(b"\r\n") else b"\n",
        options=_options(first, marker["options"].decode("utf-8", "replace"), name),
    )


def _options(line: _Line, text: str, name: str) -> dict[str, str]:
    hint = "options are key=value, with quotes round a value that has blanks"
    try:
        words = shlex.split(text)
    except ValueError:
        _refuse(line, name, "a quotation mark in the options is not closed", hint)
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key or not value:
            _refuse(line, name, f"{word!r} is no option", hint)
        if key in found:
            _refuse(line, name, f"the option {key!r} is given twice", "keep one of the two")
        found[key] = value
    return found


def _refuse_doubles(found: list[Block], name: str) -> None:
    for number, block in enumerate(found):
        for before in found[:number]:
            if before.options == block.options:
                why = f"the same table as in line {before.line}: the markers are doubled"
                hint = "remove one of the two, or give them different options"
                raise PageError(why, where=f"{name}:{block.line}", hint=hint)


def _refuse(line: _Line, name: str, message: str, hint: str) -> NoReturn:
    raise PageError(message, where=f"{name}:{line.number}", hint=hint)

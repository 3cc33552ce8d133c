"""Words and safe text that all the reports share."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from harness.words import Capability, Mechanism, Upstream, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cells import Cell

VERDICTS: Final = {
    Verdict.NATIVE: "the adapter does it itself",
    Verdict.FALLBACK: "the call works, but it is emulated; the word says how",
    Verdict.BROKEN: "it raises, hangs, crashes or gives a wrong result",
    Verdict.UNSUPPORTED: "the adapter says so itself, or has no such method",
    Verdict.BLOCKED: "it could not be tried: something it needs is broken",
    Verdict.UNKNOWN: "not measured; neither good nor bad news",
}
MECHANISMS: Final = {
    Mechanism.BLOCKS_LOOP: "its input and output, or its computing, hold up the caller's event loop",
    Mechanism.SINGLE_ITEM: "the stream is one item, the whole answer",
    Mechanism.BUFFERED: "several items, but none before the middle of the answer had arrived",
    Mechanism.SEQUENTIAL: "one request an input, one after the other",
    Mechanism.WORKER_THREAD: "the synchronous call, made in a thread",
    Mechanism.OTHER_LOOP: "the upstream is spoken to on an event loop other than the caller's",
    Mechanism.CONCURRENT: "one request an input, several at a time",
}
UPSTREAMS: Final = {
    Upstream.LIVE: "recorded from the provider itself",
    Upstream.SIMULATED: "recorded from a simulator of the provider's wire format, through the real client library",
    Upstream.ENGINE: "a real in-process engine with tiny random weights",
    Upstream.STAND_IN: "a stand-in: the vendor's library cannot be had any more",
    Upstream.IMPORTED: "imported from cassettes that were recorded elsewhere",
}
WHERE_FROM: Final = "nothing was recorded"
_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9.-]")
_FIGURES: Final = re.compile(r"\d+(?:\.\d+)?")


def printable(text: str) -> str:
    """
    Return text with escapes for what could steer a terminal, reverse a line or break an encoding.
    """
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """
    Return printable text on one line, runs of white space as one space.
    """
    return " ".join(printable(text).split())


def word(cell: Cell | None) -> str:
    """
    Return the one word for a cell: how it is emulated where it is, its verdict otherwise.
    """
    if cell is None:
        return Verdict.UNKNOWN
    return cell.mechanism or cell.verdict


def verdict(cell: Cell | None) -> Verdict:
    """
    Return a cell's verdict; a cell that is not there is unknown.
    """
    return Verdict.UNKNOWN if cell is None else cell.verdict


def meaning(cell: Cell) -> str:
    """
    Return the general meaning of a cell's word.
    """
    return MECHANISMS[cell.mechanism] if cell.mechanism else VERDICTS[cell.verdict]


def without_figures(text: str) -> str:
    """
    Return text on one line with `#` for each number: what sentences that differ in their figures alone have in common.
    """
    return _FIGURES.sub("#", one_line(text))


def tally(verdicts: Iterable[Verdict]) -> dict[Verdict, int]:
    """
    Count verdicts, every one of them present.
    """
    found = dict.fromkeys(Verdict, 0)
    for each in verdicts:
        found[each] += 1
    return found


def seconds(at: float) -> str:
    """
    Return a time on the recording's clock, to the millisecond.
    """
    return f"{at:.3f} s"


def anchor(family: str, adapter: str, capability: Capability | None = None) -> str:
    """
    Return the fragment under which the page shows an adapter, or one of its cells.

    Letters, digits, dots and single hyphens stay; all else is `_` and hexadecimal digits, so that no two
    adapters share an anchor and every anchor is also a safe file name.
    """
    parts = [safe_name(family), safe_name(adapter), *([capability.value] if capability else [])]
    return "--".join(parts)


def safe_name(name: str) -> str:
    """
    Return a name as a part of an anchor or a file's name; different names stay different.
    """
    safe = "".join(char if _PLAIN.match(char) else _hex(char) for char in name)
    safe = re.sub("-(?=-)|^-|-$", "_2d_", safe)
    return safe.replace(".", "_2e_") if set(safe) <= {"."} else safe


def _hex(char: str) -> str:
    return f"_{ord(char):x}_"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def width_of(text: str) -> int:
    """
    Return how many columns text takes on a terminal.
    """
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)

"""Whether what an adapter gave its caller is what its upstream answered."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from harness.verdicts.documents import plain
from harness.verdicts.texts import canonical, columns, joins, mappings_of, packed, squeeze, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SPECIAL_TOKEN: Final = re.compile(
    r"(<\|[^|>]*\|>|</?s>|<eos>|<pad>|<end_of_turn>|\[/?INST\]|</?think(?:ing)?>|\[\[##\w+##\]\]"
    r"|[\[<](?i:end|done|eos|eot|eof|stop)[\]>])+"
)
_WRITTEN_BLANK: Final = re.compile(r"\\[nrt]|<br ?/?>|<n>")
"""White space of an event that is one line, in letters."""
_QUOTES: Final = frozenset({'""', "''", "``", "“”", "«»", "„“"})
"""What may stand around a whole answer; who takes it off loses no word."""
_THINKS: Final = r"(?i:[\w:]{0,16}(?:think|thought|reasoning)\w{0,12})"
_OPENS: Final = rf"<{_THINKS}>|\[{_THINKS}\]|◁{_THINKS}▷|<\|{_THINKS}\|>"
_CLOSES: Final = rf"</{_THINKS}>|\[/{_THINKS}\]|◁/{_THINKS}▷|<\|/?(?i:end_?(?:of_)?){_THINKS}\|>"
_THOUGHTS: Final = re.compile(
    rf"(?:^|{_OPENS})(?:(?!{_OPENS}|{_CLOSES}).)*(?:{_CLOSES})"
    r"|<\|channel\|>(?!final)(?:(?!<\|).)*<\|message\|>(?:(?!<\|).)*<\|(?:end|call)\|>",
    re.DOTALL,
)
"""What a model says to itself within its answer, between marks, before the mark that closes it, or on a channel of its
own; who drops it loses nothing of the answer."""
_MARKS: Final = re.compile(rf"{_OPENS}|{_CLOSES}|(?:<\|start\|>assistant)?<\|channel\|>(?:(?!<\|).)*<\|message\|>")
"""What stands around thoughts, or says on which channel a model speaks: marks around a name."""
_MAY_THINK: Final = re.compile(_CLOSES + r"|<\|channel\|>")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SHORTEST_REPEAT: Final = 2
"""Characters; a single one stands in any text by chance."""
_SHORTEST_STRETCH: Final = 5
_LONGEST_STRETCH: Final = 2_000
_MADE_OF: Final = 0.8
"""Share of a surplus that stretches of the answer make up; words of one's own share no such stretches with it."""
_LONGEST_COMPARED: Final = 6_000
"""Characters; comparing longer texts costs seconds and tells no more."""
_WORD_LIKE: Final = re.compile(r"[^e.,]{0,40}[e.,]?")
"""A stretch by which long texts are compared instead of by characters; where it ends depends on the text alone."""
_SHORTEST_SHARE: Final = 16
"""Characters of an answer that must stand in an output whole to be taken for a part of it."""


_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
"""A character as JSON writes it that is to be ASCII."""
_JSON: Final = frozenset("{[")
"""What JSON begins with that is more than a word."""


class Agreement(StrEnum):
    """
    Say how an output relates to the upstream's answer.
    """

    SAME = "same"
    DECORATED = "decorated"
    LOST = "lost"
    DOUBLED = "doubled"
    MIXED = "mixed"
    FOREIGN = "foreign"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Fidelity:
    """
    Hold how an output relates to an answer, and which of its characters come from there.

    Attributes:
        agreement: the relation.
        detail: the text that was lost, doubled or is foreign, squeezed.
        genuine: for each character of the squeezed output, whether the answer holds it in that order.
    """

    agreement: Agreement
    detail: str
    genuine: Sequence[bool]

    @property
    def good(self) -> bool:
        """
        Tell whether nothing was lost, doubled or invented.
        """
        return self.agreement in {Agreement.SAME, Agreement.DECORATED, Agreement.UNTOLD}


def compare(
    output: str, bodies: Iterable[bytes], prompt: str = "", *, listed: bool = False, worded: Iterable[bytes] = ()
) -> Fidelity:
    """
    Relate an output to the answers that may have brought it.

    White space never matters; the prompt's echo, end-of-text tokens and thoughts may be dropped,
    and entities and percent signs may be unescaped.

    Args:
        output: what the adapter gave, items joined.
        bodies: the bodies of the upstream's answers.
        prompt: the input, whose echo is no part of the answer.
        listed: the bodies list the answers of several inputs, so that one string may be a whole answer.
        worded: those of the bodies that are plain text by their type, whatever they look like.
    """
    answers, words = tuple(bodies), tuple(worded)
    plainly = _as_said(output)
    if plainly != output:
        said = _compare(squeeze(plainly), answers, prompt, words, listed=listed)
        if said.good:
            return Fidelity(said.agreement, said.detail, [True] * len(squeeze(output)))
    return _compare(squeeze(output), answers, prompt, words, listed=listed)


def _as_said(output: str) -> str:
    """
    Return JSON that an adapter made, of which its caller reads the strings, with these as they are said.
    """
    if "\\" not in output or output.strip()[:1] not in {"{", "["}:
        return output
    try:
        json.loads(output, strict=False)
        return _STRING.sub(lambda found: f'"{json.loads(found[0], strict=False)}"', output)
    except (ValueError, RecursionError):
        return output


def _compare(wanted: str, answers: Sequence[bytes], prompt: str, worded: Sequence[bytes], *, listed: bool) -> Fidelity:
    spoken = (*_spoken(answers), *(_pieces(answers) if listed else ()), *(squeeze(plain(body)) for body in worded))
    if not spoken:
        return Fidelity(Agreement.UNTOLD, "", [True] * len(wanted))
    mappings = tuple(text for body in answers for text in packed(body)) if wanted[:1] in _JSON else ()
    if any(_means(wanted, text) for text in (*spoken, *mappings) if mappings):
        return Fidelity(Agreement.SAME, "", [True] * len(wanted))
    echo = squeeze(prompt)
    if any(_same(wanted, text, echo) for text in spoken) or (not wanted and echo == max(spoken, key=len)):
        return Fidelity(Agreement.SAME, "", [True] * len(wanted))
    bare = _SPECIAL_TOKEN.sub("", wanted)
    if any(bare in joins(body, bare) for body in answers):
        return Fidelity(Agreement.SAME, "", _outside(wanted))
    parts = [text for _, text in assembled(wanted, dict(enumerate(map(texts, answers))))]
    joints = frozenset(accumulate(map(len, parts)))
    found = _difference(wanted, "".join(parts) or _nearest(wanted, spoken), echo, _pieces(answers), joints)
    if found.agreement is Agreement.DECORATED and (beyond := _beyond(wanted, found, spoken, echo)):
        return Fidelity(Agreement.LOST, beyond, [True] * len(wanted))
    if mappings and sum(found.genuine) * 2 < len(wanted):
        # most of it is none of the answer's texts
        found = _written(wanted, mappings, found)
    # what was said over and over is many times as long as the answer, and more like something else
    whole = max((text for text in spoken if len(text) >= _SHORTEST_SHARE and text in wanted), key=len, default="")
    again = _difference(wanted, whole, echo, ()) if whole and found.agreement is Agreement.FOREIGN else found
    return again if again.agreement is Agreement.DOUBLED else found


def _means(wanted: str, text: str) -> bool:
    """
    Tell whether a text is the same values of JSON as an output, which begins as one.
    """
    return text[:1] == wanted[:1] and canonical(wanted) not in {"", "{}", "[]"} and canonical(text) == canonical(wanted)


def _written(wanted: str, mappings: Sequence[str], found: Fidelity) -> Fidelity:
    """
    Relate an output that begins as JSON to the mappings of an answer.

    One of them may stand within a value of the adapter's own, as in a list of calls.
    """
    try:
        within = {canonical(text) for text in mappings_of(json.loads(wanted, strict=False))}
    except (ValueError, RecursionError):
        within = set()
    if not within.isdisjoint(map(canonical, mappings)):
        return found if found.good else Fidelity(Agreement.DECORATED, "", [True] * len(wanted))
    plainly = squeeze(_ESCAPED.sub(lambda one: chr(int(one[1], 16)), wanted))
    written = _difference(plainly, _nearest(plainly, mappings), "", ())
    if written.agreement is Agreement.DECORATED and (beyond := _beyond(plainly, written, mappings, "")):
        written = Fidelity(Agreement.LOST, beyond, [True] * len(plainly))
    if plainly != wanted:
        written = replace(written, genuine=[written.agreement is not Agreement.FOREIGN] * len(wanted))
    return found if written.agreement is Agreement.FOREIGN else written


def _beyond(wanted: str, found: Fidelity, spoken: Iterable[str], echo: str) -> str:
    """
    Return what a longer text of the answer says beyond an output that is a stretch of it.

    A shorter one, a passage that is quoted again beside it, may stand within that stretch; what is around that passage
    is no decoration then, for nobody has such words of his own. A record of the whole conversation tells nothing.
    """
    if len(found.detail) < _SHORTEST_SHARE:
        return ""
    longer = [text for text in spoken if len(text) > len(wanted) and wanted in text and not (echo and echo in text)]
    return min(longer, key=len).replace(wanted, "", 1) if longer else ""


def carries(item: str, bodies: Iterable[bytes], worded: Iterable[bytes] = ()) -> bool:
    """
    Tell whether an item's text stands in one of the answers; white space alone does not.

    The arguments are those of `compare`.
    """
    wanted = squeeze(item)
    spoken = (*_spoken(bodies), *(squeeze(plain(body)) for body in worded))
    plainly = _unescaped(wanted)
    return bool(wanted) and (not spoken or any(wanted in text or plainly in _unescaped(text) for text in spoken))


def relate(part: str, text: str) -> Fidelity | None:
    """
    Relate one squeezed text to another that it is made of; None where it is not.
    """
    return _difference(part, text, "", ()) if _stands_in(part, text) else None


def assembled(wanted: str, answers: Mapping[int, Iterable[str]]) -> list[tuple[int, str]]:
    """
    Return whole texts of two or more answers of which an output is put together, in its order.

    Args:
        wanted: the output, squeezed.
        answers: the texts of each answer.

    Returns:
        each part's answer and text; nothing where it is not put together.
    """
    options = {text: key for key, said in answers.items() for text in said if len(text) >= _SHORTEST_SHARE}
    free = [(0, len(wanted))]
    parts: list[tuple[int, int, str]] = []
    for text in sorted(options, key=lambda one: (-len(one), one)):
        for gap in free:
            start = wanted.find(text, *gap)
            if start >= 0:
                parts.append((start, options[text], text))
                free.remove(gap)
                free += [(gap[0], start), (start + len(text), gap[1])]
                break
    if len({key for _, key, _ in parts}) < 2:  # noqa: PLR2004 - one answer is not put together
        return []
    return [(key, text) for _, key, text in sorted(parts)]


def _spoken(bodies: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for body in bodies for text in texts(body)))


def _pieces(bodies: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(piece for body in bodies for column in columns(body) for piece in column.pieces))


def _same(wanted: str, text: str, echo: str) -> bool:
    if wanted == text:
        return True
    if echo and wanted and (text == echo + wanted or wanted == echo + text):
        return True
    if text[:1] + text[-1:] in _QUOTES and wanted == text[1:-1]:
        return True
    plainly = _unescaped(text)
    return bool(wanted) and any(
        _equal(*one) for one in ((wanted, text), (wanted, plainly), (_unescaped(wanted), plainly))
    )


@lru_cache(maxsize=64)
def _unescaped(text: str) -> str:
    # who quotes for an address quotes each space; a per cent sign alone is one
    quoted = "%20" in text and "%00" not in text
    if not quoted and "&" not in text and "<" not in text and "\\" not in text:
        return text
    return squeeze(_WRITTEN_BLANK.sub("", html.unescape(unquote(text) if quoted else text)))


def _equal(wanted: str, text: str) -> bool:
    bare = _SPECIAL_TOKEN.sub("", wanted)
    said = {text} if _MAY_THINK.search(text) is None else _without_thoughts(text)
    return any(bare == _SPECIAL_TOKEN.sub("", one) for one in said)


def _without_thoughts(text: str) -> set[str]:
    """
    Return what may be made of an answer that thinks: it as it is, without the marks, without the thoughts.
    """
    return {text, *(_MARKS.sub("", one) for one in (text, _THOUGHTS.sub("", text)))}


def _outside(wanted: str) -> list[bool]:
    genuine = [True] * len(wanted)
    for found in _SPECIAL_TOKEN.finditer(wanted):
        genuine[found.start() : found.end()] = [False] * (found.end() - found.start())
    return genuine


def _nearest(wanted: str, spoken: Sequence[str]) -> str:
    def likeness(text: str) -> tuple[float, int]:
        matcher = SequenceMatcher(None, text[:_LONGEST_COMPARED], wanted[:_LONGEST_COMPARED], autojunk=False)
        return (matcher.quick_ratio(), len(text))

    return max(spoken, key=likeness)


def _difference(
    wanted: str, text: str, echo: str, pieces: Sequence[str], joints: frozenset[int] = frozenset()
) -> Fidelity:
    if echo and text.startswith(echo) and not wanted.startswith(echo):
        text = text.removeprefix(echo)
    lost, extra, genuine, inside = _aligned(text, wanted)
    missing = _SPECIAL_TOKEN.sub("", "".join(lost))
    if not any(genuine) or (missing and extra and sum(genuine) * 2 < len(text)):
        return Fidelity(Agreement.FOREIGN, wanted, genuine)
    if missing:
        return Fidelity(Agreement.LOST, missing, genuine)
    repeated = [part for part in extra if part in pieces or _stands_in(part, text)]
    if repeated:
        return Fidelity(Agreement.DOUBLED, max(repeated, key=len), genuine)
    mixed = [part for place, part in inside if place not in joints and _SPECIAL_TOKEN.sub("", part)]
    if mixed:
        return Fidelity(Agreement.MIXED, max(mixed, key=len), genuine)
    return Fidelity(Agreement.DECORATED, "".join(extra), genuine)


def _stands_in(part: str, text: str) -> bool:
    """
    Tell whether a surplus part is made of the answer itself: one stretch of it, or several put together.
    """
    if len(part) >= _SHORTEST_REPEAT and part in text:
        return True
    part = part[:_LONGEST_COMPARED]
    covered = place = 0
    while place < len(part):
        size = _longest_start(part[place : place + _LONGEST_STRETCH], text)
        covered += size if size >= _SHORTEST_STRETCH else 0
        place += max(size, 1)
    return covered >= len(part) * _MADE_OF


def _longest_start(part: str, text: str) -> int:
    low, high = 0, len(part)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if part[:middle] in text else (low, middle - 1)
    return low


def _aligned(text: str, wanted: str) -> tuple[list[str], list[str], list[bool], list[tuple[int, str]]]:
    """
    Return what of a text is lost, what is surplus, which characters of the output are the text's, and what of the
    surplus stands inside of the text: at which place of it, and what.
    """
    start = wanted.find(text)
    if start >= 0:
        # the whole answer stands in the output; only what stands around it needs a look
        around = [wanted[:start], wanted[start + len(text) :]]
        genuine = [start <= place < start + len(text) for place in range(len(wanted))]
        return [], [part for part in around if part], genuine, []
    lost, extra, inside = [], [], []
    genuine = [False] * len(wanted)
    for kind, a, b, c, d in _opcodes(text, wanted):
        if kind == "equal":
            genuine[c:d] = [True] * (d - c)
            continue
        lost += [text[a:b]] if b > a else []
        extra += [wanted[c:d]] if d > c else []
        inside += [(a, wanted[c:d])] if d > c and a > 0 and b < len(text) else []
    return lost, extra, genuine, inside


def _opcodes(text: str, wanted: str) -> Iterator[tuple[str, int, int, int, int]]:
    """
    Yield what `SequenceMatcher` says of two texts; of long ones in larger steps, as its cost grows with the square.
    """
    if max(len(text), len(wanted)) <= _LONGEST_COMPARED:
        yield from SequenceMatcher(None, text, wanted, autojunk=False).get_opcodes()
        return
    ours, theirs = ([part for part in _WORD_LIKE.findall(one) if part] for one in (text, wanted))
    starts, ends = ([0, *accumulate(map(len, parts))] for parts in (ours, theirs))
    for kind, *steps in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        a, b, c, d = starts[steps[0]], starts[steps[1]], ends[steps[2]], ends[steps[3]]
        if kind != "replace" or max(b - a, d - c) > _LONGEST_COMPARED:
            yield kind, a, b, c, d
            continue
        for closer, *inner in SequenceMatcher(None, text[a:b], wanted[c:d], autojunk=False).get_opcodes():
            yield closer, a + inner[0], a + inner[1], c + inner[2], c + inner[3]

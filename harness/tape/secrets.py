"""
Secret values, in every form in which they may end up in a file, and the last look before one is written.

The scrubber removes what it knows. This scan does not trust it: it reads the finished text.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from harness.errors import CassetteError
from harness.tape import wire
from harness.tape.credentials import Known, is_credential, is_placeholder, is_public, known, looks_random
from harness.tape.disguises import views
from harness.tape.kinds import rare
from harness.tape.looks import random_looking

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SHORTEST: Final = 8
"""Characters; a shorter value would be found in innocent words."""
_TARGET = re.compile(r"[\w.-]+://")
_OWN_PLACE: Final = frozenset({"PWD", "OLDPWD"})
"""Not passwords: the shell's working directories."""


class SecretFound(CassetteError):  # noqa: N818 - names what happened
    """
    Report that a file was not written because it would have held a secret.
    """

    code = "secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """
    Hold the values that must never reach a file; its representation does not show them.

    Attributes:
        values: the values, each at least `SHORTEST` characters long to be looked for.
        names: beside each value, where it came from; may be shorter.
    """

    values: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Secrets({len(self.values)} values)"

    def __bool__(self) -> bool:
        return bool(self.values)

    def found(self, data: bytes) -> list[tuple[str, int, int]]:
        """
        Return where the values stand, raw or encoded: a description, start and end of each.
        """
        if not self.values:
            return []
        forms = _forms(self.values)
        there = [needle for needle in forms if needle in data]  # much cheaper than one pattern of all forms
        if not there:
            return []
        pattern = re.compile(b"|".join(map(re.escape, there)))
        return [(self._describe(forms[hit[0]]), hit.start(), hit.end()) for hit in pattern.finditer(data)]

    def blank(self, form: bytes) -> bytes | None:
        """
        Return what may stand for a form without changing its length; None for a plain mask.
        """
        found = _forms(self.values).get(form)
        return None if found is None else found.blank

    def _describe(self, form: _Form) -> str:
        name = self.names[form.index] if form.index < len(self.names) else ""
        return f"the value of {name}{form.how}" if name else f"a given secret{form.how}"


@dataclass(frozen=True, slots=True)
class _Form:
    index: int
    how: str
    blank: bytes | None = None


@lru_cache(maxsize=16)
def _forms(values: tuple[str, ...]) -> dict[bytes, _Form]:
    """
    Return every form of the values, longest first.
    """
    forms: dict[bytes, _Form] = {}
    for index, value in enumerate(values):
        if len(value) < SHORTEST:
            continue
        for needle, how, blank in _encodings(value):
            forms.setdefault(needle, _Form(index, how, blank))
    return dict(sorted(forms.items(), key=lambda item: (-len(item[0]), item[0])))


def _encodings(value: str) -> Iterator[tuple[bytes, str, bytes | None]]:
    raw = value.encode("utf-8", "surrogatepass")
    yield raw, "", None
    whole = quote(value, safe="", errors="replace")
    for quoted in (whole, quote(value, errors="replace"), quote_plus(value, errors="replace")):
        yield quoted.encode(), ", URL-quoted", None
        yield re.sub("%[0-9A-F]{2}", lambda hit: hit[0].lower(), quoted).encode(), ", URL-quoted", None
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped.encode("utf-8", "surrogatepass"), ", JSON-escaped", None
        yield json.dumps(escaped)[1:-1].encode(), ", JSON-escaped twice", None
        yield escaped.replace("/", "\\/").encode("utf-8", "surrogatepass"), ", JSON-escaped", None
    yield raw.hex().encode(), ", in hexadecimal", None
    yield raw.hex().upper().encode(), ", in hexadecimal", None
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterator[tuple[bytes, str, bytes | None]]:
    """
    Give the characters of base64 that depend on nothing but the value, at the three places where it can begin.
    """
    for before in range(3):
        cut = slice(-(-before * 8 // 6), (before + len(raw)) * 8 // 6)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # decoded, the blank reads xxx: JSON inside base64 stays JSON
            form, blank = (encode(b"\0" * before + text + b"\0\0")[cut] for text in (raw, b"x" * len(raw)))
            if len(form) >= SHORTEST:
                yield form, ", in base64", blank


def secrets_of(env: Mapping[str, str], kwargs: Mapping[str, object]) -> Secrets:
    """
    Collect the secret values among environment variables and keyword arguments, at any depth.

    A value is secret when its name looks like a credential or when it looks like one itself;
    placeholders and values under `SHORTEST` characters are not.
    """
    found: dict[str, str] = {}
    for name, value in [*_leaves("", env), *_leaves("", kwargs)]:
        for secret in _secret_parts(name, value):
            if len(secret) >= SHORTEST and not is_placeholder(secret):
                found.setdefault(secret, name)
    values = sorted(found)
    return Secrets(values=tuple(values), names=tuple(found[value] for value in values))


def _secret_parts(name: str, value: str) -> Iterator[str]:
    if name in _OWN_PLACE:
        return
    if is_credential(name):
        yield value
        yield value.rpartition(" ")[2]  # `Bearer ...`
    if _TARGET.match(value):
        yield from _in_address(value)
    elif (looks_random(value) and not is_public(name)) or known(value.encode("utf-8", "surrogateescape")):
        yield value


def _in_address(value: str) -> Iterator[str]:
    try:
        parts = urlsplit(value)
    except ValueError:
        return
    if parts.password:
        yield unquote(parts.password)
    yield from (text for name, text in parse_qsl(parts.query) if is_credential(name) or looks_random(text))


def _leaves(name: str, value: object) -> Iterator[tuple[str, str]]:
    reveal: Any = getattr(value, "get_secret_value", None)
    if callable(reveal):
        value = reveal()
        name = f"{name} (secret)"
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, bytes):
        yield name, value.decode("utf-8", "replace")
    elif hasattr(value, "items"):
        for key, inner in value.items():
            yield from _leaves(str(key), inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _leaves(name, inner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    Say what kind of secret a text holds and in which line, without showing it.
    """

    kind: str
    line: int
    excerpt: str


def scan(text: str, secrets: Secrets, *, by_looks: bool = False) -> list[Finding]:
    """
    Find secrets in the finished text of a cassette: known kinds, and given values in every encoding.

    The text is read as it stands and as the YAML that it is, so that neither escapes nor `!!binary` hide anything; then
    without its encodings, layer by layer; and with the pieces of streams, and all answers, put together.

    Args:
        text: all that is about to be written.
        secrets: values that must not be in it.
        by_looks: find also what is random and stands where a credential would, or among words.
    """
    found: set[tuple[int, str, str]] = set()
    places = [_Place(text.encode("utf-8", "surrogatepass"), 1, counts=True), *_scalars(text)]
    for place in places:
        for kind, start, end in [*hits(place.data, secrets), *(random_looking(place.data) if by_looks else ())]:
            line = place.line + place.data.count(b"\n", 0, start) if place.counts else place.line
            found.add((line, kind, f"{end - start} characters"))
    told = {line for line, *_ in found}
    for place in {place.data: place for place in reversed(places[1:]) if len(place.data) >= SHORTEST}.values():
        if place.line not in told:
            found.update((place.line, kind, size) for kind, size in _disguised(place.data, secrets, by_looks=by_looks))
    if not found:
        found.update((place.line, kind, size) for place, kind, size in _shared_out(places[1:], secrets))
    return [Finding(kind=kind, line=line, excerpt=excerpt) for line, kind, excerpt in sorted(found)]


class _Place(NamedTuple):
    """
    Hold one value of a file, the line that it begins in, and whether its lines are those of the file.
    """

    data: bytes
    line: int
    counts: bool


def tells_secret(data: bytes, secrets: Secrets) -> bool:
    """
    Tell whether some data holds a credential of a known kind, or a given value in any encoding or in pieces.
    """
    seen = (data, *(view.data for view in views(data)))
    return bool(hits(data, secrets)) or any(True for one in seen for _ in _plain(one, secrets))


def _disguised(data: bytes, secrets: Secrets, *, by_looks: bool) -> Iterator[tuple[str, str]]:
    for kind, start, end in _plain(data, secrets):
        yield kind, f"{end - start} characters"
    for view in views(data):
        for kind, start, end in _plain(view.data, secrets):
            yield f"{kind}, {view.how}", f"{end - start} characters"
        if not view.joined:
            for kind, start, end in [*known(view.data), *rare(view.data), *_by_looks(view.data, wanted=by_looks)]:
                yield f"{kind}, {view.how}", f"{end - start} characters"


def _by_looks(data: bytes, *, wanted: bool) -> Iterator[Known]:
    # what a wrong guess at an encoding made is noise, and noise is random
    if wanted and data.isascii() and b"\0" not in data:
        yield from random_looking(data)


def _plain(data: bytes, secrets: Secrets) -> Iterator[tuple[str, int, int]]:
    """
    Find given values as they are: their encodings were taken off.
    """
    bare = _bare(data) if secrets else b""
    for index, value in enumerate(secrets.values):
        raw = value.encode("utf-8", "surrogatepass")
        if len(value) < SHORTEST:
            continue
        name = secrets.names[index] if index < len(secrets.names) else ""
        what = f"the value of {name}" if name else "a given secret"
        if (start := data.find(raw)) >= 0:
            yield what, start, start + len(raw)
        elif len(core := _bare(raw)) >= _CORE and (core in bare or core[::-1] in bare):
            yield f"{what}, with something between its characters or in another case", 0, len(raw)


_BETWEEN: Final = bytes({*range(256)} - {*b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"})
_CORE: Final = 14
"""Letters and digits; fewer could come together from words."""


def _bare(data: bytes) -> bytes:
    """
    Return the letters and digits alone: models spell keys out, and pages break them with blanks that nobody sees.
    """
    return data.translate(None, _BETWEEN).lower()


def _shared_out(places: Sequence[_Place], secrets: Secrets) -> Iterator[tuple[_Place, str, str]]:
    """
    Find given values that only all answers of a cell, or all its requests, hold together: messages, polls, parts.
    """
    if not secrets or not places:
        return
    whole = b"\n".join(dict.fromkeys(place.data for place in places))
    for found in dict.fromkeys(_disguised(whole, secrets, by_looks=False)):
        yield places[0], f"{found[0]}, over several answers", found[1]


def hits(data: bytes, secrets: Secrets) -> list[tuple[str, int, int]]:
    """
    Return every secret in some data, also those that the pieces of a stream share: a description, start and end.
    """
    return [*secrets.found(data), *known(data), *rare(data), *_shared(data, secrets)]


def _scalars(text: str) -> Iterator[_Place]:
    """
    Give each value of a YAML text with its first line, and whether its lines are those of the text.
    """
    import yaml  # noqa: PLC0415 - 7 ms, for who reads cassettes

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        for event in yaml.parse(text, Loader=loader):
            if not isinstance(event, yaml.ScalarEvent):
                continue
            line = event.start_mark.line + 1 if event.start_mark else 0
            if event.tag == "tag:yaml.org,2002:binary":
                yield _Place(base64.b64decode(event.value), line, counts=False)
            elif event.style == "|":
                yield _Place(event.value.encode("utf-8", "surrogatepass"), line + 1, counts=True)
            else:
                yield _Place(event.value.encode("utf-8", "surrogatepass"), line, counts=False)
    except (yaml.YAMLError, ValueError):
        return


_PAIR: Final = re.compile(rb'"([\w.\-]{1,40})"\s*:\s*"((?:[^"\\]|\\.)*)"')
_DATA: Final = re.compile(rb"(?:^|[\r\n])data: ?([^\r\n{\[][^\r\n]*)")


def _shared(data: bytes, secrets: Secrets) -> Iterator[tuple[str, int, int]]:
    """
    Find secrets that are whole only where the texts of a stream's pieces are joined.
    """
    if len(data) < SHORTEST or len(wire.split(data, "")) <= 1:
        return
    runs: dict[bytes, list[tuple[int, int]]] = {}
    for pair in _PAIR.finditer(data):
        runs.setdefault(pair[1], []).append(pair.span(2))
    runs[b""] = [line.span(1) for line in _DATA.finditer(data)]
    for spans in runs.values():
        if len(spans) > 1:
            yield from _across(data, spans, secrets)


def _across(data: bytes, spans: list[tuple[int, int]], secrets: Secrets) -> Iterator[tuple[str, int, int]]:
    joined = b"".join(data[start:end] for start, end in spans)
    offsets = [0]
    for start, end in spans:
        offsets.append(offsets[-1] + end - start)
    for kind, first, last in [*secrets.found(joined), *known(joined)]:
        for index in range(bisect_right(offsets, first) - 1, len(spans)):
            if offsets[index] >= last:
                break
            shift = spans[index][0] - offsets[index]
            start, end = max(first, offsets[index]) + shift, min(last, offsets[index + 1]) + shift
            if end > start:
                yield f"{kind}, in the pieces of a stream", start, end


def refuse(findings: Iterable[Finding], where: str) -> None:
    """
    Raise for the findings of a scan, if there are any.

    Raises:
        SecretFound: names the kinds and the lines, never the secrets.
    """
    found = list(findings)
    if not found:
        return
    lines = "; ".join(f"{item.kind} ({item.excerpt}) in line {item.line}" for item in found[:5])
    more = f"; and {len(found) - 5} more" if len(found) > 5 else ""  # noqa: PLR2004 - enough to find the cause
    msg = f"the recording was not written, it would hold what looks like a secret: {lines}{more}"
    raise SecretFound(
        msg,
        where=where,
        hint="if it is one, pass it as a keyword argument or a variable whose name says so (api_key, token) and record"
        " again; if it is none, change the prompt or the data that brings it",
    )

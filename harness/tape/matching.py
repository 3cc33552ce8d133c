"""
Matching: which recorded request answers an incoming one, and which comes nearest if none does.

vcrpy asks every matcher about every stored request, so each request is brought into comparable
form once and keeps that form.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from vcr.request import Request

from harness import protobuf
from harness.tape.credentials import REDACTED
from harness.tape.matchers import DEFAULT_MATCH_ON
from harness.tape.reading import body_bytes, inflated
from harness.tape.scrub import scrub_request
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcr import VCR
    from vcr.cassette import Cassette

REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose last answer stands for later ones: how often something is polled depends on time."""
_Matcher = Callable[[Request, Request], bool | None]

# hosts are compared in lower case; where a length must stay as it is, the word is followed by a row of x
_REDACTED: Final = re.compile(REDACTED + "x*", re.IGNORECASE)
_SLASHES: Final = re.compile("/{2,}")
_STAGE: Final = re.compile(r"/(v\d+)-?(?:p\d+)?(?:alpha|beta)\d*(?=/)")
_FORM: Final = re.compile(rb"[\w.\-~%+\[\]]{1,60}=[^&\s]*(?:&[\w.\-~%+\[\]]{1,60}=[^&\s]*)*")
_BOUNDARY: Final = re.compile(rb"--([^\r\n]{1,200}?)\r?\n")
_MOST_LINES: Final = 12
_LONGEST_LINE: Final = 160
_BEFORE: Final = 40
"""Characters of a long line that are shown before the difference."""
_COMPARED: Final = 20_000
"""Characters of a body that likeness is judged by; difflib's cost grows with the square."""


@lru_cache(maxsize=1024)
def _address(uri: str) -> tuple[str, str | None, int | None, str, list[tuple[str, str]]]:
    asked = Request("", uri, None, {})
    path = _SLASHES.sub("/", unquote(str(asked.path))) or "/"
    query = sorted(parse_qsl(asked.parsed_uri.query, keep_blank_values=True))
    return str(asked.scheme or "").lower(), asked.host, asked.port, path, query


_NO_BODY: Final = {"raw": b"", "body": ("bytes", b""), "stream": None}


class _Form:
    """
    Hold a request in the form in which it is compared.
    """

    def __init__(self, request: Request) -> None:
        self.source = (request.method, request.uri, request._body)  # noqa: SLF001 - `body` makes a new object of a file
        self._request = request
        self.method = str(request.method).upper()
        self.scheme, self.host, self.port, self.path, self.query = _address(request.uri)
        if request._body is None or request._body == b"":  # noqa: SLF001 - as above
            self.__dict__.update(_NO_BODY)

    @cached_property
    def raw(self) -> bytes:
        return inflated(body_bytes(self._request))

    @cached_property
    def body(self) -> tuple[str, Any]:
        """
        Return what kind of body it is, and its comparable value.
        """
        raw = self.raw
        if raw[:1] == b"\0" and (messages := protobuf.comparable(raw)) is not None:
            return "grpc", messages
        start = raw.lstrip()[:1]
        if start in (b"{", b"[", b'"'):
            try:
                return "json", json.loads(raw)
            except (ValueError, RecursionError):
                return "bytes", raw
        if start == b"-" and (boundary := _BOUNDARY.match(raw)):
            return "bytes", raw.replace(b"--" + boundary[1], b"--boundary")
        if _FORM.fullmatch(raw):
            return "form", sorted(raw.split(b"&"))
        return "bytes", raw

    @cached_property
    def stream(self) -> bool | None:
        """
        Return the JSON body's `stream` flag, False where it has none; None where no body can be read.
        """
        kind, value = self.body
        if kind != "json" or not isinstance(value, dict):
            return None
        return bool(value.get("stream", False))


def _form(request: Request) -> _Form:
    kept: _Form | None = request.__dict__.get("_form")
    if kept is not None:
        method, uri, body = kept.source
        if method is request.method and uri is request.uri and body is request._body:  # noqa: SLF001 - as above
            return kept
    form = request.__dict__["_form"] = _Form(request)
    return form


def _matcher(name: str) -> Callable[[Request, Request], bool]:
    def compare(asked: Request, recorded: Request) -> bool:
        return _same(name, _form(asked), _form(recorded))

    compare.__name__ = name
    compare.reads = name  # type: ignore[attr-defined]  # for `agree`
    return compare


def _stands_for(theirs: Any, ours: Any) -> bool:  # noqa: ANN401 - any part of a request
    """
    Tell whether two parts differ only where the recorded one was redacted.

    Whoever replays has placeholders, not the credentials and account names of whoever recorded.
    """
    if isinstance(theirs, str) and isinstance(ours, str):
        return theirs == ours or bool((pattern := _redacted(theirs)) and pattern.fullmatch(ours))
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return theirs.keys() == ours.keys() and all(_stands_for(theirs[key], ours[key]) for key in theirs)
    if isinstance(theirs, list | tuple) and isinstance(ours, list | tuple):
        return len(theirs) == len(ours) and all(map(_stands_for, theirs, ours))
    if isinstance(theirs, bytes) and isinstance(ours, bytes):
        return theirs == ours or _stands_for(theirs.decode("latin-1"), ours.decode("latin-1"))
    return bool(theirs == ours)


@lru_cache(maxsize=256)
def _redacted(text: str) -> re.Pattern[str] | None:
    parts = _REDACTED.split(text)
    if len(parts) == 1:
        return None
    return re.compile(".+?".join(map(re.escape, parts)), re.DOTALL)


def agree(asked: Request, recorded: Request, matchers: Sequence[_Matcher]) -> bool:
    """
    Tell whether a recorded request answers one that is asked, by all of these matchers.

    It says what vcrpy would say, and stops at the first difference.
    """
    ours, theirs = _form(asked), _form(recorded)
    for name, matcher in _named(tuple(matchers)):
        if name is None:
            if not _agrees(matcher, asked, recorded):
                return False
        elif (name == "body" or getattr(ours, name) != getattr(theirs, name)) and not _same(name, ours, theirs):
            return False
    return True


def agree_but_for_stage(asked: Request, recorded: Request, matchers: Sequence[_Matcher]) -> bool:
    """
    Tell whether they agree where the stages of an API's version do not count: what was `v1beta` is `v1` later.

    Another number is another version, whose answers have another form.
    """
    ours, theirs = (_STAGE.sub(r"/\1", _form(request).path) for request in (asked, recorded))
    if ours != theirs:
        return False
    parts = urlsplit(asked.uri)
    there = urlunsplit((parts.scheme, parts.netloc, urlsplit(recorded.uri).path, parts.query, ""))
    return agree(Request(asked.method, there, asked.body, asked.headers), recorded, matchers)


@lru_cache(maxsize=64)
def _named(matchers: tuple[_Matcher, ...]) -> tuple[tuple[str | None, _Matcher], ...]:
    return tuple((getattr(matcher, "reads", None), matcher) for matcher in matchers)


def _same(name: str, ours: _Form, theirs: _Form) -> bool:
    if name == "body" and ours.raw == theirs.raw:
        return True  # and nothing had to be parsed
    mine, recorded = getattr(ours, name), getattr(theirs, name)
    return bool(mine == recorded) or _stands_for(recorded, mine)


def stream(asked: Request, recorded: Request) -> bool:
    """
    Compare the bodies' `stream` flags; a body that cannot be read, on either side, matches.
    """
    ours, theirs = _form(asked).stream, _form(recorded).stream
    return ours is None or theirs is None or ours == theirs


def register(recorder: VCR) -> VCR:
    """
    Register the tolerant matchers on a VCR under the names of its own, and `stream`.
    """
    for name in DEFAULT_MATCH_ON:
        recorder.register_matcher(name, _matcher(name))
    recorder.register_matcher("stream", stream)
    return recorder


def nearest(cassette: Cassette | None, request: Request, places: Sequence[object] = ()) -> str:
    """
    Say in one paragraph why no recording answers a request, naming the nearest recorded one.

    Credentials are not shown: both requests are scrubbed.

    Args:
        cassette: the recordings; None where there are none.
        request: what was asked.
        places: what to call each recording; its number otherwise.
    """
    asked = scrub_request(request)
    name = f"{asked.method} {asked.uri}"
    if cassette is None:
        return f"{name}: there is no recording of this call"
    if not len(cassette):
        return f"{name}: nothing is recorded in {cassette.path}, not one request"
    agree, index = _closest(asked, cassette)
    recorded = cassette.data[index][0]
    differing = [matcher for matcher in cassette._match_on if not _agrees(matcher, asked, recorded)]  # noqa: SLF001 - vcrpy has no public name for it
    place = str(places[index]) if places else f"number {index + 1}"
    shown = f"the nearest of {counted(len(cassette), 'recorded request')} is {place}, "
    if not differing:
        return _used_up(name, asked, cassette)
    also = "" if agree else ", which has nothing in common with it"
    words = "; ".join(_difference(matcher.__name__, asked, recorded) for matcher in differing)
    return f"{name}: no recording answers it; {shown}{recorded.method} {recorded.uri}{also}: {words}"


def _used_up(name: str, asked: Request, cassette: Cassette) -> str:
    alike = [
        index
        for index, (recorded, _) in enumerate(cassette.data)
        if all(_agrees(matcher, asked, recorded) for matcher in cassette._match_on)  # noqa: SLF001 - as above
    ]
    times = counted(sum(cassette.play_counts[index] for index in alike), "time")
    return f"{name}: already played {times}, recorded {counted(len(alike), 'time')}, and asked for once more"


def _agrees(matcher: Callable[[Request, Request], bool | None], asked: Request, recorded: Request) -> bool:
    try:
        found = matcher(asked, recorded)
    except AssertionError:  # vcrpy's own matchers say no in this way
        return False
    return found is None or bool(found)


def _closest(asked: Request, cassette: Cassette) -> tuple[int, int]:
    """
    Return how many matchers agree with the nearest recording, and its index; texts are compared within the best only.
    """
    matchers = cassette._match_on  # noqa: SLF001 - vcrpy has no public name for it
    agree = [sum(_agrees(one, asked, recorded) for one in matchers) for recorded, _ in cassette.data]
    best = max(agree)
    among = [index for index, count in enumerate(agree) if count == best]
    return best, max(among, key=lambda index: (_likeness(asked, cassette.data[index][0]), -index))


def _likeness(asked: Request, recorded: Request) -> float:
    texts = [f"{r.method} {r.uri} ".encode() + _form(r).raw for r in (asked, recorded)]
    ours, theirs = (text[:_COMPARED].decode("utf-8", "replace") for text in texts)
    comparison = difflib.SequenceMatcher(None, ours, theirs)
    return comparison.quick_ratio() if len(ours) + len(theirs) > _LONGEST_LINE * 10 else comparison.ratio()


def _difference(name: str, asked: Request, recorded: Request) -> str:
    if name == "body":
        return _body_difference(asked, recorded)
    if name in ("stream", "query", *DEFAULT_MATCH_ON):
        ours, theirs = (_shown(getattr(_form(request), name)) for request in (asked, recorded))
        return f"{name} {theirs} recorded, {ours} asked"
    return f"{name} differs"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "&".join(f"{key}={text}" for key, text in value) or "(none)"
    return str(value)


def _body_difference(asked: Request, recorded: Request) -> str:
    ours, theirs = _lines(asked), _lines(recorded)
    if ours is None or theirs is None or ours == theirs:
        sizes = [len(_form(request).raw) for request in (recorded, asked)]
        return f"body of {sizes[0]} bytes recorded, another of {sizes[1]} bytes asked"
    diff = list(difflib.unified_diff(theirs, ours, "recorded", "asked", n=0, lineterm=""))[2:]
    changed = _shortened([f"{line[0]} {line[1:].strip()}" for line in diff if line[:2] != "@@"])
    more = len(changed) - _MOST_LINES
    shown = [*changed[:_MOST_LINES], *([f"… and {counted(more, 'more line')}"] if more > 0 else [])]
    return "the bodies differ (- recorded, + asked):\n" + "\n".join("    " + line for line in shown)


def _shortened(lines: list[str]) -> list[str]:
    """
    Cut long lines down to the place where a removed one and the added one after it begin to differ.
    """
    shown = []
    for index, line in enumerate(lines):
        other = lines[index + 1] if line[0] == "-" and index + 1 < len(lines) else lines[index - 1] if index else ""
        same = _alike(line[2:], other[2:]) if other[:1] != line[0] else 0
        start = max(same - _BEFORE, 0) if len(line) > _LONGEST_LINE else 0
        text = line[2 + start :]
        cut = len(text) > _LONGEST_LINE
        shown.append(f"{line[0]} {'…' if start else ''}{text[:_LONGEST_LINE]}{'…' if cut else ''}")
    return shown


def _alike(ours: str, theirs: str) -> int:
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(ours), len(theirs)))


def _lines(request: Request) -> list[str] | None:
    kind, value = _form(request).body
    if kind == "grpc":
        return [line for text in protobuf.texts(_form(request).raw) for line in text.splitlines()]
    if kind == "json":
        return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
    try:
        return _form(request).raw.decode().replace("&", "\n").splitlines()
    except UnicodeDecodeError:
        return None


def polls(cassette: Cassette) -> dict[int, tuple[int, int]]:
    """
    Return the place of each recorded answer among those that its address was polled for, where there are several.
    """
    keys = [(str(request.method), str(request.uri)) for request, _ in cassette.data]
    counts = Counter(key for key in keys if key[0].upper() in REPEATABLE)
    seen: Counter[tuple[str, str]] = Counter()
    places = {}
    for index, key in enumerate(keys):
        if counts[key] > 1:
            places[index] = (seen[key], counts[key])
            seen[key] += 1
    return places

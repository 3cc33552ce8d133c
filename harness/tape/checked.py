"""
Cassette files read with suspicion: what may be wrong with one is found before it is built or trusted.

A file is read as a stream of YAML events first, which builds no object and expands no alias.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

import yaml
from vcr.serializers import yamlserializer

from harness.errors import CassetteError
from harness.tape.coding import GZIP_MAGIC, decode_body

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 200 * 1024 * 1024
MOST_VALUES: Final = 1_000_000
DEEPEST: Final = 200
_DEEP: Final = f"it is nested more than {DEEPEST} levels deep"
_TOO_DEEP: Final = "maximum nesting depth"
"""How libyaml says that a text is nested more deeply than it reads: by thousands, long before they can be counted."""
_WEIGHT: Final = 256
"""Characters of a repeated text that count as much as a value of its own."""
_RECORD_AGAIN: Final = "record it again, or restore it from version control"
_IMPORT: Final = "cassettes recorded elsewhere come in through `harness import`"
_OTHERS: Final = frozenset({"status_code", "code", "content", "parsed_body"})
"""Keys by which other recorders, and older versions of this one, call what a response consists of."""
_FOREIGN: Final = "another recorder, or another version of vcrpy, wrote it"
_YAML: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(
    _YAML + name
    for name in (
        "str int float bool null binary timestamp map seq merge value"
        # what vcrpy's own safe loader knows from old cassettes
        " python/str python/unicode python/tuple python/object/new:_io.BytesIO python/object/apply:builtins.iter"
    ).split()
)


class MissingCassette(CassetteError):  # noqa: N818 - names what happened
    """
    Report that there is no recording.
    """

    code = "missing-cassette"


def read_interactions(path: Path) -> list[dict[str, Any]]:
    """
    Return a cassette's interactions in one shape: decoded bodies as bytes, headers as lists of text.

    Raises:
        MissingCassette: there is no such file.
        CassetteError: the file is empty, cut off, hostile, something else than a cassette, or malformed.
    """
    where = str(path)
    data = parse(_read(path, where), where)
    return [interaction(item, where, number) for number, item in enumerate(_listed(data, where), 1)]


def read_raw(path: Path, where: str, *, piped: bool = False) -> bytes:
    """
    Return the bytes of a file that is a recording, as far as one can tell from outside.

    Args:
        path: the file.
        where: the file, for errors.
        piped: it may be a pipe, as a shell makes one of `<(...)`; a cassette is none, and nobody would ever fill it.

    Raises:
        MissingCassette: there is no such file.
        CassetteError: it cannot be read, or is too large.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            msg = "this is a directory, not a cassette"
            raise CassetteError(msg, where=where, hint="name one of the files in it")
        if not stat.S_ISREG(found.st_mode) and not (piped and stat.S_ISFIFO(found.st_mode)):
            msg = "this is a device, a pipe or a socket, not a cassette"
            raise CassetteError(msg, where=where, hint=_RECORD_AGAIN)
        if found.st_size > MOST_BYTES:
            msg = f"the file has {found.st_size} bytes, more than the {MOST_BYTES} that are read"
            raise CassetteError(msg, where=where, hint="record one call a file")
        return path.read_bytes()
    except FileNotFoundError:
        msg = "there is no such cassette"
        raise MissingCassette(msg, where=where, hint="`harness record` makes it") from None
    except OSError as error:
        msg = f"the cassette cannot be read: {error.strerror or error}"
        raise CassetteError(msg, where=where, hint="check the path and its permissions") from error


def _read(path: Path, where: str) -> str:
    raw = read_raw(path, where)
    if raw.startswith(GZIP_MAGIC):
        msg = "the file is compressed, cassettes are plain YAML"
        raise CassetteError(msg, where=where, hint=f"gunzip it; {_IMPORT}")
    return text_of(raw, where)


def text_of(raw: bytes, where: str) -> str:
    """
    Return the text of a file that is one.

    Raises:
        CassetteError: it is not UTF-8, or empty.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"the file is not text: byte {error.start} is not UTF-8"
        raise CassetteError(msg, where=where, hint=_RECORD_AGAIN) from error
    if not text.strip("\0 \t\r\n"):
        msg = "the cassette is empty"
        raise CassetteError(msg, where=where, hint=_RECORD_AGAIN)
    return text


def parse(text: str, where: str, *, build: Callable[[str], Any] | None = None) -> Any:  # noqa: ANN401 - YAML is any value
    """
    Return the value of a YAML or JSON text that may be hostile.

    Args:
        text: the text.
        where: the file, for errors.
        build: makes data of YAML whatever its tags are, and never an object; otherwise a tag that asks for one is
            refused.

    Raises:
        CassetteError: the text stops in the middle, would construct objects or explode, or is not YAML.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass  # YAML's flow style looks the same
    try:
        _Walk(where, any_tag=build is not None).through(text)
        return (build or yamlserializer.deserialize)(text)
    except CassetteError:
        raise
    except yaml.MarkedYAMLError as error:
        if _TOO_DEEP in str(error.problem):
            raise _refusal(_DEEP, where, _line(error)) from error
        raise _not_yaml(error, text, where) from error
    except Exception as error:  # numbers too long for Python, dates that do not exist, state of an odd shape
        msg = f"the cassette cannot be built: {type(error).__name__}: {str(error)[:200]}"
        raise CassetteError(msg, where=where, hint=_RECORD_AGAIN) from error


def _not_yaml(error: yaml.MarkedYAMLError, text: str, where: str) -> CassetteError:
    line = _line(error)
    last = text.count("\n") + 1
    begun = f", in what begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    if line >= last - 1:
        msg = f"the cassette stops in the middle: the file ends in line {last}{begun} ({error.problem})"
    else:
        msg = f"the cassette is not YAML: line {line}: {error.problem}"
    return CassetteError(msg, where=where, hint=_RECORD_AGAIN)


def _line(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 0


def _refusal(why: str, where: str, line: int) -> CassetteError:
    msg = f"the cassette is refused: {why} (line {line})"
    return CassetteError(msg, where=where, hint="do not trust the file; record it yourself")


def line_of(event: yaml.Event) -> int:
    """
    Return the line that a YAML event begins in, from 1.
    """
    return event.start_mark.line + 1 if event.start_mark else 0


class _Walk:
    """
    Walk through the events of a YAML text and count what it would grow to, without growing it.
    """

    def __init__(self, where: str, *, any_tag: bool) -> None:
        self._where = where
        self._any_tag = any_tag
        self._weights: dict[str, int] = {}
        self._open: list[tuple[str | None, int]] = [(None, 0)]

    def through(self, text: str) -> None:
        """
        Raise for what must not be built.
        """
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        for event in yaml.parse(text, Loader=loader):
            line = line_of(event)
            self._tag(getattr(event, "tag", None), line)
            if isinstance(event, yaml.AliasEvent):
                self._add(self._alias(str(event.anchor), line), line)
            elif isinstance(event, yaml.ScalarEvent):
                weight = 1 + (len(event.value) // _WEIGHT if event.anchor else 0)
                self._close(event.anchor, weight, line)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append((event.anchor, 1))
                if len(self._open) > DEEPEST:
                    self._refuse(_DEEP, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(*self._open.pop(), line)

    def _tag(self, tag: str | None, line: int) -> None:
        if tag is not None and not self._any_tag and tag != "!" and tag not in _TAGS:
            self._refuse(f"the tag {tag.replace(_YAML, '!!')[:80]} would construct an object", line)

    def _alias(self, anchor: str, line: int) -> int:
        if any(anchor == name for name, _ in self._open):
            self._refuse(f"the alias *{anchor} contains itself", line)
        return self._weights.get(anchor, 1)

    def _close(self, anchor: str | None, weight: int, line: int) -> None:
        if anchor is not None:
            self._weights[anchor] = weight
        self._add(weight, line)

    def _add(self, weight: int, line: int) -> None:
        anchor, before = self._open[-1]
        self._open[-1] = anchor, before + weight
        if before + weight > MOST_VALUES:
            self._refuse(f"it expands to more than {MOST_VALUES} values", line)

    def _refuse(self, why: str, line: int) -> NoReturn:
        raise _refusal(why, self._where, line)


def _listed(data: Any, where: str) -> list[Any]:  # noqa: ANN401 - YAML is any value
    """
    Return the list of interactions, or say what the file looks like instead.
    """
    what = foreign(data)
    if what:
        msg = f"this is not a vcrpy cassette: it looks like {what}"
        raise CassetteError(msg, where=where, hint=_IMPORT)
    if data.get("version", 1) != 1:
        msg = f"the cassette has version {data['version']!r}, known is 1"
        raise CassetteError(msg, where=where, hint="bring the harness up to date, or record it again")
    interactions = data["interactions"]
    if interactions is None:
        msg = "the cassette stops after `interactions:`"
        raise CassetteError(msg, where=where, hint=_RECORD_AGAIN)
    if not isinstance(interactions, list) and interactions != {}:
        msg = f"`interactions` is {_kind(interactions)}, not a list"
        raise CassetteError(msg, where=where, hint=_RECORD_AGAIN)
    return list(interactions)


def foreign(data: Any) -> str | None:  # noqa: ANN401 - YAML is any value
    """
    Say what a file looks like that has no `interactions`; None where it has some.
    """
    if isinstance(data, list):
        return _foreign_list(data[0] if data and isinstance(data[0], dict) else {})
    if not isinstance(data, dict):
        return "plain text" if isinstance(data, str) else f"a single value, {_kind(data)}"
    if "interactions" in data:
        return None
    if "http_interactions" in data:
        return "a cassette of betamax or Ruby's VCR"
    if isinstance(data.get("log"), dict):
        return "an HTTP archive (HAR)"
    if "request" in data and "response" in data:
        return "a single request and its response"
    if "requests" in data and "responses" in data:
        return "a recording with `requests` beside `responses`"
    return "a mapping without `interactions`"


def _foreign_list(first: dict[str, Any]) -> str:
    if {"scope", "path"} <= first.keys():
        return "a recording of nock"
    if {"kind", "direction"} <= first.keys():
        return "rows of a websocket"
    if "request" in first:
        return "a cassette from before vcrpy 1.0"
    return "a list"


def _kind(value: object) -> str:
    words = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}
    return words.get(type(value), type(value).__name__)


class _Shape:
    """
    Take one interaction apart; errors name the file and the interaction.
    """

    def __init__(self, where: str, number: int) -> None:
        self.where = f"{where}, interaction {number}"

    def mapping(self, value: object, name: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            self.fail(f"{name} is {_kind(value)}, not a mapping")
        return value

    def fail(self, message: str, hint: str = _RECORD_AGAIN) -> NoReturn:
        raise CassetteError(message, where=self.where, hint=hint)

    def part(self, whole: dict[Any, Any], key: str, name: str) -> Any:  # noqa: ANN401 - YAML is any value
        if whole.get(key) is None:
            elsewhere = not _OTHERS.isdisjoint(whole)
            hint = _IMPORT if elsewhere else _RECORD_AGAIN
            self.fail(f"{name} has no `{key}`; {_FOREIGN if elsewhere else 'the file may have been cut off'}", hint)
        return whole[key]

    def text(self, value: object, name: str) -> str:
        if not isinstance(value, str) or not value:
            self.fail(f"{name} is {_kind(value)}, not text")
        return str(value)

    def address(self, value: object) -> str:
        text = self.text(value, "the request's uri")
        try:
            _ = urlsplit(text).port
        except ValueError as error:
            self.fail(f"the request's uri is none: {error}")
        return text

    def headers(self, value: object, name: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key, values in self.mapping({} if value is None else value, name).items():
            listed = values if isinstance(values, list | tuple) else [values]
            found[_plain(key)] = [self.header(item, _plain(key)) for item in listed]
        # who redacts a header may leave it without a value, which vcrpy cannot read
        return {key: values for key, values in found.items() if values}

    def header(self, value: object, name: str) -> str:
        if isinstance(value, Mapping | list | tuple | set):
            self.fail(f"the header {name} holds {_kind(value)}, not text")
        return _plain(value)

    def body(self, value: object) -> bytes:
        if isinstance(value, dict):
            if "string" not in value:
                self.fail(f"the response's body has no `string`; {_FOREIGN}", _IMPORT)
            value = value["string"]
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
        if isinstance(value, bytes):
            return value
        if value is not None:
            self.fail(f"the response's body is {_kind(value)}, neither text nor bytes")
        return b""


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return "" if value is None else str(value)


def interaction(item: object, where: str, number: int) -> dict[str, Any]:
    """
    Return one interaction in one shape: its body decoded and bytes, its headers lists of text.

    Raises:
        CassetteError: it is malformed.
    """
    shape = _Shape(where, number)
    both = shape.mapping(item, "the interaction")
    request = shape.mapping(shape.part(both, "request", "the interaction"), "the request")
    response = shape.mapping(shape.part(both, "response", "the interaction"), "the response")
    return {"request": _request(request, shape), "response": _response(response, shape)}


def _request(request: dict[Any, Any], shape: _Shape) -> dict[str, Any]:
    body = request.get("body")
    if isinstance(body, BytesIO):
        body = body.getvalue()
    elif isinstance(body, Iterator):  # the pieces of a body, from vcrpy's older cassettes
        body = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in body)
    elif not isinstance(body, str | bytes | dict | list | None):
        shape.fail(f"the request's body is {_kind(body)}, neither text nor bytes")
    return {
        "method": shape.text(request.get("method"), "the request's method").upper(),
        "uri": shape.address(request.get("uri")),
        "body": body,
        "headers": shape.headers(request.get("headers"), "the request's headers"),
    }


def _response(response: dict[Any, Any], shape: _Shape) -> dict[str, Any]:
    status = shape.mapping(shape.part(response, "status", "the response"), "the response's status")
    code = status.get("code")
    if isinstance(code, bool) or not str(code).isdecimal() or not _is_final(int(str(code))):
        shape.fail(f"the status code {code!r} is none that an answer ends with")
    headers = shape.headers(response.get("headers"), "the response's headers")
    body = shape.body(shape.part(response, "body", "the response"))
    encodings = [name for name in headers if name.lower() == "content-encoding"]
    for name in encodings:
        body = _decoded(body, ", ".join(headers.pop(name)), shape)
    found: dict[str, Any] = {
        "status": {"code": int(str(code)), "message": _plain(status.get("message"))},
        "headers": headers,
        "body": {"string": body},
    }
    if response.get("harness") is not None:
        found["harness"] = response["harness"]
    return found


def _is_final(code: int) -> bool:
    # RFC 9110, 15.2: after any other 1xx a client waits for the answer itself, for ever
    return code == 101 or 200 <= code <= 599  # noqa: PLR2004 - as above


def _decoded(body: bytes, encoding: str, shape: _Shape) -> bytes:
    try:
        return decode_body(body, encoding, limit=MOST_BYTES)
    except CassetteError as error:
        raise CassetteError(error.message, where=shape.where, hint=error.hint) from error

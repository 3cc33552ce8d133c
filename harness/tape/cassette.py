"""
Cassette files: vcrpy's own, with the arrivals of each answer.

Plain vcrpy loads and replays what is written here. What it would lose or trust too much is
dealt with on either side of it: arrivals, codings, secrets, and files from elsewhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets as randomness
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import vcr
import yaml
from vcr.cassette import Cassette
from vcr.record_mode import RecordMode
from vcr.request import Request
from vcr.serialize import deserialize, serialize

from harness.errors import CassetteError, UserError
from harness.tape import legible, matching
from harness.tape.checked import MissingCassette, read_interactions
from harness.tape.matchers import checked
from harness.tape.reading import body_bytes
from harness.tape.scrub import scrub_request, scrub_response
from harness.tape.secrets import SecretFound, Secrets, refuse, scan
from harness.tape.timing import KEY, Piece, Timing, header, read_timing, write_timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.cells import Provenance
    from harness.tape.player import Framing

__all__ = [
    "MissingCassette",
    "Piece",
    "SecretFound",
    "Timing",
    "dump",
    "fetch",
    "load",
    "place",
    "provenance",
    "read_timing",
    "save",
    "write",
    "write_timing",
]

_NO_BODY: Final = frozenset({204, 304})
_ENGINES: Final = "engine://"
"""What an engine was asked beside its seams has no arrivals (engines/told.py): none is missing, none made up."""
_UNLIMITED: Final = 2**31 - 1
"""Columns; a folded line would hide a secret from a search, and a difference from a reader."""


_fetched: dict[tuple[Path, tuple[str, ...] | None], Cassette] = {}


class _Shelf:
    """
    Hand checked interactions to vcrpy as its persister and serializer, and write nothing back.
    """

    def __init__(self, interactions: list[dict[str, Any]]) -> None:
        self._interactions = interactions

    def deserialize(self, text: str) -> dict[str, Any]:  # noqa: ARG002 - vcrpy's interface
        return {"version": 1, "interactions": self._interactions}

    def load_cassette(self, path: str, serializer: object) -> Any:  # noqa: ANN401, ARG002 - vcrpy's interface
        return deserialize("", self)

    def save_cassette(self, path: str, cassette_dict: dict[str, Any], serializer: object) -> None:  # noqa: ARG002 - vcrpy's interface
        msg = "a loaded cassette is never written back"
        raise CassetteError(msg, where=str(path), hint="`harness record` writes cassettes")


@lru_cache(maxsize=1)
def recorder() -> vcr.VCR:
    """
    Return the VCR that knows every matcher, vcrpy's own and the tolerant ones.
    """
    return matching.register(vcr.VCR(record_mode=RecordMode.NONE))


def load(path: Path, *, match_on: Sequence[str] | None = None) -> Cassette:
    """
    Return a cassette to replay, checked; its requests are scrubbed, and so is each request that it is asked for.

    Args:
        path: the file.
        match_on: names of matchers; the default ones for None.

    Raises:
        MissingCassette: there is no such file.
        CassetteError: the file cannot be read or trusted.
        UnknownMatcherError: a name in `match_on` is no matcher's.
    """
    return _fetched.pop(_key(path, match_on), None) or _load(path, match_on)


def fetch(paths: Iterable[Path], match_on: Sequence[str] | None = None) -> None:
    """
    Load cassettes for the processes that are forked from this one, of which each takes its own copy by `load`.

    Most of what loading costs a forked process is the copying of pages that it touches, which is done once here. What
    cannot be loaded is left to those who ask for it.
    """
    for path in paths:
        with contextlib.suppress(UserError):
            _fetched[_key(path, match_on)] = _load(path, match_on)


def _key(path: Path, match_on: Sequence[str] | None) -> tuple[Path, tuple[str, ...] | None]:
    return path, None if match_on is None else tuple(match_on)


def _load(path: Path, match_on: Sequence[str] | None) -> Cassette:
    known = recorder()
    names = checked(match_on)
    interactions = read_interactions(path)
    for number, item in enumerate(interactions, 1):
        timing = read_timing(item["response"], where=str(path), number=number)
        _fit(item["response"], timing, item["request"]["method"])
    cassette: Cassette = Cassette.load(
        path=str(path),
        persister=_Shelf(interactions),
        record_mode=RecordMode.NONE,
        match_on=tuple(known.matchers[name] for name in names),
        before_record_request=scrub_request,
    )
    return cassette


def _fit(response: dict[str, Any], timing: Timing, method: str) -> None:
    """
    Make the headers tell the truth about the stored body.
    """
    bodiless = method.upper() == "HEAD" or response["status"]["code"] in _NO_BODY
    size = len(response["body"]["string"])
    headers: dict[str, list[str]] = {}
    for name, values in response["headers"].items():
        kept = _kept(name.lower(), values, timing.framing, None if bodiless or timing.cut is not None else size)
        if kept:
            headers[name] = kept
    if timing.framing == "length" and not bodiless and not header(headers, "content-length"):
        headers["content-length"] = [str(size)]
    response["headers"] = headers


def _kept(name: str, values: list[str], framing: Framing, size: int | None) -> list[str]:
    if name == "content-encoding" or (name == "transfer-encoding" and framing != "chunked"):
        return []
    if name == "content-length" and size is not None:
        return [str(size)] if framing == "length" else []
    return list(values)


def dump(interactions: Sequence[tuple[Request, dict[str, Any]]]) -> str:
    """
    Return the text of a cassette: YAML that people can read, the same for the same interactions.

    Nothing is scrubbed here. Bodies of answers are taken to be decoded.
    """
    requests, responses = [], []
    for request, response in interactions:
        body = None if request.body is None else body_bytes(request)
        requests.append(Request(request.method, request.uri, body, dict(request.headers)))
        responses.append(_written(response, request))
        texts = [*legible.texts(body or b"", ">"), *legible.texts(responses[-1]["body"]["string"], "<")]
        if texts:
            responses[-1].setdefault(KEY, {})["texts"] = texts
    text: str = serialize({"requests": requests, "responses": responses}, _Yaml)
    return text


def _written(response: dict[str, Any], request: Request) -> dict[str, Any]:
    body = response["body"].get("string") or b""
    written: dict[str, Any] = {
        "status": dict(response["status"]),
        "headers": {str(name): [str(value) for value in values] for name, values in response["headers"].items()},
        "body": {"string": body.encode() if isinstance(body, str) else bytes(body)},
    }
    if response.get(KEY) is not None:
        written[KEY] = response[KEY]
    timing = read_timing(written)
    _fit(written, timing, str(request.method))
    write_timing(written, timing)
    if timing.made_up and str(request.uri).startswith(_ENGINES):
        del written[KEY]["made_up"]
    return {key: value for key, value in written.items() if value or key != KEY}


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]  # which of the two depends on libyaml
    """
    Write safe YAML: no objects, no aliases, text over several lines as lines.
    """

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's interface
        return True


class _MarkingDumper(_Dumper):
    """
    Mark the ends of lines in texts that have to be quoted, for `legible.spread`.
    """


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    marked = None
    if ("\n" in text or "\0" in text) and isinstance(dumper, _MarkingDumper):
        marked = legible.marked(text)
    # the emitter falls back to quotes where a block cannot hold the text
    style = '"' if marked is not None else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text if marked is None else marked, style=style)


for _each in (_Dumper, _MarkingDumper):
    _each.add_representer(str, _represent_text)
    # some clients' header names are a string type of their own
    _each.add_multi_representer(str, lambda dumper, text: _represent_text(dumper, "".join(list(text))))

_REQUEST_ORDER: Final = ("method", "uri", "headers", "body")
_RESPONSE_ORDER: Final = ("status", "headers", KEY, "body")
"""The body comes last: a file that was cut off in it no longer adds up to its counts."""


class _Yaml:
    """
    Serialise for vcrpy in an order that reads well.
    """

    @staticmethod
    def serialize(data: dict[str, Any]) -> str:
        """
        Return the text of a cassette.
        """
        interactions = [
            {
                "request": _ordered(item["request"], _REQUEST_ORDER),
                "response": _ordered(item["response"], _RESPONSE_ORDER),
            }
            for item in data["interactions"]
        ]
        mark = legible.can_mark(interactions)
        # ASCII only: plain vcrpy reads in the locale's encoding
        text: str = yaml.dump(
            {"version": data["version"], "interactions": interactions},
            Dumper=_MarkingDumper if mark else _Dumper,
            sort_keys=False,
            default_flow_style=False,
            width=_UNLIMITED,
        )
        return legible.spread(text) if mark else text


def _ordered(part: dict[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    return {key: part[key] for key in order if key in part}


def save(
    path: Path, interactions: Sequence[tuple[Request, dict[str, Any]]], secrets: Secrets, *, by_looks: bool = False
) -> None:
    """
    Scrub a recording and write it, all of it or nothing.

    Args:
        path: the file; folders are made.
        interactions: requests and vcrpy responses with decoded bodies.
        secrets: values that must not reach the file.
        by_looks: refuse also what only looks like a secret.

    Raises:
        SecretFound: something that looks like a secret is left; an existing file stays as it was.
        CassetteError: the file cannot be written; an existing file stays as it was.
    """
    scrubbed = [(scrub_request(request, secrets), scrub_response(answer, secrets)) for request, answer in interactions]
    write(path, dump(scrubbed), secrets, by_looks=by_looks)


def write(path: Path, text: str, secrets: Secrets, *, by_looks: bool = False) -> None:
    """
    Write the text of a cassette, unless something in it looks like a secret.

    Args:
        path: the file; folders are made.
        text: all of it.
        secrets: values that must not reach the file.
        by_looks: refuse also what is only random, and stands where a credential would.

    Raises:
        SecretFound: something does.
        CassetteError: the file cannot be written; an existing file stays as it was.
    """
    refuse(scan(text, secrets, by_looks=by_looks), str(path))
    place(path, text)


def place(path: Path, text: str) -> None:
    """
    Put the text of a cassette that was scanned into its file, all of it or nothing.

    Raises:
        CassetteError: the file cannot be written; an existing file stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(path) as handle:
            handle.write(text.encode())
    except OSError as error:
        msg = f"the cassette cannot be written: {error.strerror or error}"
        hint = "check the folder, its permissions and the room on the disk"
        raise CassetteError(msg, where=str(path), hint=hint) from error


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Any]:
    """
    Open a file beside another and put it in its place when all went well.
    """
    beside = path.with_name(f".{path.name}.{randomness.token_hex(6)}.tmp")
    try:
        with beside.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except BaseException:  # Ctrl-C, too, must leave nothing behind
        beside.unlink(missing_ok=True)
        raise


def provenance(root: Path, path: Path, cassette: Cassette | None = None) -> Provenance:
    """
    Say which recording a cell was judged over.

    Args:
        root: the cassettes directory.
        path: the file.
        cassette: the loaded file, where there is one already.

    Raises:
        CassetteError: the file cannot be read.
    """
    if cassette is None:
        cassette = load(path)
    from harness.cells import Provenance  # noqa: PLC0415 - for who reports, not for who replays

    responses = cassette.responses
    return Provenance(
        path=os.path.relpath(path, root).replace(os.sep, "/"),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        recorded=read_timing(responses[0]).recorded if responses else None,
    )

"""
Layouts of recordings made elsewhere: from a file's bytes to one list of requests and responses.

Nothing in a file is constructed: a tag that asks for an object is read as the data below it.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import yaml

from harness.errors import CassetteError
from harness.tape.checked import MOST_BYTES, foreign, parse, read_raw, text_of
from harness.tape.coding import GZIP_MAGIC
from harness.tape.foreign.archives import TRACE, is_entry, of_entry, of_trace, was_answered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECORD_INSTEAD: Final = "record it with vcrpy, or from the provider with `harness record`"
_OBJECT: Final = "tag:yaml.org,2002:python/object"
_BYTES: Final = frozenset({"tag:yaml.org,2002:python/bytes", "!binary"})
"""Tags of bytes that YAML does not know: old Python's, and Ruby's with one mark."""
_GZIP_IN_BASE64: Final = base64.b64encode(GZIP_MAGIC + b"\x08")
_BOTH: Final = frozenset({"request", "response"})
_SIDES: Final = ("Request", "Response")


def read_foreign(path: Path) -> tuple[str, list[Any]]:
    """
    Return what a recording is, in words, and its pairs of request and response, as they stand in the file.

    Raises:
        MissingCassette: there is no such file.
        CassetteError: the file cannot be read, is hostile, or has a layout that cannot be used; says which.
    """
    where = str(path)
    raw, packed = _unpacked(read_raw(path, where, piped=True), where)
    if raw.startswith(TRACE):
        return f"{packed}trace of httprr", _some(of_trace(raw, where), where)
    text = text_of(raw, where)
    words = f"{packed}{'JSON' if text.lstrip()[:1] in ('{', '[') else 'YAML'}"
    return _pairs(parse(text, where, build=_as_data), words, where)


def _unpacked(raw: bytes, where: str) -> tuple[bytes, str]:
    if raw.startswith(_GZIP_IN_BASE64):
        # serializers of vcrpy have to give out text
        with suppress(ValueError):
            raw = base64.b64decode(b"".join(raw.split()), validate=True)
    if not raw.startswith(GZIP_MAGIC):
        return raw, ""
    try:
        with gzip.GzipFile(fileobj=BytesIO(raw)) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        msg = f"the file is compressed and damaged: {error}"
        raise CassetteError(msg, where=where, hint="fetch it again from where it comes") from error
    if len(data) > MOST_BYTES:
        msg = f"a file of {len(raw)} bytes unpacks to more than {MOST_BYTES} bytes"
        raise CassetteError(msg, where=where, hint="do not trust the file")
    return data, "gzipped "


def _pairs(data: Any, words: str, where: str) -> tuple[str, list[Any]]:  # noqa: ANN401 - YAML is any value
    match data:
        case {"interactions": found}:
            pairs = _of_vcrpy(data, found, where)
            return (f"go-vcr {words}" if _is_of_go(pairs) else f"vcrpy {words}"), pairs
        case {"http_interactions": found}:
            return f"{words} of betamax or Ruby's VCR", _of_vcrpy({}, found, where)
        case {"Entries": list(found)} if found and all(map(_is_of_proxy, found)):
            return f"{words} of Azure's test proxy", [_of_proxy(one) for one in found]
        case {"log": {"entries": list(found)}} if all(map(is_entry, found)):
            return f"{words} of an HTTP archive", _some([of_entry(one) for one in found if was_answered(one)], where)
        case {"requests": list(asked), "responses": list(answered)}:
            return f"{words} of requests beside responses", _beside(asked, answered, where)
        case {"request": dict(), "response": dict()} if _kind_of(data) is None:
            return f"{words} of one request", [_of_one(data)]
        case [dict(first), *_] if first.keys() >= _BOTH and _has_address(first):
            return f"{words} list", data
    what = _kind_of(data) or foreign(data)
    raise CassetteError(f"it looks like {what}, which cannot be used", where=where, hint=RECORD_INSTEAD)


def _of_one(data: dict[Any, Any]) -> dict[Any, Any]:
    """
    Return a file's only exchange; some keep the pieces in which its answer was read beside it.
    """
    told, chunks = data["response"], data.get("chunks")
    if not isinstance(chunks, list) or not chunks or told.get("body"):
        return data
    return {**data, "response": {**told, "body": {"chunks": chunks}}, "recorded_at": data.get("captured_at")}


def _is_of_proxy(entry: Any) -> bool:  # noqa: ANN401 - YAML is any value
    return isinstance(entry, dict) and {"RequestUri", "RequestMethod", "StatusCode"} <= entry.keys()


def _of_proxy(entry: dict[Any, Any]) -> dict[str, Any]:
    asked, told = ({"headers": entry.get(f"{side}Headers"), "body": entry.get(f"{side}Body")} for side in _SIDES)
    return {
        "request": {"method": entry["RequestMethod"], "uri": entry["RequestUri"], **asked},
        "response": {"status": entry["StatusCode"], **told},
    }


def _has_address(pair: dict[Any, Any]) -> bool:
    asked = pair["request"]
    return isinstance(asked, dict) and bool({"uri", "url"} & asked.keys())


def _kind_of(data: Any) -> str | None:  # noqa: ANN401 - YAML is any value
    first = data[0] if isinstance(data, list) and data else data
    if not isinstance(first, dict):
        return None
    keys = {str(key).lower() for key in first}
    if any("grpc" in key for key in keys) or {"service", "method"} <= keys or "rpc" in keys:
        return "a sample of gRPC"
    return None


def _some(found: Any, where: str) -> Any:  # noqa: ANN401 - YAML is any value
    if not found:
        raise CassetteError("nothing is recorded in it", where=where, hint=RECORD_INSTEAD)
    return found


def _of_vcrpy(data: dict[Any, Any], found: Any, where: str) -> list[Any]:  # noqa: ANN401 - YAML is any value
    _some(found, where)
    pairs = list(found.values()) if isinstance(found, dict) else found
    if not isinstance(pairs, list):
        msg = "`interactions` is neither a list nor a mapping"
        raise CassetteError(msg, where=where, hint=RECORD_INSTEAD)
    if not any(isinstance(one, dict) for one in pairs):
        msg = "its `interactions` are no requests with responses: another kind of recorder made it"
        raise CassetteError(msg, where=where, hint=RECORD_INSTEAD)
    other = _other_vcr(data, pairs)
    if other:
        msg = f"it looks like a cassette of {other}, which cannot be used"
        raise CassetteError(msg, where=where, hint=RECORD_INSTEAD)
    return pairs


def _is_of_go(pairs: list[Any]) -> bool:
    asked = pairs[0].get("request") if isinstance(pairs[0], dict) else None
    return isinstance(asked, dict) and not {"proto", "proto_major"}.isdisjoint(asked)


def _other_vcr(data: dict[Any, Any], pairs: list[Any]) -> str | None:
    if _is_of_go(pairs):
        return None
    if isinstance(pairs[0], dict) and {"Request", "Response"} & pairs[0].keys():
        return "VCR for .NET"
    version = data.get("version", 1)
    known = version is None or str(version) in {"1", "1.0"}
    return None if known else f"another VCR, or of a vcrpy that is not known here (version {str(version)[:40]})"


def _beside(asked: list[Any], answered: list[Any], where: str) -> list[Any]:
    if not asked or len(asked) != len(answered):
        msg = f"{len(asked)} requests stand beside {len(answered)} responses"
        raise CassetteError(msg, where=where, hint="the file was cut off or edited; fetch it again")
    return [{"request": one, "response": two} for one, two in zip(asked, answered, strict=True)]


class _Data(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]  # which of the two depends on libyaml
    """
    Read whatever tag as the data below it.
    """


def _as_data(text: str) -> Any:  # noqa: ANN401 - YAML is any value
    return yaml.load(text, Loader=_Data)  # noqa: S506 - a safe loader; what it does not know becomes plain data


def _untagged(loader: yaml.SafeLoader, tag: str, node: yaml.ScalarNode | yaml.SequenceNode | yaml.MappingNode) -> Any:  # noqa: ANN401 - YAML is any value
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return base64.b64decode(str(text)) if tag in _BYTES else text
    is_object = tag.startswith(_OBJECT)
    if isinstance(node, yaml.MappingNode):
        made = loader.construct_mapping(node, deep=True)
        return _state(made) if is_object else made
    found = loader.construct_sequence(node, deep=True)
    return _bare(found) if is_object else found


def _bare(arguments: list[Any]) -> Any:  # noqa: ANN401 - as above
    """
    Return what an object was made of: the one value that says all, or all of them.
    """
    if len(arguments) != 1:
        return arguments
    (one,) = arguments
    if isinstance(one, list) and one and all(isinstance(part, bytes | str) for part in one):
        return b"".join(part if isinstance(part, bytes) else part.encode() for part in one)
    return one


def _state(made: dict[Any, Any]) -> Any:  # noqa: ANN401 - as above
    if made.get("args"):
        return _bare(made["args"]) if isinstance(made["args"], list) else made["args"]
    for key in ("dictitems", "listitems"):
        if made.get(key):
            return made[key]
    state = made.get("state")
    # a file in memory keeps its bytes and the place that it was read up to
    return state[0] if isinstance(state, list) and state and isinstance(state[0], bytes | str) else state or made


_ANY_TAG: Final[Callable[..., Any]] = _Data.add_multi_constructor
_ANY_TAG("", _untagged)

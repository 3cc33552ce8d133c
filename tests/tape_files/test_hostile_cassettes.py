"""Cassettes that are missing, damaged, foreign or hostile: a clear error each, and nothing lost."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.errors import CassetteError, UserError
from harness.tape import cassette as files
from harness.tape.checked import parse

if TYPE_CHECKING:
    from pathlib import Path

INTERACTION: dict[str, Any] = {
    "request": {"method": "POST", "uri": "https://a.example/x", "body": "{}", "headers": {"a": ["b"]}},
    "response": {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": ["text/plain"]},
        "body": {"string": "one two"},
        "harness": {"arrivals": "0.1+4 0.2+3", "framing": "chunked", "sent": 0.0},
    },
}
GOOD = yaml.safe_dump({"interactions": [INTERACTION], "version": 1}, sort_keys=False)
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)


def changed(at: str, value: Any) -> str:
    """
    Return a cassette with one value changed; `DROP` removes it.
    """
    copy = json.loads(json.dumps(INTERACTION))
    *way, last = at.split(".")
    place = copy
    for key in way:
        place = place[key]
    if value == "DROP":
        del place[last]
    else:
        place[last] = value
    return yaml.safe_dump({"version": 1, "interactions": [copy]})


BAD = {
    "empty": (" \n", "empty"),
    "zeros": ("\0\0\0", "empty"),
    "truncated in a quote": (GOOD[: GOOD.index("0.1+4")] + "'", "stops in the middle"),
    "truncated in a key": (GOOD[: GOOD.index("body: '{}'") + 7], "stops in the middle"),
    "truncated after the request": (GOOD[: GOOD.index("  response:")], "has no `response`"),
    "truncated after interactions": ("version: 1\ninteractions:\n", "stops after"),
    "not YAML": ("version: 1\ninteractions: [}\n\n\nmore: 1\nand: 2\n", "not YAML: line 2"),
    "nock": (json.dumps([{"scope": "https://a", "method": "POST", "path": "/x"}]), "nock"),
    "HAR": (json.dumps({"log": {"entries": []}}), "HAR"),
    "ruby": ("http_interactions: []\n", "Ruby"),
    "old vcrpy": ("- request: {}\n  response: {}\n", "before vcrpy 1.0"),
    "websocket rows": (json.dumps([{"kind": "text", "direction": "in", "data": ""}]), "websocket"),
    "single": (json.dumps({"request": {}, "response": {}}), "single request"),
    "text": ("just some words\n", "plain text"),
    "list": ("[1, 2]", "a list"),
    "other mapping": ("services: {web: {image: x}}\n", "without `interactions`"),
    "version": (GOOD.replace("version: 1", "version: 7"), "version 7"),
    "python object": ("a: !!python/object/apply:os.system ['echo hacked']\n", "would construct an object"),
    "python name": ("a: !!python/name:os.system\n", "would construct an object"),
    "own tag": ("a: !thing {}\n", "would construct an object"),
    "bomb": (BOMB, "expands to more than"),
    "self": ("a: &a [*a]\n", "contains itself"),
    "deep": ("a: " + "[" * 5000 + "]" * 5000, "levels deep"),
    "deep JSON": ("[" * 100_000, "levels deep"),
    "a number beyond Python": ("a: " + "9" * 5000, "cannot be built"),
    "no such date": ("a: 2026-99-99\n", "cannot be built"),
    "interactions a mapping": ("version: 1\ninteractions: {a: 1}\n", "not a list"),
    "interactions a number": ("version: 1\ninteractions: 0\n", "`interactions` is int, not a list"),
    "interaction a text": ("version: 1\ninteractions: [x]\n", "not a mapping"),
    "no status": (changed("response.status", "DROP"), "no `status`"),
    "odd status": (changed("response.status.code", "fine"), "status code 'fine'"),
    "true status": (changed("response.status.code", value=True), "status code True"),
    "interim status": (changed("response.status.code", 103), "status code 103 is none"),
    "headers a list": (changed("response.headers", ["a"]), "headers is a list"),
    "request headers a text": (changed("request.headers", "a: b"), "headers is text"),
    "header a mapping": (changed("response.headers.a", [{"b": 1}]), "header a holds a mapping"),
    "body a list": (changed("response.body", [1]), "neither text nor bytes"),
    "body a number": (changed("response.body.string", 5), "neither text nor bytes"),
    "no string": (changed("response.body", {"base64": "x"}), "no `string`"),
    "no body": (changed("response.body", "DROP"), "no `body`"),
    "request body a number": (changed("request.body", 5), "neither text nor bytes"),
    "no method": (changed("request.method", "DROP"), "method"),
    "no uri": (changed("request.uri", None), "uri"),
    "broken uri": (changed("request.uri", "https://[/x"), "uri is none"),
    "broken port": (changed("request.uri", "https://a:99999/x"), "uri is none"),
    "longer": (changed("response.body.string", "one two three"), "longer than its counts: 13 bytes stored, 7 bytes"),
    "shorter": (changed("response.body.string", "one"), "shorter than its counts: 3 bytes stored, 7 bytes"),
    "negative": (changed("response.harness.arrivals", "-0.1+7"), "SECONDS\\+BYTES"),
    "infinite": (changed("response.harness.arrivals", "inf+7"), "SECONDS\\+BYTES"),
    "zero": (changed("response.harness.arrivals", "0.1+7 0.2+0"), "SECONDS\\+BYTES"),
    "backwards": (changed("response.harness.arrivals", "0.2+4 0.1+3"), "go back in time"),
    "arrivals a list": (changed("response.harness.arrivals", [1]), "`arrivals` is list"),
    "framing": (changed("response.harness.framing", "smoke"), "framing 'smoke'"),
    "sent": (changed("response.harness.sent", "soon"), "`sent`"),
    "harness a text": (changed("response.harness", "x"), "not a mapping"),
    "versions": (changed("response.harness.versions", [1]), "`versions`"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_that_says_where_and_what_to_do(tmp_path: Path, name: str) -> None:
    """
    Claim: each has its own words, names the file and a remedy, and the file stays as it was.
    """
    text, words = BAD[name]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    began = time.perf_counter()
    with pytest.raises(CassetteError, match=words) as caught:
        files.load(path)
    assert time.perf_counter() - began < 20
    assert str(path) in str(caught.value.where)
    assert caught.value.hint
    assert path.read_text() == text


def test_a_good_file_loads(tmp_path: Path) -> None:
    """
    Claim: what the bad files were made from is fine.
    """
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    assert len(files.load(path)) == 1


@pytest.mark.parametrize(
    ("at", "value"), [("response.body", {"base64_string": "b25l"}), ("response", {"status_code": 200, "content": "x"})]
)
def test_what_only_the_import_can_read_is_sent_there(tmp_path: Path, at: str, value: Any) -> None:
    """
    Claim: an interaction as other recorders write it names the command that brings it in.
    """
    path = tmp_path / "elsewhere.yaml"
    path.write_text(changed(at, value))
    with pytest.raises(CassetteError, match="another recorder") as caught:
        files.load(path)
    assert "harness import" in str(caught.value.hint)


def test_errors_in_an_interaction_name_its_number(tmp_path: Path) -> None:
    """
    Claim: the second of two is called the second.
    """
    path = tmp_path / "bad.yaml"
    broken = {**INTERACTION, "response": {**INTERACTION["response"], "body": {"string": "one two three"}}}
    path.write_text(yaml.safe_dump({"version": 1, "interactions": [INTERACTION, broken]}))
    with pytest.raises(CassetteError, match="interaction 2"):
        files.load(path)


def test_a_missing_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    """
    Claim: a missing recording can be told from a bad one, and a folder from both.
    """
    with pytest.raises(files.MissingCassette, match="no such cassette"):
        files.load(tmp_path / "none.yaml")
    with pytest.raises(CassetteError, match="directory") as caught:
        files.load(tmp_path)
    assert not isinstance(caught.value, files.MissingCassette)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with pipes among its files")
def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    """
    Claim: a pipe that nobody fills and a device without end are named as what they are, and cost no time.
    """
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(CassetteError, match="a device, a pipe or a socket"):
            files.load(tmp_path / f"{name}.yaml")


@pytest.mark.parametrize(
    ("raw", "words"),
    [(gzip.compress(b"version: 1"), "compressed"), (b"version: \xff\xfe", "not UTF-8")],
    ids=["gzip", "binary"],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, raw: bytes, words: str) -> None:
    """
    Claim: compressed and binary files are named as what they are.
    """
    path = tmp_path / "bad.yaml"
    path.write_bytes(raw)
    with pytest.raises(CassetteError, match=words):
        files.load(path)


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    """
    Claim: the size is looked at first.
    """
    path = tmp_path / "huge.yaml"
    with path.open("wb") as handle:
        handle.truncate(300 * 1024 * 1024)
    with pytest.raises(CassetteError, match="more than"):
        files.load(path)


def test_an_unknown_matcher_names_the_known_ones(tmp_path: Path) -> None:
    """
    Claim: a misspelt name is an error with the likely one.
    """
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    with pytest.raises(UserError, match="'strem'") as caught:
        files.load(path, match_on=["method", "strem"])
    assert "did you mean 'stream'" in str(caught.value)
    assert "raw_body" in str(caught.value)


@pytest.mark.parametrize("at", ["response.harness", "request.headers", "request.body"])
def test_what_may_be_absent_may_be_absent(tmp_path: Path, at: str) -> None:
    """
    Claim: only what is needed is asked for.
    """
    path = tmp_path / "c.yaml"
    path.write_text(changed(at, "DROP"))
    assert len(files.load(path)) == 1


def test_a_header_that_was_left_without_a_value_is_none(tmp_path: Path) -> None:
    """
    Claim: who redacts a header by taking its values away has a cassette that loads, on both sides.
    """
    path = tmp_path / "redacted.yaml"
    path.write_text(changed("request.headers.authorization", []))
    assert "authorization" not in files.load(path).requests[0].headers
    path.write_text(changed("response.headers.set-cookie", []))
    assert files.load(path).responses[0]["headers"] == {"content-type": ["text/plain"]}


def test_layouts_of_other_recorders_that_vcrpy_refuses_load(tmp_path: Path) -> None:
    """
    Claim: extra keys in a request, a bare string as body, no version, and JSON do no harm.
    """
    copy = json.loads(json.dumps(INTERACTION))
    copy["request"]["parsed_body"] = {}
    copy["response"]["body"] = "one two"
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"interactions": [copy]}))
    assert files.load(path).responses[0]["body"]["string"] == b"one two"


def test_benign_tags_of_old_cassettes_load(tmp_path: Path) -> None:
    """
    Claim: what vcrpy's safe loader knows is not called hostile.
    """
    path = tmp_path / "c.yaml"
    path.write_text(GOOD.replace("body: '{}'", "body: !!python/unicode '{}'"))
    assert files.load(path).requests[0].body == b"{}"


WRITTEN = files.dump(
    [
        (Request("POST", "https://a.example/x", b"{}", {"a": "b"}), json.loads(json.dumps(INTERACTION["response"])))
        for _ in range(2)
    ]
)


@given(st.integers(0, len(WRITTEN)))
def test_a_cut_anywhere_is_an_error_or_harmless(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    """
    Claim: half a file of ours never passes for less of an answer.
    """
    path = tmp_path_factory.mktemp("cut") / "c.yaml"
    path.write_text(WRITTEN[:at])
    try:
        loaded = files.load(path)
    except CassetteError:
        return
    assert [r["body"]["string"] for r in loaded.responses] in ([b"one two"] * 2, [b"one two"])


@given(st.text(max_size=200))
def test_any_text_is_parsed_or_refused_with_our_error(text: str) -> None:
    """
    Claim: no parser's own exception comes through.
    """
    with contextlib.suppress(CassetteError):
        parse(text, "here")

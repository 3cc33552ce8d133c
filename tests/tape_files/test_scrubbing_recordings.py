"""Credentials never reach a file, and what is redacted still replays."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vcr.request import Request

from harness.tape import cassette as files
from harness.tape import wire
from harness.tape.credentials import REDACTED, is_credential, is_granted, looks_random
from harness.tape.scrub import Secrets, scrub_request, scrub_response, scrub_uri
from harness.tape.secrets import scan

if TYPE_CHECKING:
    from pathlib import Path

CANARY = 'canary/"q"+K7f9Zx2Qw8Er7Ty5'
"""Has characters that JSON, URLs and base64 each write in another way."""
SECRETS = Secrets(values=(CANARY,), names=("api_key",))
URI = "https://api.example.com/v1/chat"


def forms(secret: str) -> dict[str, bytes]:
    """
    Return a secret in every form that a file could show.
    """
    raw = secret.encode()
    return {
        "raw": raw,
        "quoted": quote(secret, safe="").encode(),
        "quoted plus": quote_plus(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "base64": base64.b64encode(raw),
        "urlsafe base64": base64.urlsafe_b64encode(raw),
        "basic, user": base64.b64encode(b"user:" + raw),
        "basic, another user": base64.b64encode(b"users:" + raw),
        "basic, first": base64.b64encode(raw + b":x"),
        "basic, api": base64.b64encode(b"api:" + raw),
        "hexadecimal": raw.hex().encode(),
        "upper hexadecimal": raw.hex().upper().encode(),
    }


def answer(body: bytes, content_type: str = "application/json", **headers: str) -> dict[str, Any]:
    """
    Return a vcrpy response.
    """
    listed = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {"content-type": [content_type], **listed},
        "body": {"string": body},
    }


def asked(body: Any = b"{}", uri: str = URI, **headers: str) -> Request:
    """
    Return a POST request.
    """
    return Request("POST", uri, body, {name.replace("_", "-"): value for name, value in headers.items()})


def split_canary() -> bytes:
    """
    Return a stream whose pieces share the canary, three characters each.
    """
    parts = [CANARY[at : at + 3] for at in range(0, len(CANARY), 3)]
    return b"".join(b"data: " + json.dumps({"i": 1, "text": part}).encode() + b"\n\n" for part in parts)


BASIC = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
PLANTS: dict[str, tuple[Request, dict[str, Any]]] = {
    "header": (asked(authorization=f"Bearer {CANARY}"), answer(b"{}")),
    "unknown header": (asked(x_whatever=CANARY), answer(b"{}")),
    "kept header": (asked(accept=f"text/plain; {CANARY}"), answer(b"{}")),
    "query": (asked(uri=f"{URI}?key={quote(CANARY, safe='')}"), answer(b"{}")),
    "harmless query": (asked(uri=f"{URI}?prompt={quote_plus(CANARY)}"), answer(b"{}")),
    "path": (asked(uri=f"{URI}/{quote(CANARY, safe='')}/x"), answer(b"{}")),
    "fragment": (asked(uri=f"{URI}#{quote(CANARY)}"), answer(b"{}")),
    "body field": (asked(json.dumps({"api_key": CANARY}).encode()), answer(b"{}")),
    "unknown body field": (asked(json.dumps({"x": CANARY}).encode()), answer(b"{}")),
    "prompt": (asked(json.dumps({"prompt": f"say {CANARY}!"}).encode()), answer(b"{}")),
    "key of an object": (asked(json.dumps({CANARY: 1}).encode()), answer(b"{}")),
    "nested JSON": (asked(json.dumps({"a": [{"b": {"password": CANARY}}]}).encode()), answer(b"{}")),
    "JSON in JSON": (asked(json.dumps({"a": json.dumps({"b": CANARY})}).encode()), answer(b"{}")),
    "python body": (asked({"a": {"token": CANARY}}), answer(b"{}")),
    "form": (asked(f"a=1&x={quote_plus(CANARY)}".encode()), answer(b"{}")),
    "multipart": (
        asked(
            b'--b\r\ncontent-disposition: form-data; name="api_key"\r\n\r\n' + CANARY.encode() + b"\r\n--b--\r\n",
            content_type="multipart/form-data; boundary=b",
        ),
        answer(b"{}"),
    ),
    "multipart JSON": (
        asked(b'--b\r\ncontent-disposition: x\r\n\r\n{"token": ' + json.dumps(CANARY).encode() + b"}\r\n--b--\r\n"),
        answer(b"{}"),
    ),
    "plain text": (asked(b"my key is " + CANARY.encode()), answer(b"{}")),
    "basic": (asked(authorization=BASIC), answer(b"{}")),
    "basic in a body": (asked(json.dumps({"headers": {"x": BASIC}}).encode()), answer(b"{}")),
    "userinfo": (asked(uri=f"https://user:{quote(CANARY, safe='')}@api.example.com/"), answer(b"{}")),
    "userinfo in a body": (
        asked(json.dumps({"callback": f"https://user:{quote(CANARY, safe='')}@a.example/"}).encode()),
        answer(b"{}"),
    ),
    "response header": (asked(), answer(b"{}", x_echo=CANARY)),
    "kept response header": (asked(), answer(b"{}", retry_after=CANARY)),
    "redirect": (asked(), answer(b"", location=f"https://a.example/?token={quote(CANARY, safe='')}")),
    "cookie": (asked(), answer(b"{}", set_cookie=f"session={CANARY}; HttpOnly")),
    "status": (asked(), answer(b"{}") | {"status": {"code": 401, "message": f"bad key {CANARY}"}}),
    "echo": (asked(), answer(json.dumps({"error": f"bad key {CANARY}"}).encode())),
    "pretty echo": (asked(), answer(json.dumps({"error": {"was": [CANARY]}}, indent=2).encode())),
    "binary echo": (asked(), answer(b"\xff\xfe" + CANARY.encode() + b"\x00", "application/octet-stream")),
    "pieces": (asked(), answer(split_canary(), "text/event-stream")),
    "plain pieces": (
        asked(),
        answer(
            f"data: {CANARY[:9]}\n\ndata: {CANARY[9:]}\n\ndata: [DONE]\n\n".encode(),
            "text/event-stream",
        ),
    ),
    "lines": (
        asked(),
        answer(b"".join(json.dumps({"response": part}).encode() + b"\n" for part in (CANARY[:5], CANARY[5:]))),
    ),
    **{f"echo, {name}": (asked(), answer(b"was: " + form)) for name, form in forms(CANARY).items()},
}


def everything(path: Path) -> list[bytes]:
    """
    Return a file's text and every value in it.
    """
    text = path.read_text()
    values: list[bytes] = [text.encode()]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(key)
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        else:
            values.append(value if isinstance(value, bytes) else str(value).encode())

    walk(yaml.safe_load(text))
    return values


def streamed(body: bytes) -> str:
    """
    Return what a caller reads from a stream of JSON or of plain text.
    """
    text = ""
    for line in body.decode("utf-8", "replace").splitlines():
        data = line.removeprefix("data: ")
        try:
            text += "".join(str(value) for value in json.loads(data).values() if isinstance(value, str))
        except (ValueError, AttributeError):
            text += data
    return text


@pytest.mark.parametrize("place", PLANTS)
def test_a_planted_canary_never_reaches_the_file(tmp_path: Path, place: str) -> None:
    """
    Claim: wherever the secret was, no form of it is in the file, and the file still answers the same request.
    """
    request, response = PLANTS[place]
    length = len(response["body"]["string"])
    path = tmp_path / "c.yaml"
    files.save(path, [(request, response)], SECRETS)
    for value in everything(path):
        for form in forms(CANARY).values():
            assert form not in value
    loaded = files.load(path)
    body = loaded.responses[0]["body"]["string"]
    assert len(body) == length
    assert CANARY not in streamed(body)
    assert wire.split(body, "") == wire.split(response["body"]["string"], "")
    again = Request(request.method, request.uri, request.body, request.headers)
    assert loaded.can_play_response_for(scrub_request(again, SECRETS))


@pytest.mark.parametrize("place", PLANTS)
def test_without_the_scrubber_the_scan_refuses(tmp_path: Path, place: str) -> None:
    """
    Claim: the scan does not rely on the scrubber, names a line, and never shows the secret.
    """
    request, response = PLANTS[place]
    path = tmp_path / "c.yaml"
    with pytest.raises(files.SecretFound, match="line") as caught:
        files.write(path, files.dump([(request, response)]), SECRETS)
    assert not path.exists()
    assert "api_key" in str(caught.value)
    assert caught.value.hint
    assert not any(form.decode("latin-1") in str(caught.value) for form in forms(CANARY).values())


NAMED = {"header", "query", "body field", "nested JSON", "python body", "multipart", "multipart JSON", "basic",
         "userinfo", "response header", "cookie", "userinfo in a body", "redirect"}  # fmt: skip


@pytest.mark.parametrize("place", sorted(NAMED))
def test_a_credential_with_a_telling_place_needs_no_list_of_secrets(tmp_path: Path, place: str) -> None:
    """
    Claim: what is named like a credential is taken out although nobody said that it is one.
    """
    path = tmp_path / "c.yaml"
    files.save(path, [PLANTS[place]], Secrets())
    for value in everything(path):
        assert all(form not in value for form in forms(CANARY).values())


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=8, max_size=40), st.integers(0, 5))
def test_any_value_is_found_in_any_form(secret: str, before: int) -> None:
    """
    Claim: values of any characters are found raw, quoted, escaped, in base64 wherever it starts, and in hexadecimal.
    """
    secrets = Secrets(values=(secret,))
    padded = base64.b64encode(b"u" * before + secret.encode() + b"::")
    for form in [*forms(secret).values(), padded]:
        body = b"start " + form + b" end"
        assert secrets.found(body)
        cleaned = scrub_response(answer(body), secrets)["body"]["string"]
        assert len(cleaned) == len(body)
        assert form not in cleaned or not secrets.found(cleaned)


KEYS = st.sampled_from(
    ["api_key", "prompt", "x", "token", "messages", "password", "max_tokens", "name", "value", "key"]
)
VALUES = st.one_of(
    st.text(),
    st.integers(),
    st.booleans(),
    st.none(),
    st.sampled_from(
        ["sk-proj-abc123DEF456ghi789JKL", "Bearer abcdefghijklmnop1234", "https://u:p4ssword@h.example/?sig=abcdefgh12",
         '{"token": "x", "b": [1]}', "[1", "A1b2C3d4E5f6G7h8I9j0K1l2", CANARY, "REDACTED", "AKIAABCDEFGHIJKLMNOP"]
    ),
)  # fmt: skip
TREES = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))
URIS = st.lists(
    st.sampled_from(["https://", "u:p@", "a.example", "/", "?", "&", "key=", "x=", "abcdefghijkl", "12", "%3A", "#",
                     "=",
                     "sk-abcdefghij0123456789", quote(CANARY, safe=""), "é", "api-version=2024-01-01"])
).map("".join)  # fmt: skip
BODIES = st.one_of(
    st.none(),
    st.binary(),
    TREES.map(lambda tree: json.dumps(tree).encode()),
    st.lists(st.tuples(KEYS, st.text()), max_size=4).map(
        lambda pairs: "&".join(f"{name}={quote_plus(text)}" for name, text in pairs).encode()
    ),
    st.lists(st.sampled_from([b"Bearer ", b"sk-", b"abcdef0123456789abcdef", b"Basic ", b"{", b'"', b":", b"\\",
                              b"--b\r\n",
                              b"token", b"\r\n\r\n", b"<", b"<Secret>", b"</Secret>", b"://u:", b"@", CANARY.encode()])
             ).map(b"".join),
)  # fmt: skip


@given(URIS, BODIES, st.sampled_from([Secrets(), SECRETS]), st.sampled_from(["", "multipart/form-data; boundary=b"]))
def test_scrubbing_twice_is_scrubbing_once(uri: str, body: bytes | None, secrets: Secrets, kind: str) -> None:
    """
    Claim: a scrubbed request stays as it is, so that the recorded and the incoming one meet.
    """
    once = scrub_request(Request("post", uri, body, {"content-type": kind, "cookie": "x"}), secrets)
    copy = Request(once.method, once.uri, once.body, dict(once.headers))
    twice = scrub_request(copy, secrets)
    assert (once.method, once.uri, once.body) == (twice.method, twice.uri, twice.body)
    assert dict(once.headers) == dict(twice.headers)


@given(st.one_of(BODIES, st.just(split_canary())).filter(bool), st.sampled_from([Secrets(), SECRETS]))
def test_a_scrubbed_answer_has_every_byte_in_its_place(body: bytes, secrets: Secrets) -> None:
    """
    Claim: lengths stay, a second time changes nothing, JSON stays JSON, and the scan finds nothing in it.
    """
    once = scrub_response(answer(body), secrets)
    cleaned = once["body"]["string"]
    assert len(cleaned) == len(body)
    assert scrub_response(once, secrets) == once
    if _is_json(body):
        assert _is_json(cleaned)
    assert not scan(files.dump([(scrub_request(asked(), secrets), once)]), secrets)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True


def test_what_an_answer_says_is_left_alone() -> None:
    """
    Claim: fields that only sound like credentials, and text, come back as they were.
    """
    body = json.dumps(
        {
            "token": {"id": 3, "text": " hello"},
            "logprobs": [{"token": "Hello", "bytes": [72]}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 7},
            "signature": "EqQBCkYIBxgCKkD5thought",
            "key": "value",
            "session": "s",
            "next_page_token": "abc",
            "text": "The token is the key to the secret: password!",
        }
    ).encode()
    assert scrub_response(answer(body), SECRETS)["body"]["string"] == body


def test_granted_tokens_are_masked_to_the_byte() -> None:
    """
    Claim: a token endpoint's answer keeps its shape and length and loses the token.
    """
    body = b'{"access_token": "abc\\"def-0123456789", "expires_in": 3600, "refresh_token":"xyz"}'
    masked = scrub_response(answer(body))["body"]["string"]
    assert masked == b'{"access_token": "REDACTEDxxxxxxxxxxx", "expires_in": 3600, "refresh_token":"xxx"}'


def test_what_a_prompt_needs_is_left_alone() -> None:
    """
    Claim: models, limits, versions and language stay readable in a recorded request.
    """
    body = json.dumps(
        {
            "model": "amazon.titan-text-express-v1",
            "other": "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "path": "/v1/models/gemini-1.5-flash-latest/operations",
            "max_tokens": 100,
            "stop_token": "<|endoftext|>",
            "messages": [{"role": "user", "content": "Repeat TANGERINE-4711 and write on"}],
            "keywords": ["a", "b"],
            "tokens": "two words",
            "author": "me",
            "temperature": 1e-05,
        }
    ).encode()
    assert scrub_request(asked(body), SECRETS).body == body


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.example/x?api-version=2024-02-01&alt=sse", "https://a.example/x?api-version=2024-02-01&alt=sse"),
        ("https://a.example/x?key=short", "https://a.example/x?key=REDACTED"),
        ("https://a.example/x?n=12345678901&b=true&id=short", "https://a.example/x?n=12345678901&b=true&id=short"),
        ("https://a.example/x?whatever=longer+than+eight", "https://a.example/x?whatever=REDACTED"),
        ("https://user:pass@a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/x?max_tokens=100", "https://a.example/x?max_tokens=100"),
        ("https://a.example/x?X-Amz-Signature=ab", "https://a.example/x?X-Amz-Signature=REDACTED"),
    ],
)
def test_addresses_keep_what_is_harmless(uri: str, expected: str) -> None:
    """
    Claim: the query is closed by default and open for what is known.
    """
    assert scrub_uri(uri) == expected


def test_headers_are_closed_by_default() -> None:
    """
    Claim: only listed headers are kept, on either side.
    """
    request = scrub_request(asked(accept="a", user_agent="u", x_request_id="1", anthropic_version="2023-06-01"))
    assert dict(request.headers) == {"accept": "a", "anthropic-version": "2023-06-01"}
    kept = scrub_response(answer(b"", date="d", server="s", x_request_id="1"))["headers"]
    assert kept == {"content-type": ["application/json"], "date": ["d"]}


def test_aws_messages_stay_valid_when_something_in_them_is_masked() -> None:
    """
    Claim: a masked event stream still passes its checksums, in plain and in base64.
    """
    inner = base64.b64encode(json.dumps({"completion": f"say {CANARY} now"}).encode()).decode()
    payload = json.dumps({"bytes": inner, "echo": CANARY}).encode()
    head = (16 + len(payload)).to_bytes(4) + bytes(4)
    content = head + zlib.crc32(head).to_bytes(4) + payload
    body = content + zlib.crc32(content).to_bytes(4)
    # JSON in base64 holds the escaped form, which is a form of its own
    secrets = Secrets(values=(CANARY, json.dumps(CANARY)[1:-1]))
    masked = scrub_response(answer(body * 2), secrets)["body"]["string"]
    assert wire.messages(masked) == [len(body), 2 * len(body)]
    assert zlib.crc32(masked[: len(body) - 4]) == int.from_bytes(masked[len(body) - 4 : len(body)])
    shown = json.loads(masked[12 : len(body) - 4])
    assert "canary" not in shown["echo"]
    assert "canary" not in json.loads(base64.b64decode(shown["bytes"]))["completion"]


CREDENTIALS = ["key", "api_key", "apiKey", "APIKey", "OPENAI_API_KEY", "x-api-key", "token", "access_token", "secret",
               "clientSecret", "password", "passwd", "Authorization", "auth", "signature", "session", "session_id",
               "cookie", "bearer", "AWS_ACCESS_KEY_ID", "aws_secret_access_key", "private_key", "credential",
               "X-Amz-Security-Token", "deepinfra_api_token", "api_keys", "privateKey", "openaiapikey"]  # fmt: skip
HARMLESS = ["max_tokens", "prompt_tokens", "tokens", "keywords", "stop_token", "eos_token", "next_page_token",
            "author", "key_points", "monkey", "model", "cache_key", "prompt_cache_key", "token_type", "auth_mode",
            "keys", "secretary", "tokenizer", "eos_token_id", "max_new_tokens", "total_tokens", "",
            "secret_length"]  # fmt: skip


@pytest.mark.parametrize("name", CREDENTIALS)
def test_names_of_credentials_are_known(name: str) -> None:
    """
    Claim: in whatever style the name is written.
    """
    assert is_credential(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_names_that_only_sound_like_it_are_not(name: str) -> None:
    """
    Claim: what models count and where they stop is no credential.
    """
    assert not is_credential(name)
    assert not is_granted(name)


@given(st.uuids(version=4), st.binary(min_size=24, max_size=60))
def test_random_values_look_random(identifier: Any, raw: bytes) -> None:
    """
    Claim: tokens made of random bytes are known by their looks, words and versions are not.
    """
    token = base64.b64encode(zlib.compress(raw + str(identifier).encode())).decode()
    assert looks_random(token)
    assert not looks_random("meta-llama/Llama-3.1-70B-Instruct-Turbo")
    assert not looks_random("anthropic.claude-3-5-sonnet-20241022-v2:0")
    assert not looks_random("https://example.com/a/1b2c3d4e5f6a7b8c9d0e")
    assert not looks_random("application/vnd.amazon.eventstream")
    assert not looks_random(REDACTED * 4)

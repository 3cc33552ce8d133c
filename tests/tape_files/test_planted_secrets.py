"""Planted secrets: whatever form they travel in, they are scrubbed or the file is refused."""

from __future__ import annotations

import base64
import contextlib
import gzip
import html
import json
import quopri
import re
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus, unquote_to_bytes

import pytest
from vcr.request import Request

from harness import frames, protobuf
from harness.tape import cassette as files
from harness.tape.secrets import Secrets, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
KEY: Final = 'pa/"ss"+K7f9Zx2Qw8Er7Ty5=é'
"""Has characters that JSON, URLs, XML and base64 each write in another way."""
SECRETS: Final = Secrets(values=(KEY,), names=("api_key",))
RAW: Final = KEY.encode()
URI: Final = "https://api.example.com/v1/chat"
PARTS: Final = [KEY[at : at + 4] for at in range(0, len(KEY), 4)]

Interactions = list[tuple[Request, dict[str, Any]]]


def asked(body: bytes | str = b"{}", uri: str = URI, **headers: str) -> Request:
    """
    Return a request.
    """
    return Request("POST", uri, body, {name.replace("_", "-"): value for name, value in headers.items()})


def answered(body: bytes | str = b"{}", **headers: str) -> dict[str, Any]:
    """
    Return an answer.
    """
    listed = {name.replace("_", "-"): [value] for name, value in headers.items()}
    data = body.encode() if isinstance(body, str) else body
    return {"status": {"code": 200, "message": "OK"}, "headers": listed, "body": {"string": data}}


def sends(body: bytes | str = b"{}", uri: str = URI, **headers: str) -> Interactions:
    """
    Return a recording whose request holds the secret.
    """
    return [(asked(body, uri, **headers), answered())]


def gets(*bodies: bytes | str, **headers: str) -> Interactions:
    """
    Return a recording whose answers, one or several, hold the secret.
    """
    return [(asked(uri=f"{URI}/{number}"), answered(body, **headers)) for number, body in enumerate(bodies)]


def b64(data: bytes) -> str:
    """
    Return base64.
    """
    return base64.b64encode(data).decode()


def events(*pieces: Any) -> str:
    """
    Return server-sent events of JSON.
    """
    return "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"


def message(text: str) -> bytes:
    """
    Return a gRPC message whose first field is a text.
    """
    data = text.encode()
    return protobuf.framed(b"\x0a" + bytes((len(data),)) + data)


def aws(payload: dict[str, Any]) -> bytes:
    """
    Return a message of an AWS event stream.
    """
    content = json.dumps(payload).encode()
    head = (16 + len(content)).to_bytes(4) + bytes(4)
    whole = head + zlib.crc32(head).to_bytes(4) + content
    return whole + zlib.crc32(whole).to_bytes(4)


def part(content: str) -> str:
    """
    Return a multipart body.
    """
    return f'--b\r\ncontent-disposition: form-data; name="config"; filename="c"\r\n\r\n{content}\r\n--b--\r\n'


PLANTED: Final[dict[str, Interactions]] = {
    # requests
    "bearer header": sends(authorization=f"Bearer {KEY}"),
    "basic header": sends(authorization=f"Basic {b64(b'user:' + RAW)}"),
    "header of no known name": sends(x_extra=KEY),
    "header that is kept": sends(accept=f"text/plain;v={quote(KEY)}"),
    "cookie": sends(cookie=f"a=b; c={quote(KEY)}"),
    "query": sends(uri=f"{URI}?key={quote(KEY, safe='')}"),
    "query that is kept": sends(uri=f"{URI}?prompt={quote_plus(KEY)}"),
    "query, quoted twice": sends(uri=f"{URI}?prompt={quote_plus(quote_plus(KEY))}"),
    "path, in base64": sends(uri=f"{URI}/{base64.urlsafe_b64encode(RAW).decode()}/x"),
    "user and password": sends(uri=f"https://u:{quote(KEY, safe='')}@api.example.com/"),
    "JSON": sends(json.dumps({"prompt": f"say {KEY}"})),
    "JSON, every letter escaped": sends('{"prompt": "' + "".join(f"\\u{ord(one):04x}" for one in KEY) + '"}'),
    "JSON in JSON in JSON": sends(json.dumps({"input": json.dumps({"a": json.dumps({"text": KEY})})})),
    "base64 of JSON in JSON": sends(json.dumps({"input": b64(json.dumps({"text": KEY}).encode())})),
    "form": sends(f"a=1&text={quote_plus(KEY)}", content_type="application/x-www-form-urlencoded"),
    "form, base64 quoted": sends(f"a=1&text={quote_plus(b64(b'x' + RAW))}"),
    "multipart": sends(part(KEY), content_type="multipart/form-data; boundary=b"),
    "multipart, base64 over lines": sends(part(base64.encodebytes(b"u" * 50 + RAW).decode())),
    "multipart, quoted-printable": sends(part(quopri.encodestring(b"x" * 70 + RAW).decode())),
    "XML, in entities": sends(f"<a><b>{html.escape(KEY)}</b></a>"),
    "gzip": sends(gzip.compress(json.dumps({"text": KEY}).encode()), content_encoding="gzip"),
    "gzip in base64": sends(json.dumps({"payload": b64(gzip.compress(RAW * 2))})),
    "gRPC request": sends(message(f"prompt {KEY}"), "grpc://llm.example.com/a.B/C", content_type="application/grpc"),
    "engine's arguments": sends(json.dumps({"arguments": [KEY]}), "engine://e/Model().generate"),
    # answers
    "header of the answer": gets("{}", x_echo=KEY),
    "redirect": gets("", location=f"https://a.example/?next={quote(quote(KEY, safe=''), safe='')}"),
    "echo": gets(json.dumps({"error": {"message": f"bad key {KEY}"}})),
    "echo of the header": gets(json.dumps({"headers": {"x": f"Basic {b64(RAW + b':')}"}})),
    "hexadecimal": gets(f"it was {RAW.hex(':')}"),
    "base32": gets(json.dumps({"seed": base64.b32encode(RAW).decode()})),
    "UTF-16": gets(KEY.encode("utf-16-le")),
    "bytes of tokens": gets(events(*({"logprob": {"bytes": list(one.encode())}} for one in PARTS))),
    "pieces of events": gets(events(*({"choices": [{"delta": {"content": one}}]} for one in PARTS))),
    "pieces of differing names": gets(events({"first": PARTS[0]}, *({"rest": one} for one in PARTS[1:]))),
    "pieces of plain events": gets("".join(f"data: {one}\n\n" for one in PARTS)),
    "pieces of lines": gets("".join(json.dumps({"response": one}) + "\n" for one in PARTS)),
    "pieces of an array": gets(json.dumps({"tokens": PARTS})),
    "pieces in base64 of an AWS stream": gets(
        b"".join(aws({"bytes": b64(json.dumps({"completion": one}).encode())}) for one in PARTS)
    ),
    "messages of gRPC": gets(b"".join(map(message, PARTS)), content_type="application/grpc"),
    "websocket's frames": gets(
        b"".join(frames.encode(frames.Frame(one.encode())) for one in PARTS), content_type="application/websocket"
    ),
    "websocket's lines": gets("".join(f"{one}\n" for one in PARTS)),
    "answers to polls": gets(*(json.dumps({"output": one}) for one in PARTS)),
    "engine's yields": gets("".join(json.dumps({"yields": {"text": one}}) + "\n" for one in PARTS)),
}


def read(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """
    Give everything that can be read in some data by who tries hard: written apart from the scan, on purpose.
    """
    yield data
    if not depth:
        return
    tried = [unquote_to_bytes(data), unquote_to_bytes(data.replace(b"+", b" "))]
    tried += [quopri.decodestring(data), html.unescape(data.decode("latin-1")).encode("latin-1", "replace")]
    tried += [
        data.decode("utf-16-le", "ignore").encode(),
        re.sub(rb"\s+", b"", data),
        re.sub(rb"(?m)^data: ?|[\r\n]", b"", data),
    ]
    tried += [_in_base64(run) for run in re.findall(rb"[A-Za-z0-9+/_-]{8,}", re.sub(rb"\n +|\n", b"", data))]
    tried += [bytes.fromhex(run.decode()) for run in re.findall(rb"(?:[0-9a-f]{2}){8,}", data.replace(b":", b""))]
    tried += [base64.b32decode(run + b"=" * (-len(run) % 8)) for run in re.findall(rb"[A-Z2-7]{32,}", data)]
    tried += [b"".join(map(_in_base64, re.findall(rb"[A-Za-z0-9+/_-]{16,}", data)))]
    tried += [b"".join(_strings(data)), bytes(int(one) % 256 for one in re.findall(rb"\d+", data))]
    for one in dict.fromkeys(tried):
        if one and one != data and len(one) > 7:
            yield from read(one, depth - 1 if len(one) < 4000 else 0)


def _in_base64(run: bytes) -> bytes:
    bare = run.translate(bytes.maketrans(b"-_", b"+/"))
    data = base64.b64decode(bare[: len(bare) - (len(bare) % 4 == 1)] + b"==")
    try:
        return zlib.decompressobj(47).decompress(data) if data[:2] == b"\x1f\x8b" else data
    except zlib.error:  # the end of a run that was put together too eagerly
        return data


def _strings(data: bytes) -> Iterator[bytes]:
    for found in re.finditer(rb'("(?:[^"\\]|\\.)*")(\s*:)?', data):
        try:
            yield b"" if found[2] else json.loads(found[1]).encode("utf-8", "replace")
        except ValueError:
            continue


def holds(interactions: Interactions) -> bool:
    """
    Tell whether the secret can be read in a recording.
    """
    requests = (one for request, _ in interactions for one in (request.uri, request.body, *request.headers.values()))
    answers = (
        one for _, answer in interactions for one in (answer["body"]["string"], *map(str, answer["headers"].values()))
    )
    whole = [one if isinstance(one, bytes) else str(one).encode() for one in (*requests, *answers) if one]
    unzipped = [gzip.decompress(one) if one[:2] == b"\x1f\x8b" else one for one in whole]
    bodies = b"\n".join(answer["body"]["string"] for _, answer in interactions)
    loose = [b"".join(frame.data for frame in frames.decode(one) or []) for one in unzipped]
    loose += ["".join(protobuf.texts(one)).encode() for one in unzipped if one[:1] == b"\0"]
    return any(RAW in found for one in (*unzipped, *loose, bodies) for found in read(one))


def test_there_are_forty_forms() -> None:
    """
    Claim: at least forty, and in each the reader of this test finds what was planted.
    """
    assert len(PLANTED) >= 40
    assert [name for name, planted in PLANTED.items() if not holds(planted)] == []


@pytest.mark.parametrize("form", PLANTED)
def test_no_form_of_a_planted_secret_is_written(tmp_path: Path, form: str) -> None:
    """
    Claim: it is scrubbed, or the file is refused and nothing is left of it.
    """
    path = tmp_path / "c.yaml"
    try:
        files.save(path, PLANTED[form], SECRETS, by_looks=True)
    except files.SecretFound as refused:
        told = str(refused)
        assert list(tmp_path.iterdir()) == []
        assert "api_key" in told
        assert KEY not in told
        return
    loaded = files.load(path)
    assert not holds([(request, answer) for request, answer in loaded.data])
    assert RAW not in path.read_bytes()


@pytest.mark.parametrize("form", PLANTED)
def test_the_scan_alone_finds_every_form(form: str) -> None:
    """
    Claim: were the scrubber to miss all of them, each would stop the recording.
    """
    assert scan(files.dump(PLANTED[form]), SECRETS)


PLAIN: Final = "tq7Zx2Qw8Er7Ty5Kp3Lm9Nb1"
THIRDS: Final = [PLAIN[at : at + 3] for at in range(0, len(PLAIN), 3)]
TOKEN: Final = f"{b64(b'head')}.{b64(json.dumps({'k': PLAIN}).encode())}.c2ln".replace("=", "")

OBSCURED: Final[dict[str, Interactions]] = {
    "spelled out": gets(json.dumps({"text": " ".join(PLAIN)})),
    "spelled out, as plain text": gets("-".join(PLAIN)),
    "blanks that nobody sees": gets(json.dumps({"text": "\u200b".join(PLAIN)})),
    "in capital letters": gets(json.dumps({"text": PLAIN.upper()})),
    "backwards": gets(json.dumps({"text": PLAIN[::-1]})),
    "tags between": gets(f"<p>{'<wbr>'.join(THIRDS)}</p>"),
    "pieces from the last to the first": gets(
        events(*({"place": at, "delta": one} for at, one in reversed(list(enumerate(THIRDS)))))
    ),
    "two choices by turns": gets(
        events(
            *({"choices": [{"index": at, "delta": {"content": ("…", one)[at]}}]} for one in THIRDS for at in (0, 1)),
        )
    ),
    "compressed twice": gets(gzip.compress(gzip.compress(PLAIN.encode()))),
    "deflate without a head": gets(zlib.compress(f'{{"error": "{PLAIN}"}}'.encode(), wbits=-15)),
    "numbers in hexadecimal": gets(", ".join(f"0x{one:02x}" for one in PLAIN.encode())),
    "a token's claims, in JSON in JSON": sends(json.dumps({"input": json.dumps({"note": TOKEN})})),
    "the name of a file": sends(
        f'--b\r\ncontent-disposition: form-data; name="f"; filename="{PLAIN}.txt"\r\n\r\nhello\r\n--b--\r\n',
        content_type="multipart/form-data; boundary=b",
    ),
    "percent escapes of all bytes": sends(uri=f"{URI}/" + "".join(f"%{one:02x}" for one in PLAIN.encode())),
    "half asked, half answered": [
        (asked(json.dumps({"prompt": PLAIN[:11]})), answered(json.dumps({"text": PLAIN[11:]})))
    ],
    "websocket's frames, halves of base64": gets(
        b"".join(
            frames.encode(frames.Frame(one.encode())) for one in (b64(PLAIN.encode())[:9], b64(PLAIN.encode())[9:])
        ),
        content_type="application/websocket",
    ),
}


@pytest.mark.parametrize("form", OBSCURED)
def test_what_only_people_would_read_out_of_it_is_found_too(tmp_path: Path, form: str) -> None:
    """
    Claim: the scan alone finds each of these, and no file is written that holds one.
    """
    given = Secrets(values=(PLAIN,), names=("api_key",))
    assert scan(files.dump(OBSCURED[form]), given), form
    path = tmp_path / "c.yaml"
    with contextlib.suppress(files.SecretFound):
        files.save(path, OBSCURED[form], given)
    assert not path.exists() or scan(path.read_text(), given) == []


UNTOLD: Final = {
    "beside a name": '{"text": "x"}\napi_key = "k7F9zX2qW8eR7tY5uI3oP1"',
    "among words": json.dumps({"text": "my key is k7F9zX2qW8eR7tY5uI3oP1aB, keep it"}),
    "of a kind, in base64": json.dumps({"text": b64(b"use npm_" + b"aB3dE6" * 6 + b" for it")}),
    "of a kind, in pieces": events({"t": "dap"}, {"t": "i0123456789abcdef"}, {"t": "fedcba9876543210 "}),
    "of a kind": json.dumps({"text": "SG.aB3dE6gH9jK2mN5pQ8sT1v.aB3dE6gH9jK2mN5pQ8sT1vaB3dE6gH9jK2mN5pQ8sT1v"}),
    "of a kind, quoted": f"https://hooks.slack.com/services/{quote('T0A1B2C3D/B0A1B2C3D/', safe='')}{'aB3dE6gH' * 3}",
}


@pytest.mark.parametrize("form", UNTOLD)
def test_what_nobody_told_of_is_found_by_kind_or_by_looks(tmp_path: Path, form: str) -> None:
    """
    Claim: a secret that is no argument and no variable stops the recording, too, or is scrubbed.
    """
    found = scan(files.dump(gets(UNTOLD[form])), Secrets(), by_looks=True)
    assert found, form
    path = tmp_path / "c.yaml"
    try:
        files.save(path, gets(UNTOLD[form]), Secrets(), by_looks=True)
    except files.SecretFound:
        assert not path.exists()
    else:
        assert scan(path.read_text(), Secrets(), by_looks=True) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "chatcmpl-9AbCdEfGhIjKlMnOpQrStUvWxYz01", "system_fingerprint": "fp_44709d6fcb"}',
        "Request id: k7F9zX2qW8eR7tY5uI3oP1aB failed",
        '{"next_page_token": "k7F9zX2qW8eR7tY5uI3oP1aB", "session_id": "0b0ad1e4-6e02-4f0c-9a6e-0c8f6a1a3f10"}',
        '{"signature": "EqQBCkYIBxgCKkDk7F9zX2qW8eR7tY5uI3oP1aB"}',
        "data: k7F9zX2qW8eR7tY5uI3oP1aBk7F9zX2qW8eR\n\n",
        "ship it with anthropic.claude-3-5-sonnet-20241022-v2:0 or meta-llama/Llama-3.1-70B-Instruct-Turbo today",
        "the token is the key to internationalization-and-localization-of-everything2024",
        "I asked for prompt=Repeat+the+code+word+kestrel4127+once and so on",
        "Content-Type: multipart/form-data; boundary=45b738b916abe2b41ef84a7082ac397e\r\n",
    ],
)
def test_identifiers_and_words_are_no_secrets(text: str) -> None:
    """
    Claim: what answers are full of does not stop a recording.
    """
    assert scan(files.dump(gets(text)), SECRETS, by_looks=True) == []


def test_the_committed_recordings_raise_no_alarm() -> None:
    """
    Claim: of all recordings of this project the scan accuses none, with everything that it knows.
    """
    found = {
        str(path.relative_to(ROOT)): alarms
        for path in sorted((ROOT / "cassettes").rglob("*.yaml"))
        if (alarms := scan(path.read_text(encoding="utf-8"), Secrets(), by_looks=True))
    }
    assert found == {}

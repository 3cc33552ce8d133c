"""
`harness serve` as a process: its first line, its end by a signal, and the mistakes that it tells.
"""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import click
import httpx
import pytest
from serve_parts import CHAT, ORIGIN, PROMPT, refused, serving

from harness.cli.app import group
from harness.errors import UserError
from harness.tape import cassette as files

if TYPE_CHECKING:
    from pathlib import Path

GRPC = """
version: 1
interactions:
- request: {method: POST, uri: 'grpc://api.example.com/a.B/C', headers: {}, body: ''}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ''}}
"""


def test_ctrl_c_ends_it_with_a_summary(cassette: Path, tmp_path: Path) -> None:
    """
    In the middle of an answer, too, Ctrl-C ends it with status 0, and it says what was played, what never, and what was
    refused.
    """
    log = tmp_path / "log.jsonl"
    with (
        serving(cassette, "--lockstep", "--log", log) as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):
        client.get("/nowhere")
        with client.stream("POST", "/v1/chat/completions", json=CHAT) as answer:
            status, said = served.end(signal.SIGINT)
            assert answer.status_code == 200

    assert status == 0, said
    assert f"played 1 of 12 recordings\n  {cassette}, interaction 1: POST {ORIGIN}/v1/chat/completions\n" in said
    assert "never played: 11\n" in said
    assert "refused, as no recording answers: 1\n  GET http://127.0.0.1:" in said
    assert "Traceback" not in said
    assert log.read_text().count('"event": "Sent"') == 2


def test_several_cassettes_and_folders_are_one_server(cassette: Path, tmp_path: Path) -> None:
    """
    Files and folders, at any depth, are served together, each recording once however often its file is named; SIGTERM
    ends it as Ctrl-C does.
    """
    (tmp_path / "deep" / "er").mkdir(parents=True)
    other = tmp_path / "deep" / "er" / "one.yaml"
    interactions = [one for one in files.load(cassette).data if "/once" in one[0].uri]
    other.write_text(files.dump(interactions))
    words = (cassette, tmp_path, other, "--pace", "instant", "--match-on", "method,path")
    with serving(*words) as served, httpx.Client(base_url=served.url, timeout=60) as client:
        found = [client.post("/once", json={"prompt": PROMPT}).status_code for _ in range(3)]
        status, said = served.end(signal.SIGTERM)

    assert (status, "played 2 of 13 recordings" in said) == (0, True), said
    assert found == [200, 200, 599]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("missing.yaml",), "missing.yaml: there is no such cassette"),
        (("damaged.yaml",), "damaged.yaml"),
        (("empty",), "there is no cassette in this folder"),
        (("grpc.yaml",), "not one HTTP request is recorded"),
        (("good.yaml", "--match-on", "bodi"), "did you mean 'body'?"),
        (("good.yaml", "--pace", "brisk"), "is no pace"),
        (("good.yaml", "--host", "192.0.2.1"), "192.0.2.1:0: it cannot be listened there"),
        (("good.yaml", "--log", "nowhere/log.jsonl"), "the log cannot be written"),
        ((), "Missing argument"),
    ],
    ids=["missing", "damaged", "empty", "grpc", "match-on", "pace", "host", "log", "nothing"],
)
def test_a_mistake_is_told_with_its_remedy(
    cassette: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    """
    What cannot be served is said with what and where, and the status is 2.
    """
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.yaml").write_bytes(cassette.read_bytes())
    (tmp_path / "damaged.yaml").write_bytes(cassette.read_bytes()[:-40])
    (tmp_path / "grpc.yaml").write_text(GRPC)

    with pytest.raises((UserError, click.UsageError)) as error:
        group(["serve", *words], standalone_mode=False)

    assert getattr(error.value, "exit_status", None) == 2 or getattr(error.value, "exit_code", None) == 2
    assert told in (error.value.format_message() if isinstance(error.value, click.UsageError) else str(error.value))


def test_a_port_that_is_taken_is_told(cassette: Path) -> None:
    """
    Another program at the port is named as such, with a hint and status 2, and nothing is served.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, said = refused("serve", cassette, "--port", str(port))

    assert status == 2, said
    assert f"127.0.0.1:{port}: another program listens at this port" in said
    assert "hint: name another one, or --port 0 for any" in said
    assert "serving" not in said

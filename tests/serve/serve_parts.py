"""A cassette with an answer of each framing, a socket that reads what comes, and the command in a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from vcr.request import Request

from harness.tape import cassette as files
from harness.tape.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN: Final = "https://api.example.com"
PROMPT: Final = "Repeat kestrel4127 and speak of lighthouses."
WORDS: Final = ["The", " code", " word", " is", " kestrel4127", ".", " A", " lighthouse", " shows", " the", " way"]
ANSWER: Final = "".join(WORDS)
CHAT: Final = {"model": "m", "messages": [{"role": "user", "content": PROMPT}], "stream": True}
HERE: Final = {"content-type": "application/json"}


def _chunk(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    value = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(value)}\n\n".encode()


STREAM: Final = [*map(_chunk, WORDS), _chunk(None, "stop"), b"data: [DONE]\n\n"]
PARTS: Final = [b"one ", b"two ", b"three ", b"four"]


def interaction(  # noqa: PLR0913 - what an answer is made of
    path: str,
    pieces: list[bytes],
    framing: str,
    *,
    body: object = None,
    status: int = 200,
    headers: dict[str, list[str]] | None = None,
    cut: str | None = None,
    step: float = 0.02,
) -> tuple[Request, dict[str, Any]]:
    """
    Return one recording, whose pieces came at even distances.
    """
    sent = None if body is None else json.dumps(body).encode()
    response: dict[str, Any] = {
        "status": {"code": status, "message": "As Recorded"},
        "headers": {"Content-Type": ["text/plain"], **(headers or {})},
        "body": {"string": b"".join(pieces)},
    }
    arrivals = tuple(files.Piece(at=step * number, size=len(piece)) for number, piece in enumerate(pieces, 1))
    timing = files.Timing(arrivals=arrivals, framing=framing, cut=cut)  # type: ignore[arg-type]  # a word of the tests
    files.write_timing(response, timing)
    return Request("GET" if sent is None else "POST", ORIGIN + path, sent, HERE if sent else {}), response


def write_cassette(path: Path) -> Path:
    """
    Write a cassette with a chat, and an answer of each framing, whole and cut.
    """
    stream = {"Content-Type": ["text/event-stream"], "Transfer-Encoding": ["chunked"]}
    promised = {"Content-Length": ["100"]}
    moved = {"Location": [f"{ORIGIN}/chunked?again=1"]}
    interactions = [
        interaction("/v1/chat/completions", STREAM, "chunked", body=CHAT, headers=stream),
        interaction("/chunked", PARTS, "chunked"),
        interaction("/length", PARTS, "length"),
        interaction("/close", PARTS, "close"),
        interaction("/cut/chunked", PARTS, "chunked", cut="reset"),
        interaction("/cut/length", PARTS, "length", headers=promised, cut="reset"),
        interaction("/cut/close", PARTS, "close", cut="reset"),
        interaction("/moved", [b"."], "length", status=307, headers=moved),
        interaction("/slow", PARTS, "chunked", step=0.25),
        interaction("/once", [b"first"], "length", body={"prompt": PROMPT, "api_key": "REDACTED"}),
        interaction("/poll", [b"running"], "length"),
        interaction("/poll", [b"done"], "length"),
    ]
    files.save(path, interactions, Secrets())
    return path


def spoken(url: str, path: str, *, host: str = "127.0.0.1", version: str = "1.1", tail: str = "") -> tuple[bytes, bool]:
    """
    Send a bare request, and return all that comes back, and whether the connection was reset in the end.
    """
    at = urlsplit(url)
    received, reset = b"", False
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=60) as connection:
        connection.sendall(f"GET {path} HTTP/{version}\r\nHost: {host}\r\nConnection: close\r\n{tail}\r\n".encode())
        try:
            while data := connection.recv(65536):
                received += data
        except ConnectionResetError:
            reset = True
    return received, reset


class Served:
    """
    Hold `harness serve` in a process of its own.
    """

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """
        Send a signal; return the status, and all that was said since the first line.
        """
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


@contextmanager
def serving(*words: str | Path) -> Iterator[Served]:
    """
    Run `harness serve` until the block's end.
    """
    command = [sys.executable, "-m", "harness", "serve", *map(str, words)]
    environ = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("serving http://"), process.communicate(timeout=60)
            yield Served(process, line.split()[1])
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def refused(*words: str | Path) -> tuple[int, str]:
    """
    Run the command where it cannot work, and return its status and what it says.
    """
    command = [sys.executable, "-m", "harness", *map(str, words)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "NO_COLOR": "1"}
    )
    return done.returncode, " ".join(f"{done.stdout} {done.stderr}".split())


def lines(path: Path) -> list[dict[str, Any]]:
    """
    Return a log's lines.
    """
    return [json.loads(line) for line in path.read_text().splitlines()]

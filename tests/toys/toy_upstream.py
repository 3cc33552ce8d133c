"""A small LLM service on loopback: whole answers, streams, tokens, and the ways in which an upstream fails."""

from __future__ import annotations

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import ssl

PIECES: Final = 8
GAP: Final = 0.01
WORD: Final = re.compile(r"[a-z]{5,9}[0-9]{4}")


def answer_to(prompt: str) -> list[str]:
    """
    Return the pieces of the text that answers a prompt.
    """
    found = WORD.search(prompt)
    word = found.group() if found else "nothing"
    return [f"The word is {word}. ", *(f"Sentence {number} about {word}. " for number in range(2, PIECES)), "The end."]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        with self.server.lock:
            self.server.seen.append((self.path, body))
            before = sum(seen == (self.path, body) for seen in self.server.seen) - 1
        if self.path == "/never":
            self.server.closing.wait(60)
        elif self.path == "/broke" or (self.path == "/flaky" and not before):
            self._whole({"error": "overloaded"}, 503)
        elif self.path == "/elsewhere":
            self._whole({"moved": True}, 307)
        elif self.path.startswith("/echo"):
            self._echo(body)
        elif self.path == "/token":
            self._whole({"token": "not-a-prompt"})
        elif body.get("stream"):
            self._stream(body["prompt"], cut=self.path == "/cut")
        else:
            self._answer(body["prompt"])

    def _echo(self, body: dict[str, Any]) -> None:
        """
        Answer with all that was sent, whole and in pieces.
        """
        said = f"{self.path} {self.headers['authorization']} {json.dumps(body)}"
        if not body.get("stream"):
            self._whole({"choices": [{"text": said}], "headers": dict(self.headers)})
            return
        self._begin_stream()
        for at in range(0, len(said), 3):
            self._chunk(f"data: {json.dumps({'choices': [{'text': said[at : at + 3]}]})}\n\n".encode())
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _answer(self, prompt: str | list[str]) -> None:
        prompts = prompt if isinstance(prompt, list) else [prompt]
        time.sleep(3 * GAP)
        self._whole({"choices": [{"index": at, "text": "".join(answer_to(one))} for at, one in enumerate(prompts)]})

    def _whole(self, value: object, status: int = 200) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def _stream(self, prompt: str, *, cut: bool) -> None:
        self._begin_stream()
        pieces = answer_to(prompt)
        for piece in pieces[: PIECES // 2] if cut else pieces:
            self._chunk(f"data: {json.dumps({'choices': [{'index': 0, 'text': piece}]})}\n\n".encode())
            time.sleep(GAP)
        if cut:
            self.close_connection = True
            return
        self._chunk(b"data: [DONE]\n\n")
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.seen: list[tuple[str, Any]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """
        Say nothing of clients that went away.
        """


class ToyUpstream:
    """
    Serve while the block lasts, over TLS where a context is given.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._scheme = "http" if context is None else "https"
        self._server = _Server(context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def base_url(self) -> str:
        """
        Return where it listens.
        """
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def seen(self) -> list[tuple[str, Any]]:
        """
        Return path and body of every request so far.
        """
        with self._server.lock:
            return list(self._server.seen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()

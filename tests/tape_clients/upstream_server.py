"""A small upstream on a real socket: every framing, every coding, and answers that fail."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import zlib
from binascii import crc32
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from struct import pack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

PIECES = 20
GIVE_UP = 1.0
"""Seconds after which a reader that has nothing yet is taken to wait for more."""
NEVER = 30.0


def sse(index: int) -> bytes:
    """
    Return one event of the plain stream.
    """
    return f"data: piece {index:02d}\n\n".encode()


def packed(pieces: list[bytes]) -> list[bytes]:
    """
    Return pieces as one gzip stream that can be read piece by piece.
    """
    packer = zlib.compressobj(wbits=31)
    found = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*found[:-1], found[-1] + packer.flush()]


def openai_events(words: list[str]) -> list[bytes]:
    """
    Return a chat completion as the OpenAI API streams it.
    """
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
    chunks: list[dict[str, Any]] = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in words]
    chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [b"data: " + json.dumps({**frame, "choices": [chunk]}).encode() + b"\n\n" for chunk in chunks]
    return [*events, b"data: [DONE]\n\n"]


def anthropic_events(words: list[str]) -> list[bytes]:
    """
    Return a text completion as the Anthropic API streams it.
    """
    events: list[tuple[str, dict[str, Any]]] = [
        ("completion", {"type": "completion", "id": "c", "completion": word, "stop_reason": None, "model": "m"})
        for word in words
    ]
    last = {"type": "completion", "id": "c", "completion": "", "stop_reason": "stop_sequence", "model": "m"}
    events.append(("completion", last))
    return [f"event: {name}\r\ndata: {json.dumps(value)}\r\n\r\n".encode() for name, value in events]


def message_events(words: list[str]) -> list[bytes]:
    """
    Return a message as the Anthropic API streams it.
    """
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m", "usage": usage}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in words),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def aws_message(payload: dict[str, Any]) -> bytes:
    """
    Return one message of an AWS event stream: prelude, headers, payload, checksums.
    """
    headers = b""
    for name, value in ((":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + pack(">H", len(value)) + value.encode()
    body = json.dumps(payload).encode()
    prelude = pack(">II", 16 + len(headers) + len(body), len(headers))
    message = prelude + pack(">I", crc32(prelude)) + headers + body
    return message + pack(">I", crc32(message))


def bedrock_events(words: list[str]) -> list[bytes]:
    """
    Return a completion as Bedrock streams it.
    """
    inner = [base64.b64encode(json.dumps({"completion": word}).encode()).decode() for word in words]
    return [aws_message({"bytes": text}) for text in inner]


@dataclass
class Upstream:
    """
    Say where the server listens and what it has seen.
    """

    port: int = 0
    connections: int = 0
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    scheme: str = "http"
    in_step: list[bool] | None = None
    """Whether the reader had each piece before the next was sent; None does not wait for it."""
    manner: str = "chunked"
    """How streams are sent, and whether anything goes wrong with them: a name among MANNERS."""
    _items: int = 0
    _give_up: float = GIVE_UP
    turn: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """
        Return the server's origin.
        """
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def note_item(self) -> None:
        """
        Note that the reader has got something.
        """
        with self._changed:
            self._items += 1
            self._changed.notify_all()

    def wait_for_reader(self, turn: int) -> None:
        """
        Wait, after a piece was sent, until the reader has it; once it does not, wait no more.
        """
        with self._changed:
            steps = self.in_step
            if steps is None or False in steps or turn != self.turn:
                return
            came = self._changed.wait_for(lambda: self._items > 0 or turn != self.turn, self._give_up)
            if turn == self.turn:
                steps.append(came)
                self._items = 0

    def restart(self, *, in_step: bool, give_up: float = GIVE_UP) -> None:
        """
        Forget what was counted.
        """
        with self._changed:
            self._items = 0
            self.in_step = [] if in_step else None
            self._give_up = give_up
            self.turn += 1
            self._changed.notify_all()


MANNERS = ("chunked", "length", "close", "gzip", "moved", "refused", "cut")
WORDS = [f"word{index} " for index in range(PIECES)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.upstream.connections += 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base
        pass

    def handle_request(self) -> None:
        self.turn = self.upstream.turn
        body = self._request_body()
        self.upstream.requests.append((self.command, self.path, body))
        path = self.path.partition("?")[0]
        if self.upstream.manner == "refused":
            self._whole(b'{"error": {"message": "who are you?"}, "message": "who are you?"}', 401)
        elif self.upstream.manner == "moved" and not path.startswith("/followed/"):
            self._whole(b"", 307, location=f"/followed{self.path}")
        else:
            self._answer(path.removeprefix("/followed"), body)

    def _answer(self, path: str, body: bytes) -> None:
        route = path.strip("/").replace("/", "_").replace("-", "_").replace(".", "_")
        answer: Callable[[bytes], None] = getattr(self, f"on_{route}", self.on_missing)
        answer(body)

    do_GET = do_POST = do_PUT = do_HEAD = handle_request  # noqa: N815 - the names that the base looks for

    def _request_body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _head(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.flush()

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.upstream.wait_for_reader(self.turn)

    def _chunk(self, data: bytes) -> None:
        self._send(b"%x\r\n%b\r\n" % (len(data), data))

    def _chunked(self, pieces: list[bytes], content_type: str = "text/event-stream", **headers: str) -> None:
        self._head(200, transfer_encoding="chunked", content_type=content_type, **headers)
        for piece in pieces:
            self._chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def _streamed(self, pieces: list[bytes], content_type: str = "text/event-stream") -> None:
        """
        Send a stream in the manner that was asked for.
        """
        manner = self.upstream.manner
        if manner in {"length", "close"}:
            framing = ("content_length", str(sum(map(len, pieces)))) if manner == "length" else ("connection", "close")
            self._head(200, content_type=content_type, **dict([framing]))
            for piece in pieces:
                self._send(piece)
            self.close_connection = manner == "close"
        elif manner == "cut":
            self._head(transfer_encoding="chunked", content_type=content_type)
            for piece in pieces[: PIECES // 2]:
                self._chunk(piece)
            self._hang_up()
        elif manner == "gzip":
            self._chunked(packed(pieces), content_type, content_encoding="gzip")
        else:
            self._chunked(pieces, content_type)

    def _whole(self, data: bytes, status: int = 200, content_type: str = "application/json", **headers: str) -> None:
        self._head(status, content_length=str(len(data)), content_type=content_type, **headers)
        if self.command != "HEAD":
            self.wfile.write(data)

    def on_chunked(self, _: bytes) -> None:
        self._chunked([sse(index) for index in range(PIECES)])

    def on_length(self, _: bytes) -> None:
        pieces = [sse(index) for index in range(PIECES)]
        self._head(content_type="text/event-stream", content_length=str(sum(map(len, pieces))))
        for piece in pieces:
            self._send(piece)

    def on_close(self, _: bytes) -> None:
        self._head(content_type="text/event-stream", connection="close")
        for index in range(PIECES):
            self._send(sse(index))
        self.close_connection = True

    def on_gzip(self, _: bytes) -> None:
        self._whole(
            gzip.compress(b"".join(map(sse, range(PIECES)))), content_encoding="gzip", content_type="text/plain"
        )

    def on_gzip_chunked(self, _: bytes) -> None:
        self._chunked(packed([sse(index) for index in range(PIECES)]), content_encoding="gzip")

    def on_cut_chunked(self, _: bytes) -> None:
        self._head(transfer_encoding="chunked", content_type="text/event-stream")
        for index in range(5):
            self._chunk(sse(index))
        self._hang_up()

    def on_cut_length(self, _: bytes) -> None:
        self._head(content_length="1000", content_type="text/event-stream")
        for index in range(5):
            self._send(sse(index))
        self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def on_redirect(self, _: bytes) -> None:
        self._whole(b"", 302, location="/target?hop=1", set_cookie="visited=yes; Path=/")

    def on_target(self, _: bytes) -> None:
        self._whole(json.dumps({"seen": self.headers.get("cookie", ""), "path": self.path}).encode())

    def on_unauthorized(self, _: bytes) -> None:
        self._whole(b'{"error": {"message": "who are you?"}}', 401)

    def on_failing(self, _: bytes) -> None:
        self._whole(b'{"error": {"message": "it broke"}}', 500)

    def on_nothing(self, _: bytes) -> None:
        self._head(204)

    def on_echo(self, body: bytes) -> None:
        self._whole(json.dumps({"method": self.command, "body": body.decode(), "host": self.headers["host"]}).encode())

    def on_cookies(self, _: bytes) -> None:
        self.send_response(200)
        self.send_header("Set-Cookie", "a=1; Path=/")
        self.send_header("Set-Cookie", "b=2; Path=/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def on_missing(self, _: bytes) -> None:
        self._whole(b'{"error": "no such route"}', 404)

    def on_chat_completions(self, body: bytes) -> None:
        if json.loads(body).get("stream"):
            self._streamed(openai_events(WORDS))
            return
        message = {"role": "assistant", "content": json.loads(body)["messages"][-1]["content"]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {"id": "c", "object": "chat.completion", "created": 1700000000, "model": "m", "choices": [choice]}
        self._whole(json.dumps(answer).encode())

    def on_v1_complete(self, body: bytes) -> None:
        asked = json.loads(body)
        if not asked.get("stream"):
            answer = {
                "id": "c",
                "type": "completion",
                "completion": asked["prompt"],
                "stop_reason": "stop",
                "model": "m",
            }
            self._whole(json.dumps(answer).encode())
            return
        self._streamed(anthropic_events(WORDS), content_type="text/event-stream; charset=utf-8")

    def on_model_m_invoke_with_response_stream(self, _: bytes) -> None:
        self._streamed(bedrock_events(WORDS), content_type="application/vnd.amazon.eventstream")

    def on_model_m_invoke(self, body: bytes) -> None:
        self._whole(json.dumps({"completion": json.loads(body)["prompt"]}).encode())

    def on_model_moved_invoke(self, _: bytes) -> None:
        self._whole(b'{"message": "it moved"}', 307, location="/model/m/invoke")

    def on_v1_messages(self, body: bytes) -> None:
        asked = json.loads(body)
        if not asked.get("stream"):
            content = [{"type": "text", "text": asked["messages"][-1]["content"]}]
            usage = {"input_tokens": 1, "output_tokens": 1}
            answer = {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "content": content,
                "model": "m",
                "usage": usage,
            }
            self._whole(json.dumps({**answer, "stop_reason": "end_turn", "stop_sequence": None}).encode())
            return
        self._streamed(message_events(WORDS))

    def on_bucket_key(self, body: bytes) -> None:
        self._whole(b"" if self.command == "PUT" else b"x" * 100_000, content_type="text/plain", etag=f'"{len(body)}"')

    def on_moved_key(self, _: bytes) -> None:
        if "/eu-central-1/" in self.headers["authorization"]:
            self._whole(b"found", content_type="text/plain")
            return
        error = b"<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"
        self._whole(error, 301, content_type="application/xml", x_amz_bucket_region="eu-central-1")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    """
    Run the server on a free port of the loopback interface.
    """
    upstream = Upstream(scheme="https" if tls else "http")
    handler = type("Handler", (_Handler,), {"upstream": upstream})
    server = _Server(("127.0.0.1", 0), handler)
    upstream.port = server.server_address[1]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        with suppress(OSError):
            server.server_close()
        thread.join()

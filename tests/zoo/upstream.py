"""
The zoo's upstream: a small LLM service on loopback that answers from the prompt alone.

Every answer repeats the code words of its prompt and goes on with text that is drawn from
them, so that a lost, repeated or swapped answer shows. The pace is short but real: pieces
leave one by one, far enough apart to arrive apart.
"""

from __future__ import annotations

import base64
import itertools
import json
import pickle
import random
import re
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CODE_WORD: Final = re.compile(r"[a-z]{5,9}[0-9]{4}")
FIRST_BYTE: Final = 0.06
GAP: Final = 0.012
SENTENCES: Final = 5
WORDS_IN_A_SENTENCE: Final = 8
WORDS_IN_A_PIECE: Final = 3
PIECES_BEFORE_A_FAILURE: Final = 8
WAITS_IN_LINE: Final = 30
PIECES_IN_A_POLL: Final = 2
BATCH_TAKES: Final = 0.08
VOCABULARY: Final = (
    "amber brook cedar delta ember fjord grove heron inlet juniper kelp lagoon maple nectar otter pebble quartz reed "
    "sorrel thistle umber valley willow yarrow zephyr birch clover drift estuary fern glade hazel iris lichen moss"
).split()


def answer_to(prompt: str) -> str:
    """
    Return the text that answers a prompt: one paragraph for each code word in it.
    """
    words = CODE_WORD.findall(prompt)
    return "\n".join(_paragraph(word) for word in dict.fromkeys(words)) or _paragraph("nothing0000")


def _paragraph(code_word: str) -> str:
    draw = random.Random(code_word)
    sentences = (" ".join(draw.sample(VOCABULARY, WORDS_IN_A_SENTENCE)).capitalize() + "." for _ in range(SENTENCES))
    return " ".join((f"The code word is {code_word}.", *sentences))


def pieces_of(text: str) -> list[str]:
    """
    Cut a text into pieces of a few words; joined they are the text again.
    """
    words = re.findall(r"\S+\s*", text)
    return ["".join(words[at : at + WORDS_IN_A_PIECE]) for at in range(0, len(words), WORDS_IN_A_PIECE)]


def _choice(text: str, index: int = 0, finish: str | None = "stop") -> dict[str, Any]:
    return {"text": text, "index": index, "finish_reason": finish, "logprobs": None}


def _completion(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "zoo-1", "choices": choices}


def _event(value: object, name: str | None = None) -> bytes:
    data = value if isinstance(value, str) else json.dumps(value)
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def _events(prompts: list[str], *, count: bool = False) -> Iterator[bytes]:
    for index, prompt in enumerate(prompts):
        for piece in pieces_of(answer_to(prompt)):
            yield _event(_completion([_choice(piece, index, None)]))
        yield _event({**_completion([_choice("", index)]), **(_usage(prompts) if count else {})})
    yield _event("[DONE]")


def _usage(prompts: list[str]) -> dict[str, Any]:
    asked = sum(len(prompt.split()) for prompt in prompts)
    told = sum(len(answer_to(prompt).split()) for prompt in prompts)
    return {"usage": {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}}


def _prompts(body: dict[str, Any]) -> list[str]:
    prompt = body["prompt"]
    return list(prompt) if isinstance(prompt, list) else [prompt]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass

    def do_GET(self) -> None:
        self._route("GET", b"")

    def do_POST(self) -> None:
        self._route("POST", self.rfile.read(int(self.headers.get("content-length", 0))))

    def _route(self, method: str, body: bytes) -> None:
        path = self.path.split("?")[0]
        self.server.seen.append((method, self.path, body))
        for prefix, route in _ROUTES:
            if path.startswith(prefix) if prefix.endswith("/") else path == prefix:
                route(self, body)
                return
        self.whole({"error": f"no route {path}"}, status=404)

    def whole(self, value: object, status: int = 200, content_type: str = "application/json") -> None:
        """
        Send a whole answer after the usual wait.
        """
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def streamed(self, chunks: Iterable[bytes], content_type: str = "text/event-stream", *, whole: bool = True) -> None:
        """
        Send chunks one by one; without the last, empty chunk where the answer is to break off.
        """
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("transfer-encoding", "chunked")
        time.sleep(FIRST_BYTE)
        self.end_headers()
        for at, chunk in enumerate(chunks):
            if at:
                time.sleep(GAP)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if whole:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True


def _completions(handler: _Handler, data: bytes) -> None:
    body = json.loads(data)
    prompts, count = _prompts(body), "usage" in body
    if body.get("stream"):
        handler.streamed(_events(prompts, count=count))
        return
    time.sleep(FIRST_BYTE)
    answers = [_choice(answer_to(prompt), index) for index, prompt in enumerate(prompts)]
    handler.whole({**_completion(answers), **(_usage(prompts) if count else {})})


def _chat(handler: _Handler, data: bytes) -> None:
    body = json.loads(data)
    text = answer_to(body["messages"][-1]["content"])
    if not body.get("stream"):
        time.sleep(FIRST_BYTE)
        handler.whole({"message": {"role": "assistant", "content": text}, "done": True})
        return
    rows = [{"message": {"content": piece}, "done": False} for piece in pieces_of(text)]
    ends = [*rows, {"message": {"content": ""}, "done": True}]
    handler.streamed((json.dumps(row).encode() + b"\n" for row in ends), "application/x-ndjson")


def _queue(handler: _Handler, data: bytes) -> None:
    wait = (
        b": still there\n\n" if "comment" in handler.path else _event({"choices": [{"text": ""}], "status": "queued"})
    )
    handler.streamed((*[wait] * WAITS_IN_LINE, *_events(_prompts(json.loads(data)))))


def _history(handler: _Handler, data: bytes) -> None:
    prompt = json.loads(data)["prompt"]
    told = [{"role": "user", "message": prompt}, {"role": "bot", "message": answer_to(prompt)}]
    time.sleep(FIRST_BYTE)
    handler.whole({"text": answer_to(prompt), "history": told})


def _summed(handler: _Handler, data: bytes) -> None:
    text = answer_to(json.loads(data)["prompt"])
    rows = [*({"text": piece, "done": False} for piece in pieces_of(text)), {"text": text, "done": True}]
    handler.streamed((json.dumps(row).encode() + b"\n" for row in rows), "application/x-ndjson")


def _turns(handler: _Handler, data: bytes) -> None:
    told = itertools.zip_longest(*(pieces_of(answer_to(prompt)) for prompt in _prompts(json.loads(data))))
    rows = ({"nth": number, "text": piece} for row in told for number, piece in enumerate(row) if piece)
    handler.streamed((json.dumps(row).encode() + b"\n" for row in rows), "application/x-ndjson")


def _marked(handler: _Handler, data: bytes) -> None:
    text = "".join(f"<answer>{part}</answer>\n" for part in answer_to(json.loads(data)["prompt"]).split("\n"))
    time.sleep(FIRST_BYTE)
    handler.whole(_completion([_choice(text)]))


def _pickles(handler: _Handler, data: bytes) -> None:
    prompts = pickle.loads(base64.b64decode(json.loads(data)["data"]))  # noqa: S301 - the zoo's own
    time.sleep(FIRST_BYTE)
    answers = pickle.dumps([answer_to(prompt) for prompt in prompts])
    handler.whole({"output_type": "result", "data": base64.encodebytes(answers).decode()})


def _tiny(handler: _Handler, data: bytes) -> None:
    text = answer_to(json.loads(data)["prompt"])
    half = text.index(".") + 2
    first, last = (_event(_completion([_choice(part, 0, None)])) for part in (text[:half], text[half:]))
    handler.streamed([first, last + _event("[DONE]")])


def _upload(handler: _Handler, data: bytes) -> None:
    rows = [json.loads(line) for line in data.splitlines()]
    answers = [{"custom_id": row["custom_id"], "text": answer_to(row["prompt"])} for row in rows]
    handler.whole({"id": handler.server.keep("file", "".join(json.dumps(row) + "\n" for row in answers))})


def _batches(handler: _Handler, data: bytes) -> None:
    kept = {"from": time.monotonic(), "output": json.loads(data)["input_file_id"]}
    handler.whole({"id": handler.server.keep("batch", kept), "status": "in_progress"})


def _batch(handler: _Handler, _data: bytes) -> None:
    kept = handler.server.kept[handler.path.rsplit("/", 1)[1]]
    if time.monotonic() - kept["from"] < BATCH_TAKES:
        handler.whole({"status": "in_progress"})
    else:
        handler.whole({"status": "completed", "output_file_id": kept["output"]})


def _file(handler: _Handler, _data: bytes) -> None:
    handler.whole(handler.server.kept[handler.path.rsplit("/", 1)[1]], content_type="application/jsonl")


def _jobs(handler: _Handler, data: bytes) -> None:
    kept = {"from": time.monotonic(), "polls": 0, "pieces": pieces_of(answer_to(json.loads(data)["prompt"]))}
    job = handler.server.keep("job", kept)
    get = f"http://{handler.headers['Host']}/v1/jobs/{job}"
    handler.whole({"id": job, "status": "running", "output": "", "urls": {"get": get}}, status=201)


def _job(handler: _Handler, _data: bytes) -> None:
    kept = handler.server.kept[handler.path.rsplit("/", 1)[1]]
    kept["asked"] = kept.get("asked", 0) + 1
    # on a busy machine the polls are far apart, and the answer is to take several of them all the same
    count = min(int((time.monotonic() - kept["from"]) / GAP), PIECES_IN_A_POLL * kept["asked"])
    done = count >= len(kept["pieces"])
    handler.whole({"status": "done" if done else "running", "output": "".join(kept["pieces"][:count])})


def _poll(handler: _Handler, data: bytes) -> None:
    handler.path = f"/v1/jobs/{json.loads(data)['id']}"
    _job(handler, b"")


def _parts(handler: _Handler, _data: bytes) -> None:
    asked = dict(pair.split("=") for pair in handler.path.partition("?")[2].split("&"))
    pieces, at = handler.server.kept[asked["job"]]["pieces"], int(asked["from"])
    time.sleep(GAP)
    handler.whole({"text": pieces[at], "last": at == len(pieces) - 1})


def _token(handler: _Handler, _data: bytes) -> None:
    handler.whole({"access_token": "zoo-token", "expires_in": 3600})


def _log(handler: _Handler, data: bytes) -> None:
    handler.whole({"logged": json.loads(data)} if "echo" in handler.path else {"ok": True})


def _moderations(handler: _Handler, data: bytes) -> None:
    inputs = json.loads(data)["input"]
    handler.whole({"id": "modr-1", "results": [{"flagged": False} for _ in inputs]})


def _models(handler: _Handler, _data: bytes) -> None:
    handler.whole({"data": [{"id": "zoo-1", "object": "model"}]})


def _broken_middle(handler: _Handler, data: bytes) -> None:
    handler.streamed(itertools.islice(_events(_prompts(json.loads(data))), PIECES_BEFORE_A_FAILURE), whole=False)


def _error_event(handler: _Handler, data: bytes) -> None:
    good = itertools.islice(_events(_prompts(json.loads(data))), PIECES_BEFORE_A_FAILURE)
    error = _event({"error": {"type": "overloaded_error", "message": "the zoo is overloaded"}}, "error")
    handler.streamed(itertools.chain(good, [error]))


def _failed_event(handler: _Handler, data: bytes) -> None:
    good = itertools.islice(_events(_prompts(json.loads(data))), PIECES_BEFORE_A_FAILURE)
    failure = {"status": "failed", "error": {"code": "server_error", "message": "the zoo is overloaded"}}
    handler.streamed(itertools.chain(good, [_event({"type": "response.failed", "response": failure})]))


def _failing(handler: _Handler, _data: bytes) -> None:
    handler.whole({"error": {"type": "server_error", "message": "the zoo is closed"}}, status=500)


def _flaky(handler: _Handler, data: bytes) -> None:
    handler.server.tries[data] += 1
    if handler.server.tries[data] % 2:
        handler.whole({"error": {"type": "unavailable", "message": "come back at once"}}, status=503)
    else:
        _completions(handler, data)


_ROUTES: Final[tuple[tuple[str, Callable[[_Handler, bytes], None]], ...]] = (
    ("/v1/completions", _completions),
    ("/v1/chat", _chat),
    ("/v1/pickles", _pickles),
    ("/v1/queue", _queue),
    ("/v1/history", _history),
    ("/v1/summed", _summed),
    ("/v1/turns", _turns),
    ("/v1/marked", _marked),
    ("/v1/tiny", _tiny),
    ("/v1/upload", _upload),
    ("/v1/batches", _batches),
    ("/v1/batches/", _batch),
    ("/v1/files/", _file),
    ("/v1/jobs", _jobs),
    ("/v1/jobs/", _job),
    ("/v1/poll", _poll),
    ("/v1/parts", _parts),
    ("/v1/token", _token),
    ("/v1/log", _log),
    ("/v1/moderations", _moderations),
    ("/v1/models", _models),
    ("/v1/broken-middle", _broken_middle),
    ("/v1/error-event", _error_event),
    ("/v1/failed-event", _failed_event),
    ("/v1/500", _failing),
    ("/v1/flaky", _flaky),
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, bytes]] = []
        self.tries: Counter[bytes] = Counter()
        self.kept: dict[str, Any] = {}
        self._numbers = itertools.count(1)

    def keep(self, kind: str, value: object) -> str:
        """
        Remember a value under a new name.
        """
        name = f"{kind}-{next(self._numbers)}"
        self.kept[name] = value
        return name

    def handle_error(self, request: object, client_address: object) -> None:
        """
        Say nothing: clients that hang up are part of the zoo.
        """


class Upstream:
    """
    Serve the zoo from a thread of its own until closed.
    """

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        """
        Return the address without a path or a slash at its end.
        """
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def seen(self) -> list[tuple[str, str, bytes]]:
        """
        Return method, path and body of each request so far.
        """
        return self._server.seen

    def close(self) -> None:
        """
        Stop serving; from here on nobody listens at `base_url`.
        """
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

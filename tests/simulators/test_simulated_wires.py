"""What a simulator says over a real socket, to real clients."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import pickle
import re
import socket
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from botocore.eventstream import EventStreamBuffer

from harness.errors import UserError
from harness.simulators import Shape, Simulator, compose, load_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY = {"Authorization": "Bearer placeholder"}
CODES = ("kestrel4127", "badger0931", "walnut7350")
PROMPTS = [f"Begin with the code word {code}, then write about {topic}." for code, topic in
           zip(CODES, ("lighthouses", "rain on roofs", "night trains"), strict=True)]  # fmt: skip


def post(simulator: Simulator, host: str, path: str, body: object, headers: Mapping[str, str] = KEY) -> httpx.Response:
    """Send JSON to the simulator as if it were the host."""
    return httpx.post(simulator.url + path, json=body, headers={"Host": host, **headers}, timeout=30)


def ask(simulator: Simulator, **body: object) -> httpx.Response:
    """Ask the completions provider."""
    return post(simulator, "api.completions.test", "/v1/completions", {"model": "m", **body})


def events(text: str) -> list[Any]:
    """Return the documents of server-sent events."""
    data = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in data if line not in {"{}", "[DONE]"}]


def chunks_of(simulator: Simulator, host: str, path: str, body: object) -> list[bytes]:
    """Return the chunks of a chunked answer as they were framed, whatever the network did to them."""
    raw = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(raw)}", "Connection: close"]
    head = "\r\n".join((*lines, "Authorization: Bearer placeholder", "", ""))
    with socket.create_connection(simulator.address, timeout=30) as sock:
        sock.sendall(head.encode() + raw)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    top, _, rest = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in top.lower()
    found = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    return found[:-1]


def test_a_whole_answer_repeats_the_code_word(simulator: Simulator) -> None:
    """The code word of the prompt comes back, once."""
    answer = ask(simulator, prompt=PROMPTS[0])
    text = answer.json()["choices"][0]["text"]
    assert (answer.status_code, text.count(CODES[0])) == (200, 1)
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_a_list_of_prompts_gets_one_answer_each_in_order(simulator: Simulator) -> None:
    """Answer k carries the code word of prompt k and no other."""
    choices = ask(simulator, prompt=PROMPTS).json()["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2]
    for choice, own in zip(choices, CODES, strict=True):
        assert [code for code in CODES if code in choice["text"]] == [own]


def test_a_stream_of_several_prompts_keeps_them_apart(simulator: Simulator) -> None:
    """The pieces of each index join to the answer to the prompt of that index."""
    texts = ["", "", ""]
    for event in events(ask(simulator, prompt=PROMPTS, stream=True).text):
        texts[event["index"]] += event["text"]
    assert texts == [compose(prompt).text for prompt in PROMPTS]


def test_server_sent_events_join_to_the_whole_answer(simulator: Simulator) -> None:
    """What is streamed is what would have been said at once, with a named event before and [DONE] after it."""
    answer = ask(simulator, prompt=PROMPTS[0], stream=True)
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text.startswith("event: ping\ndata: {}\n\n")
    assert answer.text.endswith("data: [DONE]\n\n")
    pieces = [event["text"] for event in events(answer.text)]
    assert "".join(pieces) == ask(simulator, prompt=PROMPTS[0]).json()["choices"][0]["text"]
    assert len(pieces) >= 40


def test_a_header_may_ask_for_a_stream_and_each_prompt_end_on_its_own(simulator: Simulator) -> None:
    """Each prompt's last piece is followed by its closing event; without the header nothing is streamed."""
    body, headers = {"prompt": PROMPTS}, {"x-wants-events": "enable"}
    streamed = events(post(simulator, "ends.test", "/generate", body, headers).text)
    for prompt, index in zip(PROMPTS, range(3), strict=True):
        own = [event["text"] for event in streamed if event["index"] == index]
        assert own == [*compose(prompt).pieces, None]
    assert post(simulator, "ends.test", "/generate", body).json() == {"text": compose(PROMPTS[0]).text}


def test_a_refusal_may_be_plain_text(simulator: Simulator) -> None:
    """A provider's refusal has the content type that its shape names."""
    refused = post(simulator, "ends.test", "/generate", {})
    assert (refused.status_code, refused.text) == (422, "no prompt")
    assert refused.headers["content-type"] == "text/plain; charset=utf-8"


def test_each_piece_is_a_chunk_of_its_own(simulator: Simulator) -> None:
    """One event is one chunk on the wire, also where nothing is waited for."""
    body = {"model": "m", "prompt": PROMPTS[0], "stream": True}
    chunks = chunks_of(simulator, "api.completions.test", "/v1/completions", body)
    assert all(chunk.endswith(b"\n\n") and chunk.count(b"\n\n") == 1 for chunk in chunks)
    assert len(chunks) == len(compose(PROMPTS[0]).pieces) + 2


def test_an_event_may_be_sent_to_those_who_ask_for_it(
    write_shape: Callable[[str], Path], shape_texts: Mapping[str, str]
) -> None:
    """An event of which a request's template leaves nothing is not sent."""
    text = shape_texts["lines"].replace(
        "final = '", """final = ['{% if request.usage is defined %}{"tokens": {{ tokens }}}{% endif %}', '""", 1
    )
    text = text.replace('"done": true}\'', '"done": true}\']', 1)
    with Simulator(load_shapes(write_shape(text)), pace=0) as simulator:
        plain, counted = (
            post(simulator, "lines.test", "/generate", {"messages": PROMPTS[0], **more}).text.splitlines()
            for more in ({}, {"usage": True})
        )
    assert [line for line in counted if line not in plain] == [f'{{"tokens": {len(compose(PROMPTS[0]).pieces)}}}']
    assert "" not in plain


def test_a_piece_reaches_a_client_before_the_next_is_sent(
    write_shape: Callable[[str], Path], shape_texts: Mapping[str, str]
) -> None:
    """A client has the first piece in hand while the second is still an hour away."""
    slow = shape_texts["lines"] + "\n[pace]\nfirst = [0, 0]\nbetween = [3600000, 3600000]\n"
    with (
        Simulator(load_shapes(write_shape(slow))) as simulator,
        requests.post(f"{simulator.url}/generate", json={"messages": PROMPTS[0]}, stream=True, timeout=30,
                      headers={"Host": "lines.test"}) as answer,
    ):  # fmt: skip
        first = json.loads(next(answer.iter_lines(chunk_size=None)))
    assert first == {"response": compose(PROMPTS[0]).pieces[0], "done": False}


@pytest.mark.parametrize("flags", [{}, {"stream": True}])
def test_an_answer_takes_its_time(shapes: dict[str, Shape], flags: dict[str, bool]) -> None:
    """With a pace, the end of an answer comes no sooner than the provider's pace allows."""
    expected = compose(PROMPTS[0])
    with Simulator(shapes, pace=0.2) as simulator:
        began = time.monotonic()
        ask(simulator, prompt=PROMPTS[0], **flags)
        took = time.monotonic() - began
    least = expected.lasts if flags else expected.first
    assert took >= least * 0.2 * 0.95


def test_lines_of_json_are_spoken(simulator: Simulator) -> None:
    """NDJSON: one line a piece; a conversation is one prompt."""
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": [{"text": PROMPTS[1]}]}]
    answer = post(simulator, "lines.test", "/generate", {"messages": messages})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line["response"] for line in lines).count(CODES[1]) == 1


def test_documents_may_end_in_something_else_than_a_line_end(
    write_shape: Callable[[str], Path], shape_texts: Mapping[str, str]
) -> None:
    """A provider may put a NUL after each document; what it says is the same."""
    text = shape_texts["lines"].replace('framing = "ndjson"', 'framing = "ndjson"\nending = "\\u0000"')
    with Simulator(load_shapes(write_shape(text)), pace=0) as simulator:
        answer = post(simulator, "lines.test", "/generate", {"messages": PROMPTS[0]})
    *documents, rest = answer.text.split("\0")
    assert (rest, "\n" in answer.text) == ("", False)
    assert "".join(json.loads(document)["response"] for document in documents) == compose(PROMPTS[0]).text


def test_plain_text_is_spoken_and_asked_for_in_the_query(simulator: Simulator) -> None:
    """A prompt and a flag may stand in the query, and pieces may have no frame at all."""
    url = httpx.URL(simulator.url + "/plain", params={"prompt": PROMPTS[2]})
    whole = httpx.get(url, headers={"Host": "lines.test"})
    streamed = httpx.get(url.copy_merge_params({"stream": "true"}), headers={"Host": "lines.test"})
    assert whole.text == streamed.text == compose(PROMPTS[2]).text
    assert ("content-length" in whole.headers, streamed.headers["transfer-encoding"]) == (True, "chunked")


def test_a_stream_may_be_asked_for_by_a_fields_value(
    write_shape: Callable[[str], Path], shape_texts: Mapping[str, str]
) -> None:
    """Where one path has several methods, as in JSON-RPC, the method says whether a stream is wanted."""
    text = shape_texts["completions"].replace('stream = "/stream"', 'stream = "/method=talk/stream"')
    with Simulator(load_shapes(write_shape(text)), pace=0) as simulator:
        kinds = [
            ask(simulator, prompt=PROMPTS[0], method=method).headers["content-type"]
            for method in ("talk/stream", "talk/send", "talk", True)
        ]
    assert kinds == ["text/event-stream", *["application/json"] * 3]


def test_aws_event_streams_are_decoded_by_botocore(simulator: Simulator) -> None:
    """The AWS framing is what botocore's own decoder reads, one message a chunk."""
    path = "/model/amazon.titan%3A1/invoke-with-response-stream"
    chunks = chunks_of(simulator, "runtime.eu-1.cloud.test", path, {"inputText": PROMPTS[0]})
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(chunks))
    messages = list(buffer)
    assert {message.headers[":event-type"] for message in messages} == {"chunk"}
    assert len(messages) == len(chunks) == len(compose(PROMPTS[0]).pieces)


def test_a_job_grows_from_poll_to_poll(simulator: Simulator) -> None:
    """Each poll knows at least what the one before knew; the last knows the whole answer."""
    started = post(simulator, "jobs.test", "/jobs", {"prompts": [PROMPTS[0]]})
    assert (started.status_code, started.json()["status"]) == (201, "queued")
    assert started.json()["get"] == f"https://jobs.test/jobs/{started.json()['id']}"
    polls: list[Any] = []
    while not polls or polls[-1]["status"] != "done":
        polls.append(httpx.get(f"{simulator.url}/jobs/{started.json()['id']}", headers={"Host": "jobs.test"}).json())
    outputs = [poll["output"] for poll in polls]
    assert "".join(outputs[-1]) == compose(PROMPTS[0]).text
    assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(outputs))
    assert len({len(output) for output in outputs}) >= 5
    assert polls[0]["asked"] == [PROMPTS[0]]


def test_a_pickle_is_uploaded_and_answered_when_its_job_is_done(shapes: dict[str, Shape]) -> None:
    """The upload is a multipart form, the job is named in a body, and who asks for it waits as long as it takes."""
    host = {"Host": "uploads.test"}
    with Simulator(shapes, pace=0.05) as simulator:
        files = {"data": ("x", pickle.dumps([PROMPTS[0], {"n": 1}]), "application/octet-stream")}
        started = httpx.post(f"{simulator.url}/files", files=files, headers=host).json()
        run = post(simulator, "uploads.test", "/runs", {"file": started["id"]}).json()
        lost = post(simulator, "uploads.test", "/runs", {"file": "nobody"})
    assert run == {"state": "done", "text": compose(PROMPTS[0]).text}
    assert lost.status_code == 404


def test_pickles_are_spoken(simulator: Simulator) -> None:
    """A pickle in base64 is looked into, and the answer is one too."""
    packed = base64.encodebytes(pickle.dumps([[], {"prompt": PROMPTS[1]}])).decode()
    answer = post(simulator, "uploads.test", "/call", {"data": packed}).json()
    assert pickle.loads(base64.b64decode(answer["data"])) == compose(PROMPTS[1]).text  # noqa: S301 - our own


class _Runs:
    """Make a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_something_runs_nothing(simulator: Simulator, tmp_path: Path) -> None:
    """What stands beside objects is read, and the objects are neither made nor looked into."""
    runs, held = _Runs(tmp_path / "ran"), types.SimpleNamespace(prompt=PROMPTS[0])
    packed, shut = (
        base64.b64encode(pickle.dumps([[runs], inner])).decode()
        for inner in ({"prompt": PROMPTS[1], "held": held}, held)
    )
    answer = post(simulator, "uploads.test", "/call", {"data": packed}).json()
    refused = post(simulator, "uploads.test", "/call", {"data": shut})

    assert pickle.loads(base64.b64decode(answer["data"])) == compose(PROMPTS[1]).text  # noqa: S301 - our own
    assert (refused.status_code, refused.json()) == (400, {"error": "/data/1/prompt is missing"})
    assert not runs.path.exists()


def test_the_same_question_twice_is_two_jobs(simulator: Simulator) -> None:
    """Jobs do not share their state, and an unknown one is not found."""
    first, second = (post(simulator, "jobs.test", "/jobs", {"prompts": "twice otter1234"}).json() for _ in range(2))
    assert first["id"] != second["id"]
    assert httpx.get(f"{simulator.url}/jobs/nobody", headers={"Host": "jobs.test"}).status_code == 404


def test_a_lookup_knows_its_path_and_the_clients_origin(simulator: Simulator) -> None:
    """A lookup needs no prompt; the origin is the provider's, not the simulator's."""
    found = httpx.get(f"{simulator.url}/v1/models/o/n", headers={"Host": "api.completions.test", **KEY}).json()
    assert found == {"name": "o/n", "seen_at": "https://api.completions.test"}


def test_a_redirect_is_followed_with_the_body(simulator: Simulator) -> None:
    """A client that follows the redirect gets its answer."""
    headers = {"Host": "api.completions.test", **KEY}
    body = {"model": "m", "prompt": PROMPTS[0]}
    answer = requests.post(f"{simulator.url}/v1/completions/", json=body, headers=headers, timeout=30)
    assert [hop.status_code for hop in (*answer.history, answer)] == [307, 200]


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        ({"model": "m", "prompt": "hi"}, {}, 401, "no key"),
        ({"model": "m", "prompt": "hi"}, {"Authorization": "Basic abc"}, 401, "no key"),
        ({"prompt": "hi"}, KEY, 422, "model is required"),
        ({"model": "m"}, KEY, 422, "prompt is required"),
        ({"model": "m", "prompt": ""}, KEY, 422, "prompt is required"),
    ],
)
def test_wrong_requests_are_refused(
    simulator: Simulator, body: object, headers: dict[str, str], status: int, error: str
) -> None:
    """A request without a key, a model or a prompt gets the provider's own error."""
    answer = post(simulator, "api.completions.test", "/v1/completions", body, headers)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_the_case_of_an_authentication_scheme_does_not_matter(simulator: Simulator) -> None:
    """Clients write bearer in several ways."""
    headers = {"Authorization": "BEARER placeholder"}
    answer = post(simulator, "api.completions.test", "/v1/completions", {"model": "m", "prompt": "hi"}, headers)
    assert answer.status_code == 200


def test_an_unknown_route_names_those_that_exist(simulator: Simulator) -> None:
    """The answer to a wrong path, method or host says what there is."""
    wrong_path = post(simulator, "lines.test", "/v2/generate", {})
    wrong_method = httpx.get(f"{simulator.url}/generate", headers={"Host": "lines.test"})
    wrong_host = post(simulator, "nobody.test", "/generate", {})
    assert [answer.status_code for answer in (wrong_path, wrong_method, wrong_host)] == [404] * 3
    assert wrong_path.json()["routes"] == ["POST /generate", "GET /plain"]
    assert "POST /v2/generate at lines.test" in wrong_path.json()["error"]
    assert wrong_host.json() == {"error": "no simulator stands for nobody.test", "routes": []}


def test_hosts_are_told_apart_by_the_host_header(simulator: Simulator) -> None:
    """A tape that asks is led to the server for the hosts that a shape stands for, and to no other."""
    assert simulator.dial("https", "api.completions.test", 443) == simulator.address
    assert simulator.dial("http", "localhost", 4127) == simulator.address
    assert simulator.dial("https", "runtime.eu-1.cloud.test", 443) == simulator.address
    assert simulator.dial("https", "API.completions.test", 443) == simulator.address
    for scheme, host, port in (("http", "api.completions.test", 80), ("https", "api.completions.test", 8443),
                               ("http", "localhost", 80), ("https", "runtime.a.b.cloud.test", 443),
                               ("https", "api.openai.com", 443)):  # fmt: skip
        assert simulator.dial(scheme, host, port) is None


def test_one_shape_can_stand_for_any_host(shapes: dict[str, Shape]) -> None:
    """A client that was pointed at the simulator itself is answered too."""
    with Simulator(shapes, pace=0, any_host="completions") as simulator:
        found = httpx.get(f"{simulator.url}/v1/models/m", headers=KEY).json()
        assert found == {"name": "m", "seen_at": simulator.url}


def test_other_code_words_can_be_agreed_on(shapes: dict[str, Shape]) -> None:
    """What a code word looks like is the caller's to say."""
    with Simulator(shapes, pace=0, code_word="<[a-z]+>") as simulator:
        text = ask(simulator, prompt="Say <otter> and kestrel4127.").json()["choices"][0]["text"]
    assert ("<otter>" in text, "kestrel4127" in text.split(".")[0]) == (True, False)


def test_a_simulator_ends_while_an_answer_is_on_its_way(shapes: dict[str, Shape]) -> None:
    """Leaving the block neither hangs nor leaves a port open, and the address is gone with it."""
    with Simulator(shapes, pace=50) as simulator:
        host, port = simulator.address
        connection = http.client.HTTPConnection(host, port, timeout=30)
        connection.request("POST", "/generate", json.dumps({"messages": PROMPTS[0]}), {"Host": "lines.test"})
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port), timeout=5)
    with pytest.raises(RuntimeError, match="not running"):
        _ = simulator.address


def test_many_clients_at_once_get_their_own_answers(simulator: Simulator) -> None:
    """Answers of requests that overlap are not mixed up."""
    prompts = [f"Repeat word{n % 10 * 'x'}{n:04}." for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda prompt: ask(simulator, prompt=prompt).json()["choices"][0]["text"], prompts))
    assert answers == [compose(prompt).text for prompt in prompts]


def test_rivals_for_one_route_are_refused(shapes: dict[str, Shape]) -> None:
    """Two shapes that answer the same path of the same host cannot run together."""
    with pytest.raises(UserError, match=r"POST lines\.test/generate is answered twice"):
        Simulator({"lines": shapes["lines"], "more": shapes["lines"]})
    with pytest.raises(UserError, match="there is no shape 'nope'"):
        Simulator(shapes, any_host="nope")


def test_a_request_that_a_shape_did_not_expect_is_explained(write_shape: Callable[[str], Path]) -> None:
    """A template that counts on a field which the request lacks says so in the answer."""
    folder = write_shape("source = 's'\nhosts = ['http://odd.test']\n[[routes]]\npath = '/'\nprompts = '/prompt'\n"
                         "whole = '{\"m\": {{ request.model | tojson }}}'")  # fmt: skip
    with Simulator(load_shapes(folder), pace=0) as odd:
        answer = httpx.post(odd.url + "/", json={"prompt": "hi"}, headers={"Host": "odd.test"})
    assert answer.status_code == 500
    assert "the shape odd, POST /" in answer.json()["error"]
    assert "model" in answer.json()["error"]

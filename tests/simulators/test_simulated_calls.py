"""Simulated gRPC services and websockets: through real sockets, to the real client libraries."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import websocket
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from harness.errors import UserError
from harness.simulators import Simulator, load_shapes
from harness.simulators.tables import ShapeError

if TYPE_CHECKING:
    from pathlib import Path

STRUCT = '["google.protobuf.struct_pb2:Struct", "google.protobuf.struct_pb2:Struct"]'
PROMPT = "Repeat kestrel4127 and write about bridges."
SPEECH = f"""
source = "made up"
hosts = ["grpc://speech.example.com"]

[auth]
header = "authorization"
starts = "Key "
body = "{{}}"

[[routes]]
path = "/test.Speech/Say"
grpc = {STRUCT}
prompts = "/prompt"
requires = ["/model"]
whole = '{{"text": {{{{ text | tojson }}}}}}'
stream = "/stream"
framing = "grpc"
piece = '{{"piece": {{{{ piece | tojson }}}}}}'

[[routes]]
kind = "start"
path = "/test.Speech/Begin"
grpc = {STRUCT}
prompts = "/prompt"
whole = '{{"job": "{{{{ job }}}}"}}'

[[routes]]
kind = "poll"
path = "/test.Speech/Get"
grpc = {STRUCT}
job = "/job"
whole = '{{"state": "{{{{ state }}}}", "text": {{{{ text | tojson }}}}}}'
"""
TALK = """
source = "made up"
hosts = ["ws://talk.example.com"]

[[routes]]
method = "GET"
path = "/talk"
prompts = "/prompt"
stream = "always"
framing = "websocket"
piece = '{"text": {{ piece | tojson }}}'
final = '{"end": true}'
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Any:
    """
    Simulate a service and a talker.
    """
    (tmp_path / "speech.toml").write_text(SPEECH)
    (tmp_path / "talk.toml").write_text(TALK)
    with Simulator(load_shapes(tmp_path), pace=0) as running:
        yield running


def _ask(simulator: Any, method: str, key: str = "Key k", **request: Any) -> list[Any]:
    """
    Call a method and return the messages of its answer.
    """
    address = simulator.way.partition(" grpc=")[2]
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_stream(f"/test.Speech/{method}", Struct.SerializeToString, Struct.FromString)
        message = json_format.ParseDict(request, Struct())
        return [json_format.MessageToDict(one) for one in call(message, metadata=(("authorization", key),), timeout=60)]


def test_a_service_answers_in_its_own_messages(simulator: Any) -> None:
    """
    Whole, in pieces that make the same text, and as a job that is started and polled for.
    """
    whole = _ask(simulator, "Say", model="m", prompt=PROMPT)
    pieces = _ask(simulator, "Say", model="m", prompt=PROMPT, stream=True)
    job = _ask(simulator, "Begin", prompt=PROMPT)[0]["job"]
    polls = [_ask(simulator, "Get", job=job)[0] for _ in range(60)]

    assert "kestrel4127" in whole[0]["text"]
    assert "".join(one["piece"] for one in pieces) == whole[0]["text"]
    assert len(pieces) > 20
    assert polls[-1] == {"state": "done", "text": whole[0]["text"]}


@pytest.mark.parametrize(
    ("method", "key", "request_", "code"),
    [
        ("Say", "nothing", {"model": "m", "prompt": PROMPT}, "UNAUTHENTICATED"),
        ("Say", "Key k", {"prompt": PROMPT}, "INVALID_ARGUMENT"),
        ("Say", "Key k", {"model": "m"}, "INVALID_ARGUMENT"),
        ("Get", "Key k", {"job": "none"}, "NOT_FOUND"),
        ("Other", "Key k", {}, "UNIMPLEMENTED"),
    ],
)
def test_a_service_refuses_as_services_do(
    simulator: Any, method: str, key: str, request_: dict[str, Any], code: str
) -> None:
    """
    A missing credential, a missing field, an unknown job and an unknown method have the status that gRPC has for each.
    """
    with pytest.raises(grpc.RpcError) as caught:
        _ask(simulator, method, key, **request_)

    assert caught.value.code().name == code


def test_the_way_leads_each_protocol_to_its_server(simulator: Any) -> None:
    """
    A tape is told two addresses, and only hosts that a shape stands for are led there.
    """
    web, _, rpc = simulator.way.partition(" grpc=")

    assert "{}:{}".format(*simulator.dial("ws", "talk.example.com", 80)) == web
    assert "{}:{}".format(*simulator.dial("grpc", "speech.example.com", 443)) == rpc
    assert simulator.dial("grpc", "other.example.com", 443) is None


def test_a_websocket_answers_each_message(simulator: Any) -> None:
    """
    The pieces of two answers come over one connection, each answer with its end; what carries no prompt closes it.
    """
    connection = websocket.create_connection(simulator.url.replace("http", "ws") + "/talk", host="talk.example.com")
    answers = []
    for word in ("kestrel4127", "marigold5938"):
        connection.send(json.dumps({"prompt": f"Repeat {word} and write about tea."}))
        heard: list[Any] = []
        while "end" not in (one := json.loads(connection.recv())):
            heard.append(one["text"])
        answers.append(heard)
    connection.send("{}")
    closing = connection.recv_data(control_frame=True)
    connection.shutdown()

    assert [word in "".join(heard) for word, heard in zip(("kestrel4127", "marigold5938"), answers, strict=True)] == [
        True,
        True,
    ]
    assert len(answers[0]) > 20
    assert int.from_bytes(closing[1][:2]) == 1003


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ((STRUCT, '["google.protobuf.struct_pb2:Struct"]'), "two messages"),
        (('framing = "grpc"', 'framing = "sse"'), "does not fit"),
        (('job = "/job"\n', ""), "which job"),
    ],
)
def test_a_mistake_in_a_shape_is_told(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    """
    A shape whose gRPC route makes no sense is refused when it is read.
    """
    assert changed[0] in SPEECH
    (tmp_path / "speech.toml").write_text(SPEECH.replace(*changed))
    with pytest.raises(ShapeError, match=said):
        load_shapes(tmp_path)


def test_a_message_that_is_not_installed_is_told(tmp_path: Path) -> None:
    """
    The server says which message it lacks, when it starts.
    """
    (tmp_path / "speech.toml").write_text(SPEECH.replace("struct_pb2:Struct", "struct_pb2:Nothing", 1))
    with pytest.raises(UserError, match="struct_pb2:Nothing"), Simulator(load_shapes(tmp_path), pace=0):
        asyncio.run(asyncio.sleep(0))

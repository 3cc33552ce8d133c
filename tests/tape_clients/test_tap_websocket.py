"""websocket-client: recorded from a real server, replayed without one; each message of the client is an exchange."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import websocket
import websocket_peer as peer

from harness.events import Answered, Arrival, Closed, Ended, Sent
from harness.tape import cassette as files
from harness.tape.tape import ReplayMiss
from harness.verdicts.placement import classify_place
from harness.words import AsyncIO

if TYPE_CHECKING:
    Deck = Any

THREADS, REQUESTS = 8, 60


@pytest.fixture(scope="module")
def url() -> Any:
    """
    Serve for all tests of this file.
    """
    with peer.serving() as address:
        yield address


def test_every_conversation_comes_out_as_live(deck: Deck, url: str) -> None:
    """
    Greetings, texts, bytes, closing by the server, a lost connection, a refusal, and an application with callbacks.
    """
    live = peer.talk_all(url)
    with deck.recording():
        recorded = peer.talk_all(url)
    with deck.replaying():
        replayed = peer.talk_all(url)

    assert live["a"][0] == '{"text": "0 a"}'
    assert live["refused"] == 403
    assert recorded == live
    assert replayed == live
    assert "abcdefghijklmnop1234" not in deck.path().read_text()


SEVERED = """
import json, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from harness.tape import severance
severance.sever()
from harness.tape import cassette, clients, guard
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability
clients.install()
assert "websocket" not in sys.modules, "the tap must not import what nobody uses"
from websocket_peer import talk_all
dialled = []
tape = Tape(Log(), Gate(Capability.INVOKE), cassette=cassette.load(Path(sys.argv[1]) / "cell.yaml"))
with guard.closed(dialled.append), tape.insert():
    said = talk_all(sys.argv[2])
print(json.dumps([severance.attempts(), dialled, {**said, "binary": said["binary"].hex()}]))
"""


def test_a_process_without_a_network_replays(deck: Deck, url: str) -> None:
    """
    With the network gone for the whole process, all answers come and nothing is tried.
    """
    with deck.recording():
        said = peer.talk_all(url)
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", SEVERED, str(deck.folder), url, here]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    attempts, dialled, found = json.loads(done.stdout.splitlines()[-1])
    assert (attempts, dialled) == (0, [])
    assert found == {**said, "binary": said["binary"].hex()}


def _conversation(url: str, *words: str, most: int = peer.PIECES) -> list[str | bytes]:
    connection = websocket.create_connection(url, timeout=120)
    heard = []
    for word in words:
        connection.send(word)
        heard += [connection.recv() for _ in range(most)]
    connection.close()
    return heard


def test_each_message_of_the_client_is_a_request(deck: Deck, url: str) -> None:
    """
    Two questions over one connection are two requests, each with its own arrivals, as large live as in a replay.
    """
    with deck.recording() as tape:
        _conversation(url, "one", "two")
        live = [(one.request, one.size) for one in tape.log.events if isinstance(one, Arrival)]
    with deck.replaying() as tape:
        _conversation(url, "one", "two")
        events = tape.log.events
    sent = [(one.method, one.text.strip().rpartition("\n")[2]) for one in events if isinstance(one, Sent)]

    assert sent[0][0] == "GET"
    assert sent[1:] == [("POST", "one"), ("POST", "two")]
    assert [one.arrivals for one in events if isinstance(one, Answered)] == [0, peer.PIECES, peer.PIECES]
    assert sum(isinstance(one, Ended) for one in events) == 3
    assert [(one.request, one.size) for one in events if isinstance(one, Arrival)] == live


def test_a_message_is_seen_before_the_next(deck: Deck, url: str, marked: Any, steps: Any) -> None:
    """
    Each message reaches the caller before the next one is handed out, and closing early is told.
    """
    with deck.recording():
        _conversation(url, "x")
    with deck.replaying() as tape:
        connection = websocket.create_connection(url)
        connection.send("x")
        for _ in range(peer.PIECES - 1):
            marked(connection.recv())
        connection.close()

        assert steps(tape) == [True] * (peer.PIECES - 1)
        assert sum(isinstance(one, Closed) for one in tape.log.events) == 1


def test_on_the_loop_it_blocks_the_loop(deck: Deck, url: str) -> None:
    """
    A synchronous websocket in an `async def` moves its bytes on the loop's thread.
    """
    with deck.recording():
        _conversation(url, "x")
    with deck.replaying() as tape:

        async def call() -> Any:
            _conversation(url, "x")
            return tape.log.add(Ended, request=99, hook="sync").where

        home = asyncio.run(call())
        moved = [one for one in tape.log.events if isinstance(one, Sent | Arrival)]

    assert {classify_place(home, one.where, one.hook) for one in moved} == {AsyncIO.BLOCKS_LOOP}


def test_a_reader_waits_for_another_thread_to_speak(deck: Deck, url: str) -> None:
    """
    A thread that listens before anything was said hears the answer once it was, and is released by the closing.
    """
    with deck.recording():
        _conversation(url, "x")
    with deck.replaying():
        connection = websocket.create_connection(url)
        heard: list[Any] = []
        reader = threading.Thread(target=lambda: heard.extend(connection.recv() for _ in range(peer.PIECES)))
        reader.start()
        connection.send("x")
        reader.join(60)
        connection.settimeout(0.01)
        with pytest.raises(websocket.WebSocketTimeoutException):
            connection.recv()
        connection.close()

    assert len(heard) == peer.PIECES


def test_what_was_not_recorded_is_a_miss(deck: Deck, url: str) -> None:
    """
    Another message is refused when it is sent, and so is another address.
    """
    with deck.recording():
        _conversation(url, "x")
    with deck.replaying():
        connection = websocket.create_connection(url)
        with pytest.raises(ReplayMiss, match="POST ws://"):
            connection.send("y")
        connection.shutdown()
        with pytest.raises(ReplayMiss, match="elsewhere"):
            websocket.create_connection("ws://elsewhere.example.com/")


def test_an_address_that_the_library_refuses_is_no_request(deck: Deck, url: str) -> None:
    """
    The library's own error comes, recording and in replay, and nothing is logged: it is the caller's mistake.
    """
    wrong = url.replace("ws://", "http://")
    host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
    with deck.recording(dial=lambda *_: (host, int(port))) as tape:
        with pytest.raises(ValueError, match="http"):
            websocket.create_connection(wrong)
        recorded = list(tape.log.events)
    with deck.replaying() as tape:
        with pytest.raises(ValueError, match="http"):
            websocket.create_connection(wrong)

        assert recorded == tape.log.events == []


def test_recording_is_led_to_another_server(deck: Deck, url: str) -> None:
    """
    Recording from a simulator needs no TLS, and the cassette names the real host.
    """
    host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
    real = "wss://api.example.com/speech"
    with deck.recording(dial=lambda *_: (host, int(port))):
        recorded = _conversation(real, "x")
    with deck.replaying():
        assert _conversation(real, "x") == recorded

    assert deck.path().read_text().count("uri: wss://api.example.com/speech") == 2


def test_many_threads_get_their_own_answers(deck: Deck, url: str) -> None:
    """
    8 threads with 60 questions each, a connection a thread: 480 of 480 right.
    """

    def ask(thread: int) -> int:
        words = [f"short {thread}-{number}" for number in range(REQUESTS)]
        heard = _conversation(f"{url}?thread={thread}", *words, most=2)
        wanted = [json.dumps({"text": f"{piece} {word}"}) for word in words for piece in range(2)]
        return sum(one == two for one, two in zip(heard, wanted, strict=True)) // 2

    def all_of_them() -> int:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(ask, range(THREADS)))

    with deck.recording():
        assert all_of_them() == THREADS * REQUESTS
    with deck.replaying():
        assert all_of_them() == THREADS * REQUESTS


def test_nobody_there_is_told_as_such(deck: Deck) -> None:
    """
    A server that cannot be reached while recording gives the client's own error, and no recording.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with deck.recording() as tape:
        with pytest.raises(ConnectionRefusedError):
            websocket.create_connection(f"ws://127.0.0.1:{port}/")
        failed = [one for one in tape.log.events if type(one).__name__ == "UpstreamFailed"]

    assert len(failed) == 1
    assert len(files.load(deck.path())) == 0

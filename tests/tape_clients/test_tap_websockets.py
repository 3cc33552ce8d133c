"""Both clients of `websockets`: recorded from a real server, replayed without one."""

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
import websocket_peer as peer
from websockets.asyncio.client import connect as aconnect
from websockets.sync.client import connect

from harness.events import Answered, Arrival, Closed, Ended, Sent
from harness.tape import cassette as files
from harness.tape.tape import ReplayMiss
from harness.verdicts.placement import classify_place
from harness.words import AsyncIO

if TYPE_CHECKING:
    from collections.abc import Callable

    Deck = Any

THREADS, REQUESTS = 8, 60


@pytest.fixture(scope="module")
def url() -> Any:
    """
    Serve for all tests of this file.
    """
    with peer.serving() as address:
        yield address


def _ask(url: str, *words: str, most: int = peer.PIECES, seen: Callable[[Any], None] = lambda _: None) -> list[Any]:
    heard = []
    with connect(url, open_timeout=120) as connection:
        for word in words:
            connection.send(word)
            for _ in range(most):
                heard.append(connection.recv())
                seen(heard[-1])
    return heard


async def _aask(
    url: str, *words: str, most: int = peer.PIECES, seen: Callable[[Any], None] = lambda _: None
) -> list[Any]:
    heard = []
    async with aconnect(url, open_timeout=120) as connection:
        for word in words:
            await connection.send(word)
            for _ in range(most):
                heard.append(await connection.recv())
                seen(heard[-1])
    return heard


def _run(url: str, *words: str, **options: Any) -> list[Any]:
    return asyncio.run(_aask(url, *words, **options))


CLIENTS = {"asyncio": (peer.arun, _run), "threads": (peer.talk_in_threads, _ask)}


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Any:
    """
    Give the long and the short conversation of one client.
    """
    return CLIENTS[request.param]


def test_every_conversation_comes_out_as_live(deck: Deck, url: str, client: Any) -> None:
    """
    Greetings, texts, fragments, bytes, closing by the server, a lost connection, a refusal.
    """
    talk = client[0]
    live = talk(url)
    with deck.recording():
        recorded = talk(url)
    with deck.replaying():
        replayed = talk(url)

    assert live["a"][0] == '{"text": "0 a"}'
    assert (live["refused"], live["code"], live["broken code"]) == (403, (4001, "enough"), 1006)
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
assert "websockets" not in sys.modules, "the tap must not import what nobody uses"
import websocket_peer as peer
dialled, said = [], []
for name, talk in (("asyncio", peer.arun), ("threads", peer.talk_in_threads)):
    tape = Tape(Log(), Gate(Capability.INVOKE), cassette=cassette.load(Path(sys.argv[1]) / f"{name}.yaml"))
    with guard.closed(dialled.append), tape.insert():
        said.append(talk(sys.argv[2]))
print(json.dumps([severance.attempts(), dialled, said]))
"""


def test_a_process_without_a_network_replays(deck: Deck, url: str) -> None:
    """
    With the network gone for the whole process, both clients hear everything and nothing is tried.
    """
    said = []
    for name, (talk, _) in CLIENTS.items():
        with deck.recording(name):
            said.append(talk(url))
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", SEVERED, str(deck.folder), url, here]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    attempts, dialled, found = json.loads(done.stdout.splitlines()[-1])
    assert (attempts, dialled) == (0, [])
    assert found == json.loads(json.dumps(said))


def test_a_message_is_seen_before_the_next(deck: Deck, url: str, client: Any, marked: Any, steps: Any) -> None:
    """
    Each message of the client is a request; each of the server reaches the caller before the next one is handed out.
    """
    ask = client[1]
    with deck.recording():
        ask(url, "one", "two")
    with deck.replaying() as tape:
        ask(url, "one", "two", seen=marked)
        sent = [one.method for one in tape.log.events if isinstance(one, Sent)]

        assert steps(tape) == [True] * peer.PIECES * 2
        assert sent == ["GET", "POST", "POST"]
        assert [one.arrivals for one in tape.log.events if isinstance(one, Answered)] == [0, peer.PIECES, peer.PIECES]


def test_who_stops_listening_closes_the_answer(deck: Deck, url: str, client: Any) -> None:
    """
    A conversation that is closed before its answer is heard out ends in `Closed`.
    """
    ask = client[1]
    with deck.recording():
        ask(url, "x")
    with deck.replaying() as tape:
        ask(url, "x", most=3)

        assert sum(isinstance(one, Closed) for one in tape.log.events) == 1


@pytest.mark.parametrize(("name", "wanted"), [("asyncio", AsyncIO.EVENT_LOOP), ("threads", AsyncIO.BLOCKS_LOOP)])
def test_the_place_of_a_conversation_is_that_of_its_caller(deck: Deck, url: str, name: str, wanted: AsyncIO) -> None:
    """
    On an event loop the asyncio client is where it should be, and the other one blocks it.
    """
    with deck.recording():
        CLIENTS[name][1](url, "x")
    with deck.replaying() as tape:

        async def call() -> Any:
            if name == "asyncio":
                await _aask(url, "x")
            else:
                _ask(url, "x")
            return tape.log.add(Ended, request=99, hook="async").where

        home = asyncio.run(call())
        moved = [one for one in tape.log.events if isinstance(one, Sent | Arrival)]

    assert {classify_place(home, one.where, one.hook) for one in moved} == {wanted}


def test_a_listener_waits_for_somebody_to_speak(deck: Deck, url: str) -> None:
    """
    A task that listens before anything was said hears the answer once it was, and is released by the closing.
    """
    with deck.recording():
        _run(url, "x")

    async def talk() -> tuple[list[Any], bool]:
        async with aconnect(url, open_timeout=120) as connection:

            async def listen() -> list[Any]:
                return [message async for message in connection]

            listening = asyncio.create_task(listen())
            await asyncio.sleep(0)
            await connection.send("x")
            for _ in range(peer.PIECES * 2):
                await asyncio.sleep(0)
            waits = not listening.done()
            await connection.close()
            return await listening, waits

    with deck.replaying():
        heard, waited = asyncio.run(talk())

    assert (len(heard), waited) == (peer.PIECES, True)


def test_what_was_not_recorded_is_a_miss(deck: Deck, url: str, client: Any) -> None:
    """
    Another message is refused, and so is another address; an address that is none is the caller's mistake.
    """
    ask = client[1]
    with deck.recording():
        ask(url, "x")
    with deck.replaying() as tape:
        with pytest.raises(ReplayMiss, match="POST ws://"):
            ask(url, "y")
        with pytest.raises(ReplayMiss, match="elsewhere"):
            ask("ws://elsewhere.example.com/", "x")
        before = len(tape.log.events)
        with pytest.raises(Exception, match="ws or wss"):
            ask("http://elsewhere.example.com/", "x")

        assert len(tape.log.events) == before


def test_recording_is_led_to_another_server(deck: Deck, url: str, client: Any) -> None:
    """
    Recording from a simulator needs no TLS, and the cassette names the real host.
    """
    ask = client[1]
    host, _, port = url.removeprefix("ws://").partition("/")[0].partition(":")
    real = "wss://api.example.com/speech"
    with deck.recording(dial=lambda *_: (host, int(port))):
        recorded = ask(real, "x")
    with deck.replaying():
        assert ask(real, "x") == recorded

    assert deck.path().read_text().count("uri: wss://api.example.com/speech") == 2


def _in_threads(url: str) -> list[list[Any]]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda one: _ask(f"{url}?thread={one}", *_words(one), most=2), range(THREADS)))


def _in_tasks(url: str) -> list[list[Any]]:
    async def gather() -> list[list[Any]]:
        return await asyncio.gather(*(_aask(f"{url}?thread={one}", *_words(one), most=2) for one in range(THREADS)))

    return asyncio.run(gather())


def _words(one: int) -> list[str]:
    return [f"short {one}-{number}" for number in range(REQUESTS)]


@pytest.mark.parametrize("talk", [_in_threads, _in_tasks])
def test_many_at_once_get_their_own_answers(deck: Deck, url: str, talk: Callable[[str], list[list[Any]]]) -> None:
    """
    8 threads, or tasks, with 60 questions each: 480 of 480 right.
    """
    wanted = [[json.dumps({"text": f"{n} {word}"}) for word in _words(one) for n in range(2)] for one in range(THREADS)]
    with deck.recording():
        assert talk(url) == wanted
    with deck.replaying():
        assert talk(url) == wanted


def test_nobody_there_is_told_as_such(deck: Deck, client: Any) -> None:
    """
    A server that cannot be reached while recording gives the client's own error, and no recording.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with deck.recording() as tape:
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            client[1](f"ws://127.0.0.1:{port}/", "x")
        failed = [one for one in tape.log.events if type(one).__name__ == "UpstreamFailed"]

    assert len(failed) == 1
    assert len(files.load(deck.path())) == 0
    assert not [one for one in threading.enumerate() if one.name == "replayed websocket"]

"""gRPC, synchronous and asynchronous: every kind of call, recorded from a real peer, replayed without one."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc_peer as peer
import pytest
from vcr.cassette import Cassette
from vcr.serializers import yamlserializer

from harness import protobuf
from harness.events import Arrival, Closed, Ended, Refused, Sent
from harness.tape import cassette as files
from harness.tape.tape import ReplayMiss
from harness.verdicts.placement import classify_place
from harness.words import AsyncIO

if TYPE_CHECKING:
    Deck = Any

THREADS, REQUESTS = 8, 60


@pytest.fixture(scope="module")
def target() -> Any:
    """
    Serve for all tests of this file.
    """
    with peer.serving() as address:
        yield address


def _deaf() -> tuple[Any, list[Any]]:
    """
    Return a listener that notes who dials it, and its notes.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    dialled: list[Any] = []

    def accept() -> None:
        try:
            while True:
                dialled.append(listener.accept())
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()
    return listener, dialled


def test_every_kind_of_call_comes_out_as_live(deck: Deck, target: str) -> None:
    """
    What a stub gives is the same live, while it is recorded, and in replay.
    """
    live = peer.say_all(target), peer.arun(target)
    with deck.recording():
        recorded = peer.say_all(target)
    with deck.recording("async"):
        arecorded = peer.arun(target)
    with deck.replaying():
        replayed = peer.say_all(target)
    with deck.replaying("async"):
        areplayed = peer.arun(target)

    assert live[0]["unary"] == "whole A!"
    assert live[0]["error"] == ("NOT_FOUND", "no such thing: F", True)
    assert live[0]["too late"] == live[1]["too late"] == "DEADLINE_EXCEEDED"
    assert (recorded, arecorded) == live
    assert (replayed, areplayed) == live
    assert "abcdefghijklmnop1234" not in deck.path().read_text()


def test_a_replay_dials_nobody_and_starts_no_thread(deck: Deck) -> None:
    """
    A channel in replay, even one that is told to connect, has no connection and none of the library's threads.
    """
    with peer.serving() as target:
        port = int(target.rpartition(":")[2])
        with deck.recording():
            recorded = peer.arun(target)
    listener, dialled = _deaf()
    with deck.replaying():
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=120)
        asyncio.run(_ready(address))
        replayed = peer.arun(target)
        names = [thread.name for thread in threading.enumerate()]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    listener.close()

    assert replayed == recorded
    assert dialled == []
    assert not [name for name in names if "poll" in name.lower() or "grpc" in name.lower()]


async def _ready(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        assert channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY


SEVERED = """
import json, sys, threading
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from harness.tape import severance
cut = severance.sever()
from harness.tape import cassette, clients, guard
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability
clients.install()
assert "grpc" not in sys.modules, "the tap must not import what nobody uses"
import grpc_peer as peer
dialled = []
def replaying(name):
    return Tape(Log(), Gate(Capability.INVOKE), cassette=cassette.load(Path(sys.argv[1]) / name)).insert()
with guard.closed(dialled.append):
    with replaying("cell.yaml"):
        said = peer.say_all(sys.argv[2])
    with replaying("async.yaml"):
        asaid = peer.arun(sys.argv[2])
attempts = severance.attempts()
import grpc
past = peer.failure(lambda: grpc.insecure_channel(sys.argv[2]).unary_unary(peer.SERVICE + "Whole")(b"x", timeout=120))
print(json.dumps([str(cut.how), attempts, past[0], dialled, said, asaid]))
"""


def test_a_process_without_a_network_replays(deck: Deck, target: str) -> None:
    """
    With the network gone for the whole process, all answers come and nothing is tried; a call past the tape, through
    the library's own sockets, does not get to the peer, which is there.
    """
    with deck.recording():
        said = peer.say_all(target)
    with deck.recording("async"):
        asaid = peer.arun(target)
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", SEVERED, str(deck.folder), target, here]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    how, attempts, past, dialled, *found = json.loads(done.stdout.splitlines()[-1])
    assert (how != "none" and past == "UNAVAILABLE") or sys.platform != "linux"
    assert (attempts, dialled) == (0, [])
    assert found == json.loads(json.dumps([said, asaid]))


def test_a_message_is_an_arrival_and_is_seen_before_the_next(deck: Deck, target: str, marked: Any, steps: Any) -> None:
    """
    Each message of a stream reaches the caller before the next one is handed out, from the caller's own place.
    """
    with deck.recording():
        list(_callables(target)["Pieces"]("x"))
    with deck.replaying() as tape:
        for item in _callables(target)["Pieces"]("x"):
            marked(item)

        assert steps(tape) == [True] * peer.PIECES
        assert {one.where.thread for one in tape.log.events} == {threading.get_ident()}
    with deck.replaying() as tape:

        async def read() -> Any:
            async with grpc.aio.insecure_channel(target) as channel:
                async for item in peer.callables(channel)["Pieces"]("x"):
                    marked(item)
            return tape.log.add(Ended, request=99, hook="async").where

        home = asyncio.run(read())

        assert steps(tape) == [True] * peer.PIECES
        moved = [one for one in tape.log.events if isinstance(one, Sent | Arrival)]
        assert {classify_place(home, one.where, one.hook) for one in moved} == {AsyncIO.EVENT_LOOP}


def _callables(target: str) -> dict[str, Any]:
    return peer.callables(grpc.insecure_channel(target))


def test_a_synchronous_call_on_the_loop_blocks_it(deck: Deck, target: str) -> None:
    """
    Sent and received by synchronous code on the loop's thread: that is what the verdict goes by.
    """
    with deck.recording():
        _callables(target)["Whole"]("x")
    with deck.replaying() as tape:

        async def call() -> Any:
            _callables(target)["Whole"]("x")
            return tape.log.add(Ended, request=99, hook="sync").where

        home = asyncio.run(call())
        moved = [one for one in tape.log.events if isinstance(one, Sent | Arrival)]

    assert {classify_place(home, one.where, one.hook) for one in moved} == {AsyncIO.BLOCKS_LOOP}


def test_who_gives_up_closes_the_answer(deck: Deck, target: str) -> None:
    """
    A cancelled stream, of either kind, ends in `Closed` and in the library's own error.
    """
    with deck.recording():
        list(_callables(target)["Pieces"]("x"))
    with deck.replaying() as tape:
        stream = _callables(target)["Pieces"]("x")
        next(stream)
        stream.cancel()

        assert peer.failure(lambda: next(stream))[0] == "CANCELLED"
        assert sum(isinstance(one, Closed) for one in tape.log.events) == 1
    with deck.replaying() as tape:

        async def give_up() -> bool:
            async with grpc.aio.insecure_channel(target) as channel:
                call = peer.callables(channel)["Pieces"]("x")
                await call.read()
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call.read()
                return bool(call.cancelled())

        assert asyncio.run(give_up())
        assert sum(isinstance(one, Closed) for one in tape.log.events) == 1


def test_after_the_last_message_the_status_is_there(deck: Deck, target: str) -> None:
    """
    Who reads as many messages as come, and no more, can ask how the call ended.
    """
    with deck.recording():
        list(_callables(target)["Pieces"]("x"))

    async def read() -> Any:
        async with grpc.aio.insecure_channel(target) as channel:
            call = peer.callables(channel)["Pieces"]("x")
            heard = [await call.read() for _ in range(peer.PIECES)]
            return len(heard), (await call.code()).name, call.done()

    with deck.replaying():
        stream = _callables(target)["Pieces"]("x")
        heard = [next(stream) for _ in range(peer.PIECES)]

        assert (len(heard), stream.code().name) == (peer.PIECES, "OK")
        assert list(stream) == []
    with deck.replaying():
        assert asyncio.run(read()) == (peer.PIECES, "OK", True)


def test_streams_in_both_directions_are_refused_by_name(deck: Deck, target: str) -> None:
    """
    They are neither recorded nor replayed, and the log says why.
    """
    with deck.recording() as tape:
        with pytest.raises(ReplayMiss, match="both directions"):
            grpc.insecure_channel(target).stream_stream(peer.SERVICE + "Chat")(iter([b"x"]))
        with pytest.raises(ReplayMiss, match="both directions"):
            asyncio.run(_chat(target))
        refused = [one for one in tape.log.events if isinstance(one, Refused)]

    assert [one.uri.rpartition("/")[2] for one in refused] == ["Chat", "Chat"]


async def _chat(target: str) -> Any:
    async with grpc.aio.insecure_channel(target) as channel:
        return await channel.stream_stream(f"{peer.SERVICE}Chat")(iter([b"x"])).read()


def test_a_call_that_was_not_recorded_is_a_miss(deck: Deck, target: str) -> None:
    """
    Another message to the same method is refused, and the nearest recording is named.
    """
    with deck.recording():
        _callables(target)["Whole"]("x")
    with deck.replaying() as tape:
        with pytest.raises(ReplayMiss, match="Speech/Whole"):
            _callables(target)["Whole"]("y")
        with pytest.raises(ReplayMiss):
            asyncio.run(_whole(target, "z"))

        assert sum(isinstance(one, Refused) for one in tape.log.events) == 2


async def _whole(target: str, text: str) -> Any:
    async with grpc.aio.insecure_channel(target) as channel:
        return await peer.callables(channel)["Whole"](text)


def test_a_secure_channel_is_led_to_a_plain_one_while_recording(deck: Deck, target: str) -> None:
    """
    Recording from another peer needs neither its certificate nor a credential, and the cassette names the real host.
    """
    host, _, port = target.rpartition(":")
    token = grpc.access_token_call_credentials("abcdefghijklmnop1234")
    secure = grpc.composite_channel_credentials(grpc.ssl_channel_credentials(), token)

    def call() -> Any:
        return peer.callables(grpc.secure_channel("dns:///api.example.com:443", secure))["Whole"]("x")

    async def acall() -> Any:
        async with grpc.aio.secure_channel("api.example.com", secure) as channel:
            return await peer.callables(channel)["Whole"]("y")

    with deck.recording(dial=lambda *_: (host, int(port))):
        assert call() == "whole X!"
        assert asyncio.run(acall()) == "whole Y!"
    with deck.replaying():
        assert call() == "whole X!"
        assert asyncio.run(acall()) == "whole Y!"

    text = deck.path().read_text()
    assert text.count("uri: grpc://api.example.com/test.v1.Speech/Whole") == 2
    assert "abcdefghijklmnop1234" not in text


def test_an_interceptor_still_sees_the_call(deck: Deck, target: str) -> None:
    """
    What a program puts around its channel is not passed by.
    """

    class Noting(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpcio has no types
        def __init__(self) -> None:
            self.seen: list[str] = []

        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            self.seen.append(details.method)
            return continuation(details, request)

    noting = Noting()
    with deck.recording():
        channel = grpc.intercept_channel(grpc.insecure_channel(target), noting)
        assert peer.callables(channel)["Whole"]("x") == "whole X!"
    with deck.replaying():
        channel = grpc.intercept_channel(grpc.insecure_channel(target), noting)
        assert peer.callables(channel)["Whole"]("x") == "whole X!"

    assert noting.seen == [f"{peer.SERVICE}Whole"] * 2


def test_many_threads_get_their_own_answers(deck: Deck, target: str) -> None:
    """
    8 threads with 60 calls each over one channel: 480 of 480 right.
    """

    def ask(channel: Any, thread: int) -> int:
        stub = peer.callables(channel)
        texts = [f"{thread}-{number}" for number in range(REQUESTS)]
        return sum(stub["Whole"](text) == f"whole {text}!" for text in texts)

    def all_of_them() -> int:
        channel = grpc.insecure_channel(target)
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(lambda thread: ask(channel, thread), range(THREADS)))

    with deck.recording():
        assert all_of_them() == THREADS * REQUESTS
    with deck.replaying():
        assert all_of_them() == THREADS * REQUESTS


def test_futures_are_under_way_together_also_while_they_are_recorded(deck: Deck, target: str) -> None:
    """
    Who asks for a future goes on at once: the peer answers neither of two calls before both are there.
    """

    def ask_both() -> list[str]:
        with grpc.insecure_channel(target) as channel:
            ask = peer.callables(channel)["Meet"]
            futures = [ask.future(text) for text in "ab"]
            return [future.result(timeout=120) for future in futures]

    with deck.recording():
        recorded = ask_both()
    with deck.replaying():
        replayed = ask_both()

    assert recorded == replayed == ["met A!", "met B!"]


def test_nobody_there_is_told_as_such(deck: Deck) -> None:
    """
    A peer that cannot be reached while recording gives the client's own error, and no recording.
    """
    with deck.recording() as tape:
        told = peer.failure(lambda: _callables("127.0.0.1:1")["Whole"]("x"))
        atold = asyncio.run(_told("127.0.0.1:1"))
        failed = [one for one in tape.log.events if type(one).__name__ == "UpstreamFailed"]

    assert (told[0], atold[0]) == ("UNAVAILABLE", "UNAVAILABLE")
    assert len(failed) == 2
    assert len(files.load(deck.path())) == 0


async def _told(target: str) -> Any:
    try:
        await _whole(target, "x")
    except grpc.RpcError as error:
        return peer.told(error)
    return None


def test_plain_vcrpy_loads_what_a_reviewer_reads(deck: Deck, target: str) -> None:
    """
    The file is a cassette of version 1 for vcrpy itself, and beside bytes it says what they say.
    """
    text = "x" * 150  # its length is no text any more
    echoed = b"\x0a\x96\x01" + text.encode()
    with deck.recording():
        grpc.insecure_channel(target).unary_unary(f"{peer.SERVICE}Whole")(echoed)
    loaded = Cassette.load(path=str(deck.path()), serializer=yamlserializer)

    assert [(one.method, one.uri) for one in loaded.requests] == [("POST", f"grpc://{target}{peer.SERVICE}Whole")]
    assert protobuf.unframed(loaded.requests[0].body) == [echoed]
    assert protobuf.unframed(loaded.responses[0]["body"]["string"]) == [b"whole " + echoed]
    assert f"- '> {text}'" in deck.path().read_text()


def test_the_arrivals_are_the_boundaries_of_messages(deck: Deck, target: str) -> None:
    """
    A file whose counts are lost is split at the same places.
    """
    with deck.recording():
        list(_callables(target)["Pieces"]("x"))
    response = files.load(deck.path()).responses[0]
    counted = files.read_timing(response).arrivals
    response.pop("harness")
    made_up = files.read_timing(response).arrivals

    assert [one.size for one in made_up] == [one.size for one in counted]
    assert len(counted) == peer.PIECES
    assert all(before.at <= after.at for before, after in pairwise(counted))

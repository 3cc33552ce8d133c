"""
What a replayed request costs against plain vcrpy, per client, and how late paced arrivals are.

All sides replay the very same file in one run, block by block in turn, so that a busy machine slows all of them.
What is held to the limit is the ratio of the medians over all requests. Beside it stands the median over the blocks
of best against best, which tells what a busy machine added. The last columns add what a cell does beside replaying:
every event is encoded and written into a pipe as it happens.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import vcr
from rich.console import Console
from rich.table import Table
from vcr.request import Request

from harness.events import encode
from harness.isolation.cell import Sender
from harness.tape import cassette as files
from harness.tape import clients
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.secrets import Secrets
from harness.tape.tape import Tape
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from vcr.cassette import Cassette

    from harness.events import Event

ARRIVALS: Final = 20
PAUSE: Final = 0.010
MOST_RATIO: Final = 1.5
MOST_LATE: Final = 0.002
URL: Final = "http://api.example.com/v1/stream"
OPENAI_URL: Final = "http://api.example.com/v1/chat/completions"
ANTHROPIC_URL: Final = "http://api.example.com/v1/messages"
ANTHROPIC_BODY: Final = {
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
    "model": "m",
    "stream": True,
}
OPENAI_BODY: Final = {"messages": [{"role": "user", "content": "hi"}], "model": "m", "stream": True}


NAMES: Final = tuple("http.client urllib urllib3 requests boto3 httpx httpx2 aiohttp openai anthropic".split())


class Client(Protocol):
    """
    Make one request and read its answer to the end.
    """

    def __call__(self) -> list[bytes]:
        """
        Return the pieces, as the client hands them out.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    Hold one client's figures, in milliseconds.
    """

    client: str
    plain: float
    taped: float
    ratio: float
    ratio_of_bests: float
    sent_out: float
    ratio_sent_out: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """
    Say how late arrivals are at recorded pace, in milliseconds.
    """

    client: str
    median: float
    p95: float


def pieces() -> list[bytes]:
    """
    Return the answer's arrivals: chat completion events.
    """
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [{"index": 0, "delta": {"content": f"word{n} "}, "finish_reason": None} for n in range(ARRIVALS - 1)]
    events = [b"data: " + json.dumps({**frame, "choices": [delta]}).encode() + b"\n\n" for delta in deltas]
    return [*events, b"data: [DONE]\n\n"]


def message_pieces() -> list[bytes]:
    """
    Return as many arrivals of a message, as the Anthropic API streams it.
    """
    message: dict[str, Any] = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "m"}
    usage = {"input_tokens": 1, "output_tokens": 1}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"word{n} "}}
            for n in range(ARRIVALS - 3)
        ),
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def write_cassette(path: Path) -> None:
    """
    Write the recording that both sides replay.
    """
    interactions = []
    for url, asked, answer in (
        (URL, None, pieces()),
        (OPENAI_URL, OPENAI_BODY, pieces()),
        (ANTHROPIC_URL, ANTHROPIC_BODY, message_pieces()),
    ):
        sent = json.dumps(asked).encode() if asked else None
        body = b"".join(answer)
        arrivals = tuple(files.Piece(at=PAUSE * (n + 1), size=len(piece)) for n, piece in enumerate(answer))
        headers = {"content-type": ["text/event-stream"], "transfer-encoding": ["chunked"]}
        response: dict[str, Any] = {
            "status": {"code": 200, "message": "OK"},
            "headers": headers,
            "body": {"string": body},
        }
        files.write_timing(response, files.Timing(arrivals=arrivals, framing="chunked"))
        request = Request("POST" if sent else "GET", url, sent, {"content-type": "application/json"} if sent else {})
        interactions.append((request, response))
    files.save(path, interactions, Secrets())


class Clients:
    """
    Hold the clients, each with what it keeps between requests.

    vcrpy patches classes when a cassette is opened, so each side has clients of its own, made while its
    cassette is open.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._close = ExitStack()
        self.gate: Gate | None = None
        self._aside = 0.0
        self.made: dict[str, Client] = {}
        for name in NAMES:
            if importlib.util.find_spec(name) is not None:
                getattr(self, f"_make_{name.replace('.', '_')}")()

    def close(self) -> None:
        """
        Close what is open.
        """
        self._close.close()

    def time(self, name: str) -> float:
        """
        Return how many seconds one request took; telling the gate that a call starts belongs to no request.
        """
        self._aside = 0.0
        began = time.perf_counter()
        self.made[name]()
        return time.perf_counter() - began - self._aside

    def _begin(self) -> None:
        if self.gate is not None:
            began = time.perf_counter()
            self.gate.begin()
            self._aside = time.perf_counter() - began

    def _add(self, name: str, ask: Client) -> None:
        def call() -> list[bytes]:
            self._begin()
            return ask()

        self.made[name] = call

    def _add_async(self, name: str, ask: Callable[[], Awaitable[list[bytes]]]) -> None:
        async def call() -> list[bytes]:
            self._begin()
            return await ask()

        self.made[name] = lambda: self._loop.run_until_complete(call())

    def _make_http_client(self) -> None:
        import http.client

        def ask() -> list[bytes]:
            connection = http.client.HTTPConnection("api.example.com")
            connection.request("GET", "/v1/stream")
            response = connection.getresponse()
            found = []
            while data := response.read1(65536):
                found.append(data)
            connection.close()
            return found

        self._add("http.client", ask)

    def _make_urllib(self) -> None:
        import urllib.request

        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask() -> list[bytes]:
            with opener.open(URL) as response:
                return list(iter(lambda: response.read1(65536), b""))

        self._add("urllib", ask)

    def _make_urllib3(self) -> None:
        import urllib3

        pool = urllib3.PoolManager()

        def ask() -> list[bytes]:
            response = pool.request("GET", URL, preload_content=False)
            found = list(response.stream(65536))
            response.release_conn()
            return found

        self._add("urllib3", ask)

    def _make_requests(self) -> None:
        import requests

        session = self._close.enter_context(requests.Session())
        session.trust_env = False

        def ask() -> list[bytes]:
            with session.get(URL, stream=True) as response:
                # plain vcrpy and urllib3 1.26 never come back from chunk_size=None
                return list(response.iter_content(65536))

        self._add("requests", ask)

    def _make_boto3(self) -> None:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config

        plain = Config(signature_version=UNSIGNED, retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        s3 = boto3.client("s3", endpoint_url="http://api.example.com", region_name="eu-west-1", config=plain)

        def ask() -> list[bytes]:
            body = s3.get_object(Bucket="v1", Key="stream")["Body"]
            return list(body.iter_chunks(65536))

        self._add("boto3", ask)

    def _make_httpx(self, name: str = "httpx") -> None:
        library: Any = importlib.import_module(name)
        client = self._close.enter_context(library.Client(trust_env=False))
        async_client = library.AsyncClient(trust_env=False)
        self._close.callback(lambda: self._loop.run_until_complete(async_client.aclose()))

        def ask() -> list[bytes]:
            with client.stream("GET", URL) as response:
                return list(response.iter_bytes())

        async def ask_async() -> list[bytes]:
            async with async_client.stream("GET", URL) as response:
                return [piece async for piece in response.aiter_bytes()]

        self._add(name, ask)
        self._add_async(f"{name} async", ask_async)

    def _make_httpx2(self) -> None:
        self._make_httpx("httpx2")

    def _make_aiohttp(self) -> None:
        import aiohttp

        async def session() -> aiohttp.ClientSession:
            return aiohttp.ClientSession()

        kept = self._loop.run_until_complete(session())
        self._close.callback(lambda: self._loop.run_until_complete(kept.close()))

        async def ask() -> list[bytes]:
            async with kept.get(URL) as response:
                return [piece async for piece in response.content.iter_any()]

        self._add_async("aiohttp", ask)

    def _make_openai(self) -> None:
        import openai

        client = self._close.enter_context(
            openai.OpenAI(base_url="http://api.example.com/v1", api_key="x", max_retries=0)
        )

        def ask() -> list[bytes]:
            stream = client.chat.completions.create(**OPENAI_BODY)  # type: ignore[call-overload]  # a plain mapping
            return [(chunk.choices[0].delta.content or "").encode() for chunk in stream]

        async_client = openai.AsyncOpenAI(base_url="http://api.example.com/v1", api_key="x", max_retries=0)
        self._close.callback(lambda: self._loop.run_until_complete(async_client.close()))

        async def ask_async() -> list[bytes]:
            stream = await async_client.chat.completions.create(**OPENAI_BODY)  # type: ignore[call-overload]  # a plain mapping
            return [(chunk.choices[0].delta.content or "").encode() async for chunk in stream]

        self._add("openai", ask)
        self._add_async("openai async", ask_async)

    def _make_anthropic(self) -> None:
        import anthropic

        client = self._close.enter_context(
            anthropic.Anthropic(base_url="http://api.example.com", api_key="x", max_retries=0)
        )

        def ask() -> list[bytes]:
            stream = client.messages.create(**ANTHROPIC_BODY)  # type: ignore[call-overload]  # a plain mapping
            return [event.type.encode() for event in stream]

        self._add("anthropic", ask)


def new_tape(path: Path, *, pace: float = 0.0) -> Tape:
    """
    Return a tape as the battery makes one for a cell.
    """
    return Tape(Log(), Gate(Capability.INVOKE), cassette=files.load(path), pace=pace)


@contextmanager
def plain_cassette(path: Path) -> Iterator[None]:
    """
    Open the file in plain vcrpy.
    """
    with vcr.use_cassette(str(path), record_mode="none", allow_playback_repeats=True):
        yield


def measure(path: Path, rounds: int) -> list[Result]:
    """
    Return the median cost of a replayed request per client, plain and taped, measured in turn.
    """
    loop = asyncio.new_event_loop()
    clients.install()
    tape = new_tape(path)
    with ExitStack() as close:
        with plain_cassette(path):
            plain = Clients(loop)
        close.callback(plain.close)
        with tape.insert():
            taped = Clients(loop)
        close.callback(taped.close)
        pipe = close.enter_context(_Pipe())
        return [_compare(name, plain, taped, path, rounds, pipe) for name in taped.made]


class _Pipe:
    """
    Take a cell's frames, as its parent does; they are read between two requests.
    """

    def __enter__(self) -> Self:
        self._reads, writes = os.pipe()
        self._writes = writes
        self._send = Sender(writes, Capability.INVOKE)
        os.set_blocking(self._reads, False)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._reads)
        os.close(self._writes)

    def emit(self, event: Event) -> None:
        """
        Send one event out.
        """
        self._send("event", encode(event))

    def drain(self) -> None:
        """
        Read what is in there.
        """
        with suppress(BlockingIOError):
            while os.read(self._reads, 1 << 16):
                pass


def _compare(name: str, plain: Clients, taped: Clients, path: Path, rounds: int, pipe: _Pipe) -> Result:  # noqa: PLR0913, PLR0917 - the sides and what they share
    block = 20
    blocks: tuple[list[list[float]], list[list[float]], list[list[float]]] = ([], [], [])
    cassette = files.load(path)
    for turn in range(rounds // block + 1):
        with plain_cassette(path):
            found = [plain.time(name) for _ in range(block)]
        blocks[0].extend([found] if turn else [])
        for side, emit in ((1, None), (2, pipe.emit)):
            found = []
            for _ in range(block):
                found.append(_time_taped(name, taped, cassette, Log(emit)))
                pipe.drain()
            blocks[side].extend([found] if turn else [])
    alone, with_tape, sent_out = (statistics.median(chain.from_iterable(side)) * 1000 for side in blocks)
    return Result(
        client=name,
        plain=alone,
        taped=with_tape,
        ratio=with_tape / alone,
        ratio_of_bests=_bests(blocks[1], blocks[0]),
        sent_out=sent_out,
        ratio_sent_out=sent_out / alone,
    )


def _bests(ours: list[list[float]], theirs: list[list[float]]) -> float:
    return statistics.median(min(our) / min(their) for our, their in zip(ours, theirs, strict=True))


def _time_taped(name: str, taped: Clients, cassette: Cassette, log: Log) -> float:
    # a log and a gate serve one call, as they do in a cell
    cassette.rewind()
    capability = Capability.AINVOKE if name == "aiohttp" or name.endswith("async") else Capability.INVOKE
    taped.gate = Gate(capability)
    with Tape(log, taped.gate, cassette=cassette).insert():
        return taped.time(name)


def measure_lateness(path: Path, rounds: int) -> list[Lateness]:
    """
    Return how much later than recorded arrivals are handed out at recorded pace, per client.
    """
    from harness.events import Arrival, Sent

    loop = asyncio.new_event_loop()
    clients.install()
    found = []
    with new_tape(path).insert():
        made = Clients(loop)
    for name, ask in made.made.items():
        late = []
        for _ in range(rounds):
            tape = new_tape(path, pace=1.0)
            with tape.insert():
                ask()
            sent = next(event.real for event in tape.log.events if isinstance(event, Sent))
            arrivals = [event for event in tape.log.events if isinstance(event, Arrival)]
            late += [event.real - sent - PAUSE * (event.index + 1) for event in arrivals]
        cuts = statistics.quantiles(late, n=20)
        found.append(Lateness(client=name, median=statistics.median(late) * 1000, p95=cuts[-1] * 1000))
    made.close()
    return found


def render_costs(results: list[Result]) -> Table:
    """
    Return the table of costs.
    """
    table = Table(title=f"A replayed request of {ARRIVALS} arrivals, median")
    for heading in (
        "client",
        "plain vcrpy, ms",
        "taped, ms",
        "ratio",
        "of bests",
        "with evidence sent out, ms",
        "its ratio",
    ):
        table.add_column(heading, justify="left" if heading == "client" else "right")
    for result in results:
        colour = "red" if result.ratio > MOST_RATIO else "green"
        ratio = f"[{colour}]{result.ratio:.2f}"
        of_bests = f"{result.ratio_of_bests:.2f}"
        sent_out = (f"{result.sent_out:.3f}", f"{result.ratio_sent_out:.2f}")
        table.add_row(result.client, f"{result.plain:.3f}", f"{result.taped:.3f}", ratio, of_bests, *sent_out)
    return table


def render_lateness(results: list[Lateness]) -> Table:
    """
    Return the table of lateness.
    """
    table = Table(title="Arrivals at recorded pace, late by")
    for heading in ("client", "median, ms", "95 %, ms"):
        table.add_column(heading, justify="left" if heading == "client" else "right")
    for result in results:
        table.add_row(result.client, f"{result.median:.2f}", f"{result.p95:.2f}")
    return table


def main() -> int:
    """
    Measure, show, and return the exit status: 1 where a figure is over its limit.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="requests per client and side")
    parser.add_argument("--paced", type=int, default=5, help="replays at recorded pace, per client, for the lateness")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    console = Console()
    late: list[Lateness] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.yaml"
        write_cassette(path)
        gc.freeze()
        costs = measure(path, options.rounds)
        console.print(render_costs(costs))
        if options.paced:
            late = measure_lateness(path, options.paced)
            console.print(render_lateness(late))
    if options.json:
        figures = {"costs": [asdict(cost) for cost in costs], "lateness": [asdict(one) for one in late]}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    slow = any(cost.ratio > MOST_RATIO for cost in costs) or any(one.median > MOST_LATE * 1000 for one in late)
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())

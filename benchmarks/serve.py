"""
How late `harness serve` is at the recorded pace, with many streams at a time.

The server is a process of its own, and writes its log, as it does when a program is judged. The first row tells what
the log says: an arrival's moment, against that of its request. The second tells what a client sees that reads all
streams in one loop: from sending a request to having a piece of its answer, so that both processes' work and the
kernel's count; that one is held to the limit. Streams begin within half a second; their arrivals are 20 to 60 ms apart,
as from a provider. The third row is the same with all requests sent in one moment: to take them in one after the other
makes all of the later streams late by as much, from their first arrival to their last.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from vcr.request import Request

from harness.tape import cassette as files
from harness.tape.secrets import Secrets

STREAMS: Final = 32
ARRIVALS: Final = 40
MOST_LATE: Final = 2.0
MOST_LATE_95: Final = 10.0
BEGIN_WITHIN: Final = 0.5
_PIECE: Final = b"data: %4d\n\n"
_SIZE: Final = len(_PIECE % 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """
    Say how late arrivals were, in milliseconds.
    """

    seen_by: str
    arrivals: int
    median: float
    p95: float
    worst: float


def moments(stream: int) -> list[float]:
    """
    Return when the pieces of one stream come: the same in every run.
    """
    gaps = random.Random(stream)  # noqa: S311 - repeatable, not secret
    return [round(at, 6) for at in itertools.accumulate(gaps.uniform(0.02, 0.06) for _ in range(ARRIVALS))]


def write_cassette(path: Path, streams: int) -> None:
    """
    Write a recording with an address for each stream.
    """
    interactions = []
    for stream in range(streams):
        response: dict[str, Any] = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["text/event-stream"], "transfer-encoding": ["chunked"]},
            "body": {"string": b"".join(_PIECE % number for number in range(ARRIVALS))},
        }
        pieces = tuple(files.Piece(at=at, size=_SIZE) for at in moments(stream))
        files.write_timing(response, files.Timing(arrivals=pieces, framing="chunked"))
        interactions.append((Request("GET", f"https://api.example.com/{stream}", None, {}), response))
    files.save(path, interactions, Secrets())


async def read(url: str, stream: int, within: float) -> list[float]:
    """
    Return how late each piece of one stream was, in seconds since its request was sent.
    """
    at = urlsplit(url)
    await asyncio.sleep(random.Random(-stream).uniform(0, within))  # noqa: S311 - as above
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    began = time.perf_counter()
    writer.write(f"GET /{stream} HTTP/1.1\r\nHost: {at.netloc}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    late = []
    for due in moments(stream):
        await reader.readuntil(b"\n\n\r\n")
        late.append(time.perf_counter() - began - due)
    writer.close()
    return late


async def read_all(url: str, streams: int, within: float) -> list[float]:
    """
    Read streams at the same time, which begin within some seconds.
    """
    found = await asyncio.gather(*(read(url, stream, within) for stream in range(streams)))
    return [late for one in found for late in one]


def logged(path: Path) -> list[float]:
    """
    Return how late the server's log says that each arrival was.
    """
    events = [json.loads(line) for line in path.read_text().splitlines()]
    sent = {event["request"]: event for event in events if event["event"] == "Sent"}
    due = {number: moments(int(event["uri"].rpartition("/")[2])) for number, event in sent.items()}
    return [
        event["clock"] - sent[event["request"]]["clock"] - due[event["request"]][event["index"]]
        for event in events
        if event["event"] == "Arrival"
    ]


def measure(streams: int, rounds: int) -> list[Lateness]:
    """
    Serve, read and tell.
    """
    seen: dict[float, list[float]] = {BEGIN_WITHIN: [], 0.0: []}
    with tempfile.TemporaryDirectory() as folder:
        cassette, log = Path(folder) / "streams.yaml", Path(folder) / "log.jsonl"
        write_cassette(cassette, streams)
        words = ["-m", "harness", "serve", str(cassette), "--repeat", "--log", str(log)]
        with subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
            try:
                url = process.stdout.readline().split()[1] if process.stdout else ""
                for within in seen:
                    for _ in range(rounds):
                        seen[within] += asyncio.run(read_all(url, streams, within))
            finally:
                process.terminate()
                process.communicate()
        told = logged(log)
    return [
        _lateness("the server's log", told[: len(seen[BEGIN_WITHIN])]),
        _lateness("a client", seen[BEGIN_WITHIN]),
        _lateness("a client, all sent at once", seen[0.0]),
    ]


def _lateness(seen_by: str, late: list[float]) -> Lateness:
    in_order = sorted(1000 * one for one in late)
    return Lateness(
        seen_by=seen_by,
        arrivals=len(in_order),
        median=statistics.median(in_order),
        p95=in_order[int(0.95 * len(in_order))],
        worst=in_order[-1],
    )


def render(found: list[Lateness], streams: int) -> Table:
    """
    Return the table.
    """
    table = Table(title=f"Served at the recorded pace, {streams} streams at a time, late by")
    for heading in ("seen by", "arrivals", "median, ms", "95 %, ms", "worst, ms"):
        table.add_column(heading, justify="left" if heading == "seen by" else "right")
    for one in found:
        table.add_row(one.seen_by, str(one.arrivals), f"{one.median:.2f}", f"{one.p95:.2f}", f"{one.worst:.2f}")
    return table


def main() -> int:
    """
    Measure, show, and return the exit status: 1 where a figure is over its limit.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=STREAMS, help="streams at a time")
    parser.add_argument("--rounds", type=int, default=5, help="how often they are read, each way")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    found = measure(options.streams, options.rounds)
    Console().print(render(found, options.streams))
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    client = found[1]
    return int(client.median > MOST_LATE or client.p95 > MOST_LATE_95)


if __name__ == "__main__":
    sys.exit(main())

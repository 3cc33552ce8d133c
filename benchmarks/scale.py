"""
What thousands of adapters cost: time and memory at growing sizes, which should grow as the number of cells does.

Each size is run in a process of its own: adapters are registered, replayed, judged, encoded, read, merged from five
shards, and reported. All adapters are one honest toy under many names, with cassettes that were recorded once; so a
cell costs what the harness itself costs, and next to nothing of an adapter's own. `--copies` leaves the replay out and
copies the row of one adapter instead: it shows in a minute whether anything in the reports is worse than linear.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from harness.adapters.project import load_project
from harness.adapters.registry import find_adapters
from harness.report.matrix import decode_matrix, encode_matrix
from harness.report.merge import merge
from harness.report.write import write_reports
from harness.session import Session, Settings
from harness.session.rows import matrix_of
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.cells import Matrix

SIZES: Final = (100, 500, 1000, 5000)
SHARDS: Final = 5
MOST_GROWTH: Final = 1.5
"""A cell of the largest size may cost so much more than one of the smallest, and a further one so much more memory."""
LEAST: Final = 0.05
"""Seconds; the processor's clock goes in steps of 0.01, so that less cannot be told from nothing."""
PIECES: Final = 24


class Upstream(BaseHTTPRequestHandler):
    """
    Repeat a prompt in many pieces.
    """

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """
        Answer.
        """
        prompt = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for place in range(PIECES):
            piece = f"{prompt if place == 0 else f' word{place}'}".encode()
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
            time.sleep(0.005)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """
        Say nothing.
        """


def record(folder: Path) -> str:
    """
    Record the toy's six calls once, and return its upstream's address.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    project = load_project(register(folder, address, 1))
    with Session(project, Settings(record=True, jobs=1)) as session:
        session.rows(project.adapters)
    server.shutdown()
    return address


def register(folder: Path, address: str, number: int) -> Path:
    """
    Write a configuration with so many adapters, and give each the cassettes of the first.
    """
    shutil.copy(Path(__file__).with_name("_toy.py"), folder / "scale_toy.py")
    lines = ['family = "scale"']
    for place in range(number):
        lines += [f"[adapters.A{place:05}]", 'target = "scale_toy:Toy"', f'kwargs = {{ base_url = "{address}" }}']
    file = folder / "harness.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    first = folder / "cassettes/scale/A00000"
    for place in range(1, number):
        own = first.with_name(f"A{place:05}")
        own.mkdir(parents=True, exist_ok=True)
        for cassette in first.glob("*.yaml"):
            if not (own / cassette.name).exists():
                os.link(cassette, own / cassette.name)
    return file


class Clock:
    """
    Note what each step takes: of the wall, of the processor, its own and its children's, and the peak of memory.
    """

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, float]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """
        Take the time of a block.
        """
        wall, before = time.perf_counter(), os.times()
        yield
        after = os.times()
        own = after.user + after.system - before.user - before.system
        children = after.children_user + after.children_system - before.children_user - before.children_system
        self.taken[name] = {"wall": time.perf_counter() - wall, "cpu": own + children, "own": own, "peak": peak()}


def peak() -> float:
    """
    Return the most memory that this process has had so far, in MB.
    """
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss begins with that of the process which started this one
        return int(status.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def copied(row: Matrix, number: int) -> Matrix:
    """
    Return the matrix of one adapter under many names.
    """
    (adapter,) = row.adapters
    names = [f"A{place:05}" for place in range(number)]
    return replace(
        row,
        adapters=tuple(replace(adapter, name=name) for name in names),
        cells=tuple(replace(cell, adapter=name) for name in names for cell in row.cells),
    )


def measured(folder: Path, number: int, clock: Clock, *, copies: bool, jobs: int) -> Matrix:
    """
    Return the matrix of so many adapters, replayed or copied.
    """
    with clock.step("register"):
        project = load_project(folder / "harness.toml")
        adapters = list(find_adapters(project))
    with clock.step("replay"):
        with Session(project, Settings(jobs=jobs)) as session:
            rows = session.rows(adapters[:1] if copies else adapters)
        matrix = matrix_of(rows, complete=True)
    return copied(matrix, number) if copies else matrix


def one_size(folder: Path, number: int, *, copies: bool, jobs: int) -> dict[str, Any]:
    """
    Take one size through every step, and return what each took.
    """
    clock = Clock()
    matrix = measured(folder, number, clock, copies=copies, jobs=jobs)
    assert len(matrix.cells) == number * len(Capability)
    assert all(cell.evidence.requests for cell in matrix.cells)
    with clock.step("encode"):
        data = encode_matrix(matrix)
    with clock.step("decode"):
        decode_matrix(data, where="scale")
    parts = [_part(matrix, place) for place in range(SHARDS)]
    with clock.step("merge"):
        merged = merge(parts)
    assert encode_matrix(merged) == data
    with clock.step("reports"):
        write_reports(folder / "reports", matrix)
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"adapters": number, "cells": len(matrix.cells), "child": child, "bytes": len(data), "steps": clock.taken}


def _part(matrix: Matrix, place: int) -> Matrix:
    names = {adapter.name for adapter in matrix.adapters[place::SHARDS]}
    adapters = tuple(adapter for adapter in matrix.adapters if adapter.name in names)
    return replace(matrix, adapters=adapters, cells=tuple(cell for cell in matrix.cells if cell.adapter in names))


def render(found: Sequence[dict[str, Any]], value: Callable[[dict[str, float], int], str], title: str) -> Table:
    """
    Return a table of the steps at each size.
    """
    table = Table(title=title)
    table.add_column("step")
    for size in found:
        table.add_column(f"{size['adapters']} adapters", justify="right")
    for name in found[0]["steps"]:
        table.add_row(name, *(value(size["steps"][name], size["cells"]) for size in found))
    return table


def grown(found: Sequence[dict[str, Any]], name: str) -> float:
    """
    Return how much more a cell costs at the largest size than at the smallest.
    """
    small, large = (max(size["steps"][name]["cpu"], LEAST) / size["cells"] for size in (found[0], found[-1]))
    return float(large / small)


def fattened(found: Sequence[dict[str, Any]], name: str) -> float:
    """
    Return how much more memory a further cell takes between the two largest sizes than between the two smallest.
    """
    peaks = [(size["cells"], size["steps"][name]["peak"]) for size in found]
    first, last = (
        (large - small) / (more - less) for (less, small), (more, large) in (peaks[:2], peaks[-2:]) if more > less
    )
    return last / first if first > 0 else 1.0


def opened(folder: Path) -> dict[str, float]:
    """
    Return how many seconds Chromium takes to show the table, and one page of evidence.
    """
    from playwright.sync_api import sync_playwright

    path = next((one for one in map(shutil.which, ("chromium", "google-chrome", "chrome")) if one), None)
    taken = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for page in sorted((folder / "reports").glob("index.html")) + sorted(
            (folder / "reports").glob("evidence/1.html")
        ):
            tab = browser.new_page()
            began = time.perf_counter()
            tab.goto(page.as_uri())
            tab.evaluate("document.body.getBoundingClientRect().height")
            taken[f"{page.name}, {page.stat().st_size / 1e6:.1f} MB"] = time.perf_counter() - began
        browser.close()
    return taken


def main() -> int:
    """
    Measure every size, show, and return 1 where a cell of the largest costs much more than one of the smallest.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of adapters")
    parser.add_argument("--copies", action="store_true", help="replay one adapter and copy its row")
    parser.add_argument("--jobs", type=int, default=1, help="adapters that run side by side")
    parser.add_argument("--browser", action="store_true", help="also open the largest report in Chromium")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one_size(options.one, options.sizes[0], copies=options.copies, jobs=options.jobs)))
        return 0
    return compared(options)


def compared(options: argparse.Namespace) -> int:
    """
    Measure every size in a process of its own, and show them side by side.
    """
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        address = record(folder)
        found = []
        for size in options.sizes:
            register(folder, address, size)
            command = [sys.executable, __file__, "--one", temporary, "--sizes", str(size), "--jobs", str(options.jobs)]
            done = subprocess.run([*command, *(["--copies"] * options.copies)], capture_output=True, check=True)  # noqa: S603 - this file again
            found.append(json.loads(done.stdout))
            console.print(
                f"{size} adapters: {found[-1]['steps']['replay']['cpu']:.0f} s of the processor for the replay"
            )
        shown = opened(folder) if options.browser else {}
    console.print(render(found, lambda step, cells: f"{step['cpu'] / cells * 1000:.3f}", "Processor time, ms a cell"))
    console.print(render(found, lambda step, _: f"{step['peak']:.0f}", "Peak of the parent's memory by then, MB"))
    for size in found:
        replay = size["steps"]["replay"]
        rate = "" if options.copies else f", {size['cells'] / replay['cpu']:.0f} cells a second on one core"
        console.print(
            f"{size['adapters']} adapters: largest child {size['child']:.0f} MB, "
            f"matrix {size['bytes'] / 1e6:.1f} MB{rate}"
        )
    for name, seconds in shown.items():
        console.print(f"Chromium shows {name} in {seconds:.2f} s")
    worse = list(complaints(found, copies=options.copies))
    for complaint in worse:
        console.print(f"[red]{complaint}")
    return int(bool(worse))


def complaints(found: Sequence[dict[str, Any]], *, copies: bool) -> Iterator[str]:
    """
    Say what grows faster than the number of cells.
    """
    for name in found[0]["steps"]:
        if name == "register" or (copies and name == "replay"):
            continue
        if (factor := grown(found, name)) > MOST_GROWTH:
            yield f"{name}: a cell costs {factor:.1f} times as much at the largest size as at the smallest"
        if len(found) > 2 and (factor := fattened(found, name)) > MOST_GROWTH:  # noqa: PLR2004 - two to compare with
            yield f"{name}: a further cell takes {factor:.1f} times as much memory at the largest size"


if __name__ == "__main__":
    sys.exit(main())

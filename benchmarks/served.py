"""
Every adapter of a family as a program of its own that asks `harness serve`: the same verdicts as in one process?

Each call is made in a fresh process without a tape, over real sockets, in lock-step: the arrivals up to the middle of
the answer go at once, the rest when the caller has something of the answer, or never gets it. The server's log and the
caller's make the verdict, which is held against that of the committed matrix. Where input and output take place cannot
be seen from outside, so that part of a verdict is left out: an `astream` is compared as the stream that it is.

Run it in the family's locked environment: `nox -s bench -- served`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
from rich.console import Console
from rich.table import Table

from harness.adapters.project import load_project
from harness.battery.counting import Counts
from harness.battery.prompts import PROMPTS
from harness.errors import UserError
from harness.events import Died
from harness.marks import carried
from harness.report.matrix import read_matrix
from harness.serve.judging import judge_logs
from harness.serve.log import clock
from harness.serve.recordings import load
from harness.serve.serving import Options, Serving
from harness.session import Session, Settings
from harness.tape import cassette as files
from harness.words import Capability, Delivery, FanOut, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.cells import Cell
    from harness.isolation.outcome import Outcome

HERE: Final = Path(__file__).resolve().parent
FAMILY: Final = HERE.parent / "families" / "litellm" / "harness.toml"
PATIENCE: Final = 10.0
"""Seconds that a caller may take to hand on what it has; who buffers is waited for as long."""
_LOOK: Final = 0.02
_WORKS: Final = frozenset({Verdict.NATIVE, Verdict.FALLBACK, Verdict.BROKEN})
_OF_DELIVERY: Final = {
    Delivery.INCREMENTAL: "native",
    Delivery.BUFFERED: f"fallback/{Mechanism.BUFFERED}",
    Delivery.WHOLE: f"fallback/{Mechanism.SINGLE_ITEM}",
}
_OF_FAN_OUT: Final = {
    FanOut.BATCHED: "native",
    FanOut.CONCURRENT: f"fallback/{Mechanism.CONCURRENT}",
    FanOut.SEQUENTIAL: f"fallback/{Mechanism.SEQUENTIAL}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """
    Hold one call: what it is in one process, and what over a socket, as far as both can be seen.
    """

    adapter: str
    call: Capability
    here: str
    served: str
    reason: str = ""


def seen_from_outside(cell: Cell) -> str:
    """
    Return a verdict without what only shows within the process.
    """
    delivery, fan_out = cell.evidence.delivery, cell.evidence.fan_out
    if cell.verdict is Verdict.BROKEN:
        return "broken"
    if cell.verdict not in _WORKS:
        return str(cell.verdict)
    if cell.capability.batches:
        return "unknown" if fan_out is None else _OF_FAN_OUT[fan_out]
    if cell.capability.streams:
        return "unknown" if delivery is None else _OF_DELIVERY[delivery]
    return "native"


class Place:
    """
    Serve one call's cassette in lock-step, and let its arrivals go as a program may have them.
    """

    def __init__(self, cassette: Path, folder: Path, call: Capability, adapter: Adapter) -> None:
        self.log, self.told = folder / f"{call}.served.jsonl", folder / f"{call}.told.jsonl"
        self._call = call
        self._inputs = tuple(adapter.prompts or PROMPTS)
        match_on = adapter.match_on
        self._counts = Counts(files.load(cassette).data)
        names = None if match_on is None else [one for one in match_on if one not in {"scheme", "host", "port"}]
        self._serving = Serving(load([cassette], names), Options(lockstep=True, log=self.log))
        self._over = threading.Event()
        self._driver = threading.Thread(target=self._drive)
        self._came = False

    def __enter__(self) -> Self:
        self._serving.__enter__()
        self._driver.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._driver.join()
        self._serving.__exit__()

    def as_option(self) -> dict[str, str]:
        """
        Return what the cell is told.
        """
        return {"url": self._serving.url, "told": str(self.told)}

    def _drive(self) -> None:
        with httpx.Client(base_url=self._serving.url, timeout=60) as client:
            if self._call.batches:
                self._let_all_leave(client)
            while not self._over.is_set():
                released = client.post("/__harness__/next?wait=0.5").json()
                if "error" not in released and self._is_middle(released):
                    self._await_item(client, released["request"])

    def _let_all_leave(self, client: httpx.Client) -> None:
        """
        Return when requests with all inputs have left; who asks one after the other is waited for.
        """
        until = None
        while not self._over.wait(_LOOK) and (until is None or clock() < until):
            carries = {number: carried(text, self._inputs) for number, text in self._sent().items()}
            asked = {one for every in carries.values() for one in every}
            if len(asked) == len(self._inputs):
                return
            until = until or (clock() + PATIENCE if asked else None)
            # a token, say: it comes before
            self._release(client, [number for number, every in carries.items() if not every])

    def _sent(self) -> dict[int, str]:
        events = _lines(self.log)
        over = {line["request"] for line in events if line["event"] in {"Ended", "Closed"}}
        return {
            line["request"]: line["text"] for line in events if line["event"] == "Sent" and line["request"] not in over
        }

    @staticmethod
    def _release(client: httpx.Client, requests: Iterable[int]) -> None:
        for number in requests:
            client.post(f"/__harness__/next?request={number}&wait=0.05")

    def _is_middle(self, released: Mapping[str, int]) -> bool:
        return self._call.streams and released["arrivals"] > 1 and released["index"] + 1 == released["arrivals"] // 2

    def _await_item(self, client: httpx.Client, request: int) -> None:
        until = clock() + PATIENCE
        while not (self._over.is_set() or self._came) and clock() < until:
            self._came = self._has_item()
            # whatever else the adapter asks meanwhile is answered
            self._release(client, self._sent().keys() - {request})
            self._over.wait(_LOOK)

    def _has_item(self) -> bool:
        texts = [line["text"] for line in _lines(self.told) if line["event"] == "Item"]
        return any(text and self._counts(text) for text in texts)


def _lines(path: Path) -> list[dict[str, Any]]:
    """
    Return what a log holds by now; its last line may be half there.
    """
    text = path.read_text("utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("}\n")]


def compare(session: Session, adapter: Adapter, cells: Sequence[Cell]) -> list[Compared]:
    """
    Make an adapter's calls over sockets, and hold what came of them against its cells.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as serving:
        places = {}
        for cell in cells:
            path = session.cassette(adapter, cell.capability)
            place = Place(path, Path(name), cell.capability, adapter)
            places[cell.capability] = serving.enter_context(place)
        served = {call.value: place.as_option() for call, place in places.items()}
        options = {"entry": "_served_cell:run", "served": served}
        outcomes = session.outcomes(adapter, list(places), options)
        serving.close()
        for call, outcome in outcomes.items():
            _tell_of_death(places[call].told, outcome)
        return [_compared(cell, places[cell.capability], outcomes[cell.capability].notes) for cell in cells]


def _tell_of_death(told: Path, outcome: Outcome) -> None:
    died = next((one for one in outcome.events if isinstance(one, Died)), None)
    if died is not None and told.exists():
        line = {"event": "Died", "clock": clock(), "how": died.how, "detail": died.detail}
        with told.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _compared(cell: Cell, place: Place, notes: Mapping[str, str]) -> Compared:
    try:
        judged = judge_logs(place.log, place.told)
    except UserError as error:
        found, reason = "not judged", notes.get("fault", error.message).strip().splitlines()[-1]
    else:
        twin = replace(cell, verdict=judged.verdict, mechanism=judged.mechanism, evidence=judged.evidence)
        found, reason = seen_from_outside(twin), judged.reason
    return Compared(
        adapter=cell.adapter, call=cell.capability, here=seen_from_outside(cell), served=found, reason=reason
    )


def run(project: Project, matrix: Path, wanted: Sequence[str], jobs: int) -> list[Compared]:
    """
    Compare every cell that worked in one process over recordings of HTTP.
    """
    by_name: dict[str, list[Cell]] = {}
    for cell in read_matrix(matrix).cells:
        if cell.verdict in _WORKS and cell.evidence.requests:
            by_name.setdefault(cell.adapter, []).append(cell)
    project = replace(project, paths=(*project.paths, HERE), columns=())
    adapters = [one for one in project.adapters if one.name in by_name and (not wanted or one.name in wanted)]
    with Session(project, Settings(record=True, jobs=jobs)) as session, ThreadPoolExecutor(jobs) as pool:
        return [one for every in pool.map(lambda it: compare(session, it, by_name[it.name]), adapters) for one in every]


def render(found: Sequence[Compared]) -> Table:
    """
    Return how many calls are alike.
    """
    table = Table(title="Served to a program of its own, against one process")
    for heading in ("call", "the same verdict", "of", "what it is"):
        table.add_column(heading, justify="right" if heading in {"the same verdict", "of"} else "left")
    for call in Capability:
        every = [one for one in found if one.call is call]
        same = [one for one in every if one.here == one.served]
        kinds = ", ".join(f"{number} {kind}" for kind, number in Counter(one.here for one in every).most_common())
        table.add_row(call.value, str(len(same)), str(len(every)), kinds)
    return table


def main() -> int:
    """
    Compare, show, and return the exit status: 1 where a verdict differs.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=FAMILY, help="the family's configuration")
    parser.add_argument("--matrix", type=Path, help="its matrix; otherwise that among its reports")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1), help="adapters side by side")
    parser.add_argument("names", nargs="*", help="these adapters only")
    options = parser.parse_args()
    project = load_project(options.config)
    found = run(project, options.matrix or project.reports / "matrix.json", options.names, options.jobs)
    console = Console()
    console.print(render(found))
    different = [one for one in found if one.here != one.served]
    for one in different:
        console.print(f"{one.adapter} {one.call}: {one.here} in one process, {one.served} served: {one.reason}")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())

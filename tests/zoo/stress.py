"""
Replay the zoo again and again on a machine that is kept busy, and count the verdicts that flip.

    python tests/zoo/stress.py --repeat 200 --busy 4
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from labels import ZOO
from runs import JOBS, SPECIMENS, Canary, made, record
from zoo_adapters.escapes import CANARY

from harness.adapters.project import load_project
from harness.session import Session, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.adapters.project import Project
    from harness.cells import Cell


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Record once, replay often, print the count; return 1 where a verdict flipped, is wrong, or was had by dialling out.
    """
    options = _parser().parse_args(arguments)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, Canary() as canary:
        project = load_project(record(Path(folder) / "all").config)
        os.environ[CANARY] = canary.address
        settings = Settings(jobs=options.jobs)
        with busy(options.busy), Session(project, settings) as session:
            for number in range(1, options.repeat + 1):
                whole = options.with_hangs and (number - 1) % options.hangs_every == 0
                began = time.monotonic()
                cells = _replay(session, project, hangs=whole)
                lines = tally.add(cells)
                print(f"{number} of {options.repeat}: {len(cells)} verdicts, {time.monotonic() - began:.1f} s; {tally}")
                print("".join(f"  {line}\n" for line in lines), end="", flush=True)
        print(
            f"{options.repeat} x {len(ZOO)} specimens under {options.busy} busy processes, {canary.visits} dialled out"
        )
    print(tally)
    return 1 if tally.flips or tally.wrong or canary.visits else 0


def _replay(session: Session, project: Project, *, hangs: bool) -> list[Cell]:
    """
    Replay once, without the calls that a specimen does not have: they are judged without being made.
    """
    adapters = [adapter for adapter in project.adapters if hangs or not SPECIMENS[adapter.name].hangs]
    return [cell for row in session.rows(adapters, made) for cell in row.cells]


@dataclass(slots=True)
class Tally:
    """
    Count verdicts, those that differ from the first time, and those that differ from their label.
    """

    verdicts: int = 0
    flips: int = 0
    wrong: int = 0
    first: dict[tuple[str, str], str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.verdicts} verdicts so far, {self.flips} flips, {self.wrong} wrong"

    def add(self, cells: Iterable[Cell]) -> list[str]:
        """
        Count the cells of one replay and return a line for each that is not as it should be.
        """
        lines = []
        for cell in cells:
            found = f"{cell.verdict.value}/{cell.mechanism.value}" if cell.mechanism else cell.verdict.value
            label = SPECIMENS[cell.adapter].label(cell.capability.value, replay=True)
            first = self.first.setdefault((cell.adapter, cell.capability.value), found)
            self.verdicts += 1
            self.flips += found != first
            self.wrong += found != label
            if found not in {first} & {label}:
                lines.append(
                    f"{cell.adapter} {cell.capability.value}: {found}, first {first}, label {label}: {cell.reason}"
                )
        return lines


@contextmanager
def busy(count: int) -> Iterator[None]:
    """
    Keep processors busy with `count` processes.
    """
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--repeat", type=int, default=200, help="how often the zoo is replayed")
    parser.add_argument("--busy", type=int, default=2 * (os.cpu_count() or 1), help="processes that keep it busy")
    parser.add_argument("--with-hangs", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--hangs-every", type=int, default=20, help="of so many repetitions, one has those that hang")
    parser.add_argument("--jobs", type=int, default=JOBS, help="adapters side by side")
    return parser


if __name__ == "__main__":
    sys.exit(main())

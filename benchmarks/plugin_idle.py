"""
What the idle plugin costs: pytest over a file with one empty test, without the plugin and with it, in turn.

The two of a pair run one right after the other, and the first of them takes turns, so that whatever else the machine
does falls on both sides alike. Other plugins are left out of both: they add more noise than the plugin costs, and they
import what it then has for nothing. Wall time is what people wait; processor time is what the plugin itself can help.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAIRS: Final = 60
FEWEST_PAIRS: Final = 20
MOST: Final = 0.020
WITHOUT: Final = ("-p", "no:harness")
WITH: Final = ()
OTHERS: Final = tuple(
    option
    for entry in metadata.entry_points(group="pytest11")
    if entry.name != "harness"
    for option in ("-p", f"no:{entry.name}")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """
    Say what one run of pytest took, in seconds: on the wall, and of the processor.
    """

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    Hold two runs that were made one right after the other.
    """

    without: Cost
    idle: Cost


def run(folder: Path, options: Sequence[str]) -> Cost:
    """
    Run pytest once, in a process of its own, and return what it took.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *OTHERS, *options, "test_nothing.py"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
    assert process.stdout is not None
    with process.stdout as stdout:
        printed = stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, printed.decode()
    assert b"1 passed" in printed, printed.decode()
    return Cost(wall=wall, cpu=used.ru_utime + used.ru_stime)


def measure(folder: Path, count: int) -> list[Pair]:
    """
    Return this many pairs.
    """
    for options in (WITHOUT, WITH):
        run(folder, options)  # what is read from the disk for the first time falls on neither
    pairs = []
    for turn in range(count):
        if turn % 2:
            idle, without = run(folder, WITH), run(folder, WITHOUT)
        else:
            without, idle = run(folder, WITHOUT), run(folder, WITH)
        pairs.append(Pair(without=without, idle=idle))
    return pairs


def require_plugin(folder: Path) -> None:
    """
    Make sure that the two sides differ: one has the plugin, the other has not.
    """
    for options, expected in ((WITH, True), (WITHOUT, False)):
        command = [sys.executable, "-m", "pytest", "--help", *OTHERS, *options]
        told = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout  # noqa: S603 - our own command
        assert (b"--harness-adapter" in told) is expected, f"pytest {options} is not what it was meant to be"


def report(pairs: Sequence[Pair]) -> float:
    """
    Print the figures, and return the larger of the two median differences in seconds.
    """
    table = Table(title=f"pytest of an empty test, {len(pairs)} interleaved pairs, milliseconds")
    for heading in ("", "without", "with", "median difference", "quartiles"):
        table.add_column(heading, justify="right" if heading else "left")
    sides: dict[str, Callable[[Cost], float]] = {"wall": lambda cost: cost.wall, "processor": lambda cost: cost.cpu}
    medians = []
    for name, of in sides.items():
        differences = [of(pair.idle) - of(pair.without) for pair in pairs]
        low, middle, high = statistics.quantiles(differences, n=4)
        medians.append(middle)
        figures = (
            statistics.median(of(pair.without) for pair in pairs),
            statistics.median(of(pair.idle) for pair in pairs),
        )
        shown = (f"{figure * 1000:.1f}" for figure in itertools.chain(figures, [middle]))
        table.add_row(name, *shown, f"{low * 1000:.1f} to {high * 1000:.1f}")
    Console().print(table)
    return max(medians)


def main() -> int:
    """
    Measure, print, and return 1 where the plugin costs more than it may.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"how many, at least {FEWEST_PAIRS}")
    asked = parser.parse_args()
    if asked.pairs < FEWEST_PAIRS:
        parser.error(f"--pairs: fewer than {FEWEST_PAIRS} say nothing on a busy machine")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        require_plugin(folder)
        worst = report(measure(folder, asked.pairs))
    kept = worst <= MOST
    word = "kept" if kept else "MISSED"
    Console().print(f"{word}: at most {MOST * 1000:.0f} ms when idle; it is {worst * 1000:.1f} ms")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

"""
What the harness costs beside what it stands on, whole processes, in turn on the same machine.

* **The floor**: the same six calls of the same adapters in one bare loop over plain vcrpy, in one process, without any
  evidence. An instance is made for each call, as here too: constructors talk, and instances change themselves.
  The harness has the committed matrix beside it, so that the calls of an adapter may share a process; what it takes to
  measure each call in a process of its own stands below.
* **langchain-tests**: its own invoke, ainvoke, stream, astream, batch and abatch tests of one modern chat model over
  recordings, against the harness on that adapter, and on the family by the adapter. Beside it runs the import of that
  model and its construction, and nothing else. It takes longer than the harness does with all six calls: Python looks
  for garbage meanwhile, reads certificates, and takes everything apart at the end.

What is compared is processor time (user and system, of all the processes of a run), which other programs on the
machine disturb least; wall time stands beside it. `nox -s bench -- family` makes both environments.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chat.record import STANDARD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = Path(__file__).resolve().parent
FAMILY: Final = HERE.parent / "families" / "langchain-0.0.337" / "harness.toml"
CHAT: Final = HERE / "chat"
MOST_OF_THE_FLOOR: Final = 1.5
IMPORT: Final = "from langchain_openai import ChatOpenAI; ChatOpenAI(model='gpt-4o-mini', api_key='placeholder')"
LEAST_FOR_ONE: Final = 2.0
OF_THE_FAMILY: Final = 3
"""Sides that run the family; the others run one chat model."""
LEAST_FOR_MANY: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """
    Say what one run took, in seconds: on the wall, and of the processor.
    """

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """
    Name one side of a comparison, and the command that runs it.
    """

    name: str
    command: tuple[str, ...]
    folder: Path


def run(side: Side) -> Cost:
    """
    Run one side to its end; one that fails says why.
    """
    before, began = os.times(), time.perf_counter()
    done = subprocess.run(side.command, cwd=side.folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    after = os.times()
    assert done.returncode == 0, f"{side.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall=time.perf_counter() - began, cpu=cpu)


def sides(family: Path, chat: Path, adapters: Sequence[str]) -> list[Side]:
    """
    Return the six sides, in the order in which they are run.

    Args:
        family: the Python of the family's environment.
        chat: the Python of the chat model's environment.
        adapters: the family's adapters to run.
    """
    ours = ("-m", "harness", "run", *adapters, "--config", str(FAMILY), "--json", os.devnull)
    one = ("-m", "harness", "run", "--json", os.devnull)
    standard = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--record-mode=none", "--block-network", *STANDARD)
    return [
        Side(name="floor", command=(str(family), str(HERE / "_floor.py"), str(FAMILY), *adapters), folder=HERE),
        Side(name="family", command=(str(family), *ours), folder=HERE),
        Side(name="family, a process a call", command=(str(family), *ours, "--alone"), folder=HERE),
        Side(name="langchain-tests", command=(str(chat), *standard), folder=CHAT / "standard"),
        Side(name="one adapter", command=(str(chat), *one), folder=CHAT),
        Side(name="its import", command=(str(chat), "-c", IMPORT), folder=CHAT),
    ]


def over_http() -> list[str]:
    """
    Return the family's adapters that the floor can replay: those of its first environment that talk HTTP.
    """
    settings = tomllib.loads(FAMILY.read_text(encoding="utf-8"))
    first = settings["environment"]
    here = [name for name, one in settings["adapters"].items() if one.get("environment", first) == first]
    folder = FAMILY.parent / settings["cassettes"] / settings["family"]
    recorded = {name: folder / name / "invoke.yaml" for name in here}
    return [name for name, path in recorded.items() if path.exists() and "uri: http" in path.read_text("utf-8")]


def render(costs: dict[str, list[Cost]]) -> Table:
    """
    Return the table of medians.
    """
    table = Table(title="Whole processes, median seconds")
    for heading in ("run", "processor", "wall", "least processor", "runs"):
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for name, found in costs.items():
        figures = (
            statistics.median(cost.cpu for cost in found),
            statistics.median(cost.wall for cost in found),
            min(cost.cpu for cost in found),
        )
        table.add_row(name, *(f"{figure:.2f}" for figure in figures), str(len(found)))
    return table


def ratio(over: Sequence[Cost], under: Sequence[Cost]) -> float:
    """
    Return the median of the ratios of pairs that were run one after the other.
    """
    return statistics.median(a.cpu / b.cpu for a, b in zip(over, under, strict=True))


def main() -> int:
    """
    Measure, show, and return 1 where a figure is missed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--family-python", type=Path, required=True, help="Python with families/…/environments/main.lock"
    )
    parser.add_argument("--chat-python", type=Path, required=True, help="Python with benchmarks/chat/requirements.lock")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--adapter", action="append", default=[], help="only these adapters of the family")
    options = parser.parse_args()
    console = Console(width=110)
    adapters = options.adapter or over_http()
    run(Side(name="the matrix of one adapter", command=(str(options.chat_python), "-m", "harness", "run"), folder=CHAT))
    every = sides(options.family_python, options.chat_python, adapters)
    costs: dict[str, list[Cost]] = {side.name: [] for side in every}
    # what follows a family finds the processor's caches full of it: langchain-tests took 2.5 s there, not 1.8 s
    for group in (every[:OF_THE_FAMILY], every[OF_THE_FAMILY:]):
        run(group[0])
        for _ in range(options.rounds):
            for side in group:
                costs[side.name].append(run(side))
    console.print(render(costs))
    number = len(adapters)
    per_adapter = [Cost(wall=cost.wall / number, cpu=cost.cpu / number) for cost in costs["family"]]
    figures = [
        (f"the family's {number} adapters cost", ratio(costs["family"], costs["floor"]), "times the floor", False),
        (
            "one adapter is",
            ratio(costs["langchain-tests"], costs["one adapter"]),
            "times faster than langchain-tests",
            True,
        ),
        ("an adapter of the family is", ratio(costs["langchain-tests"], per_adapter), "times faster", True),
    ]
    limits = (MOST_OF_THE_FLOOR, LEAST_FOR_ONE, LEAST_FOR_MANY)
    missed = 0
    for (what, figure, of, least), limit in zip(figures, limits, strict=True):
        kept = figure >= limit if least else figure <= limit
        missed += not kept
        bound = f"at {'least' if least else 'most'} {limit:g}"
        console.print(f"[{'green' if kept else 'red'}]{what} {figure:.2f} {of}[/] ({bound})")
    forked = ratio(costs["family, a process a call"], costs["floor"])
    console.print(f"with a process for each call the family costs {forked:.2f} times the floor")
    alone = ratio(costs["langchain-tests"], costs["its import"])
    console.print(f"the import of that one adapter alone is {alone:.2f} times faster than langchain-tests")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

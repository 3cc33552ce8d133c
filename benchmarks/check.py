"""
What `harness check` takes for one adapter, whole process, and what of that is the harness.

Beside it runs the floor: the same adapter imported, and its six calls made, in one bare loop over plain vcrpy. What the
check takes longer is the harness: its verdicts, their evidence, and every check of what applications rely on.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import Final

from family import FAMILY, HERE, Cost, Side, render, run
from rich.console import Console

MOST: Final = 3.0
MOST_OF_IT_OURS: Final = 1.0


def main() -> int:
    """
    Measure, show, and return 1 where a figure is missed.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--family-python", type=Path, required=True, help="Python with families/…/environments/main.lock"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--adapter", default="OpenAI", help="one of the family's that is ready")
    options = parser.parse_args()
    python, name = str(options.family_python), options.adapter
    sides = (
        Side(name="floor", command=(python, str(HERE / "_floor.py"), str(FAMILY), name), folder=HERE),
        Side(name="check", command=(python, "-m", "harness", "--config", str(FAMILY), "check", name), folder=HERE),
    )
    costs: dict[str, list[Cost]] = {side.name: [] for side in sides}
    for _ in range(options.rounds):
        for side in sides:
            costs[side.name].append(run(side))
    console = Console(width=110)
    console.print(render(costs))
    whole = statistics.median(cost.wall for cost in costs["check"])
    ours = statistics.median(
        check.wall - floor.wall for check, floor in zip(costs["check"], costs["floor"], strict=True)
    )
    missed = 0
    for what, figure, limit in ((f"check {name} takes", whole, MOST), ("of which the harness", ours, MOST_OF_IT_OURS)):
        missed += figure > limit
        console.print(f"[{'red' if figure > limit else 'green'}]{what} {figure:.2f} s[/] (at most {limit:g} s)")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

"""
The zoo's labels: what each specimen is, by the rules of docs/verdicts.md alone.

They were written from the rules and not from what the harness says.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from labels_calls import AWAITS, BATCHES
from labels_faults import BESIDE, FAULTS, WRONG
from labels_honest import CONSTRUCTION, ESCAPES, HONEST
from labels_misread import MISREAD
from labels_streams import ASTREAMS, STREAMS
from labels_told import TOLD
from labels_unusual import UNUSUAL
from labels_windows import WINDOWS
from specimen import CALLS, PACKAGE, Specimen

from harness.adapters.writing import toml

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CALLS", "FAMILY", "ZOO", "Specimen", "write_project"]

FAMILY: Final = "zoo"
PRELOAD: Final = ("httpcore", "httpcore2", "httpx2", "openai", "anyio.to_thread", "anyio._backends._asyncio")
"""What would otherwise be imported again for each of a thousand cells; httpx imports httpcore when first used."""

ZOO: Final[tuple[Specimen, ...]] = (
    *HONEST,
    *STREAMS,
    *ASTREAMS,
    *AWAITS,
    *BATCHES,
    *BESIDE,
    *FAULTS,
    *WRONG,
    *CONSTRUCTION,
    *ESCAPES,
    *UNUSUAL,
    *TOLD,
    *WINDOWS,
    *MISREAD,
)


def write_project(folder: Path, base_url: str, specimens: Iterable[Specimen] = ZOO) -> Path:
    """
    Write a project that registers specimens, with their code beside it, and return its `harness.toml`.
    """
    here = Path(__file__).parent
    for package in (PACKAGE, "zoo_chunks"):
        shutil.copytree(here / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    lines = [f'family = "{FAMILY}"', 'cassettes = "cassettes"', 'reports = "reports"']
    lines.append(f"preload = {json.dumps(PRELOAD)}")
    for specimen in specimens:
        lines += ["", *_registration(specimen, base_url)]
    config = folder / "harness.toml"
    config.write_text("\n".join(lines) + "\n")
    return config


def _registration(specimen: Specimen, base_url: str) -> list[str]:
    kwargs = {"base_url": base_url, **specimen.kwargs}
    pairs = ", ".join(f"{name} = {json.dumps(value)}" for name, value in kwargs.items())
    timeout = [] if specimen.timeout is None else [f"timeout = {specimen.timeout}"]
    head = f"[adapters.{json.dumps(specimen.name)}]"
    more = [f"{name} = {toml(value)}" for name, value in specimen.more.items()]
    return [head, f'target = "{specimen.target}"', f"kwargs = {{ {pairs} }}", *timeout, *more]

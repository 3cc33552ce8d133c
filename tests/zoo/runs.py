"""The zoo through the real command: recorded once, and replayed with the upstream gone."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sysconfig
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import pytest
from labels import ZOO, Specimen, write_project
from upstream import Upstream
from zoo_adapters.escapes import CANARY

from harness.adapters.project import load_project
from harness.session import Session, Settings
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.adapters.adapter import Adapter

PATIENCE: Final = 900.0
"""Seconds after which a run of the whole zoo is given up."""

BRISK: Final = tuple(specimen.name for specimen in ZOO if not specimen.hangs)
"""Those that do not spend their time-out."""

SPECIMENS: Final = {specimen.name: specimen for specimen in ZOO}
JOBS: Final = 3 * (os.cpu_count() or 1)
"""Adapters side by side: many of them wait, for their upstream or for what never comes."""

Cells = dict[tuple[str, str], dict[str, Any]]


class Canary:
    """
    Listen where nobody may dial, and count who does.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    @property
    def address(self) -> str:
        """
        Return the address that must not be dialled.
        """
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _count(self) -> None:
        while True:
            try:
                visitor, _ = self._listening.accept()
            except OSError:
                return
            self.visits += 1
            visitor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # a shutdown wakes the thread that accepts; closing alone would leave it there
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """
    Hold a recorded zoo: its configuration, and what was judged live.
    """

    config: Path
    live: Cells


def harness(command: str, config: Path, matrix: Path, *options: str, env: Mapping[str, str] | None = None) -> Cells:
    """
    Run the command and return the cells of the matrix that it wrote.

    Raises:
        RuntimeError: the command is not installed, ended as if the user or the harness were at fault, or wrote nothing.
    """
    line = [installed(), command, "--config", str(config), "--json", str(matrix), "--jobs", str(JOBS), *options]
    done = subprocess.run(
        line,
        cwd=config.parent,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode not in {0, 1} or not matrix.exists():
        raise RuntimeError(f"{' '.join(line)}\nexit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}")
    return cells_of(json.loads(matrix.read_text(encoding="utf-8")))


def installed() -> str:
    """
    Return the path of the command.

    Raises:
        RuntimeError: it is not installed.
    """
    found = shutil.which("harness", path=sysconfig.get_path("scripts"))
    if found is None:
        raise RuntimeError("the command `harness` is not installed in this environment")
    return found


def cells_of(matrix: Mapping[str, Any]) -> Cells:
    """
    Return the cells of a matrix by adapter and call.
    """
    return {(cell["adapter"], cell["capability"]): cell for cell in matrix["cells"]}


def label_of(cell: Mapping[str, Any]) -> str:
    """
    Return a cell's verdict and mechanism in the form of a label.
    """
    return f"{cell['verdict']}/{cell['mechanism']}" if cell["mechanism"] else str(cell["verdict"])


def record(folder: Path, specimens: Iterable[Specimen] = ZOO) -> Recorded:
    """
    Record specimens from a live upstream, which is closed before this returns.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with Upstream() as upstream:
        config = write_project(folder, upstream.base_url, specimens)
        # the specimens that meet a failing upstream are replayed over its failure, and not without a cassette
        live = harness("record", config, folder / "live.json", "--keep-errors", "--yes")
        return Recorded(config=config, live=live)


def replay(config: Path, matrix: Path, canary: str, *options: str) -> Cells:
    """
    Replay a recorded zoo, or what is named of it; specimens that dial elsewhere in replay dial the canary.
    """
    return harness("run", config, matrix, *options, env={CANARY: canary})


def made(adapter: Adapter) -> list[Capability]:
    """
    Return the calls that a specimen has: the others are judged without being made.
    """
    specimen = SPECIMENS[adapter.name]
    calls = [one for one in Capability if specimen.label(one.value, replay=True) != "unsupported"]
    return calls or [Capability.INVOKE]


def replay_at_recorded_pace(config: Path, canary: str) -> Cells:
    """
    Replay the calls that specimens have, but for those that spend their time-out, as slowly as they were recorded.
    """
    project = load_project(config, config.parent)
    adapters = [adapter for adapter in project.adapters if adapter.name in BRISK]
    settings = Settings(jobs=JOBS, pace=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CANARY, canary)
        with Session(project, settings) as session:
            cells = [cell for row in session.rows(adapters, made) for cell in row.cells]
    return {
        (cell.adapter, cell.capability.value): {
            "verdict": cell.verdict.value,
            "mechanism": cell.mechanism and cell.mechanism.value,
            "reason": cell.reason,
        }
        for cell in cells
    }

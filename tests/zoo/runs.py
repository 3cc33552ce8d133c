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

from labels import ZOO, Specimen, write_project
from upstream import Upstream
from zoo_adapters.escapes import CANARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PATIENCE: Final = 900.0
"""Seconds after which a run of the whole zoo is given up."""

BRISK: Final = tuple(specimen.name for specimen in ZOO if not specimen.hangs)
"""Those that do not spend their time-out."""

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
    line = [installed(), command, "--config", str(config), "--json", str(matrix), *options]
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
        live = harness("record", config, folder / "live.json", "--keep-errors")
        return Recorded(config=config, live=live)


def replay(config: Path, matrix: Path, canary: str, *options: str) -> Cells:
    """
    Replay a recorded zoo, or what is named of it; specimens that dial elsewhere in replay dial the canary.
    """
    return harness("run", config, matrix, *options, env={CANARY: canary})

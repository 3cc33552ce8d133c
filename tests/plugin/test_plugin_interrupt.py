"""Ctrl-C: what was measured is shown, and no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.plugin.conftest import Place

SECONDS = 60
MARK = "HARNESS_TEST_MARK"


def processes_with(mark: str) -> list[int]:
    """
    Return the processes that inherited a mark in their environment.
    """
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark.encode() in _bytes(path)]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended, or is somebody else's


def wait_for(condition: Callable[[], bool]) -> bool:
    """
    Return whether something became true in good time.
    """
    until = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_an_interrupt_leaves_no_process(place: Place, workers: tuple[str, ...]) -> None:
    """
    Ctrl-C while an adapter hangs ends pytest, the fork server, the host and the cell.
    """
    place.register("Hangs", more=f'env = {{ TOUCH = "{place.root / "began"}" }}\ntimeout = 250.0')
    mark = uuid.uuid4().hex
    command = place.command("--harness", "--harness-record", "toys/Hangs::invoke", *workers)
    running = subprocess.Popen(
        command, cwd=place.root, env={**place.environment(), MARK: mark}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip

    try:
        assert wait_for((place.root / "began").exists)
        assert len(processes_with(mark)) > 1
        # as a terminal does: to everybody in the foreground
        os.killpg(running.pid, signal.SIGINT)
        out, _ = running.communicate(timeout=SECONDS)
    finally:
        running.kill()

    assert running.returncode == pytest.ExitCode.INTERRUPTED, out
    assert wait_for(lambda: not processes_with(mark)), processes_with(mark)
    assert "INTERNALERROR" not in out

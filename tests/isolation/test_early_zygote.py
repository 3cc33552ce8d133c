"""
A zygote that is forked from its parent is like one that has an interpreter of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from harness.isolation.processes import can_fork

HERE = Path(__file__).resolve().parent
PROGRAM = textwrap.dedent("""
    import os, sys

    if __name__ == "__main__":
        if sys.argv[1] == "early":
            from harness.isolation import early
            early.begin()
        os.environ["EARLY_TEST"] = "set later"
        import click, rich
        from harness.battery.job import Job
        from harness.isolation.hosts import Fleet
        from harness.words import Capability

        adapter = {"name": "act", "target": "isolation_acts:Target", "env": {}}
        with Fleet(spawn=False) as fleet:
            job = Job(adapter=adapter, root=sys.argv[2], options={"entry": "isolation_acts:tell_process"})
            notes = fleet.measure(job, [Capability.INVOKE])[Capability.INVOKE].notes
        print(notes["process"])
""")
pytestmark = pytest.mark.skipif(not can_fork(), reason="hosts are not forked on this platform")


def _told(kind: str, program: Path, *safe: str) -> dict[str, Any]:
    command = [sys.executable, *safe, str(program), kind, str(HERE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.PIPE)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("safe", [(), ("-P",)], ids=["", "safe path"])
def test_an_adapter_cannot_tell_how_its_zygote_began(safe: tuple[str, ...], tmp_path: Path) -> None:
    """
    The main module, the search path, what is open and what is imported are the same, and so is the environment.
    """
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    early, late = (_told(kind, program, *safe) for kind in ("early", "late"))

    assert early == late
    assert early["main"] == "harness.isolation.__main__"
    assert early["of_the_command"] == []
    assert early["variable"] == "set later"
    assert str(tmp_path) not in early["path"]


@pytest.mark.parametrize("argument", ["--no-such-option", "no-such-adapter"])
def test_a_command_that_ends_before_it_measures_leaves_nobody(argument: str, tmp_path: Path) -> None:
    """
    The zygote that it forked ends with it, and holds neither its output nor its errors open.
    """
    mark = f"MARK_{os.getpid()}_{argument.strip('-').replace('-', '_')}"
    command = [sys.executable, "-m", "harness", "run", argument]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False, env={**os.environ, mark: "1"})

    assert done.returncode == 2
    while (left := _with(mark)) and time.monotonic() < began + 60:
        time.sleep(0.05)
    assert left == []


def _with(variable: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{variable}=".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found

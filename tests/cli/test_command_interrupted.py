"""
Ctrl-C: a run that is stopped says what it has, leaves the reports and no process, and has status 130.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from toy_project import Folder

SLOW = '''"""Tells that it is at work, and stays there."""

from __future__ import annotations

import pathlib
import time


class Slow:
    def invoke(self, prompt):
        pathlib.Path(MARK).write_text("here")
        time.sleep(300)
'''


def _sessions(leader: int) -> list[int]:
    """
    Return the processes of a session that have not ended.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def _until(happened: Callable[[], bool], what: str) -> None:
    patience = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < patience, what
        time.sleep(0.05)


@pytest.fixture
def slow(project: Folder) -> Folder:
    """
    Give a project in which one adapter is slow, after one that is done.
    """
    mark = project.path / "at-work"
    (project.path / "slow.py").write_text(SLOW.replace("MARK", repr(str(mark))), encoding="utf-8")
    project.add('[adapters.Slow]\ntarget = "slow:Slow"\n')
    note = project.cassette("Slow", "invoke")
    note.parent.mkdir()
    return project


@pytest.mark.parametrize("how", ["process", "group", "twice", "terminated"])
def test_a_stopped_run_keeps_what_it_has(slow: Folder, how: str) -> None:
    """
    The signal may reach the process alone or its whole group, as from a terminal, once or twice: the matrix of what was
    measured is written and not complete, the reports are as they were, no process is left.
    """
    before = slow.digests("reports", "cassettes")
    process = slow.start(
        "run", "Good", "Slow", "--only", "invoke", "--jobs", "1", "--timeout", "250", "--json", "m.json"
    )
    _until((slow.path / "at-work").exists, "the slow adapter never began")
    number = signal.SIGTERM if how == "terminated" else signal.SIGINT
    for _ in range(2 if how == "twice" else 1):
        (os.killpg if how in {"group", "twice"} else os.kill)(process.pid, number)
        time.sleep(0.05)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 130, err
    assert b"Traceback" not in err
    assert b"stopped" in err
    _until(lambda: not _sessions(process.pid), "a process was left behind")
    if how != "twice":
        matrix = json.loads((slow.path / "m.json").read_text())
        assert matrix["complete"] is False
        assert [(cell["adapter"], cell["verdict"]) for cell in matrix["cells"]] == [("Good", "native")]
        assert b"native" in out
    assert slow.digests("reports", "cassettes") == before


def test_a_stopped_run_leaves_the_reports(slow: Folder) -> None:
    """
    Without --json nothing is written at all, and that the reports are as they were is said.
    """
    before = slow.digests("reports")
    process = slow.start("run", "Good", "Slow", "--only", "invoke", "--jobs", "1", "--timeout", "250")
    _until((slow.path / "at-work").exists, "the slow adapter never began")
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert b"1 of 2 adapters" in err
    assert b"as it was" in err
    assert slow.digests("reports") == before


def test_a_killed_command_takes_its_processes_along(slow: Folder) -> None:
    """
    Even where the command has no chance to clean up, what it started ends.
    """
    process = slow.start("run", "Slow", "--only", "invoke", "--timeout", "250", "--json", "m.json")
    _until((slow.path / "at-work").exists, "the slow adapter never began")
    process.kill()
    process.communicate(timeout=100)
    _until(lambda: not _sessions(process.pid), "a process was left behind")

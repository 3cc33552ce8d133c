"""What a host learns from its first cell: imports, and nothing where the construction did more than import."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.isolation.learned import learn

if TYPE_CHECKING:
    from pathlib import Path

TELL = """
import json, os, sys, threading
from harness.isolation.learned import Lesson
sys.path.insert(0, sys.argv[1])
lesson = Lesson()
{deed}
import late_library
print(json.dumps(lesson.modules()))
os._exit(0)
"""
DEEDS = {
    "an environment variable": "os.environ['LATE'] = 'set by the constructor'",
    "a thread": "threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "a place to look for modules": "sys.path.append('elsewhere')",
    "another folder": "os.chdir('/')",
}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """
    Give the folder of a module that nobody has imported yet.
    """
    (tmp_path / "late_library.py").write_text("import os\nSEEN = os.environ.get('LATE')\n", encoding="utf-8")
    return tmp_path


def told(library: Path, deed: str) -> list[str]:
    """
    Return what a construction in a process of its own has to teach.
    """
    command = [sys.executable, "-c", TELL.format(deed=deed), str(library)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=100)
    found: list[str] = json.loads(done.stdout)
    return found


def test_a_construction_that_only_imports_teaches_what_it_imported(library: Path) -> None:
    """
    The names are those of modules that a host can import.
    """
    assert told(library, "import colorsys") == ["colorsys", "late_library"]


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
def test_a_construction_that_did_more_teaches_nothing(library: Path, deed: str) -> None:
    """
    An import might depend on what else was done, so it is left to each cell.
    """
    assert told(library, deed) == []


def test_a_host_imports_what_it_can(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What cannot be imported is passed over: the cells tell of it.
    """
    monkeypatch.syspath_prepend(library)

    learn(["there_is_no_such_module", "late_library"], lambda _: None)

    assert sys.modules.pop("late_library").SEEN is None

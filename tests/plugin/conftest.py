"""
What the tests of the plugin share: a project whose adapters were recorded from a server that is gone.

Each test has a copy of it, and runs pytest there in a process of its own, as people would: the plugins that are
installed are loaded, every warning is an error, and tests are imported by importlib.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.adapters.project import load_project
from harness.session import Session, Settings

HERE = Path(__file__).resolve().parent
TOYS = HERE.parent / "toys"
sys.path.insert(0, str(TOYS))

from toy_upstream import ToyUpstream  # noqa: E402 - the line above finds it

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 200
TARGETS = {
    "Honest": "toy_adapters:Honest",
    "Emulated": "plugin_adapters:Emulated",
    "Fails": "plugin_adapters:Fails",
    "CannotBeMade": "plugin_adapters:CannotBeMade",
    "Hangs": "plugin_adapters:Hangs",
}


@dataclass(frozen=True)
class Ran:
    """
    Hold what a run of pytest printed and left behind.
    """

    status: int
    out: str
    err: str
    ids: tuple[str, ...] = ()
    outcomes: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, adapter: str, family: str = "toys") -> dict[str, str]:
        """
        Return call and outcome of the cells of one adapter that were run.
        """
        prefix = f"{family}.{adapter}::"
        return {name.removeprefix(prefix): how for name, how in self.outcomes.items() if name.startswith(prefix)}

    @property
    def said(self) -> str:
        """
        Return everything printed, for messages of failed assertions.
        """
        return f"{self.out}\n{self.err}"


@dataclass(frozen=True)
class Place:
    """
    Register adapters in a folder, and run pytest there.
    """

    root: Path
    base_url: str
    env: dict[str, str] = field(default_factory=dict)

    def register(self, *names: str, family: str = "toys", more: str = "") -> None:
        """
        Write the configuration: these adapters, and further lines for the last of them.
        """
        lines = [f'family = "{family}"']
        for name in names:
            lines += [f"[adapters.{name}]", f'target = "{TARGETS[name]}"']
            lines += [f'kwargs = {{ base_url = "{self.base_url}" }}']
        self.write("harness.toml", "\n".join([*lines, more, ""]))

    def write(self, name: str, text: str) -> Path:
        """
        Write a file of the project.
        """
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def ini(self, *lines: str) -> None:
        """
        Write pytest's configuration.
        """
        fixed = ["[pytest]", "asyncio_default_fixture_loop_scope = function", "addopts = --import-mode=importlib"]
        self.write("pytest.ini", "\n".join([*fixed, *lines, ""]))

    def command(self, *options: str) -> list[str]:
        """
        Return the command that runs pytest.
        """
        return [sys.executable, "-W", "error", "-m", "pytest", "-W", "error", *options]

    def environment(self) -> dict[str, str]:
        """
        Return an environment without what the outer pytest left in it.
        """
        ours = ("PYTEST_", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "PY_COLORS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, "PYTHONIOENCODING": "utf-8", **self.env}

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """
        Run the command `harness` to its end.
        """
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.root, env=self.environment(), capture_output=True, text=True, encoding="utf-8",
            timeout=SECONDS, check=False,
        )  # fmt: skip

    def pytest(self, *options: str) -> Ran:
        """
        Run pytest to its end, and read what JUnit's report says of each item.
        """
        junit = self.root / "ran.xml"
        junit.unlink(missing_ok=True)
        done = subprocess.run(
            self.command("--junitxml", str(junit), *options),
            cwd=self.root, env=self.environment(), capture_output=True, text=True, encoding="utf-8",
            timeout=SECONDS, check=False,
        )  # fmt: skip
        ran = Ran(done.returncode, done.stdout, done.stderr)
        return _with_junit(ran, junit) if junit.exists() else ran

    def matrix(self, name: str = "matrix.json") -> dict[str, Any]:
        """
        Return a matrix that was written.
        """
        read: dict[str, Any] = json.loads((self.root / name).read_text(encoding="utf-8"))
        return read

    def files(self, folder: str) -> list[str]:
        """
        Return what stands below a folder of the project.
        """
        below = self.root / folder
        return sorted(path.relative_to(below).as_posix() for path in below.rglob("*") if path.is_file())


def _with_junit(ran: Ran, path: Path) -> Ran:
    outcomes: dict[str, str] = {}
    properties: dict[str, dict[str, str]] = {}
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 - pytest wrote it
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes[name] = _outcome(case)
        properties[name] = {one.get("name", ""): one.get("value", "") for one in case.iter("property")}
    return Ran(ran.status, ran.out, ran.err, tuple(outcomes), outcomes, properties)


def _outcome(case: ET.Element) -> str:
    for tag in ("failure", "error"):
        if case.find(tag) is not None:
            return {"failure": "failed"}.get(tag, tag)
    skipped = case.find("skipped")
    if skipped is None:
        return "passed"
    return "xfailed" if skipped.get("type") == "pytest.xfail" else "skipped"


@pytest.fixture(scope="session")
def upstream() -> Iterator[ToyUpstream]:
    """
    Give an upstream, for the tests that record.
    """
    with ToyUpstream() as serving:
        yield serving


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """
    Give a project that was recorded from a server which has been shut down since.
    """
    root = tmp_path_factory.mktemp("recorded")
    for source in (TOYS / "toy_adapters.py", HERE / "plugin_adapters.py"):
        shutil.copy(source, root)
    with ToyUpstream() as serving:
        place = Place(root, serving.base_url)
        place.register("Honest", "Emulated", "Fails")
        project = load_project(root / "harness.toml", root)
        with Session(project, Settings(record=True, jobs=2)) as session:
            session.rows(project.adapters)
    return place


@pytest.fixture
def place(recorded: Place, tmp_path: Path) -> Place:
    """
    Give a copy of the recorded project, with two adapters registered.
    """
    root = tmp_path / "project"
    shutil.copytree(recorded.root, root)
    copy = Place(root, recorded.base_url)
    copy.register("Honest", "Emulated")
    copy.ini()
    return copy

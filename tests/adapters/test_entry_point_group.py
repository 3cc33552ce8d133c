"""The entry-point group of installed packages, read in an interpreter that has such packages."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SHOW = """
import json, sys
from pathlib import Path
from harness.adapters.project import load_project
from harness.adapters.registry import find_adapters
from harness.errors import HarnessError

try:
    found = find_adapters(load_project(cwd=Path(sys.argv[1])))
except HarnessError as error:
    print(json.dumps({"error": str(error), "status": error.exit_status}))
else:
    print(json.dumps({"adapters": [[one.id, one.place] for one in found], "imported": "vendor" in sys.modules}))
"""
MODULE = """
from harness import Adapter

single = Adapter(name="Single", target="vendor:LLM")
listed = [Adapter(name=name, target="vendor:LLM", family="other") for name in ("B", "A")]
def called():
    return listed[0]
def nested():
    return iter([single])
class LLM: ...
"""


def install(site: Path, distribution: str, entries: str, module: str = MODULE) -> None:
    """
    Lay out an installed distribution with entry points.
    """
    package = distribution.replace("-", "_")
    (site / f"{package}.py").write_text(module)
    info = site / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[harness.adapters]\n{entries}\n")


def show(site: Path, project: Path) -> dict[str, Any]:
    """
    Return what is registered in an interpreter that has `site` on its path.
    """
    code = f"import sys; sys.path.insert(0, {str(site)!r})\n{SHOW}"
    done = subprocess.run([sys.executable, "-c", code, project], capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """
    Return a folder for installed packages.
    """
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """
    Return the folder of a project with one registration in its file.
    """
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "harness.toml").write_text('family = "own"\n[adapters.Filed]\ntarget = "vendor:LLM"\n')
    return folder


def test_the_file_comes_first_then_packages_by_name(site, project):
    """
    Whatever the order on the disk, the order of the table is the same; targets are not imported for it.
    """
    install(site, "z-pack", "one = z_pack:single")
    install(site, "a-pack", "two = a_pack:listed\none = a_pack:single")

    found = show(site, project)

    assert found["imported"] is False
    assert [name for name, _ in found["adapters"]] == [
        "own/Filed",
        "a-pack/Single",
        "other/B",
        "other/A",
        "z-pack/Single",
    ]
    assert found["adapters"][1][1] == "entry point 'one' (a_pack:single) of a-pack"


@pytest.mark.parametrize("attribute", ["called", "nested"])
def test_an_entry_may_be_a_callable(site, project, attribute):
    """
    A callable that returns an adapter or an iterable is called once.
    """
    install(site, "a-pack", f"one = a_pack:{attribute}")

    assert [name for name, _ in show(site, project)["adapters"]][1:] in (["other/B"], ["a-pack/Single"])


def test_the_projects_own_package_registers_into_its_family(site, project):
    """
    A package that registers by entry points and is tested from its own project is in the project's family.
    """
    (project / "pyproject.toml").write_text('[project]\nname = "A.Pack"\n')
    install(site, "a-pack", "one = a_pack:single")

    assert [name for name, _ in show(site, project)["adapters"]] == ["own/Filed", "own/Single"]


@pytest.mark.parametrize(
    ("entry", "module", "essentials"),
    [
        ("one = a_pack:gone", MODULE, ["cannot be loaded: AttributeError", "gone"]),
        ("one = a_pack:single", "import no_such_thing", ["cannot be loaded: ModuleNotFoundError", "no_such_thing"]),
        ("one = a_pack:single", "raise SystemExit(4)", ["cannot be loaded: SystemExit: 4", "uninstall that package"]),
        ("one = a_pack:quits", "def quits(): raise SystemExit(4)", ["raised SystemExit: 4", "a-pack"]),
        ("one = a_pack:LLM", MODULE, ["gives the class LLM", "harness.Adapter(name='LLM', target=LLM)"]),
        (
            "one = a_pack:bad",
            "import harness\nbad = lambda: harness.Adapter(name='X', target='vendor')",
            ["entry point 'one'", "a-pack: harness.Adapter(name='X'), target", "no ':'"],
        ),
        (
            "one = a_pack:bad",
            "import harness\nbad = harness.Adapter(name='X', targt='m:A')",
            ["entry point 'one'", "a-pack: harness.Adapter(name='X'): unknown key 'targt'; did you mean 'target'?"],
        ),
        ("one = a_pack:bad", "def bad(): yield 1 / 0", ["a-pack: raised ZeroDivisionError", "hint: mend"]),
        ("one = ", MODULE, ["names nothing", '"module:attribute"']),
        (
            "one = a_pack:single\ntwo = a_pack:single",
            MODULE,
            ["a-pack/Single is registered twice", "entry point 'one'"],
        ),
    ],
)
def test_an_entry_that_gives_no_adapter_is_refused_with_its_package(site, project, entry, module, essentials):
    """
    The error names the entry point, its package and what is wrong.
    """
    install(site, "a-pack", entry, module)

    found = show(site, project)

    assert found["status"] == 2
    assert found["error"].count("hint: ") == 1
    assert [part for part in essentials if part not in found["error"]] == []

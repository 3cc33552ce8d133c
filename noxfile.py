# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.8"]
# ///
"""
The chores of the project.

`nox` does them. So does `python3 noxfile.py`, with the same arguments, on a machine that has only
Python and pip.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import itertools
import os
import ssl
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT: Final = Path(__file__).resolve().parent


def run_in_own_environment() -> None:
    """
    Run this file again where nox is installed, and end with its status.

    Debian ships Python without ensurepip and forbids pip to install outside of environments (PEP 668), so the
    environment is made without pip and filled by the pip that is there.
    """
    home = ROOT / ".nox" / "nox"
    builder = venv.EnvBuilder(symlinks=os.name != "nt")
    python = Path(builder.ensure_directories(home).env_exe)
    if not python.exists():
        builder.create(home)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "--quiet"]
    if subprocess.run([*pip, "nox[uv]>=2026.8"], check=False).returncode:
        sys.exit("noxfile.py: pip could not install nox into .nox/nox; what pip said stands above")
    sys.exit(subprocess.run([str(python), __file__, *sys.argv[1:]], check=False).returncode)


try:
    import nox
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    run_in_own_environment()

from nox.virtualenv import UV  # noqa: E402 - there is no nox before this line

THIS: Final = ("--reinstall-package", "capability-harness", ".")
"""This package, built anew whatever uv remembers of it."""
PACKAGE_FILES: Final = ("pyproject.toml", "README.md", "LICENSE", "harness/**/*")
SLOW_BENCHMARKS: Final = frozenset({"scale"})
WHOLE_RUN_LOCKS: Final = {
    "family": "families/langchain-0.0.337/requirements.lock",
    "chat": "benchmarks/chat/requirements.lock",
}
FAMILIES: Final = {"langchain-0.0.337": "3.11"}
"""The shipped families, and the Python that the environment of each is locked for."""
OLD_CLIENTS: Final = "tests/tape_clients/old-clients.txt"
REPORTS: Final = ROOT / "reports"
SHOWN_LINES: Final = 60

# uv knows certificates of its own; where the system has some, those count, as they do for pip
_SYSTEM = ssl.get_default_verify_paths()
if _SYSTEM.cafile or (_SYSTEM.capath and any(Path(_SYSTEM.capath).iterdir())):
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")

nox.needs_version = ">=2026.8"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
# a session that cannot run must not look as if it had passed
nox.options.error_on_missing_interpreters = True
# the tests come last, so that their closing line is near the end of what is read
nox.options.sessions = ["lint", "typing", "matrix", "tests_old_clients", "tests"]


# -- checks --------------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """
    Check style and formatting.
    """
    install(session, ["--group", "lint"], reads=["pyproject.toml"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def typing(session: nox.Session) -> None:
    """
    Check the types.
    """
    install(session, ["--group", "typing", "--group", "test", *THIS])
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """
    Run the tests against the built wheel; arguments go to pytest.
    """
    install(session, ["--group", "test", *THIS])
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def tests_old_clients(session: nox.Session) -> None:
    """
    Run the tests of the tape against the client libraries of November 2023; arguments go to pytest.
    """
    wanted = ["--group", "test-tools", "--requirements", OLD_CLIENTS, *THIS]
    install(session, wanted, reads=[*PACKAGE_FILES, OLD_CLIENTS])
    session.run("pytest", "-n", "2", "tests/tape_clients", *session.posargs)


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """
    Run the tests against the oldest versions that pyproject.toml allows; arguments go to pytest.
    """
    install(session, ["--resolution", "lowest-direct", "--group", "test", *THIS])
    session.run("pytest", "-n", "2", *session.posargs)


# -- the main job --------------------------------------------------------------------------------------------------


@nox.session
@nox.parametrize("python,family", [(python, family) for family, python in FAMILIES.items()], ids=FAMILIES)
def matrix(session: nox.Session, family: str) -> None:
    """
    Replay a family's cassettes and write reports/.

    `-- --check` fails when that changes a byte of them (always so where CI is set), `-- --family F` leaves out the
    other families, and `-- --adapter A` replays a part, prints its table and leaves reports/ alone.
    """
    options = matrix_options(session.posargs)
    if options.family and family not in options.family:
        session.skip(f"{family} was not asked for")
    install_family(session, family)
    command = ["harness", "run", *options.adapter, "--config", f"families/{family}/harness.toml"]
    if options.adapter:
        session.run(*command, "--json", str(Path(session.create_tmp()) / "matrix.json"))
        return
    before = contents(REPORTS)
    session.run(*command)
    if options.check:
        compare(session, before, contents(REPORTS))


@nox.session
@nox.parametrize("python,family", [(python, family) for family, python in FAMILIES.items()], ids=FAMILIES)
def record(session: nox.Session, family: str) -> None:
    """
    Record a family's cassettes again from its simulators; `-- A B` records these adapters only.
    """
    install_family(session, family)
    session.run("harness", "record", "--simulate", *session.posargs, "--config", f"families/{family}/harness.toml")


# -- figures -------------------------------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """
    Measure replay against plain vcrpy, the idle plugin, and whole runs against their floor and langchain-tests.

    `-- NAME` runs benchmarks/NAME.py alone, `-- NAME OPTION…` with options. `-- scale` replays thousands of adapters,
    in some twenty minutes, and is run by its name only.
    """
    install(session, ["--group", "test", *THIS])
    every = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    names = [argument for argument in session.posargs if argument in every]
    options = [argument for argument in session.posargs if argument not in every]
    for name in names or [name for name in every if name not in SLOW_BENCHMARKS]:
        environments = whole_run_environments(session) if name == "family" else []
        session.run("python", f"benchmarks/{name}.py", *environments, *options)


def whole_run_environments(session: nox.Session) -> list[str]:
    """
    Make the environments that benchmarks/family.py runs in, and return its options for them.
    """
    given = []
    for name, lock in WHOLE_RUN_LOCKS.items():
        folder = Path(session.virtualenv.location) / name
        python = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        locked = ["--only-binary", ":all:", "--require-hashes", "--requirements", lock]
        session.run_install(UV, "venv", "--quiet", "--clear", "--python", "3.11", str(folder), external=True)
        for wanted in (locked, ["--no-deps", *THIS]):
            session.run_install(UV, "pip", "install", "--quiet", "--python", python, *wanted, external=True)
        given += [f"--{name}-python", python]
    return given


@nox.session
def stress(session: nox.Session) -> None:
    """
    Judge the zoo 200 times with both cores kept busy, and count the verdicts that flip.
    """
    install(session, ["--group", "test", *THIS])
    session.run("python", "tests/zoo/stress.py", *session.posargs)


@nox.session
def picture(session: nox.Session) -> None:
    """
    Take the README's picture of the table again, from the committed page.
    """
    install(session, ["--group", "test-tools"])
    session.run("python", "docs/picture.py", "reports/index.html", "docs/table.png")


# -- what the sessions share ---------------------------------------------------------------------------------------


def install(session: nox.Session, *commands: Sequence[str], reads: Iterable[str] = PACKAGE_FILES) -> None:
    """
    Install unless the environment already holds just that, from files that have not changed since.

    Args:
        session: the session whose environment it is.
        commands: what uv's `pip install` is given, call by call.
        reads: patterns of the files, relative to this one, that the result depends on.
    """
    stamp = Path(session.virtualenv.location) / "installed"
    state = digest([argument for command in commands for argument in command], reads)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        session.log("Installed already: nothing that the environment is made of has changed.")
        return
    stamp.unlink(missing_ok=True)
    for command in commands:
        session.install(*command)
    stamp.write_text(state, encoding="utf-8")


def install_family(session: nox.Session, family: str) -> None:
    """
    Install a family's locked environment and, into it, this package alone: nothing is resolved anew.
    """
    lock = f"families/{family}/requirements.lock"
    locked = ["--exact", "--only-binary", ":all:", "--require-hashes", "--requirements", lock]
    install(session, locked, ["--no-deps", *THIS], reads=[*PACKAGE_FILES, lock])


def digest(arguments: Iterable[str], reads: Iterable[str] = ()) -> str:
    """
    Return a digest of arguments and of the files that patterns match, byte for byte.
    """
    state = hashlib.sha256("\0".join(arguments).encode())
    for path in sorted({path for pattern in reads for path in ROOT.glob(pattern) if path.is_file()}):
        if "__pycache__" not in path.parts:
            state.update(f"\0{path.relative_to(ROOT).as_posix()}\0".encode())
            state.update(hashlib.sha256(path.read_bytes()).digest())
    return state.hexdigest()


def matrix_options(arguments: list[str]) -> argparse.Namespace:
    """
    Parse what follows `--` in `nox -s matrix --`.
    """
    parser = argparse.ArgumentParser(prog="nox -s matrix --", allow_abbrev=False)
    parser.add_argument("--check", action="store_true", default=bool(os.environ.get("CI")))
    parser.add_argument("--adapter", action="append", default=[], metavar="A")
    parser.add_argument("--family", action="append", default=[], metavar="F", choices=FAMILIES)
    return parser.parse_args(arguments)


def contents(folder: Path) -> dict[str, bytes]:
    """
    Return the files below a folder, by their path in it.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def compare(session: nox.Session, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """
    Fail the session, and show how the Markdown differs, unless two sets of files are equal.
    """
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    if not changed:
        session.log(f"reports/ is as it was: {len(after)} files, none differs by a byte.")
        return
    for name in (name for name in changed if name.endswith(".md")):
        old, new = (side.get(name, b"").decode().splitlines() for side in (before, after))
        difference = difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", n=0, lineterm="")
        for line in itertools.islice(difference, SHOWN_LINES):
            session.log(line)
    session.error(f"reports/ has changed: {', '.join(changed)}. Look at the difference, and commit it if it is right.")


if __name__ == "__main__":
    nox.main()

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
import tomllib
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

THIS: Final = ("--reinstall-package", "capability-harness", ".")
"""This package, built anew whatever uv remembers of it."""
PACKAGE_FILES: Final = ("pyproject.toml", "README.md", "LICENSE", "harness/**/*")
FAMILIES: Final = {"langchain-0.0.337": "3.11"}
"""The shipped families, and the Python that the environment of each is locked for."""
ENGINES: Final = {
    "engines": ("langchain-0.0.337", "torch==2.13.0"),
    "deepsparse": ("langchain-0.0.337",),
}
"""The environments that only recording needs: family, and what is installed beside the lock."""
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
    Record a family's cassettes again from its simulators and engines; `-- A B` records these adapters only.
    """
    groups = by_environment(family, session.posargs)
    for environment in groups.keys() & ENGINES:
        session.notify(f"record_engine({environment})", groups[environment])
    if "" not in groups:
        session.skip("what was asked for is recorded in environments of its own, which follow")
    install_family(session, family)
    session.run("harness", "record", "--simulate", *groups[""], "--config", f"families/{family}/harness.toml")


@nox.session
@nox.parametrize("python,environment", [("3.11", name) for name in ENGINES], ids=ENGINES)
def record_engine(session: nox.Session, environment: str) -> None:
    """
    Record adapters whose engine runs in their own process, from tiny weights that are made on the spot.

    `record` starts it. It compiles llama.cpp, and installs torch without anything for graphics cards.
    """
    family, *beside = ENGINES[environment]
    lock = f"families/{family}/environments/{environment}.lock"
    if beside and not os.environ.get("UV_FIND_LINKS"):
        session.env["UV_TORCH_BACKEND"] = "cpu"
    session.env["CMAKE_ARGS"] = "-DLLAMA_NATIVE=OFF"
    # what is beside the lock comes first: the packages of the lock are then satisfied by it
    installs = [
        *([beside] if beside else []),
        ["--require-hashes", "--no-deps", "--requirements", lock],
        ["--no-deps", *THIS],
    ]
    install(session, *installs, reads=[*PACKAGE_FILES, lock])
    names = session.posargs or by_environment(family, [])[environment]
    with session.chdir(f"families/{family}"):
        session.run("python", "-m", "tiny_engines.make", *names)
        session.run("harness", "record", "--timeout", "300", *names)


# -- figures -------------------------------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """
    Measure replay against plain vcrpy, the cost of the idle plugin, and how late arrivals are.

    `-- NAME` runs benchmarks/NAME.py alone.
    """
    install(session, ["--group", "test", *THIS])
    every = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    if not every:
        session.error("benchmarks/ holds nothing to run")
    for name in session.posargs or every:
        session.run("python", f"benchmarks/{name}.py")


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


def by_environment(family: str, arguments: Sequence[str]) -> dict[str, list[str]]:
    """
    Return the adapters among arguments, or all, by the environment that they are recorded in ("" is the family's own).

    Options go with the family's own.
    """
    tables = tomllib.loads((ROOT / f"families/{family}/harness.toml").read_text(encoding="utf-8"))["adapters"]
    names = [one for one in arguments if one in tables] or list(tables)
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(tables[name].get("engine", {}).get("environment", ""), []).append(name)
    if "" in found:
        found[""] += [one for one in arguments if one not in tables]
    return found


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

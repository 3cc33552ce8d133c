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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
    from nox.command import CommandFailed
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    run_in_own_environment()

THIS: Final = ("--reinstall-package", "capability-harness", ".")
"""This package, built anew whatever uv remembers of it."""
PACKAGE_FILES: Final = ("pyproject.toml", "README.md", "LICENSE", "harness/**/*")
SLOW_BENCHMARKS: Final = frozenset({"scale", "served"})
CHAT: Final = "benchmarks/chat/requirements.lock"
"""What langchain-tests and the adapter that it tests are made of."""
MAIN_FAMILY: Final = "langchain-0.0.337"
WHOLE_RUNS: Final = {"family": ("family", "chat"), "check": ("family",)}
"""The benchmarks of whole runs, and the environments that they run in."""
FAMILIES: Final = {"langchain-0.0.337": "3.11", "langchain-1": "3.11", "litellm": "3.11", "litellm-proxy": "3.11"}
"""The shipped families, and the Python that the environments of each are locked for."""
FEATURES: Final = {"litellm-proxy": "litellm"}
"""Families with a table of features (features.toml), which stands beside their reports, and the other family in it."""
ENGINES: Final = {
    "engines": ("langchain-0.0.337", "torch==2.13.0"),
    "deepsparse": ("langchain-0.0.337",),
}
"""The environments that only recording needs: family, and what is installed beside the lock."""
OLD_CLIENTS: Final = "tests/tape_clients/old-clients.txt"
BUSY: Final = (os.cpu_count() or 1) + 2
"""Tests side by side that keep the processors at work: two of them wait, for a process or a time-out."""
ADAPTERS_AT_WORK: Final = 2 * (os.cpu_count() or 1) + 1
"""Adapters side by side: more of them wait. Of 476 s of two processors, a replay of all families with 3 used 275."""
IN_PARALLEL: Final = ("-n", str(BUSY), "--dist", "loadfile", "--no-loadscope-reorder")
"""Options of pytest: a worker takes a file at a time, as what its tests share (the zoo's recordings) takes minutes."""
PICTURED: Final = (
    "Anthropic", "CTransformers", "Clarifai", "DeepInfra", "Fireworks", "GigaChat", "LlamaCpp", "Minimax", "Ollama",
    "OpenAI", "OpenLM", "VLLM", "VertexAI", "Writer",
)  # fmt: skip
"""The adapters of the README's picture: every verdict and mechanism of the family is among them."""
SHOWN_LINES: Final = 60

# uv knows certificates of its own; where the system has some, those count, as they do for pip
_SYSTEM = ssl.get_default_verify_paths()
if _SYSTEM.cafile or (_SYSTEM.capath and any(Path(_SYSTEM.capath).iterdir())):
    os.environ.setdefault("UV_SYSTEM_CERTS", "1")

# what is imported is compiled once and kept in .nox: hundreds of processes import the same client libraries, and would
# each compile them for 2 to 3 s of processor time
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

nox.needs_version = ">=2026.8"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
# a session that cannot run must not look as if it had passed
nox.options.error_on_missing_interpreters = True
# the tests come last, so that their closing line is near the end of what is read
nox.options.sessions = ["lint", "typing", "docs", "matrix", "tests_old_clients", "tests"]


# -- checks --------------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """
    Check style, formatting and workflows.
    """
    install(session, ["--group", "lint"], reads=["pyproject.toml"])
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    workflows = sorted(str(path.relative_to(ROOT)) for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--quiet", "--persona", "pedantic", *workflows)


@nox.session
def docs(session: nox.Session) -> None:
    """
    Build the site of docs/ into build/docs, warnings being errors, and check the links of all pages.
    """
    install(session, ["--group", "docs"], reads=["pyproject.toml"])
    session.run("python", "docs/links.py")
    strictly = ("--nitpicky", "--fail-on-warning", "--keep-going", "--fresh-env")
    session.run("sphinx-build", "--quiet", *strictly, "-b", "html", "docs", "build/docs")


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
    install(session, ["--compile-bytecode", "--group", "test", *THIS])
    session.run("pytest", *IN_PARALLEL, *session.posargs)


@nox.session(python="3.11")
def tests_old_clients(session: nox.Session) -> None:
    """
    Run the tests of the tape against the client libraries of November 2023; arguments go to pytest.
    """
    wanted = ["--compile-bytecode", "--group", "test-tools", "--requirements", OLD_CLIENTS, *THIS]
    install(session, wanted, reads=[*PACKAGE_FILES, OLD_CLIENTS])
    session.run("pytest", *IN_PARALLEL, "tests/tape_clients", *session.posargs)


@nox.session
def tests_lowest(session: nox.Session) -> None:
    """
    Run the tests against the oldest versions that pyproject.toml allows; arguments go to pytest.
    """
    install(session, ["--compile-bytecode", "--resolution", "lowest-direct", "--group", "test", *THIS])
    session.run("pytest", *IN_PARALLEL, *session.posargs)


# -- the main job --------------------------------------------------------------------------------------------------


@nox.session
@nox.parametrize("python,family", [(python, family) for family, python in FAMILIES.items()], ids=FAMILIES)
def matrix(session: nox.Session, family: str) -> None:
    """
    Replay a family's cassettes, each in its locked environment, and write the family's folder of reports.

    `-- --check` makes each call in a process of its own, as a change to the harness has no version of its own, and
    fails when the reports change by a byte (always so where CI is set). `-- --family F` leaves out the
    other families, and `-- --adapter A` replays a part, prints its table and leaves the reports alone.
    """
    options = matrix_options(session.posargs)
    if options.family and family not in options.family:
        session.skip(f"{family} was not asked for")
    environments = environments_of(session, family, options.adapter, options.family or FAMILIES)
    parts, failed = [], []
    for environment in environments:
        part = Path(session.create_tmp()) / f"{environment.name}.json"
        part.unlink(missing_ok=True)
        how = ("--jobs", str(ADAPTERS_AT_WORK), *(("--alone",) if options.check else ()))
        if not harness(session, environment, "run", *environment.adapters, *how, "--json", str(part)):
            failed.append(environment.name)
        parts.append(str(part))
    if not options.adapter and all(map(os.path.exists, parts)):
        before = reports_of(family)
        harness(session, environments[0], "report", *parts)
        features(session, environments[0])
        if options.check:
            compare(session, family, before, reports_of(family))
    if failed:
        session.error(f"not as it should be in: {', '.join(failed)}; the reasons stand above")


@nox.session
@nox.parametrize("python,family", [(python, family) for family, python in FAMILIES.items()], ids=FAMILIES)
def record(session: nox.Session, family: str) -> None:
    """
    Record a family's cassettes again from its simulators and engines; `-- A B` records these adapters only.
    """
    groups = recorded_in(family, session.posargs)
    for environment in groups.keys() & ENGINES:
        session.notify(f"record_engine({environment})", groups[environment])
    here = groups.get("", [])
    if groups and not here:
        session.skip("what was asked for is recorded in environments of its own, which follow")
    known = {name for some in groups.values() for name in some}
    unknown = [one for one in session.posargs if one.removeprefix(f"{family}/") not in known]
    environments = environments_of(session, family, [*here, *unknown])
    failed = [
        environment.name
        for environment in environments
        if not harness(session, environment, "record", "--simulate", *environment.adapters)
    ]
    if failed:
        session.error(f"not as it should be in: {', '.join(failed)}; the reasons stand above")


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
    names = session.posargs or recorded_in(family, [])[environment]
    with session.chdir(f"families/{family}"):
        session.run("python", "-m", "tiny_engines.make", *names)
        session.run("harness", "record", "--timeout", "300", *names)


# -- figures -------------------------------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """
    Measure replay against plain vcrpy, the idle plugin, and whole runs against their floor and langchain-tests.

    `-- NAME` runs benchmarks/NAME.py alone, `-- NAME OPTION…` with options. `-- scale` replays thousands of adapters,
    in some twenty minutes, and `-- served` makes each call of LiteLLM's family over sockets, in some five: both are run
    by their names only.
    """
    install(session, ["--group", "test", *THIS])
    every = sorted(path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py"))
    names = [argument for argument in session.posargs if argument in every]
    options = [argument for argument in session.posargs if argument not in every]
    for name in names or [name for name in every if name not in SLOW_BENCHMARKS]:
        environments = whole_run_environments(session, WHOLE_RUNS.get(name, ()))
        python = (
            "python" if name != "served" else in_environment(environments_of(session, "litellm", [])[0].home, "python")
        )
        session.run(python, f"benchmarks/{name}.py", *environments, *options, external=name == "served")


def whole_run_environments(session: nox.Session, names: Iterable[str]) -> list[str]:
    """
    Make the environments that a benchmark of whole runs needs, and return its options for them.
    """
    given = []
    for name in names:
        if name == "family":
            environment = Environment(MAIN_FAMILY, "main", (), environments_in(MAIN_FAMILY) / "main")
            home = environment.home
            install_environment(session, environment)
        else:
            home = Path(session.virtualenv.location) / name
            session.run_install("uv", "venv", "--quiet", "--clear", "--python", "3.11", str(home))
            locked = ["--no-deps", "--require-hashes", "--requirements", CHAT]
            install(session, locked, ["--no-deps", *THIS], reads=[*PACKAGE_FILES, CHAT], into=home)
        given += [f"--{name}-python", in_environment(home, "python")]
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
    Take the README's picture of a part of the table again, from the committed page.
    """
    install(session, ["--group", "test-tools"])
    session.run("python", "docs/picture.py", "reports/index.html", "docs/table.png", *PICTURED)


# -- what the sessions share ---------------------------------------------------------------------------------------


def install(
    session: nox.Session,
    *commands: Sequence[str],
    reads: Iterable[str] = PACKAGE_FILES,
    into: Path | None = None,
) -> None:
    """
    Install unless the environment already holds just that, from files that have not changed since.

    Args:
        session: the session whose environment it is.
        commands: what uv's `pip install` is given, call by call.
        reads: patterns of the files, relative to this one, that the result depends on.
        into: another environment than the session's.
    """
    stamp = (into or Path(session.virtualenv.location)) / "installed"
    state = digest([argument for command in commands for argument in command], reads)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        session.log("Installed already: nothing that the environment is made of has changed.")
        return
    stamp.unlink(missing_ok=True)
    for command in commands:
        if into is None:
            session.install(*command)
        else:
            session.run_install("uv", "pip", "install", "--python", str(into), *command)
    stamp.write_text(state, encoding="utf-8")


def registered(family: str) -> dict[str, str]:
    """
    Return the environment of each adapter that a family registers.
    """
    settings = settings_of(family)
    return {name: one.get("environment", settings["environment"]) for name, one in settings["adapters"].items()}


def settings_of(family: str) -> dict[str, Any]:
    """
    Return the tables of a family's configuration.
    """
    return tomllib.loads((ROOT / "families" / family / "harness.toml").read_text(encoding="utf-8"))


class Environment(NamedTuple):
    """
    Say which of a family's adapters run in one of its environments, and where that is.
    """

    family: str
    name: str
    adapters: tuple[str, ...]
    home: Path


def environments_of(
    session: nox.Session, family: str, wanted: Sequence[str], among: Iterable[str] = FAMILIES
) -> list[Environment]:
    """
    Return the environments that adapters run in, installed; all of the family's where none is asked for by name.

    A name, or FAMILY/NAME, that none of the families `among` which it is looked for registers is an error.
    """
    names = {name.removeprefix(f"{family}/") for name in wanted}
    known = {form for one in among for name in registered(one) for form in (name, f"{one}/{name}")}
    unknown = [one for one in wanted if one not in known]
    if unknown:
        close = [name for one in unknown for name in difflib.get_close_matches(one, known, n=1, cutoff=0.75)]
        hint = f"the closest: {', '.join(close)}" if close else "their harness.toml say which there are"
        session.error(f"{', '.join(unknown)}: no adapter of {', '.join(among)}; {hint}")
    found: dict[str, list[str]] = {}
    for name, where in registered(family).items():
        if not wanted or name in names:
            found.setdefault(where, []).append(name)
    if not found:
        session.skip(f"{family} registers none of {', '.join(wanted)}")
    home = environments_in(family)
    environments = [
        Environment(family, name, tuple(some) if wanted else (), home / name) for name, some in sorted(found.items())
    ]
    for environment in environments:
        install_environment(session, environment)
    return environments


def environments_in(family: str) -> Path:
    """
    Return the folder of a family's environments, which the sessions that replay, record and measure share.
    """
    return ROOT / ".nox" / "environments" / family


def install_environment(session: nox.Session, environment: Environment) -> None:
    """
    Install a locked environment and, into it, this package alone: nothing is resolved anew.
    """
    folder = Path("families") / environment.family / "environments"
    locks = [folder / f"{environment.name}.lock", folder / f"{environment.name}.alone.lock"]
    present = [lock.as_posix() for lock in locks if (ROOT / lock).exists()]
    if not (environment.home / "pyvenv.cfg").exists():
        python = str(Path(session.virtualenv.bin) / "python")
        session.run_install("uv", "venv", "--quiet", "--python", python, str(environment.home))
    # the locks are complete, and some of their requirements are wanted without what these depend on
    locked = ["--exact", "--no-deps", "--require-hashes", *(f"--requirements={lock}" for lock in present)]
    install(session, locked, ["--no-deps", *THIS], reads=[*PACKAGE_FILES, *present], into=environment.home)


def in_environment(home: Path, program: str) -> str:
    """
    Return the path of a program of an environment.
    """
    return str(home / ("Scripts" if os.name == "nt" else "bin") / program)


def harness(session: nox.Session, environment: Environment, command: str, *arguments: str) -> bool:
    """
    Run a command of the harness in an environment, for its adapters where it runs any, and tell whether all was well.
    """
    program = in_environment(environment.home, "harness")
    within = () if command == "report" else ("--environment", environment.name)
    config = ("--config", f"families/{environment.family}/harness.toml")
    try:
        session.run(program, command, *arguments, *within, *config, external=True)
    except CommandFailed:
        return False
    return True


def features(session: nox.Session, environment: Environment) -> None:
    """
    Write a family's table of features, where it has one, from its own matrix and the committed one of the other family.
    """
    if environment.family not in FEATURES:
        return
    families = (FEATURES[environment.family], environment.family)
    matrices = [f"reports/{family}/matrix.json" for family in families]
    options = ("--features", f"families/{environment.family}/features.toml", "--out", f"reports/{environment.family}")
    harness(session, environment, "report", *matrices, *options)


def recorded_in(family: str, wanted: Sequence[str]) -> dict[str, list[str]]:
    """
    Return a family's adapters, those wanted or all, by the environment to record in ("": that of replay).
    """
    settings = settings_of(family)
    names = {name.removeprefix(f"{family}/") for name in wanted}
    found: dict[str, list[str]] = {}
    for name, one in settings["adapters"].items():
        if not wanted or name in names:
            found.setdefault(one.get("engine", {}).get("environment", ""), []).append(name)
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


def reports_of(family: str) -> dict[str, bytes]:
    """
    Return the files of a family's reports, by their path in its folder; another family's may have its folder in there.
    """
    folders = {one: (ROOT / "families" / one / settings_of(one)["reports"]).resolve() for one in FAMILIES}
    own = folders.pop(family)
    others = [one for one in folders.values() if one.is_relative_to(own)]
    files = sorted(path for path in own.rglob("*") if path.is_file() and not any(map(path.is_relative_to, others)))
    return {path.relative_to(own).as_posix(): path.read_bytes() for path in files}


def compare(session: nox.Session, family: str, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """
    Fail the session, and show how the Markdown differs, unless two sets of files are equal.
    """
    changed = [name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name)]
    if not changed:
        session.log(f"The reports of {family} are as they were: {len(after)} files, none differs by a byte.")
        return
    for name in (name for name in changed if name.endswith(".md")):
        old, new = (side.get(name, b"").decode().splitlines() for side in (before, after))
        difference = difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", n=0, lineterm="")
        for line in itertools.islice(difference, SHOWN_LINES):
            session.log(line)
    what = f"the reports of {family} have changed: {', '.join(changed)}"
    session.error(f"{what}. Look at the difference, and commit it if it is right.")


if __name__ == "__main__":
    nox.main()

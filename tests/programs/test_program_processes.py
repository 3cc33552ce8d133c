"""
A program beside the adapters: it is started once it is needed, says why when it fails, and never outlives the run.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.adapters.program import Program
from harness.errors import PortTakenError
from harness.isolation.processes import descendants
from harness.programs.errors import ProgramEndedError, ProgramMissingError, ProgramSilentError
from harness.programs.running import Running

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = str(Path(__file__).parent / "small_program.py")
UPSTREAM = "http://127.0.0.1:9"

needs_processes = pytest.mark.skipif(os.name == "nt", reason="programs need what Windows has not")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="the test finds processes in /proc")
pytestmark = needs_processes


def _program(kind: str, **options: Any) -> Program:
    values: dict[str, Any] = {"env": {"SMALL_KEY": "{key}"}, "ready": "/up", **options}
    command = (sys.executable, SMALL, kind, "{port}")
    return Program(
        name="small", command=command, upstream="https://api.example.com", origin="[programs.small]", **values
    )


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    # a dead process that nobody has asked for is no process any more
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _wait_until(done: Callable[[], bool]) -> None:
    given_up = time.monotonic() + 60
    while not done() and time.monotonic() < given_up:
        time.sleep(0.02)
    assert done()


def test_a_program_is_up_when_it_answers_and_gone_when_it_is_closed(tmp_path: Path) -> None:
    """
    Its port and its key are its own, how long it took is told, and closing it ends it.
    """
    with closing(Running(_program("serves"), tmp_path, tmp_path, UPSTREAM)) as running:
        running.wait()
        process, key = httpx.get(f"{running.url}/up").text.split()

    assert key == running.key
    assert int(process) == running.pid
    assert running.seconds > 0
    assert running.ended() == "was killed by SIGTERM"


@needs_proc
def test_a_program_that_ignores_being_asked_is_killed_with_its_children(tmp_path: Path) -> None:
    """
    Neither a handler of SIGTERM nor a session of its own keeps a process alive.
    """
    with closing(Running(_program("stubborn"), tmp_path, tmp_path, UPSTREAM)) as running:
        running.wait()
        assert running.pid is not None
        below = [running.pid, *descendants(running.pid)]

    assert len(below) == 2
    assert [process for process in below if not _is_gone(process)] == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@needs_proc
def test_no_program_outlives_the_harness(tmp_path: Path, how: signal.Signals) -> None:
    """
    Whatever signal ends the harness, the program and its children end too.
    """
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom harness.adapters.program import Program\n"
        "from harness.programs.running import Running\n"
        f"program = Program(name='small', command=(sys.executable, {SMALL!r}, 'stubborn', '{{port}}'), ready='/up',"
        " upstream='https://api.example.com')\n"
        f"running = Running(program, Path('.'), Path({str(tmp_path)!r}), '')\nrunning.wait()\n"
        "print(running.pid, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as harness:
        assert harness.stdout is not None
        process = int(harness.stdout.readline())
        below = [process, *descendants(process)]
        harness.send_signal(how)
        harness.wait()

    assert len(below) == 2
    _wait_until(lambda: all(map(_is_gone, below)))


def test_a_program_that_ends_says_why(tmp_path: Path) -> None:
    """
    The error has the exit status and the last words of a program that ends before it is up, and not its key.
    """
    with (
        closing(Running(_program("ends"), tmp_path, tmp_path, UPSTREAM)) as running,
        pytest.raises(ProgramEndedError) as caught,
    ):
        running.wait()

    assert "the program ended with exit status 1 before it was up" in str(caught.value)
    assert "no such database" in str(caught.value)
    assert "ends begins with {key}" in str(caught.value)


def test_a_program_that_never_says_that_it_is_up_is_given_up(tmp_path: Path) -> None:
    """
    The error says what was asked, how to give it longer, and the program's last words; meanwhile it was told how long.
    """
    told: list[float] = []
    with (
        closing(Running(_program("silent", ready_within=2.5), tmp_path, tmp_path, UPSTREAM)) as running,
        pytest.raises(
            ProgramSilentError, match=r"/up does not answer within [23] s[\s\S]*ready_within[\s\S]*silent begins"
        ),
    ):
        running.wait(told.append)

    assert [round(seconds) for seconds in told] == [1, 2]


def test_a_port_that_is_taken_is_told_before_anything_is_started(tmp_path: Path) -> None:
    """
    A registered port that another program listens at is an error that names it.
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"another program listens at 127.0.0.1:{port}"):
            Running(_program("serves", port=port), tmp_path, tmp_path, UPSTREAM)


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    """
    A command that is in no folder of programs, and one that cannot be run, are errors of one kind.
    """
    missing = Program(name="small", command=("no-such-program-4127",), upstream="https://api.example.com")
    text = tmp_path / "text"
    text.write_text("no program")
    dull = Program(name="small", command=(str(text),), upstream="https://api.example.com")

    with pytest.raises(ProgramMissingError, match="there is no program 'no-such-program-4127'"):
        Running(missing, tmp_path, tmp_path, UPSTREAM)
    with (
        closing(Running(dull, tmp_path, tmp_path, UPSTREAM)) as running,
        pytest.raises(ProgramMissingError, match="cannot be run: Permission denied"),
    ):
        running.wait()


def test_a_configuration_is_filled_in(tmp_path: Path) -> None:
    """
    What is known in braces is replaced in the file and in the environment; other braces stay.
    """
    (tmp_path / "small.yaml").write_text('upstream: "{upstream}/v1"\nport: {port}\nother: {a: 1, b: {}}\n')
    given = tmp_path / "given"
    given.mkdir()
    program = _program("serves", config="small.yaml", env={"SMALL_KEY": "{config}"})
    with closing(Running(program, tmp_path, given, UPSTREAM)) as running:
        running.wait()
        config = httpx.get(f"{running.url}/up").text.split()[1]

    port = running.url.rpartition(":")[2]
    assert Path(config).read_text() == f'upstream: "{UPSTREAM}/v1"\nport: {port}\nother: {{a: 1, b: {{}}}}\n'


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_program_behind(tmp_path: Path, how: signal.Signals) -> None:
    """
    The real command, stopped while its program is starting, ends, and so does the program.
    """
    (tmp_path / "harness.toml").write_text(
        f'[programs.small]\ncommand = ["{sys.executable}", "{SMALL}", "silent", "{{port}}", "{tmp_path}"]\n'
        'upstream = "https://api.example.com"\n[adapters.Any]\ntarget = "builtins:object"\nprogram = "small"\n'
    )
    command = [sys.executable, "-m", "harness", "run", "--config", str(tmp_path / "harness.toml")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        while "starting" not in run.stderr.readline():
            assert run.poll() is None
        _wait_until(lambda: len(_with(str(tmp_path))) > 0)
        run.send_signal(how)
        said = run.stderr.read()

    assert run.returncode == 130, said
    _wait_until(lambda: _with(str(tmp_path)) == [])


def test_pytest_tells_how_long_a_program_has_been_starting(tmp_path: Path) -> None:
    """
    Between the outcomes of items, and past the capture of output; `-qq` says nothing of it.
    """
    (tmp_path / "harness.toml").write_text(
        f'[programs.small]\ncommand = ["{sys.executable}", "{SMALL}", "serves", "{{port}}"]\nready = "/up"\n'
        'upstream = "https://api.example.com"\n[adapters.Any]\ntarget = "builtins:object"\nprogram = "small"\n'
    )
    command = [sys.executable, "-m", "pytest", "--harness", "-p", "no:cacheprovider", "-k", "Any and invoke"]
    said = [
        subprocess.run([*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300).stdout
        for more in ([], ["-qq"])
    ]

    assert re.search(r"^harness: small: starting, 0 s\nharness: small: up after \d+\.\d s$", said[0], re.MULTILINE), (
        said
    )
    assert "starting" not in said[1]


def _with(word: str) -> list[str]:
    """
    Return the command lines of small programs that hold a word.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [line for line in found if SMALL in line and word in line]

"""
Processes end: none outlives the run, however the run ends, and many adapters share one start.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import IsolationError
from harness.isolation import processes
from harness.isolation.hosts import Fleet
from harness.isolation.processes import can_fork
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.battery.job import Job

    MakeJob = Callable[..., Job]

HERE = Path(__file__).resolve().parent
INVOKE = Capability.INVOKE

needs_fork = pytest.mark.skipif(not can_fork(), reason="hosts are not forked on this platform")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="the test finds processes in /proc")

PROGRAM = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from harness.isolation.hosts import Fleet
from harness.battery.job import Job
from harness.words import Capability

job = Job(adapter={{"target": "isolation_acts:Target"}}, root={str(HERE)!r}, timeout=600,
          options={{"entry": "isolation_acts:linger"}})
with ThreadPoolExecutor(2) as pool, Fleet(jobs=2, spawn=sys.argv[1] == "spawn") as fleet:
    tell = lambda *_: print("lingering", flush=True)
    asked = [pool.submit(fleet.measure, job, [Capability.INVOKE], tell) for _ in range(2)]
    [one.result() for one in asked]
"""


@pytest.fixture
def program() -> Iterator[Callable[[str], tuple[subprocess.Popen[str], list[int]]]]:
    """
    Return a function that starts a run with two hanging adapters and returns it with all its processes.
    """
    started = []

    def start(kind: str) -> tuple[subprocess.Popen[str], list[int]]:
        run = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(PROGRAM), kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(run)
        assert run.stdout is not None
        assert [run.stdout.readline() for _ in range(2)] == ["lingering\n"] * 2
        return run, processes.descendants(run.pid)

    yield start
    for run in started:
        run.kill()
        run.communicate()


def _left(found: list[int]) -> list[int]:
    given_up = time.monotonic() + 60
    while (left := [one for one in found if _runs(one)]) and time.monotonic() < given_up:
        time.sleep(0.02)
    return left


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# A forked cell has a host and a zygote above it; each of the two adapters has a stray child and a stray fork.
KINDS = [pytest.param("fork", 1 + 2 * 4, marks=needs_fork), pytest.param("spawn", 2 * 3)]


@needs_proc
@pytest.mark.parametrize(("kind", "most"), KINDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_run_is_ended(
    kind: str, most: int, number: signal.Signals, program: Callable[[str], tuple[subprocess.Popen[str], list[int]]]
) -> None:
    """
    Ctrl-C, a kill and a polite request end the run in the middle; zygote, hosts, cells and what they started go too.
    """
    run, found = program(kind)
    assert len(found) == most

    os.killpg(run.pid, number)
    run.wait(30)

    assert _left(found) == []


@needs_proc
@needs_fork
def test_nothing_is_left_when_the_zygote_is_killed(
    program: Callable[[str], tuple[subprocess.Popen[str], list[int]]],
) -> None:
    """
    Hosts and cells go with their parent, and the run ends with an error instead of waiting for them.
    """
    run, found = program("fork")
    parents = {one: _parent(one) for one in found}
    zygote = next(one for one in found if parents[one] == run.pid)
    hosts = [one for one in found if parents[one] == zygote]
    cells = [one for one in found if parents[one] in hosts]

    os.kill(zygote, signal.SIGKILL)
    run.wait(30)

    assert _left([zygote, *hosts, *cells]) == []
    for one in found:
        processes.kill(one)


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@needs_proc
def test_leaving_the_block_leaves_no_process(job: MakeJob) -> None:
    """
    A fleet that was used for ordinary work is gone when its block is.
    """
    before = set(processes.descendants(os.getpid()))
    with Fleet() as fleet:
        fleet.measure(job("speak"), [INVOKE])
        found = [one for one in processes.descendants(os.getpid()) if one not in before]

    assert _left(found) == []


@pytest.mark.parametrize("spawn", [pytest.param(False, marks=needs_fork), True])
def test_a_fleet_can_be_closed_under_way(spawn: bool, job: MakeJob) -> None:
    """
    Whoever is measuring meanwhile gets an error that says so, soon.
    """
    raised: list[BaseException] = []
    begun = threading.Event()

    def measure() -> None:
        try:
            fleet.measure(job("hang_in_python", timeout=600), list(Capability), lambda *_: begun.set())
        except IsolationError as error:
            raised.append(error)

    with Fleet(spawn=spawn) as fleet:
        thread = threading.Thread(target=measure)
        thread.start()
        assert begun.wait(60)
        fleet.close()
        thread.join(30)

    assert [str(error) for error in raised] == ["the run was stopped"]
    with pytest.raises(IsolationError, match="stopped"):
        fleet.measure(job("speak"), [INVOKE])


@needs_fork
def test_twenty_adapters_pay_for_one_start(job: MakeJob, tmp_path: Path) -> None:
    """
    What is preloaded is imported once for all of them, and every host is a child of the same process.
    """
    counter = tmp_path / "imports"
    (tmp_path / "isolation_heavy.py").write_text(f"open({str(counter)!r}, 'a').write('x')")
    (tmp_path / "isolation_target.py").write_text("import isolation_heavy\nclass A: pass")
    (tmp_path / "isolation_acts.py").write_text(
        (HERE / "isolation_acts.py").read_text() + "\ndef lineage(job, capability, send):\n"
        "    host = open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]\n"
        "    send('note', note('zygote', host))\n"
    )

    with _importable(tmp_path), Fleet(preload=["isolation_heavy"], spawn=False) as fleet:
        lineage = job("lineage", target="isolation_target:A", root=tmp_path)
        zygotes = [fleet.measure(lineage, [INVOKE])[INVOKE].notes["zygote"] for _ in range(20)]

    assert counter.read_text() == "x"
    assert len(set(zygotes)) == 1


@needs_fork
def test_what_is_preloaded_has_the_projects_variables(job: MakeJob, tmp_path: Path) -> None:
    """
    A library that reads a variable when it is imported finds it, though it is imported before any adapter is known.
    """
    seen = tmp_path / "seen"
    (tmp_path / "isolation_reads.py").write_text(
        f"import os\nopen({str(seen)!r}, 'w').write(os.environ['LOCAL_ALONE'])"
    )

    with _importable(tmp_path), Fleet(preload=["isolation_reads"], env={"LOCAL_ALONE": "yes"}, spawn=False) as fleet:
        fleet.measure(job("speak"), [INVOKE])

    assert seen.read_text() == "yes"


class _importable:  # noqa: N801 - reads as a word
    """
    Let the zygote, which does not look into the working directory, import from a folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._before = os.environ.get("PYTHONPATH")

    def __enter__(self) -> None:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [self._folder, self._before]))

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = self._before


@needs_fork
def test_a_preload_that_fails_is_reported_and_the_run_goes_on(job: MakeJob, tmp_path: Path) -> None:
    """
    Missing, raising, exiting and thread-starting modules are named with what is wrong; the others are preloaded.
    """
    (tmp_path / "isolation_raises.py").write_text("1 / 0")
    (tmp_path / "isolation_exits.py").write_text("raise SystemExit(5)")
    (tmp_path / "isolation_threads.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    preload = ["isolation_raises", "isolation_absent", "isolation_threads", "isolation_exits", "json:no_such_function"]

    with _importable(tmp_path), Fleet(preload=preload, spawn=False) as fleet:
        outcome = fleet.measure(job("count"), [INVOKE])[INVOKE]
        failures = fleet.preload_failures

    assert sorted(failures) == sorted(preload)
    assert failures["isolation_raises"] == "ZeroDivisionError: division by zero"
    assert "started a thread" in failures["isolation_threads"]
    assert outcome.notes["threads"] == "1"


@needs_fork
def test_what_is_preloaded_reaches_nobody(job: MakeJob, tmp_path: Path) -> None:
    """
    A library that wants to report its use at import is refused, although its host is not there yet to cut the network.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        dial = f"import socket\nsocket.create_connection({server.getsockname()!r})"
        (tmp_path / "isolation_reporting.py").write_text(dial)
        with _importable(tmp_path), Fleet(preload=["isolation_reporting"], spawn=False) as fleet:
            fleet.measure(job("count"), [INVOKE])
            failures = fleet.preload_failures

        assert "was not dialled" in failures["isolation_reporting"]
        with pytest.raises(BlockingIOError):
            server.accept()


@needs_fork
def test_a_preload_that_ends_the_zygote_is_an_error_with_its_words(job: MakeJob, tmp_path: Path) -> None:
    """
    Where the fork server itself is gone, the run says so, with the last line that it printed.
    """
    (tmp_path / "isolation_ends.py").write_text("import os\nprint('no more', flush=True)\nos._exit(1)")

    with (
        _importable(tmp_path),
        Fleet(preload=["isolation_ends"], spawn=False) as fleet,
        pytest.raises(IsolationError, match="no more"),
    ):
        fleet.measure(job("speak"), [INVOKE])


@needs_fork
def test_a_file_in_the_working_directory_does_not_shadow_the_library(
    job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A `json.py` where the run is started is the project's own and not the interpreter's.
    """
    (tmp_path / "json.py").write_text("raise ImportError('the wrong json')")
    monkeypatch.chdir(tmp_path)

    with Fleet(spawn=False) as fleet:
        outcome = fleet.measure(job("speak"), [INVOKE])[INVOKE]

    assert outcome.interactions == ("recorded replay",)


def test_looking_for_descendants_survives_processes_that_end() -> None:
    """
    Others begin and end while `/proc` is read: they are no reason to fail.
    """
    churn = threading.Thread(
        target=lambda: [subprocess.run([sys.executable, "-S", "-c", ""], check=True) for _ in range(40)]
    )
    churn.start()
    while churn.is_alive():
        assert os.getpid() not in processes.descendants(os.getpid())
    churn.join()

"""
The fleet: what a cell sends comes home, and what it does to its process costs its own cells only.
"""

from __future__ import annotations

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.events import Dialled, Died, Event, Item, Missing, Raised
from harness.isolation.hosts import Fleet
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.battery.job import Job
    from harness.isolation.outcome import Outcome

    MakeJob = Callable[..., Job]

HERE = Path(__file__).resolve().parent
INVOKE, STREAM, BATCH = Capability.INVOKE, Capability.STREAM, Capability.BATCH


def _death(outcome: Outcome) -> Died:
    last = outcome.events[-1]
    assert isinstance(last, Died), outcome
    return last


def _texts(outcome: Outcome) -> list[str | None]:
    return [event.text for event in outcome.events if isinstance(event, Item)]


def _is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def _wait_until_gone(processes: list[int]) -> list[int]:
    given_up = time.monotonic() + 60
    while (left := [one for one in processes if not _is_gone(one)]) and time.monotonic() < given_up:
        time.sleep(0.02)
    return left


def test_what_a_cell_sends_comes_home(fleet: Fleet, job: MakeJob) -> None:
    """
    Events, recordings, notes and what was printed reach the caller, each under its capability, while it runs and after.
    """
    seen: list[tuple[Capability, Event]] = []

    outcomes = fleet.measure(job("speak"), list(Capability), lambda *told: seen.append(told))

    assert list(outcomes) == list(Capability)
    for capability, outcome in outcomes.items():
        assert _texts(outcome) == [f"hello from {capability}"]
        assert (outcome.events[0].at, outcome.events[0].real) == (1.5, 2.5)
        assert outcome.interactions == ("recorded replay",)
        assert outcome.output_tail == f"printed by {capability}\n"
    assert seen == [(capability, event) for capability, outcome in outcomes.items() for event in outcome.events]


def test_a_host_is_settled_before_anything_is_imported(fleet: Fleet, job: MakeJob) -> None:
    """
    The registration's environment is set, the project's root is the working directory and first on the path, and there
    is nothing to read.
    """
    notes = fleet.measure(job("count"), [INVOKE])[INVOKE].notes

    assert notes["environment"] == "set"
    assert notes["directory"] == str(HERE)
    assert notes["path"] == os.pathsep.join([str(HERE), os.getcwd()])  # noqa: PTH109 - as text
    assert notes["input"] == "''"


def test_each_forked_cell_begins_anew(forking: Fleet, job: MakeJob) -> None:
    """
    What one cell does to the adapter's globals, the next one does not see; the target is imported once for all.
    """
    counted = forking.measure(job("count"), [INVOKE, STREAM, BATCH])
    spoken = forking.measure(job("speak"), [INVOKE, STREAM, BATCH])

    assert [outcome.notes["cells"] for outcome in counted.values()] == ["1"] * 3
    assert len({outcome.notes["process"] for outcome in spoken.values()}) == 3
    assert len({outcome.notes["parent"] for outcome in spoken.values()}) == 1


def test_cells_that_run_together_share_a_process(fleet: Fleet, job: MakeJob) -> None:
    """
    Each sees what the ones before it did, and still has its own notes.
    """
    counted = fleet.measure(job("count"), [INVOKE, STREAM, BATCH], together=True)

    assert [outcome.notes["cells"] for outcome in counted.values()] == ["1", "2", "3"]


def test_a_cell_that_ends_a_shared_process_is_the_last_one(fleet: Fleet, job: MakeJob) -> None:
    """
    Its death is told of, and those after it are left undone: what takes a time-out takes one.
    """
    outcomes = fleet.measure(job("exit_at_once"), [INVOKE, STREAM, BATCH], together=True)

    assert list(outcomes) == [INVOKE]
    assert _death(outcomes[INVOKE]).detail == "3"


@pytest.mark.parametrize(
    "wish",
    [
        {"objects": {"missing": "isolation_nowhere:thing", "given": "isolation_objects:IMPORTED_BY"}},
        {"preload": ["isolation_nowhere", "isolation_objects"]},
    ],
    ids=["objects", "preload"],
)
def test_what_the_cells_share_is_imported_once(forking: Fleet, job: MakeJob, wish: dict[str, object]) -> None:
    """
    What an argument is taken from, and what the registration names, is imported before the cells are forked.

    What cannot be imported is the cells' to report.
    """
    asked = job("tell_importer")
    told = forking.measure(replace(asked, adapter={**asked.adapter, **wish}), [INVOKE, STREAM])

    importers = [outcome.notes["importer"] for outcome in told.values()]
    assert importers == [outcome.notes["parent"] for outcome in told.values()]
    assert len(set(importers)) == 1


def test_spawned_cells_take_turns(spawning: Fleet, job: MakeJob) -> None:
    """
    Without a fork there is one process for an adapter, and its cells share it.
    """
    spoken = spawning.measure(job("speak"), [INVOKE, STREAM, BATCH])

    assert len({outcome.notes["process"] for outcome in spoken.values()}) == 1


@pytest.mark.parametrize(
    ("act", "how", "detail"),
    [
        ("exit_at_once", "exit", "3"),
        ("exit_zero", "exit", "0"),
        ("exit_politely", "exit", "1"),
        ("crash", "signal", "SIGSEGV"),
    ],
)
def test_an_end_before_the_end_is_a_death(act: str, how: str, detail: str, fleet: Fleet, job: MakeJob) -> None:
    """
    A process that ends, in whatever way, before its cell said that it was done, died; also with the status 0.
    """
    death = _death(fleet.measure(job(act), [INVOKE])[INVOKE])

    assert (death.how, death.detail) == (how, detail)


def test_what_happened_before_a_crash_is_known(fleet: Fleet, job: MakeJob) -> None:
    """
    The events come first, and the death carries the moment of the last one and the stack of the crash.
    """
    outcome = fleet.measure(job("crash"), [INVOKE])[INVOKE]
    death = _death(outcome)

    assert _texts(outcome) == ["before"]
    assert (death.at, death.real) == (1.5, 2.5)
    assert "in crash\n" in death.stack + "\n"
    assert "Segmentation fault" in death.stack
    assert "harness" not in death.stack.replace(str(HERE), "")


def test_a_message_to_standard_error_is_kept(fleet: Fleet, job: MakeJob) -> None:
    """
    `sys.exit` with a text prints it, as it does elsewhere.
    """
    assert fleet.measure(job("exit_politely"), [INVOKE])[INVOKE].output_tail == "no licence\n"


def test_a_death_costs_its_own_cell_only(fleet: Fleet, job: MakeJob) -> None:
    """
    The cells after it get a new process, and end as if nothing had been.
    """
    outcomes = fleet.measure(job("crash_in_invoke"), [STREAM, INVOKE, BATCH])

    assert _death(outcomes[INVOKE]).detail == "SIGSEGV"
    assert _texts(outcomes[STREAM]) == _texts(outcomes[BATCH]) == ["well"]


@pytest.mark.parametrize(
    ("act", "phase", "named"),
    [
        ("hang_in_python", "call", ["in _sleep_here", "in hang_in_python"]),
        ("hang_in_c", "call", ["in hang_in_c"]),
        ("hang_in_asyncio", "call", ["the-one-that-hangs", "in _never_set"]),
        ("hang_in_constructor", "construction", ["in hang_in_constructor"]),
    ],
)
def test_a_hang_is_ended_with_its_stack(act: str, phase: str, named: list[str], fleet: Fleet, job: MakeJob) -> None:
    """
    Wherever it hangs, in Python, in C code that keeps the interpreter or in a task, the stack says where.
    """
    death = _death(fleet.measure(job(act, timeout=1.0), [INVOKE])[INVOKE])

    assert (death.how, death.detail) == ("hung", f"the {phase} did not end within 1 s")
    assert [name for name in named if name not in death.stack] == []


def test_equal_hangs_have_equal_stacks(forking: Fleet, job: MakeJob) -> None:
    """
    Addresses of threads and objects are numbered, so that equal runs report equal bytes.
    """
    outcomes = forking.measure(job("hang_in_asyncio", timeout=0.5), [INVOKE, STREAM])

    assert _death(outcomes[INVOKE]) == _death(outcomes[STREAM])


def test_the_constructor_and_the_call_have_a_time_out_each(fleet: Fleet, job: MakeJob) -> None:
    """
    What the one takes is not charged to the other.
    """
    outcome = fleet.measure(job("slow_but_steady", timeout=3.9), [INVOKE])[INVOKE]

    assert outcome.events == ()


def test_runaway_memory_is_stopped(fleet: Fleet, job: MakeJob) -> None:
    """
    A cell that takes more than it may is ended before the machine suffers.
    """
    death = _death(fleet.measure(job("devour", memory=300 * 1024**2), [INVOKE])[INVOKE])

    assert (death.how, death.detail) == ("memory", "300 MiB")


def test_a_fault_of_the_entry_is_not_the_adapters(fleet: Fleet, job: MakeJob) -> None:
    """
    What the entry should have caught is told as a fault, with its traceback, and not as a death.
    """
    outcome = fleet.measure(job("fail"), [INVOKE])[INVOKE]

    assert outcome.events == ()
    assert "LookupError: the entry's own bug" in outcome.notes["fault"]


def test_a_flood_of_output_keeps_its_tail(fleet: Fleet, job: MakeJob) -> None:
    """
    26 MB are printed; the last 4 kB are kept, and the disk is spared.
    """
    outcome = fleet.measure(job("flood"), [INVOKE])[INVOKE]

    assert len(outcome.output_tail) == 4096
    assert outcome.output_tail.endswith("...\nthe last line\n")


def test_a_flood_of_frames_is_whole_up_to_the_death(fleet: Fleet, job: MakeJob) -> None:
    """
    Four threads send at once, more than a pipe holds; every frame arrives, in each thread's order.
    """
    outcome = fleet.measure(job("flood_of_frames"), [INVOKE])[INVOKE]
    sent = [str(text).split()[0] for text in _texts(outcome)]

    assert _death(outcome).detail == "9"
    for thread in range(4):
        assert [one for one in sent if one[0] == str(thread)] == [f"{thread}/{turn}" for turn in range(100)]


@pytest.mark.parametrize("act", ["leave_children", "linger"])
def test_what_a_cell_leaves_running_is_ended(act: str, forking: Fleet, job: MakeJob) -> None:
    """
    Neither a child in a session of its own nor a fork that holds every descriptor outlives the cell.
    """
    outcome = forking.measure(job(act, timeout=0.7), [INVOKE])[INVOKE]

    assert _wait_until_gone([int(one) for one in outcome.notes["children"].split()]) == []


def test_a_cell_that_dials_is_refused_and_told_of(fleet: Fleet, job: MakeJob) -> None:
    """
    Also where the entry does nothing about it, the guard is shut in replay.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        outcome = fleet.measure(job("dial_in_python", port=port), [INVOKE])[INVOKE]
        with pytest.raises(BlockingIOError):
            server.accept()

    # under seccomp the socket itself is refused, before it has an address
    expected = "an AF_INET socket" if outcome.notes["cut"].startswith("seccomp") else f"127.0.0.1:{port}"
    assert [event.target for event in outcome.events if isinstance(event, Dialled)] == [expected]
    assert "not dialled" in outcome.notes["error"]


def test_a_child_that_dials_reaches_nobody(fleet: Fleet, job: MakeJob) -> None:
    """
    The kernel holds it back; where it counts such attempts, they are in the log, though the adapter swallowed them.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        outcome = fleet.measure(job("dial_in_c", port=server.getsockname()[1]), [INVOKE])[INVOKE]
        if outcome.notes["cut"].startswith("none"):
            pytest.skip(f"nothing can be cut here: {outcome.notes['cut']}")
        with pytest.raises(BlockingIOError):
            server.accept()

    if outcome.notes["cut"] == "namespace":
        assert [type(event) for event in outcome.events] == [Dialled]


def test_a_server_of_ones_own_is_no_dialling(fleet: Fleet, job: MakeJob) -> None:
    """
    Looking up the wildcard address shows in the kernel's count, and listening may be refused; nobody was dialled.
    """
    assert fleet.measure(job("listen"), [INVOKE])[INVOKE].events == ()


def test_recording_is_not_cut(fleet: Fleet, job: MakeJob) -> None:
    """
    An adapter that is recorded talks to its upstream.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        outcome = fleet.measure(job("dial_in_python", port=port, mode="record"), [INVOKE])[INVOKE]
        server.settimeout(5)
        server.accept()[0].close()

    assert outcome.events == ()
    assert "cut" not in outcome.notes


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import no_such_distribution_anywhere", "no_such_distribution_anywhere"),
        ("from no_such_distribution_anywhere.part import x", "no_such_distribution_anywhere"),
        ("import json.no_such_part", "ModuleNotFoundError"),
        ("raise ImportError('install it with pip')", "ImportError"),
        ("1 / 0", "ZeroDivisionError"),
        ("def half(:", "SyntaxError"),
        ("import sys\nsys.exit('not today')", "SystemExit"),
        ("pass", "RegistrationError"),
    ],
)
def test_an_import_that_fails_is_an_event_of_every_cell(
    source: str, expected: str, fleet: Fleet, job: MakeJob, tmp_path: Path
) -> None:
    """
    A missing distribution is named; every other failure is raised in the phase `import`, with its traceback and with
    the line of the adapter's file, and of no other. What the harness itself refuses has no such line.
    """
    line = 2 if expected == "SystemExit" else 1
    (tmp_path / "isolation_target.py").write_text(source)

    outcomes = fleet.measure(job("speak", target="isolation_target:Absent", root=tmp_path), [INVOKE, STREAM])

    for outcome in outcomes.values():
        (event,) = outcome.events
        match event:
            case Missing():
                assert event.what == "module"
                assert expected in event.name
            case Raised():
                assert (event.phase, event.type) == ("import", expected)
                assert expected in event.traceback
                place = f"{tmp_path.name}/isolation_target.py:{line}"
                assert event.line == ("" if expected == "RegistrationError" else place)
            case _:
                pytest.fail(str(event))


def test_an_import_is_imported_once(forking: Fleet, job: MakeJob, tmp_path: Path) -> None:
    """
    Six cells, one import: the module's file is run once.
    """
    counter = tmp_path / "imports"
    (tmp_path / "isolation_target.py").write_text(f"open({str(counter)!r}, 'a').write('x')\nclass A: pass")
    (tmp_path / "isolation_acts.py").write_text((HERE / "isolation_acts.py").read_text())

    forking.measure(job("speak", target="isolation_target:A", root=tmp_path), list(Capability))

    assert counter.read_text() == "x"


def test_an_import_that_dies_is_not_repeated_for_each_cell(fleet: Fleet, job: MakeJob, tmp_path: Path) -> None:
    """
    It would die again; all the cells carry the same death, after one attempt.
    """
    counter = tmp_path / "imports"
    (tmp_path / "isolation_target.py").write_text(f"open({str(counter)!r}, 'a').write('x')\nimport os\nos._exit(7)")

    outcomes = fleet.measure(job("speak", target="isolation_target:A", root=tmp_path), list(Capability))

    assert [_death(outcome).detail for outcome in outcomes.values()] == ["7"] * 6
    assert counter.read_text() == "x"


def test_an_import_that_hangs_has_a_time_out_of_its_own(fleet: Fleet, job: MakeJob, tmp_path: Path) -> None:
    """
    Its stack says where the import hung.
    """
    (tmp_path / "isolation_target.py").write_text("import time\ntime.sleep(600)")

    # the time-out covers the start of a spawned interpreter, which takes a second on a busy machine
    outcomes = fleet.measure(
        job("speak", target="isolation_target:A", root=tmp_path, import_timeout=6.0), [INVOKE, STREAM]
    )

    for outcome in outcomes.values():
        assert _death(outcome).detail == "the import did not end within 6 s"
        assert "isolation_target.py" in _death(outcome).stack


def test_dialling_on_import_is_refused_and_noted(fleet: Fleet, job: MakeJob, tmp_path: Path) -> None:
    """
    What a module does when it is imported says nothing of a call, so it is a note and not an event.
    """
    (tmp_path / "isolation_target.py").write_text(
        "import socket\ntry:\n    socket.create_connection(('telemetry.example.com', 443))\nexcept OSError:\n    pass\n"
        "class A: pass"
    )
    (tmp_path / "isolation_acts.py").write_text((HERE / "isolation_acts.py").read_text())

    outcome = fleet.measure(job("speak", target="isolation_target:A", root=tmp_path), [INVOKE])[INVOKE]

    assert outcome.notes["dialled_at_import"] == "telemetry.example.com:443"
    assert _texts(outcome) == ["hello from invoke"]


def test_threads_at_import_are_not_forked_away(forking: Fleet, job: MakeJob, tmp_path: Path) -> None:
    """
    A host with threads is not forked: each cell is a host of its own, and its threads run.
    """
    (tmp_path / "isolation_target.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\nclass A: pass"
    )
    (tmp_path / "isolation_acts.py").write_text((HERE / "isolation_acts.py").read_text())

    counted = forking.measure(job("count", target="isolation_target:A", root=tmp_path), [INVOKE, STREAM])
    died = forking.measure(job("crash_in_invoke", target="isolation_target:A", root=tmp_path), [INVOKE, STREAM])

    assert [(one.notes["cells"], one.notes["threads"]) for one in counted.values()] == [("1", "2")] * 2
    assert _death(died[INVOKE]).detail == "SIGSEGV"
    assert _texts(died[STREAM]) == ["well"]


def test_many_threads_measure_at_once(fleet: Fleet, job: MakeJob) -> None:
    """
    Hosts that run beside each other, one of them crashing, keep their cells apart.
    """
    acts = ["speak", "crash", "speak", "exit_at_once"] * 2

    with ThreadPoolExecutor(len(acts)) as pool:
        measured = list(pool.map(lambda act: fleet.measure(job(act), [INVOKE, STREAM]), acts))

    for act, outcomes in zip(acts, measured, strict=True):
        expected = "hello from {}" if act == "speak" else "before"
        assert [_texts(outcomes[one]) for one in (INVOKE, STREAM)] == [
            [expected.format(one)] for one in (INVOKE, STREAM)
        ]
        assert isinstance(outcomes[INVOKE].events[-1], Died) is (act != "speak")


@pytest.mark.parametrize(("jobs", "met"), [(1, 0), (2, 1)])
def test_no_more_hosts_run_at_a_time_than_allowed(jobs: int, met: int, job: MakeJob, tmp_path: Path) -> None:
    """
    With one job, two adapters never meet, whichever threads ask; with two, they do.
    """
    claim = job("claim", place=str(tmp_path / "place"))

    with Fleet(jobs=jobs) as fleet, ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(fleet.measure, claim, [INVOKE]) for _ in range(2)]
        notes = [future.result()[INVOKE].notes for future in asked]

    assert sum("met" in one for one in notes) == met

"""
A run: recorded once, the same cells come out of every replay, in the order in which they were asked for.
"""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from harness.session.rows import Interrupted, matrix_of
from harness.session.session import Session
from harness.session.settings import Settings
from harness.words import Capability, Upstream, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from toy_bench import Bench

    from harness.adapters.adapter import Adapter
    from harness.cells import Cell
    from harness.session.rows import Row

INVOKE, STREAM = Capability.INVOKE, Capability.STREAM


def _labels(rows: list[Row]) -> list[tuple[str, str, str, str | None]]:
    return [(cell.adapter, cell.capability, cell.verdict, cell.mechanism) for row in rows for cell in row.cells]


def test_every_replay_gives_the_recorded_verdicts(bench: Bench) -> None:
    """
    At once, at the recorded pace, forked or spawned, with one or two at a time: the cells are those of the recording.
    """
    adapters = [bench.adapter("Honest"), bench.adapter("FirstUseTalks")]
    live = _labels(bench.rows(adapters, record=True))
    asked = len(bench.upstream.seen)
    assert {verdict for _, _, verdict, _ in live} == {Verdict.NATIVE}

    ways: list[dict[str, Any]] = [{}, {"jobs": 1}, {"pace": 1.0}, {"spawn": True}, {"spawn": True, "pace": 0.5}]
    for settings in ways:
        assert _labels(bench.rows(adapters, **settings)) == live, settings
    assert len(bench.upstream.seen) == asked


def test_rows_and_cells_come_in_the_order_that_was_asked_for(bench: Bench) -> None:
    """
    However long each takes, rows stand in the order of the adapters, cells in that of the calls.
    """
    slow = bench.adapter("Faulty", kwargs={"how": "hang"}, timeout=1.0)
    adapters = [slow, *(bench.adapter("Honest", called=name) for name in ("B", "A"))]
    rows = bench.rows(adapters, [STREAM, INVOKE], record=True)
    assert [row.adapter.name for row in rows] == ["Faulty", "B", "A"]
    assert [[cell.capability for cell in row.cells] for row in rows] == [[STREAM, INVOKE]] * 3


class _Looked(threading.Condition):
    """
    Count how often the lock of any future is taken.
    """

    looks = 0

    def __init__(self) -> None:
        super().__init__()
        taken = self.acquire
        # what a condition calls its own is an attribute, set by its constructor
        self.__dict__["acquire"] = lambda *arguments: self.__enter__() if not arguments else taken(*arguments)

    def __enter__(self) -> bool:
        _Looked.looks += 1
        return super().__enter__()


def test_gathering_thousands_of_rows_does_not_look_at_all_of_them_for_each(bench: Bench) -> None:
    """
    What an adapter's row costs to gather does not grow with the number of those that are still to come.
    """
    futures: dict[Future[Any], int] = {Future(): place for place in range(500)}
    for future in futures:
        future._condition = _Looked()  # noqa: SLF001 - nothing public says who looks at a future
    found: dict[int, Any] = {}

    def finish() -> None:
        for future, place in futures.items():
            future.set_result(place)
            while place not in found:
                time.sleep(0)

    thread = threading.Thread(target=finish)
    session = Session(bench.project, Settings())
    thread.start()
    session._gather(futures, found)  # noqa: SLF001 - without processes, which would take minutes
    thread.join()
    session.__exit__()

    assert found == {place: place for place in range(500)}
    assert _Looked.looks < 10 * 500


def test_ctrl_c_keeps_the_rows_that_are_known(bench: Bench) -> None:
    """
    An interrupt ends the processes and carries what was measured before it.
    """

    class Stops:
        def beside(self, program: str, seconds: float, *, up: bool) -> None: ...
        def started(self, adapter: Adapter) -> None: ...
        def called(self, adapter: Adapter, capability: Capability) -> None: ...
        def judged(self, adapter: Adapter, cell: Cell) -> None:  # noqa: ARG002 - the protocol's
            judged.append(cell)

    judged: list[Cell] = []
    first = bench.adapter("Honest")
    hanging = bench.adapter("Faulty", kwargs={"how": "hang"}, timeout=60)
    with Session(bench.project, Settings(jobs=1, record=True), Stops()) as session:
        gather = session._gather  # noqa: SLF001 - the place where a user's Ctrl-C arrives

        def interrupted(futures: Any, found: Any) -> None:
            gather({future: place for future, place in futures.items() if place == 0}, found)
            raise KeyboardInterrupt

        session._gather = interrupted  # type: ignore[method-assign]  # noqa: SLF001 - see above
        with pytest.raises(Interrupted) as stopped:
            session.rows([first, hanging], [INVOKE])
    assert [row.adapter.name for row in stopped.value.rows] == ["Honest"]
    assert [cell.adapter for cell in judged] == ["Honest"]
    assert isinstance(stopped.value, KeyboardInterrupt)


def test_what_is_not_steady_is_left_out_of_the_evidence(bench: Bench) -> None:
    """
    Of a call that the registration calls unsteady only requests with a prompt are counted, and the reason says so.
    """
    unsteady = {"invoke": "it asks as often as it likes"}
    adapters = [bench.adapter("FirstUseTalks"), bench.adapter("FirstUseTalks", called="Unsteady", unsteady=unsteady)]
    steady, left = (row.cells[0] for row in bench.rows(adapters, [INVOKE], record=True))
    assert (steady.verdict, left.verdict) == (Verdict.NATIVE, Verdict.NATIVE)
    assert (steady.evidence.requests, left.evidence.requests) == (2, 1)
    assert (len(steady.evidence.timeline.requests), len(left.evidence.timeline.requests)) == (2, 0)
    assert steady.evidence.answer_ends_at is not None
    assert left.evidence.answer_ends_at is None
    assert left.reason.endswith("it asks as often as it likes")


def test_an_unsteady_call_that_misses_is_made_again(bench: Bench, tmp_path: Path) -> None:
    """
    A race that is lost once says nothing of a call that the registration calls unsteady; of any other it does.
    """
    file = tmp_path / "asked"
    file.touch()
    unsteady = {"invoke": "its threads race"}
    for name, reasons, verdict in (("Steady", {}, Verdict.UNKNOWN), ("Unsteady", unsteady, Verdict.NATIVE)):
        adapter = bench.adapter("AsksAmissAtFirst", called=name, kwargs={"file": str(file)}, unsteady=reasons)
        assert bench.cell(adapter, record=True).verdict is Verdict.NATIVE
        file.unlink()
        assert bench.cell(adapter).verdict is verdict, name


def test_a_replayed_cell_names_its_cassette(bench: Bench) -> None:
    """
    Path, digest and date of the file stand in the evidence, and what it was recorded from in the row.
    """
    adapter = bench.adapter("Honest")
    bench.rows([adapter], [INVOKE], record=True)
    (row,) = bench.rows([adapter], [INVOKE])
    found = row.cells[0].evidence.cassette
    file = bench.project.cassettes / "toys/Honest/invoke.yaml"
    assert found is not None
    assert (found.path, found.sha256) == ("toys/Honest/invoke.yaml", hashlib.sha256(file.read_bytes()).hexdigest())
    assert found.recorded is not None
    assert found.recorded.endswith("Z")
    assert row.adapter.upstream is Upstream.LIVE
    assert "httpx" in row.adapter.distributions


def test_a_recording_from_a_simulator_says_so(bench: Bench) -> None:
    """
    What was recorded by way of a dialled server is `simulated` in the file and in every replay.
    """
    address = bench.upstream.base_url.removeprefix("http://")
    adapter = bench.adapter("Honest", kwargs={"base_url": "https://api.example.com"})
    live = bench.cell(adapter, record=True, dial=address)
    (row,) = bench.rows([adapter], [INVOKE])
    assert (live.verdict, row.cells[0].verdict) == (Verdict.NATIVE, Verdict.NATIVE), (live.reason, live.evidence.error)
    assert row.adapter.upstream is Upstream.SIMULATED


def test_a_foreign_word_for_the_upstream_is_passed_over(bench: Bench) -> None:
    """
    A cassette that claims an upstream of its own invention is replayed, and its claim is not repeated.
    """
    adapter = bench.adapter("Honest")
    bench.rows([adapter], [INVOKE], record=True)
    file = bench.project.cassettes / "toys/Honest/invoke.yaml"
    file.write_text(file.read_text().replace("upstream: live", "upstream: the moon"))
    (row,) = bench.rows([adapter], [INVOKE])
    assert (row.cells[0].verdict, row.adapter.upstream) == (Verdict.NATIVE, None)


def test_a_damaged_cassette_costs_its_own_cell(bench: Bench) -> None:
    """
    The cell is unknown, the problem names the file, and the other cells are measured.
    """
    adapter = bench.adapter("Honest")
    bench.rows([adapter], [INVOKE, STREAM], record=True)
    file = bench.project.cassettes / "toys/Honest/invoke.yaml"
    file.write_text(file.read_text()[:200])
    (row,) = bench.rows([adapter], [INVOKE, STREAM])
    assert [cell.verdict for cell in row.cells] == [Verdict.UNKNOWN, Verdict.NATIVE]
    assert [(problem.kind.value, problem.capability) for problem in row.problems] == [("mistake", INVOKE)]
    assert "invoke.yaml" in row.problems[0].message


def test_a_request_that_no_recording_answers_is_unknown(bench: Bench) -> None:
    """
    The refusal names the difference to the nearest recorded request.
    """
    adapter = bench.adapter("AsksOtherwise", match_on=["method", "path", "body"])
    assert bench.cell(adapter, record=True).verdict is Verdict.NATIVE
    cell = bench.cell(adapter)
    assert cell.verdict is Verdict.UNKNOWN
    assert "process" in (cell.evidence.error or "")


def test_a_matrix_holds_every_row(bench: Bench) -> None:
    """
    The matrix has the rows' adapters and cells in their order.
    """
    rows = bench.rows([bench.adapter("Honest", called=name) for name in ("B", "A")], [INVOKE, STREAM])
    matrix = matrix_of(rows, complete=False)
    assert [one.name for one in matrix.adapters] == ["B", "A"]
    assert [(one.adapter, one.capability) for one in matrix.cells] == [
        ("B", INVOKE), ("B", STREAM), ("A", INVOKE), ("A", STREAM),
    ]  # fmt: skip
    assert not matrix.complete

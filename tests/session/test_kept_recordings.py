"""
What a recording leaves behind: a cassette, a note that it was tried, or what was there before.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.errors import CassetteError
from harness.session.attempts import Attempt, forget_attempt, path_of, read_attempt, write_attempt
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from toy_bench import Bench

INVOKE, STREAM = Capability.INVOKE, Capability.STREAM


@pytest.mark.parametrize(
    ("how", "says"),
    [("raise", "cannot do"), ("exit", "exit status 7"), ("hang", "it hangs")],
)
def test_what_was_tried_without_a_cassette_is_broken_later_too(bench: Bench, how: str, says: str) -> None:
    """
    An adapter that raises, exits or hangs before it sends anything is broken while recorded and in a replay.
    """
    adapter = bench.adapter("Faulty", kwargs={"how": how}, timeout=1.5 if how == "hang" else 60.0)
    live = bench.cell(adapter, record=True)
    assert bench.files() == ["toys/Faulty/invoke.attempt.json"]
    later = bench.cell(adapter)
    assert (live.verdict, later.verdict) == (Verdict.BROKEN, Verdict.BROKEN)
    assert says in later.reason
    assert later.reason.startswith("while being recorded on ")


@pytest.mark.parametrize(
    ("name", "kwargs", "verdict"),
    [
        ("Faulty", {"how": "unsupported"}, Verdict.UNSUPPORTED),
        ("ConstructorFails", {}, Verdict.BLOCKED),
    ],
)
def test_unsupported_and_blocked_need_no_recording(
    bench: Bench, name: str, kwargs: dict[str, str], verdict: Verdict
) -> None:
    """
    Nothing is kept of what says the same again by itself.
    """
    adapter = bench.adapter(name, kwargs=kwargs)
    assert bench.cell(adapter).verdict is verdict
    assert bench.cell(adapter, record=True).verdict is verdict
    assert bench.files() == []
    assert bench.cell(adapter).verdict is verdict


def test_without_cassette_and_attempt_nothing_is_known(bench: Bench) -> None:
    """
    A cell that was never recorded is unknown, and its reason says what to do.
    """
    cell = bench.cell(bench.adapter("Honest"))
    assert (cell.verdict, cell.evidence.cassette) == (Verdict.UNKNOWN, None)
    assert "harness record" in cell.reason


def test_a_process_that_ends_within_an_answer_is_noted_and_not_kept_in_part(bench: Bench) -> None:
    """
    A recording that lacks the inference request would make later replays unknown; the note makes them broken.
    """
    adapter = bench.adapter("ExitsWhileAnswered")
    (row,) = bench.rows([adapter], [INVOKE], record=True)
    assert bench.files() == ["toys/ExitsWhileAnswered/invoke.attempt.json"]
    assert (row.cells[0].verdict, row.kept) == (Verdict.BROKEN, ())
    assert bench.cell(adapter).verdict is Verdict.BROKEN


def test_an_upstream_that_does_not_answer_says_nothing_about_the_adapter(bench: Bench) -> None:
    """
    Who waits for it to the end of the time is no worse for it: the cell is unknown, nothing is noted for later, and the
    user is told how to wait longer.
    """
    adapter = bench.adapter("WaitsAfterToken", timeout=1.5)
    (row,) = bench.rows([adapter], [INVOKE], record=True)
    assert (row.cells[0].verdict, row.kept, bench.files()) == (Verdict.UNKNOWN, (), [])
    assert row.cells[0].reason == "the upstream had not answered in full: the call did not end within 1.5 s"
    assert [problem.message for problem in row.problems] == [f"{row.cells[0].reason} (--timeout gives it longer)"]
    assert "there is no cassette" in bench.cell(adapter).reason


@pytest.mark.parametrize(("path", "capability"), [("/broke", INVOKE), ("/cut", STREAM)])
def test_failed_answers_are_kept_only_on_demand(bench: Bench, path: str, capability: Capability) -> None:
    """
    A refused or cut answer is not kept, the user is told why, and `keep_errors` keeps it.
    """
    adapter = bench.adapter("Honest", kwargs={"path": path})
    (row,) = bench.rows([adapter], [capability], record=True)
    assert bench.files() == []
    assert row.kept == ()
    assert [problem.kind.value for problem in row.problems] == ["unkept"]
    assert "the upstream failed" in row.problems[0].message
    assert bench.cell(adapter, capability).verdict is Verdict.UNKNOWN

    (row,) = bench.rows([adapter], [capability], record=True, keep_errors=True)
    assert bench.files() == [f"toys/Honest/{capability.value}.yaml"]
    assert (row.problems, row.kept) == ((), (capability,))
    assert bench.cell(adapter, capability).verdict is Verdict.UNKNOWN


def test_retries_that_end_in_an_answer_are_kept(bench: Bench) -> None:
    """
    The failure before the answer belongs to the recording and changes nothing.
    """
    adapter = bench.adapter("Retries")
    assert bench.cell(adapter, record=True).verdict is Verdict.NATIVE
    assert bench.files() == ["toys/Retries/invoke.yaml"]
    assert bench.cell(adapter).verdict is Verdict.NATIVE


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("Faulty", {"how": "raise"}),
        ("Honest", {"path": "/broke"}),
        ("Honest", {"path": "/elsewhere"}),
        ("WaitsAfterToken", {}),
        ("ExitsWhileAnswered", {}),
    ],
)
def test_a_failing_recording_loses_nothing(bench: Bench, name: str, kwargs: dict[str, str]) -> None:
    """
    The cassette that was there before stays as it was, and the failure is not said to come from it.
    """
    bench.rows([bench.adapter("Honest", called="One")], [INVOKE], record=True)
    file = bench.project.cassettes / "toys/One/invoke.yaml"
    before = file.read_bytes()
    cell = bench.cell(bench.adapter(name, called="One", kwargs=kwargs, timeout=1.5), record=True)
    assert cell.verdict is not Verdict.NATIVE
    assert cell.evidence.cassette is None
    assert (bench.files(), file.read_bytes()) == (["toys/One/invoke.yaml"], before)


def test_a_name_that_is_a_secret_names_no_file(bench: Bench) -> None:
    """
    Files are named for the adapter: where it has the name of a key, nothing is kept, and the user is told why.
    """
    adapter = bench.adapter("Honest", called="sk-" + "proj-" + "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0Lm")
    (row,) = bench.rows([adapter], [INVOKE], record=True)
    assert (row.kept, bench.files()) == ((), [])
    assert "which names the file, looks like a secret" in row.problems[0].message


def test_a_recording_that_succeeds_forgets_the_attempt(bench: Bench) -> None:
    """
    Where there is a cassette now, what was noted before says nothing any more.
    """
    bench.rows([bench.adapter("Faulty", called="One", kwargs={"how": "raise"})], [INVOKE], record=True)
    assert bench.cell(bench.adapter("Honest", called="One"), record=True).verdict is Verdict.NATIVE
    assert bench.files() == ["toys/One/invoke.yaml"]


def test_a_damaged_attempt_costs_its_own_cell(bench: Bench) -> None:
    """
    The cell is unknown, the problem names the file, and the rest of the run goes on.
    """
    adapter = bench.adapter("Honest")
    bench.rows([adapter], [STREAM], record=True)
    (bench.project.cassettes / "toys/Honest/invoke.attempt.json").write_text("{")
    (row,) = bench.rows([adapter], [INVOKE, STREAM])
    assert [cell.verdict for cell in row.cells] == [Verdict.UNKNOWN, Verdict.NATIVE]
    assert "invoke.attempt.json" in row.problems[0].message


def test_an_attempt_holds_neither_secrets_nor_places(bench: Bench, tmp_path: Path) -> None:
    """
    What is kept of an attempt is committed: no key that the error quotes, no path of this machine.
    """
    key = "k7Vq9zLw2Xb4Tn8Rj3Ys6Pd1"
    adapter = bench.adapter("Leaks", kwargs={"api_key": key})
    cell = bench.cell(adapter, record=True)
    text = (bench.project.cassettes / "toys/Leaks/invoke.attempt.json").read_text()
    assert "the key REDACTED is wrong" in json.loads(text)["reason"]
    for told in (text, cell.reason, cell.evidence.error or ""):
        assert key not in told
        assert str(tmp_path) not in told


def test_attempts_come_back_as_they_were_written(tmp_path: Path) -> None:
    """
    An attempt survives its file, and is gone when it is forgotten; forgetting twice is no mistake.
    """
    cassette = tmp_path / "deep" / "invoke.yaml"
    attempt = Attempt(recorded="2026-11-21T05:00:00Z", verdict=Verdict.BROKEN, reason="it raises “é”", error=None)
    cassette.parent.mkdir()
    write_attempt(cassette, attempt)
    assert read_attempt(cassette) == attempt
    forget_attempt(cassette)
    forget_attempt(cassette)
    assert read_attempt(cassette) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recorded": 1, "verdict": "superb", "reason": ""}', "null"])
def test_an_attempt_that_cannot_be_read_says_what_to_do(tmp_path: Path, text: str) -> None:
    """
    The error names the file and the remedy.
    """
    cassette = tmp_path / "invoke.yaml"
    path_of(cassette).write_text(text)
    with pytest.raises(CassetteError) as caught:
        read_attempt(cassette)
    assert caught.value.where == str(path_of(cassette))
    assert "record" in str(caught.value.hint)

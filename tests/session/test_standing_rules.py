"""
How a cell stands: what it promised, what was expected of it, and what the committed matrix says of it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cells import Cell, Matrix, Measured
from harness.errors import ReportError
from harness.report.matrix import encode_matrix
from harness.session.problems import Problem, Trouble
from harness.session.standing import Kind, all_faults, baseline_of, exit_status, faults
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from pathlib import Path

VERDICTS = st.sampled_from(Verdict)
CLAIMS = st.none() | VERDICTS


def _cell(verdict: Verdict, **more: object) -> Cell:
    values: dict[str, object] = {
        "family": "toys", "adapter": "Toy", "capability": Capability.STREAM, "verdict": verdict, "mechanism": None,
        "reason": "seen", **more,
    }  # fmt: skip
    if verdict is Verdict.FALLBACK:
        values["mechanism"] = Mechanism.SINGLE_ITEM
    return Cell(**values)  # type: ignore[arg-type]  # a table of values, each checked by its use


def _matrix(*cells: Cell) -> Matrix:
    toy = Measured(name="Toy", family="toys", target="toy:Toy")
    return Matrix(complete=False, harness="0.1.0", python="3.11", adapters=(toy,), cells=cells)


def _kinds(cell: Cell, baseline: Cell | None = None) -> list[Kind]:
    return [fault.kind for fault in faults(cell, baseline)]


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [
        (Verdict.NATIVE, []),
        (Verdict.FALLBACK, []),
        (Verdict.UNSUPPORTED, []),
        (Verdict.UNKNOWN, []),
        (Verdict.BROKEN, [Kind.BROKEN]),
        (Verdict.BLOCKED, [Kind.BLOCKED]),
    ],
)
def test_only_broken_and_blocked_fail_without_a_promise(verdict: Verdict, kinds: list[Kind]) -> None:
    """
    A cell about which nobody said anything fails a run only where it is broken or blocked.
    """
    assert kinds == _kinds(_cell(verdict))


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.NATIVE])
def test_what_was_declared_has_to_be_native(verdict: Verdict) -> None:
    """
    A promise of native is contradicted by every other verdict, and the message says which it is.
    """
    found = faults(_cell(verdict, declared=Verdict.NATIVE))
    assert Kind.CONTRADICTS in {fault.kind for fault in found}
    assert any(verdict.value in fault.message for fault in found)


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.NATIVE])
def test_what_was_committed_as_native_must_not_fall_behind(verdict: Verdict) -> None:
    """
    Native in the committed matrix and anything else now falls behind; what was no better before does not.
    """
    assert Kind.BEHIND in _kinds(_cell(verdict), _cell(Verdict.NATIVE))
    assert Kind.BEHIND not in _kinds(_cell(verdict), _cell(Verdict.FALLBACK))


@given(verdict=VERDICTS, expected=VERDICTS)
def test_an_expectation_is_kept_or_it_is_stale(verdict: Verdict, expected: Verdict) -> None:
    """
    What is as expected is no fault, however bad; what is not is a stale expectation, however good, with its reason.
    """
    found = faults(_cell(verdict, expected=expected, why_expected="issue 7"))
    if verdict is expected:
        assert found == ()
    else:
        assert [fault.kind for fault in found] == [Kind.STALE]
        assert "issue 7" in found[0].message


@given(verdict=VERDICTS, declared=CLAIMS, before=CLAIMS)
def test_a_kept_expectation_excuses_everything(
    verdict: Verdict, declared: Verdict | None, before: Verdict | None
) -> None:
    """
    Whoever says why a call is as it is need not be told of promises and of better times.
    """
    cell = _cell(verdict, expected=verdict, why_expected="issue 7", declared=declared)
    assert faults(cell, None if before is None else _cell(before)) == ()


@given(verdict=VERDICTS, expected=CLAIMS, declared=CLAIMS, before=CLAIMS)
def test_native_is_at_fault_only_where_worse_was_expected(
    verdict: Verdict, expected: Verdict | None, declared: Verdict | None, before: Verdict | None
) -> None:
    """
    A native cell fails for a stale expectation alone, and every fault names its own cell.
    """
    cell = _cell(verdict, expected=expected, declared=declared, why_expected="issue 7" if expected else None)
    found = faults(cell, None if before is None else _cell(before))
    assert all(fault.cell is cell and fault.message for fault in found)
    if verdict is Verdict.NATIVE:
        assert {fault.kind for fault in found} <= {Kind.STALE}


def test_each_cell_is_compared_with_its_own_in_the_committed_matrix() -> None:
    """
    A cell that the committed matrix lacks cannot fall behind it, and one that is another's does not count.
    """
    stream, invoke = _cell(Verdict.FALLBACK), _cell(Verdict.FALLBACK, capability=Capability.INVOKE)
    found = all_faults([stream, invoke], _matrix(_cell(Verdict.NATIVE)))
    assert [(fault.kind, fault.cell) for fault in found] == [(Kind.BEHIND, stream)]
    assert all_faults([stream, invoke], None) == ()


def _problem(kind: Trouble) -> Problem:
    return Problem(kind=kind, capability=Capability.STREAM, message="as it is")


def test_the_gravest_decides_the_status() -> None:
    """
    The harness's own failure outranks the user's mistake, that a fault of a cell, and that nothing at all.
    """
    found = faults(_cell(Verdict.BROKEN))
    unkept, mistake, fault = (_problem(kind) for kind in (Trouble.UNKEPT, Trouble.MISTAKE, Trouble.FAULT))
    assert exit_status((), ()) == 0
    assert exit_status(found, ()) == 1
    assert exit_status((), [unkept]) == 1
    assert exit_status(found, [unkept, mistake]) == 2
    assert exit_status(found, [mistake, fault, unkept]) == 3


def _git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)  # noqa: S607 - as the user has it


def _written(folder: Path, verdict: Verdict) -> Path:
    path = folder / "matrix.json"
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(encode_matrix(_matrix(_cell(verdict))))
    return path


def test_the_committed_matrix_is_gits_where_it_is_tracked(tmp_path: Path) -> None:
    """
    What lies on disk has been run since; what is committed is what counts, also where the file was deleted.
    """
    path = _written(tmp_path / "reports", Verdict.NATIVE)
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "reports")
    _git(tmp_path, "commit", "-qm", "measured")
    _written(tmp_path / "reports", Verdict.BROKEN)
    for prepare in (lambda: None, path.unlink):
        prepare()
        found = baseline_of(path)
        assert found is not None
        assert [cell.verdict for cell in found.cells] == [Verdict.NATIVE]


def test_without_git_the_file_on_disk_is_the_committed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where git is not installed, knows no repository or no commit, the file itself is taken.
    """
    path = _written(tmp_path, Verdict.NATIVE)
    for prepare in (lambda: None, lambda: _git(tmp_path, "init", "-q"), lambda: monkeypatch.setenv("PATH", "")):
        prepare()
        found = baseline_of(path)
        assert found is not None
        assert [cell.verdict for cell in found.cells] == [Verdict.NATIVE]


def test_no_matrix_is_no_baseline(tmp_path: Path) -> None:
    """
    Neither a missing file nor a missing folder is an error.
    """
    assert baseline_of(tmp_path / "matrix.json") is None
    assert baseline_of(tmp_path / "nowhere" / "matrix.json") is None


def test_a_damaged_baseline_names_the_file(tmp_path: Path) -> None:
    """
    A matrix that is cut off is told with its path and what to do, whether it lies on disk or is committed.
    """
    path = _written(tmp_path, Verdict.NATIVE)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReportError) as raised:
        baseline_of(path)
    assert str(path) == raised.value.where
    assert raised.value.hint

    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", "matrix.json")
    _git(tmp_path, "commit", "-qm", "damaged")
    _written(tmp_path, Verdict.NATIVE)
    with pytest.raises(ReportError, match=r"cut off|JSON|end") as raised:
        baseline_of(path)
    assert f"{path} (as committed)" == raised.value.where

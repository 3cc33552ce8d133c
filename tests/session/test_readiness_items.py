"""What there is to do with an adapter: which cells and checks make an item, which a note, and what is frozen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.adapters.adapter import Adapter
from harness.cells import Cell, Matrix, Measured
from harness.checks import check
from harness.checks.check import CheckError
from harness.checks.registry import Found, chosen, find_checks, reason_off, switched_off
from harness.checks.result import Result, Source, State
from harness.session.cells import NO_CASSETTE
from harness.session.readiness import Readiness, Tried, readiness
from harness.session.rows import Row
from harness.session.standing import Remark, weigh
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

TOY = Measured(name="Toy", family="toys", target="toy:Toy")
SOURCE = Source(path="toy.py", line=7, text="def stream(self, prompt):")
CONSTRUCTOR = Source(path="toy.py", line=3, text="def __init__(self):")


@check(name="no-slang", promise="answers are polite", hint="the model", calls=["stream", "astream"])
def no_slang(bench):  # noqa: ARG001 - a check's signature
    """
    Say nothing.
    """
    return ()


NEWER = replace(no_slang, name="no-puns", since=99)
CHECKS = {one.name: Found(spec=f"toy:{one.name}", check=one) for one in (no_slang, NEWER)}


def _adapter(**more: object) -> Adapter:
    return Adapter(name="Toy", family="toys", target="toy:Toy", **more)  # type: ignore[arg-type]  # any option


def _cell(call: Capability, verdict: Verdict = Verdict.NATIVE, **more: object) -> Cell:
    mechanism = Mechanism.BUFFERED if verdict is Verdict.FALLBACK else None
    values = {"reason": f"seen to be {verdict}", **more}
    return Cell(family="toys", adapter="Toy", capability=call, verdict=verdict, mechanism=mechanism, **values)  # type: ignore[arg-type]  # any field


def _cells(**verdicts: Verdict) -> list[Cell]:
    return [_cell(call, verdicts.get(call.value, Verdict.NATIVE)) for call in Capability]


def _matrix(cells: list[Cell], battery: int = 1) -> Matrix:
    return Matrix(complete=True, harness="0.1.0", python="3.11", adapters=(TOY,), cells=tuple(cells), battery=battery)


def _ready(
    cells: list[Cell],
    *,
    adapter: Adapter | None = None,
    results: Mapping[Capability, tuple[Result, ...]] | None = None,
    baseline: Matrix | None = None,
    battery: int = 1,
) -> Readiness:
    tried = Tried(results=results or {}, sources=dict.fromkeys(Capability, SOURCE), constructor=CONSTRUCTOR)
    row = Row(adapter=TOY, cells=tuple(cells))
    return readiness(adapter or _adapter(), row, tried, CHECKS, baseline, battery=battery)


def _failed(name: str = "no-slang", *findings: str) -> Result:
    return Result(check=name, state=State.FAILED, findings=findings or ("it said ain't",))


def test_an_adapter_without_faults_is_ready() -> None:
    """
    Fallbacks and what is unsupported are no fault where nobody promised more.
    """
    found = _ready(_cells(stream=Verdict.FALLBACK, abatch=Verdict.UNSUPPORTED))
    assert (found.ready, found.items) == (True, ())


def test_unknown_is_never_green() -> None:
    """
    What was not measured is to be done, unless it is expected to be unknown.
    """
    cells = _cells(stream=Verdict.UNKNOWN, astream=Verdict.UNKNOWN)
    (item,) = _ready(
        [replace(one, reason="no cassette") if one.verdict is Verdict.UNKNOWN else one for one in cells]
    ).items
    assert (item.rule, item.calls) == ("unknown", (Capability.STREAM, Capability.ASTREAM))
    assert item.again == "harness explain toys/Toy stream"
    missing = [replace(one, reason=NO_CASSETTE) if one.verdict is Verdict.UNKNOWN else one for one in cells]
    (item,) = _ready(missing).items
    assert item.again == "harness record toys/Toy --only stream --only astream"
    expected = [replace(one, expected=one.verdict, why_expected="no key") for one in cells]
    assert _ready([one for one in expected if one.verdict is Verdict.UNKNOWN]).ready


def test_an_item_says_what_was_expected_measured_and_where_to_look() -> None:
    """
    One cell that is both promised and committed is one item, with both expectations in it.
    """
    cells = _cells(stream=Verdict.FALLBACK)
    promised = [replace(one, declared=Verdict.NATIVE) if one.capability is Capability.STREAM else one for one in cells]
    (item,) = _ready(promised, baseline=_matrix(_cells())).items
    assert item.calls == (Capability.STREAM,)
    assert "as the registration declares" in item.expected
    assert "as in the committed matrix" in item.expected
    assert (item.measured, item.evidence) == ("fallback (buffered)", "seen to be fallback")
    assert item.source == SOURCE
    assert "before the first yield" in item.hint
    assert item.again == "harness explain toys/Toy stream"


def test_one_root_cause_is_one_item() -> None:
    """
    An adapter that cannot be constructed has one thing to do, and not six; its constructor is the place to look.
    """
    found = _ready([_cell(call, Verdict.BLOCKED) for call in Capability])
    assert [(item.calls, item.source) for item in found.items] == [(tuple(Capability), CONSTRUCTOR)]


def test_what_a_check_finds_is_to_be_done_where_the_call_works() -> None:
    """
    The same finding in two calls is one item; that of a call that is broken anyway is none of its own.
    """
    results = {call: (_failed(),) for call in (Capability.STREAM, Capability.ASTREAM)}
    (item,) = _ready(_cells(), results=results).items
    assert (item.rule, item.calls) == ("no-slang", (Capability.STREAM, Capability.ASTREAM))
    assert (item.expected, item.evidence) == ("answers are polite", "it said ain't")
    assert item.again == "harness check toys/Toy --check no-slang --only stream --only astream"
    broken = _ready(_cells(stream=Verdict.BROKEN), results={Capability.STREAM: (_failed(),)})
    assert [item.rule for item in broken.items] == ["broken"]


def test_a_check_that_is_newer_than_the_committed_matrix_fails_nobody() -> None:
    """
    It is told as a note, until a matrix of its battery is committed.
    """
    results = {Capability.STREAM: (_failed("no-puns"),)}
    frozen = _ready(_cells(), results=results, baseline=_matrix(_cells(), battery=1), battery=99)
    assert frozen.ready
    assert any("newer than the committed matrix" in note for note in frozen.notes)
    assert _ready(_cells(), results=results, baseline=_matrix(_cells(), battery=1), battery=1).ready
    assert not _ready(_cells(), results=results, baseline=_matrix(_cells(), battery=99), battery=99).ready
    assert not _ready(_cells(), results=results, battery=99).ready


def test_rules_of_a_newer_battery_fail_nobody_retroactively() -> None:
    """
    What only a newer battery finds is a note; what was wrong by the older one already, or is new here, fails.
    """
    before = _matrix(_cells(batch=Verdict.BROKEN), battery=1)
    now = _cells(stream=Verdict.FALLBACK, astream=Verdict.BROKEN, batch=Verdict.BROKEN)
    same = weigh(now, before, battery=1)
    assert {fault.cell.capability for fault in same.faults} == {"stream", "astream", "batch"}
    newer = weigh(now, before, battery=2)
    assert {fault.cell.capability for fault in newer.faults} == {"batch"}
    assert {(note.kind, note.cell.capability) for note in newer.notes} == {
        (Remark.NEWER_RULES, "stream"),
        (Remark.NEWER_RULES, "astream"),
    }
    unmeasured = replace(before, cells=())
    assert {fault.cell.capability for fault in weigh(now, unmeasured, battery=2).faults} == {"astream", "batch"}


def test_native_and_not_promised_is_a_note() -> None:
    """
    Whoever declares something learns what else he may; whoever declares nothing is left alone.
    """
    cells = [replace(one, declared=Verdict.NATIVE if one.capability == "invoke" else None) for one in _cells()]
    notes = weigh(cells, None).notes
    assert {note.cell.capability.value for note in notes} == {"ainvoke", "stream", "astream", "batch", "abatch"}
    assert {note.kind for note in notes} == {Remark.UNPROMISED}
    assert weigh(_cells(), None).notes == ()
    nothing = _ready(_cells(), adapter=_adapter(declares=[]))
    assert nothing.notes == (f"{', '.join(Capability)}: native, and not declared: the documentation may promise it",)
    assert nothing.ready


def test_a_check_is_switched_off_with_a_reason_and_by_its_name() -> None:
    """
    For all calls or for one; a name that there is not is refused, with the one that was probably meant.
    """
    adapter = _adapter(without={"no-slang": "it is a pirate", "no-puns.astream": "they slip out"})
    off = switched_off(adapter, CHECKS)
    assert reason_off(off, "no-slang", Capability.STREAM) == "it is a pirate"
    assert reason_off(off, "no-puns", Capability.ASTREAM) == "they slip out"
    assert reason_off(off, "no-puns", Capability.STREAM) is None
    with pytest.raises(CheckError, match="did you mean 'no-slang'"):
        switched_off(_adapter(without={"no-slnag": "typo"}), CHECKS)
    with pytest.raises(CheckError, match="not tried on 'batch'"):
        switched_off(_adapter(without={"no-slang.batch": "typo"}), CHECKS)
    with pytest.raises(CheckError, match="unknown check 'no-pnus'"):
        chosen(CHECKS, ["no-pnus"])
    modest = {**CHECKS, "no-puns": replace(CHECKS["no-puns"], check=replace(NEWER, asked=True))}
    assert (list(chosen(modest, [])), list(chosen(modest, ["no-puns"]))) == (["no-slang"], ["no-puns"])


def test_the_harness_brings_its_own_checks(tmp_path) -> None:
    """
    Each has a name of its own, a promise, a hint and at least one call.
    """
    from harness.adapters.project import Project  # noqa: PLC0415 - this test's only

    project = Project(root=tmp_path, family="toys", cassettes=tmp_path, reports=tmp_path)
    found = find_checks(project)
    assert len(found) == 13
    assert all(one.check.promise and one.check.hint and one.check.calls for one in found.values())
    with pytest.raises(CheckError, match="cannot be loaded"):
        find_checks(replace(project, checks=("nowhere:nothing",)))
    with pytest.raises(CheckError, match="not a check"):
        find_checks(replace(project, checks=("json:dumps",)))

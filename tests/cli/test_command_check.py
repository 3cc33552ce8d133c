"""`harness check` in a real process: the gate on a project, its outputs for CI, and checks of one's own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from toy_project import Folder

OWN = """
from harness.checks import NotApplicable, check


@check(name="short-answers", promise="answers are short", hint="ask for less", calls=["invoke", "stream"])
def short_answers(bench):
    if bench.capability.streams:
        raise NotApplicable("streams may be long")
    with bench.stage() as stage:
        made = stage.attempt()
    if len(made.texts[0]) > 20:
        yield f"{len(made.texts[0])} characters came"


@check(name="broken-check", promise="nothing", hint="nothing", calls=["batch"])
def broken_check(bench):
    yield str(1 / 0)
"""


def _worsen(project: Folder) -> int:
    """
    Turn the stream of an adapter into one item, and return the line of its method.
    """
    code = project.path / "toy_adapters.py"
    text = code.read_text()
    worse = text.replace(
        "yield from filter(None, map(_text, answer.iter_lines()))", 'yield "".join(map(_text, answer.iter_lines()))'
    )
    assert worse != text
    code.write_text(worse, encoding="utf-8")
    return next(number for number, line in enumerate(text.splitlines(), 1) if "def stream(self" in line)


def test_a_good_adapter_is_ready_and_a_worse_one_is_not(project: Folder) -> None:
    """
    Native turned into fallback is red with the right line, cause and command, in words, SARIF and annotations; the job
    summary begins with the changed cell.
    """
    good = project("check", "Good")
    assert good.status == 0, good.said
    assert "not in the committed matrix" not in good.said
    assert good.out.startswith("READY: toys/Good: 6 cells as they should be; checks: 17 passed")

    line = _worsen(project)
    summary = project.path / "summary.md"
    done = project(
        "check", "Good", "--only", "stream", "--github", "--sarif", "out.sarif",
        env=project.env(GITHUB_STEP_SUMMARY=str(summary), GITHUB_WORKSPACE=str(project.path)),
    )  # fmt: skip
    assert done.status == 1, done.said
    for words in (
        "NOT READY: toys/Good: 1 thing to do",
        "1. stream: behind",
        "expected  native, as in the committed matrix",
        "measured  fallback (single-item)",
        f"look at   toy_adapters.py:{line}: def stream(self",
        "try       harness explain toys/Good stream",
        f"::error file=toy_adapters.py,line={line},title=toys/Good stream%3A behind::",
        "Evidence: the caller got the whole answer as one item after 9 of 9 arrivals. Usual cause: ",
    ):
        assert words in done.out, done.out
    place = json.loads((project.path / "out.sarif").read_text())["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "toy_adapters.py"
    assert place["physicalLocation"]["region"] == {"startLine": line}
    assert summary.read_text().startswith("### Capabilities: 1 worse")
    alone = project("check", "Good", "--only", "stream", "--no-baseline")
    assert (alone.status, "not in the committed matrix" in alone.said) == (0, False)
    shutil.rmtree(project.reports)
    new = project("check", "Good", "--only", "stream")
    assert new.status == 0
    assert "note: toys/Good: not in the committed matrix, so that a later fallback would pass: `harness run`" in new.err


def test_what_was_not_recorded_is_no_fault_of_a_check(project: Folder) -> None:
    """
    A stream that asks for something else than was recorded is not measured: that is red, and nobody's internal error.
    """
    code = project.path / "toy_adapters.py"
    text = code.read_text()
    now = text.replace(
        "yield from filter(None, map(_text, answer.iter_lines()))", 'yield self.invoke(f"{prompt} again")'
    )
    assert now != text
    code.write_text(now, encoding="utf-8")
    done = project("check", "Good", "--only", "stream", "--json")
    assert done.status == 1, done.said
    (found,) = json.loads(done.out)["adapters"]
    assert [item["measured"] for item in found["items"]] == ["unknown"]


def _with_own_checks(project: Folder, without: str = "") -> Path:
    (project.path / "own_checks.py").write_text(OWN, encoding="utf-8")
    text = project.toml.read_text().replace(
        'family = "toys"', 'family = "toys"\nchecks = ["own_checks:short_answers", "own_checks:broken_check"]'
    )
    head = "[adapters.Good]\n"
    project.toml.write_text(text.replace(head, f"{head}{without}"), encoding="utf-8")
    return project.toml


def test_checks_of_ones_own_are_tried_and_switched_off(project: Folder) -> None:
    """
    A project's check fails its adapter like any other, says how to see it again, and is switched off with a reason; a
    check that fails itself is nobody else's fault.
    """
    _with_own_checks(project)
    assert "short-answers: answers are short" in project("check", "--list-checks").out
    done = project("check", "Good", "--check", "short-answers")
    assert done.status == 1, done.said
    assert "1. invoke: short-answers" in done.out
    assert "characters came" in done.out
    again = done.out.partition("harness check ")[2].splitlines()[0].split()
    assert again == ["toys/Good", "--check", "short-answers", "--only", "invoke"]
    assert project("check", *again).status == 1

    fault = project("check", "Good", "--check", "broken-check", "--only", "batch")
    assert fault.status == 3
    assert "the check broken-check failed itself" in fault.err
    assert "ZeroDivisionError" in fault.err

    project.toml.write_text(
        project.toml.read_text().replace('checks = ["own_checks:short', 'checks = ["own_checks:shrt')
    )
    assert project("check", "Good").status == 2


def _documented() -> str:
    page = (Path(__file__).resolve().parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
    return page.partition("```python\n")[2].partition("```")[0]


RETRIER = """
from toy_adapters import Honest


class Retrier(Honest):
    def invoke(self, prompt):
        for _ in range(5):
            answer = self.post(self.path, prompt=prompt)
            if answer.status_code != 429:
                break
        return answer.raise_for_status().json()["choices"][0]["text"]
"""


def test_the_documented_check_does_what_the_page_says(project: Folder) -> None:
    """
    The example of the page finds an adapter out that retries, and leaves one alone that does not.
    """
    (project.path / "documented.py").write_text(_documented(), encoding="utf-8")
    (project.path / "retrier.py").write_text(RETRIER, encoding="utf-8")
    shutil.copytree(project.cassette("Good", "invoke").parent, project.cassette("Retrier", "invoke").parent)
    text = project.toml.read_text().replace('family = "toys"', 'family = "toys"\nchecks = ["documented:retries_once"]')
    url = text.partition('base_url = "')[2].partition('"')[0]
    project.toml.write_text(
        f'{text}\n[adapters.Retrier]\ntarget = "retrier:Retrier"\nkwargs = {{ base_url = "{url}" }}\n'
    )
    done = project("check", "Good", "Retrier", "--check", "retries-once", "--only", "invoke")
    assert done.status == 1, done.said
    assert "READY: toys/Good" in done.out
    assert "5 requests were sent" in done.out.partition("NOT READY: toys/Retrier")[2]


def test_a_reason_switches_a_check_off(project: Folder) -> None:
    """
    The reason is told beside READY; a reason is mandatory, and a name that there is not is a mistake.
    """
    _with_own_checks(project, 'without = { short-answers = "it is a novelist" }\n')
    done = project("check", "Good", "--check", "short-answers")
    assert done.status == 0, done.said
    assert "note: invoke, stream: the check short-answers is switched off: it is a novelist" in done.out
    text = project.toml.read_text()
    for wrong, words in (
        ('without = { short-answers = "" }', "must not be empty"),
        ('without = { short-anwers = "x" }', "did you mean 'short-answers'"),
        ('without = ["short-answers"]', "say why beside each"),
    ):
        project.toml.write_text(text.replace('without = { short-answers = "it is a novelist" }', wrong))
        mistake = project("check", "Good", "--check", "short-answers")
        assert (mistake.status, words in mistake.said) == (2, True), mistake.said


WHERE = """
import os
from harness.checks import check


@check(name="where", promise="nothing", hint="nothing", calls=["invoke", "stream", "batch"])
def where(bench):
    yield f"in the process group {os.getpgrp()}"
"""


@pytest.mark.parametrize(
    ("started", "cells"),
    [("", 1), ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()", 3)],
)
def test_the_checks_of_all_calls_are_tried_in_one_cell_that_can_fork(project: Folder, started: str, cells: int) -> None:
    """
    The adapter is made ready for checks once; where it starts a thread when it is imported, which a fork would lose,
    each call has a cell of its own, and none goes untried.
    """
    (project.path / "where_checks.py").write_text(WHERE, encoding="utf-8")
    code = project.path / "toy_adapters.py"
    code.write_text(f"{code.read_text()}\n{started}\n", encoding="utf-8")
    text = project.toml.read_text().replace('family = "toys"', 'family = "toys"\nchecks = ["where_checks:where"]')
    project.toml.write_text(text, encoding="utf-8")
    items = json.loads(project("check", "Good", "--check", "where", "--json").out)["adapters"][0]["items"]
    told = {item["evidence"]: item["calls"] for item in items if item["rule"] == "where"}
    assert sorted(call for calls in told.values() for call in calls) == ["batch", "invoke", "stream"]
    assert len(told) == cells


def test_what_cannot_be_tried_is_said(project: Folder) -> None:
    """
    Without a cassette the call is to be recorded, and with a cassette that is damaged the user learns which.
    """
    project.cassette("Good", "stream").unlink()
    done = project("check", "Good", "--only", "stream", "--no-baseline")
    assert done.status == 1
    assert "1. stream: unknown" in done.out
    assert "unknown is never green" in done.out
    project.cassette("Good", "invoke").write_text("nonsense: [")
    assert project("check", "Good", "--only", "invoke").status == 2

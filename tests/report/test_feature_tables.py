"""
A published table of features is regenerated from the cells of families: nothing that was not measured gets a check.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from harness.adapters.features import load_features
from harness.cells import Cell, Checked, Matrix, Measured
from harness.cli.app import group
from harness.errors import RegistrationError
from harness.report.features import render_features, render_features_html
from harness.report.matrix import write_matrix
from harness.words import Capability, Mechanism, State, Verdict

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = """
title = "Streams"
source = "a page"
[features]
Streaming = "stream"
Async = "ainvoke"
[columns.SDK]
family = "sdk"
example = "two"
published = ["Streaming", "Async"]
[columns.Proxy]
family = "proxy"
adapters = ["client"]
published = ["Streaming"]
[[promises]]
says = "the SDK streams"
feature = "Streaming"
columns = ["SDK"]
[[promises]]
says = "everything streams"
feature = "Streaming"
[[promises]]
says = "three is late"
cells = ["sdk/three::stream"]
verdict = "fallback"
[[promises]]
says = "five is late"
cells = ["sdk/five::stream"]
verdict = "fallback"
[checks]
Guard = "loop-guard"
Usage = "usage-in-streams"
[[promises]]
says = "it stops with an alarm"
check = "Guard"
figure = "Alarm"
columns = ["SDK"]
[[promises]]
says = "everything stops"
check = "Guard"
[[promises]]
says = "usage comes"
check = "Usage"
[[promises]]
says = "it is kind"
unjudged = "nobody asked"
"""


def _cell(family: str, adapter: str, state: Verdict, mechanism: Mechanism | None = None) -> Cell:
    reason = f"so does {adapter}"
    return Cell(
        family=family, adapter=adapter, capability=Capability.STREAM, verdict=state, mechanism=mechanism, reason=reason
    )


def _matrix(*cells: Cell) -> Matrix:
    adapters = dict.fromkeys((cell.family, cell.adapter) for cell in cells)
    measured = tuple(Measured(name=name, family=family, target="m:a") for family, name in adapters)
    return Matrix(complete=True, harness="0", python="3.11", adapters=measured, cells=cells)


MATRIX: Final = _matrix(
    _cell("sdk", "one", Verdict.NATIVE),
    _cell("sdk", "two", Verdict.NATIVE),
    _cell("sdk", "three", Verdict.FALLBACK, Mechanism.BUFFERED),
    _cell("sdk", "four", Verdict.UNKNOWN),
    _cell("proxy", "another", Verdict.NATIVE),
    _cell("proxy", "client", Verdict.FALLBACK, Mechanism.SINGLE_ITEM),
)


def test_a_feature_is_told_with_its_figures_and_its_evidence(tmp_path: Path) -> None:
    """
    A check has how many of how many beside it, what is unknown is in neither number, and one adapter is quoted.
    """
    file = tmp_path / "features.toml"
    file.write_text(FILE)

    text = render_features(MATRIX, load_features(file))

    assert "measured: 4 adapters of sdk, 1 adapter of proxy." in text
    assert "| Streaming | ✅ 2 of 3 | ❌ 0 of 1 |" in text
    assert "| Async | ? not measured | ? not measured |" in text
    assert "two: so does two; otherwise: buffered three; unknown four |" in text
    assert "| the SDK streams | ✅ | SDK: native for 2 of 3 |" in text
    assert "| everything streams | ❌ | SDK: native for 2 of 3; Proxy: native for 0 of 1 |" in text
    assert "| three is late | ✅ | three, Stream: so does three |" in text
    assert "| five is late | ? | not measured |" in text
    assert "| it is kind | ? | nobody asked |" in text
    page = render_features_html(MATRIX, load_features(file))
    assert all(one in page for one in ("2 of 3", "so does two", "nobody asked", "Content-Security-Policy"))


def _tried(family: str, adapter: str, state: State, figure: str = "", sentence: str = "") -> Checked:
    call = Capability.STREAM
    words = {"figure": figure, "sentence": sentence}
    return Checked(family=family, adapter=adapter, check="loop-guard", capability=call, state=state, **words)


def test_a_check_is_told_by_what_was_measured_and_shows_what_is_promised(tmp_path: Path) -> None:
    """
    Below the table stands for each call what a check found, of whom and how often; a promise holds where at least one
    adapter of each column keeps it as it is worded, and nothing is said of what was not tried.
    """
    file = tmp_path / "features.toml"
    file.write_text(FILE)
    results = (
        *(_tried("sdk", name, State.PASSED, "Alarm after 100") for name in ("one", "two", "three", "four")),
        _tried("sdk", "five", State.PASSED, "Error after 7"),
        _tried("sdk", "six", State.FAILED, "not stopped", "not stopped after 1000 pieces"),
        _tried("sdk", "eight", State.FAILED, "not stopped", "not stopped after 999 pieces"),
        _tried("sdk", "seven", State.SKIPPED, "", "the call raises"),
        _tried("proxy", "client", State.FAILED, "", "it ends | as if whole"),
        _tried("proxy", "another", State.PASSED, "Alarm after 1"),
    )

    text = render_features(replace(MATRIX, checks=results), load_features(file))

    guardless = "not so: not stopped after 999 pieces (eight, six)"
    sdk = f"✅ 5 of 7: Alarm after 100 (four and 3 more); Error after 7 (five); {guardless}"
    proxy = r"❌ 0 of 1: not so: it ends \| as if whole (client)"
    assert f"| Guard | Stream | {sdk} | {proxy} |" in text
    assert "| Usage |" not in text
    promised = f"SDK: so for 4 of 7 cells; otherwise: Error after 7 (five); {guardless}"
    assert f"| it stops with an alarm | ✅ | {promised} |" in text
    assert f"| everything stops | ❌ | SDK: so for 5 of 7 cells; otherwise: {guardless}; Proxy: for none" in text
    assert "| usage comes | ? | SDK: not tried; Proxy: not tried |" in text
    page = render_features_html(replace(MATRIX, checks=results), load_features(file))
    assert guardless in page


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('Async = "ainvoke"', 'Async = "anvoke"', "unknown capability 'anvoke'; did you mean 'ainvoke'"),
        ('feature = "Streaming"', 'feature = "Streeming"', "'Streeming' is not in the table; did you mean 'Streaming'"),
        ('unjudged = "nobody asked"', "", "cannot be judged, and does not say so"),
        ('family = "sdk"\n', "", "has no family"),
        ('title = "Streams"\n', "", "has no title"),
        ('check = "Guard"', 'check = "Guards"', "'Guards' is not in the table; did you mean 'Guard'"),
        ('check = "Guard"\n', "", "cannot be judged, and does not say so"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """
    What names nothing known, or says neither how it is judged nor why not, is an error that says where.
    """
    file = tmp_path / "features.toml"
    file.write_text(FILE.replace(old, new, 1))

    with pytest.raises(RegistrationError, match=message) as caught:
        load_features(file)

    assert str(file) in str(caught.value)


def test_the_command_writes_the_table_and_nothing_else(tmp_path: Path) -> None:
    """
    Matrices of several families make one table, in Markdown and as a page.
    """
    (tmp_path / "features.toml").write_text(FILE)
    parts = {}
    for family in ("sdk", "proxy"):
        parts[family] = tmp_path / f"{family}.json"
        write_matrix(parts[family], _matrix(*(one for one in MATRIX.cells if one.family == family)))
    options = ["--features", str(tmp_path / "features.toml"), "--out", str(tmp_path / "out")]

    done = CliRunner().invoke(group, ["report", *map(str, parts.values()), *options])

    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["features.html", "features.md"]
    assert "| Streaming | ✅ 2 of 3 | ❌ 0 of 1 |" in (tmp_path / "out/features.md").read_text("utf-8")

"""A family's published table, as CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import Capability, Verdict
from harness.adapters.configuration import ConfigurationError
from harness.adapters.published import load_published

HEADING = "Model,Invoke,Async invoke,Stream,Async stream,Batch,Async batch\n"
SHIPPED = Path(__file__).resolve().parents[2] / "families"


def write(folder: Path, text: str) -> Path:
    """
    Write a table and return its path.
    """
    file = folder / "published.csv"
    file.write_text(text, "utf-8")
    return file


def test_each_cell_becomes_a_verdict(tmp_path):
    """
    Rows are found by name; blank lines and blank cells say nothing.
    """
    path = write(
        tmp_path, HEADING + "AI21,native,fallback,fallback,fallback,fallback,fallback\n\nB, native ,,,,,broken\n"
    )

    published = load_published(path)

    assert published["AI21"] == {one: Verdict.NATIVE if one == "invoke" else Verdict.FALLBACK for one in Capability}
    assert published["B"] == {Capability.INVOKE: Verdict.NATIVE, Capability.ABATCH: Verdict.BROKEN}


def test_a_table_may_have_some_of_the_columns_in_any_order(tmp_path):
    """
    Not every page speaks of all six calls; headings are titles or names.
    """
    path = write(tmp_path, "\ufeffProvider,astream,INVOKE\nA,fallback,native\n")

    assert load_published(path) == {"A": {Capability.ASTREAM: Verdict.FALLBACK, Capability.INVOKE: Verdict.NATIVE}}


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/published.csv")), ids=lambda path: path.parent.name)
def test_shipped_tables_can_be_read(path):
    """
    Every shipped family's table has at least one line.
    """
    assert load_published(path)


@pytest.mark.parametrize(
    ("text", "essentials"),
    [
        ("", [":1: has no columns", "Model,Invoke"]),
        ("Model,Invok\n", [":1: unknown column 'Invok'; did you mean 'Invoke'?"]),
        ("Model,Invoke,invoke\n", [":1: has one column twice"]),
        (HEADING + "A,native\n", [":2: must be a name and 6 verdicts, not 1", "cut off"]),
        (HEADING + "A,natve,,,,,\n", [":2: A, Invoke: unknown verdict 'natve'; did you mean 'native'?", "blocked"]),
        (HEADING + "A,❌,,,,,\n", ["unknown verdict '❌'", "fallback"]),
        (HEADING + "A,,,,,,\n\nA,,,,,,\n", [":4: 'A' has a line already"]),
        (HEADING + ",,,,,,native\n", [":2: has no name"]),
    ],
)
def test_a_broken_table_is_refused_with_line_and_remedy(tmp_path, text, essentials):
    """
    The error names file and line, and the word that was probably meant.
    """
    path = write(tmp_path, text)

    with pytest.raises(ConfigurationError) as caught:
        load_published(path)

    message = str(caught.value)
    assert message.startswith(str(path))
    assert [part for part in essentials if part not in message] == []


def test_a_missing_table_is_refused(tmp_path):
    """
    The configured file must exist once it is asked for.
    """
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_published(tmp_path / "none.csv")

"""What a family's own pages say beside their table: read from a file, with mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import Capability
from harness.adapters.claims import load_claims
from harness.adapters.project import load_project
from harness.errors import RegistrationError
from harness.words import Mechanism

SHIPPED = Path(__file__).resolve().parents[2] / "families"


def write(folder: Path, documented: str) -> Path:
    """
    Write a project whose page has one row, and return its configuration.
    """
    (folder / "published.csv").write_text("Model,Invoke\nA,native\n", "utf-8")
    (folder / "documented.toml").write_text(documented, "utf-8")
    file = folder / "harness.toml"
    file.write_text('family = "f"\npublished = "published.csv"\ndocumented = "documented.toml"\n', "utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sauce = 'x'", "did you mean 'source'"),
        ("[defaults.strem]\nsays = 'x'\nmechanism = 'concurrent'", "did you mean 'stream'"),
        ("[defaults.stream]\nsays = 'x'\nmechanism = 'single'", "unknown mechanism"),
        ("[defaults.stream]\nsays = 'x'", "has no mechanism"),
        ("[exceptions]\nB = 'by hand'", "no row in the published table"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str):
    """
    The message has the file, the key and the remedy.
    """
    with pytest.raises(RegistrationError) as caught:
        load_claims(load_project(write(tmp_path, text)))

    assert said in caught.value.message
    assert "documented.toml" in (caught.value.where or "")
    assert caught.value.hint


def test_a_project_without_a_published_table_claims_nothing(tmp_path: Path):
    """
    There is nothing to compare with.
    """
    (tmp_path / "harness.toml").write_text('family = "f"\n', "utf-8")

    assert load_claims(load_project(tmp_path / "harness.toml")) is None


def test_the_shipped_family_documents_every_default():
    """
    All calls but invoke have one, and the table's origin is told.
    """
    claims = load_claims(load_project(SHIPPED / "langchain-0.0.337" / "harness.toml"))

    assert claims is not None
    assert set(claims.defaults) == set(Capability) - {Capability.INVOKE}
    assert claims.defaults[Capability.STREAM].mechanism is Mechanism.SINGLE_ITEM
    assert claims.origin
    assert claims.source


def _named(line: str) -> list[str]:
    """
    Return the names in the first cell of a table's line.
    """
    return [name.strip() for name in line.split("|")[1].split(",")]


def test_every_provider_of_litellm_has_a_row_or_a_reason():
    """
    Each name in LiteLLM's own list is registered, or stands in the README with why it is not, and in one of the two
    alone.
    """
    folder = SHIPPED / "litellm"
    providers = (folder / "providers.txt").read_text("utf-8").split()
    registered = {one.name for one in load_project(folder / "harness.toml").adapters}
    after = (folder / "README.md").read_text("utf-8").partition("## Providers without a row")[2]
    rows = [line for line in after.splitlines() if line.startswith("| ")][1:]
    reasons = {name: line.split("|")[2].strip() for line in rows for name in _named(line)}

    assert len(providers) == len(set(providers)) > 150
    assert {name for name in providers if name not in registered} == set(reasons)
    assert all(reasons.values())
    assert len(registered.intersection(providers)) >= 90

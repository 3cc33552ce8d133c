"""Which adapters are a shard's, and the digest that shows that shards belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.adapters.adapter import Adapter
from harness.adapters.project import Project
from harness.session.shards import digest_of_inputs, read_slice
from harness.words import Capability

if TYPE_CHECKING:
    from pathlib import Path

CALLS = tuple(Capability)


def project(root: Path) -> Project:
    """
    Return a project with nothing in it.
    """
    return Project(root=root, family="f", cassettes=root / "cassettes", reports=root / "reports")


def adapters(number: int) -> list[Adapter]:
    """
    Return so many adapters.
    """
    return [Adapter(name=f"A{place}", target="m:T", origin="here") for place in range(number)]


def test_shards_are_disjoint_balanced_and_know_no_order(tmp_path: Path):
    """
    Each adapter is in one shard, whatever the order of registration, and no shard has two more than another.
    """
    some = adapters(13)
    taken = [read_slice(f"{number}/5").take(project(tmp_path), some) for number in range(1, 6)]

    assert sorted(one.name for part in taken for one in part) == sorted(one.name for one in some)
    assert {len(part) for part in taken} == {2, 3}
    assert taken == [read_slice(f"{number}/5").take(project(tmp_path), some[::-1]) for number in range(1, 6)]


def test_the_digest_is_of_registrations_and_cassettes(tmp_path: Path):
    """
    Another argument or byte of a cassette changes it; the folder, the order and the place of registration do not.
    """
    some = adapters(2)
    moved = [Adapter(name=one.name, target="m:T", family="f", origin="there") for one in some[::-1]]
    other = [some[0], Adapter(name="A1", target="m:T", kwargs={"n": 1})]
    before = digest_of_inputs(project(tmp_path), some, CALLS)

    assert digest_of_inputs(project(tmp_path / "elsewhere"), moved, CALLS) == before
    assert digest_of_inputs(project(tmp_path), other, CALLS) != before
    cassette = tmp_path / "cassettes/f/A1/stream.yaml"
    cassette.parent.mkdir(parents=True)
    cassette.write_text("x", "utf-8")
    assert digest_of_inputs(project(tmp_path), some, CALLS) != before

"""What the tests of the battery share: an upstream, and a fleet whose cells run toy adapters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.adapters.adapter import Adapter
from harness.battery.job import Job
from harness.isolation.hosts import Fleet

TOYS = Path(__file__).resolve().parents[1] / "toys"
sys.path.insert(0, str(TOYS))

from toy_upstream import ToyUpstream  # noqa: E402 - the line above finds it

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.isolation.outcome import Outcome
    from harness.words import Capability


@pytest.fixture(scope="session")
def upstream() -> Iterator[ToyUpstream]:
    """
    Give an upstream that all tests share.
    """
    with ToyUpstream() as serving:
        yield serving


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """
    Give a fleet that all tests share.
    """
    with Fleet(jobs=2) as running:
        yield running


@pytest.fixture
def live(upstream: ToyUpstream, fleet: Fleet) -> Callable[..., Outcome]:
    """
    Return a function that runs one cell of a toy adapter against the upstream, in processes of its own.
    """

    def run(name: str, capability: Capability, *, timeout: float = 20.0, **kwargs: Any) -> Outcome:
        adapter = Adapter(name=name, target=f"toy_adapters:{name}", kwargs={"base_url": upstream.base_url, **kwargs})
        job = Job(adapter=adapter.as_dict(), root=str(TOYS), mode="record", timeout=timeout)
        return fleet.measure(job, [capability])[capability]

    return run

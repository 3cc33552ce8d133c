"""
What the isolation tests share: fleets of both kinds, and jobs whose cells are the functions of `isolation_acts`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.battery.job import Job, Mode
from harness.isolation.hosts import Fleet
from harness.isolation.processes import can_fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def forking() -> Iterator[Fleet]:
    """
    Give a fleet whose hosts are forked from a zygote; one for all tests, as it is one for a run.
    """
    if not can_fork():
        pytest.skip("hosts are not forked on this platform")
    with Fleet(jobs=4, spawn=False) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def spawning() -> Iterator[Fleet]:
    """
    Give a fleet whose hosts are interpreters of their own.
    """
    with Fleet(jobs=4, spawn=True) as fleet:
        yield fleet


@pytest.fixture(params=["forking", "spawning"])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    """
    Give each kind of fleet in turn.
    """
    found: Fleet = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def job() -> Callable[..., Job]:
    """
    Return a function that makes a job out of an act's name; what else it is given are options.
    """

    def make(
        act: str,
        *,
        target: str = "isolation_acts:Target",
        root: Path = HERE,
        timeout: float = 20.0,
        mode: Mode = "replay",
        **options: object,
    ) -> Job:
        return Job(
            adapter={"name": act, "target": target, "env": {"ISOLATION_TEST": "set"}},
            root=str(root),
            mode=mode,
            timeout=timeout,
            options={"entry": f"isolation_acts:{act}"} | options,
        )

    return make

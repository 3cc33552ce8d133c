"""
The shell of whoever runs the harness decides nothing: what watches an adapter stays outside, in replay proxies too.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.isolation.hosts import Fleet
from harness.isolation.processes import can_fork
from harness.isolation.surroundings import steady
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.battery.job import Job

    MakeJob = Callable[..., Job]
    Tell = Callable[..., dict[str, str]]

SHELL = {
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "placeholder",
    "DO_NOT_TRACK": "0",
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "all_proxy": "socks5://proxy.example.com:1080",
    "NO_PROXY": "example.com",
    "SURROUNDINGS_TEST": "kept",
}


@pytest.fixture(params=[False, True], ids=["forked", "spawned"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, job: MakeJob) -> Tell:
    """
    Return a function that tells the environment of a cell where the shell's is `SHELL`.
    """
    if not request.param and not can_fork():
        pytest.skip("hosts are not forked on this platform")
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)

    def tell(mode: str, env: dict[str, str] | None = None, **options: object) -> dict[str, str]:
        wanted = job("tell_environment", mode=mode, **options)
        wanted = replace(wanted, adapter={**wanted.adapter, "env": env or {}})
        with Fleet(spawn=request.param) as fleet:
            notes = fleet.measure(wanted, [Capability.INVOKE])[Capability.INVOKE].notes
        found: dict[str, Any] = json.loads(notes["environment"])
        return {name: found[name] for name in SHELL if name in found}

    return tell


def test_what_watches_an_adapter_does_not_reach_it(told: Tell) -> None:
    """
    Neither in replay nor while recording; proxies reach it while it is recorded from afar, and the rest always.
    """
    unwatched = {
        "LANGSMITH_API_KEY": "placeholder",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": "example.com",
        "SURROUNDINGS_TEST": "kept",
    }
    proxies = {"HTTPS_PROXY": "http://proxy.example.com:3128", "all_proxy": "socks5://proxy.example.com:1080"}

    assert told("replay") == unwatched
    assert told("record") == unwatched | proxies
    assert told("record", dial="127.0.0.1:1") == unwatched


def test_a_registration_has_its_way(told: Tell) -> None:
    """
    Who registers an adapter together with its tracer measures both.
    """
    own = {"LANGSMITH_TRACING": "true", "DO_NOT_TRACK": "", "all_proxy": "http://127.0.0.1:3128"}

    found = told("replay", own)

    assert {name: found[name] for name in own} == own


@pytest.mark.parametrize(("named", "told"), [(None, "0"), ("", "0"), ("random", "0"), ("7", "7")])
def test_sets_have_the_same_order_in_each_process(named: str | None, told: str) -> None:
    """
    Whoever names a seed has it.
    """
    environ = {"PATH": "/bin"} if named is None else {"PATH": "/bin", "PYTHONHASHSEED": named}

    assert steady(environ) == {"PATH": "/bin", "PYTHONHASHSEED": told}

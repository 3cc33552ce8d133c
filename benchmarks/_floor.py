"""
The floor under a run: six calls of each adapter in one bare loop over plain vcrpy, no process apart, no evidence.

It uses the harness to read the registrations and to make instances, and nothing else of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import vcr

from harness.adapters.build import apply_env, build
from harness.adapters.project import load_project
from harness.battery.prompts import PROMPTS
from harness.words import Capability

if TYPE_CHECKING:
    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project

PATIENCE: Final = 20
"""Seconds after which a call is given up that vcrpy leaves hanging."""


async def drain(items: Any) -> None:  # noqa: ANN401 - whatever the adapter returned
    """
    Take all items.
    """
    async for _ in items:
        pass


async def acall(adapter: Adapter, capability: Capability, argument: object) -> None:
    """
    Make an awaited call on a fresh instance.
    """
    made = getattr(build(adapter), capability.value)(argument)
    await (drain(made) if capability.streams else made)


def call(adapter: Adapter, capability: Capability, loop: asyncio.AbstractEventLoop) -> None:
    """
    Make one call on a fresh instance.
    """
    argument: object = list(PROMPTS) if capability.batches else PROMPTS[0]
    if capability.is_async:
        loop.run_until_complete(acall(adapter, capability, argument))
        return
    found = getattr(build(adapter), capability.value)(argument)
    if capability.streams:
        for _ in found:
            pass


def one(project: Project, adapter: Adapter, capability: Capability, loop: asyncio.AbstractEventLoop) -> bool:
    """
    Replay one cell by plain vcrpy, and tell whether it came to its end.
    """
    path = project.cassettes / project.family / adapter.name / f"{capability.value}.yaml"
    recorder = vcr.VCR(record_mode="none", match_on=["method", "path"])
    signal.alarm(PATIENCE)
    try:
        with recorder.use_cassette(str(path)):
            call(adapter, capability, loop)
    except Exception as error:  # noqa: BLE001 - vcrpy cannot replay them all
        print(f"{adapter.name} {capability}: {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
        return False
    finally:
        signal.alarm(0)
    return True


def _give_up(*_: object) -> None:
    msg = "it did not end"
    raise TimeoutError(msg)


def main(config: str, *names: str) -> None:
    """
    Replay the family's adapters, or those that are named.
    """
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _give_up)
    project = load_project(Path(config))
    os.chdir(project.root)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    ended: Counter[bool] = Counter()
    for adapter in project.adapters:
        if names and adapter.name not in names:
            continue
        apply_env(adapter)
        for capability in Capability:
            ended[one(project, adapter, capability, loop)] += 1
    print(f"{ended[True]} cells replayed, {ended[False]} not")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

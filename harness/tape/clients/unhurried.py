"""
Answers that are taken down to their end while recording, although nobody waits for them any more.

Of two requests that race, one is cancelled as soon as the other is answered; a time-out cancels what is slow. In replay
both are answered at once, and so both are made: without an answer of its own, one would be refused.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from harness.places import place
from harness.tape.ahead import CALLER

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from harness.tape.player import Answer

LINGER: Final = 2.0
"""Seconds after which an answer that nobody waits for is given up: an upstream may never answer."""


async def to_the_end(taking: Coroutine[Any, Any, Answer]) -> Answer:
    """
    Return what takes down an answer; where the caller is cancelled meanwhile, pass that on when the answer has ended.

    Args:
        taking: takes the answer down.
    """
    if place()[1] is None:
        # trio's cancellation reaches every wait in its scope, this one as well
        return await taking
    token = CALLER.set(place())
    task = asyncio.ensure_future(taking)
    CALLER.reset(token)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _outlast(task)
        raise
    finally:
        task.cancel()


async def _outlast(task: asyncio.Task[Answer]) -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LINGER
    while not task.done() and (left := ends - loop.time()) > 0:
        # anyio cancels again in every turn of the loop, until its scope is left
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task}, timeout=left)

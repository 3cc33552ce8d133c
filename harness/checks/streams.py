"""What an application relies on while it reads a stream."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from harness.checks.check import NotApplicable, check
from harness.events import Ended
from harness.tape.faults import Faults
from harness.verdicts.texts import squeeze, wordings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.checks.bench import Bench, Stage

STREAMS: Final = ("stream", "astream")
_SHOWN: Final = 40


@check(
    name="stream-joins",
    promise="the items of a stream, joined, are the answer, white space included",
    calls=STREAMS,
    hint="each piece is stripped, or split at white space; hand out what the provider sent, character for character",
)
def stream_joins(bench: Bench) -> Iterator[str]:
    """
    Join the items and compare them with what the upstream said; what is more than white space is the verdict's matter.
    """
    with bench.stage() as stage:
        made = stage.attempt()
    if made.raised is not None:
        raise NotApplicable("the call raises")
    joined = "".join(made.texts).strip()
    alike = [text.strip() for body in bench.bodies() for text in wordings(body) if squeeze(text) == squeeze(joined)]
    if alike and joined not in alike:
        at = next(place for place, (a, b) in enumerate(zip(joined, alike[0], strict=False)) if a != b)
        yield f"joined, the items read {around(joined, at)}, and the upstream sent {around(alike[0], at)}"


def around(text: str, at: int) -> str:
    """
    Return what a text reads around a place.
    """
    return repr(text[max(at - _SHOWN // 2, 0) : at + _SHOWN // 2])


@check(
    name="stream-error",
    promise="an error in the middle of a stream is raised, not swallowed",
    calls=STREAMS,
    hint="an `except` around the loop that reads the answer returns instead of raising",
)
def stream_error(bench: Bench) -> Iterator[str]:
    """
    Break the connection off in the middle of the answer.
    """
    with bench.stage(Faults(cut=True), leap=True) as stage:
        made = stage.attempt()
        broken = stage.tape.harm.cut
    if not broken:
        raise NotApplicable("no answer comes in four pieces or more")
    if made.raised is None:
        came = f"{len(made.outputs)} items"
        yield f"the connection broke off in the middle, and the stream ended after {came} as if it were whole"


@check(
    name="stream-closes",
    promise="closing a stream early stops the request and leaves no task, thread or connection behind",
    calls=STREAMS,
    hint="the response is not closed when the generator is: read it in a `with` block, and end readers in a `finally`",
)
def stream_closes(bench: Bench) -> Iterator[str]:
    """
    Close the stream after its first item, and look at what goes on.

    A stream that is read to its end comes first: a thread that remains after it, such as one that sends statistics,
    is the process's and serves no stream.
    """
    with bench.stage() as whole:
        whole.attempt()
    with bench.stage() as stage:
        before = _busy_threads()
        tasks = _tasks(stage)
        with _working(stage):
            items = stage.method(stage.argument)
        place = _close_after_one(stage, items)
        del items
        quiet = stage.comes_true(lambda: not stage.unread and _busy_threads() <= before and _tasks(stage) <= tasks)
        stage.require_recorded()
        read_on = [
            one.request
            for one in stage.events[place:]
            if isinstance(one, Ended) and any(sent.request == one.request for sent in stage.sent)
        ]
        if read_on:
            yield "it went on reading after it was closed, to the end of the answer"
        if not quiet:
            yield from _left_behind(stage, before, tasks)


def _close_after_one(stage: Stage, items: Any) -> int:  # noqa: ANN401 - whatever the adapter returned
    """
    Take one item, close the stream, and return the place in the log where it was closed.
    """
    if stage.capability.is_async:
        return stage.wait_for(_aclose_after_one(stage, items))
    with _working(stage):
        next(iter(items), None)
    place = len(stage.events)
    getattr(items, "close", lambda: None)()
    return place


async def _aclose_after_one(stage: Stage, items: Any) -> int:  # noqa: ANN401 - as above
    with _working(stage):
        async for _ in items:
            break
    place = len(stage.events)
    close = getattr(items, "aclose", None)
    if close is not None:
        await close()
    await asyncio.sleep(0)
    return place


@contextmanager
def _working(stage: Stage) -> Iterator[None]:
    """
    Say of a call that does not even begin that there is nothing to close: what it raises is the verdict's matter.
    """
    try:
        yield
    except NotImplementedError as error:
        raise NotApplicable("it says that it does not support this call") from error
    except Exception as error:
        stage.require_recorded()
        raise NotApplicable(f"the call raises {type(error).__name__}") from error


def _left_behind(stage: Stage, threads: frozenset[threading.Thread], tasks: int) -> Iterator[str]:
    if stage.unread:
        yield "its connection stays open after the stream was closed"
    names = sorted(one.name for one in _busy_threads() - threads)
    if names:
        yield f"a thread goes on after the stream was closed: {', '.join(names)}"
    if _tasks(stage) > tasks:
        yield "a task goes on after the stream was closed"


def _tasks(stage: Stage) -> int:
    return 0 if stage.loop is None else len(asyncio.all_tasks(stage.loop))


def _busy_threads() -> frozenset[threading.Thread]:
    """
    Return the threads that do something; those of an executor that wait for work are no leak.
    """
    frames = sys._current_frames()  # noqa: SLF001 - the only way to see what a thread does
    return frozenset(one for one in threading.enumerate() if one.ident and not _idle(frames.get(one.ident)))


def _idle(frame: Any) -> bool:  # noqa: ANN401 - a frame, or None where the thread is gone
    code = None if frame is None else frame.f_code
    return code is not None and code.co_name == "_worker" and code.co_filename.endswith("thread.py")

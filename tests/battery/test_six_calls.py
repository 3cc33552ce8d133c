"""
The six calls: each is made as a caller would make it, and what comes back is logged in order.
"""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.adapters.project import load_project
from harness.battery import calls
from harness.battery.calls import LONGEST_MESSAGE, Call
from harness.battery.prompts import PROMPTS
from harness.events import Endless, Event, Item, Missing, Raised, Returned, Started
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Toy:
    """
    Give back what it was asked, in each of the six ways.
    """

    def invoke(self, prompt: object) -> object:
        return f"<{prompt}>"

    async def ainvoke(self, prompt: object) -> object:
        return f"<{prompt}>"

    def stream(self, prompt: str) -> Iterator[object]:
        yield from prompt.split()

    async def astream(self, prompt: str) -> AsyncIterator[object]:
        for word in prompt.split():
            yield word

    def batch(self, prompts: list[str]) -> object:
        return [f"<{one}>" for one in prompts]

    async def abatch(self, prompts: list[str]) -> object:
        return tuple(f"<{one}>" for one in prompts)


def _events(instance: object, capability: Capability) -> list[Event]:
    log = Log()
    call = Call(instance, capability, PROMPTS, log, Gate(capability))
    if capability.is_async:
        asyncio.run(call.arun())
    else:
        call.run()
    return log.events


def _with(capability: Capability, method: Any) -> object:
    return type("Odd", (), {capability.value: method})()


@pytest.mark.parametrize("capability", [one for one in Capability if not one.streams])
def test_a_call_is_started_and_comes_back(capability: Capability) -> None:
    """
    A single call gets the first prompt and gives one text; a batch gets all three and gives three.
    """
    inputs = PROMPTS if capability.batches else PROMPTS[:1]
    started, returned = _events(Toy(), capability)
    assert isinstance(started, Started)
    assert isinstance(returned, Returned)
    assert (started.capability, started.inputs) == (capability.value, inputs)
    assert returned.texts == tuple(f"<{one}>" for one in inputs)
    assert returned.plural is capability.batches


@pytest.mark.parametrize("capability", [Capability.STREAM, Capability.ASTREAM])
def test_items_come_between_start_and_return(capability: Capability) -> None:
    """
    Each item stands in the log where the caller got it.
    """
    started, *items, returned = _events(Toy(), capability)
    assert isinstance(started, Started)
    assert [item.text for item in items if isinstance(item, Item)] == PROMPTS[0].split()
    assert isinstance(returned, Returned)
    assert returned.texts == ()


@pytest.mark.parametrize("capability", list(Capability))
@pytest.mark.parametrize("value", ["absent", None, 3])
def test_a_missing_method_is_missing(capability: Capability, value: object) -> None:
    """
    A method that is not there, or that is no method, is told of, and nothing is started.
    """
    instance = object() if value == "absent" else _with(capability, value)
    (missing,) = _events(instance, capability)
    assert isinstance(missing, Missing)
    assert (missing.what, missing.name) == ("method", capability.value)


@pytest.mark.parametrize("capability", list(Capability))
@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_whatever_is_raised_is_logged(capability: Capability, kind: type[BaseException]) -> None:
    """
    Also what would end a program, or a task, is what the adapter did; the loop and the process live on.
    """

    def fail(_self: object, _prompt: object) -> None:
        raise kind("so it goes")

    _, raised = _events(_with(capability, fail), capability)
    assert isinstance(raised, Raised)
    assert (raised.phase, raised.type, raised.message) == ("call", kind.__name__, "so it goes")
    assert raised.line.startswith("battery/test_six_calls.py:")
    assert not raised.unsupported


@pytest.mark.parametrize(
    ("began", "unreachable"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such name"), True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), True),
        (OSError(errno.ENETUNREACH, "no network"), True),
        (ConnectionError("an adapter's own words"), False),
        (FileNotFoundError(errno.ENOENT, "no such file"), False),
        (ValueError("no connection is at fault"), False),
    ],
    ids=repr,
)
def test_a_connection_that_the_system_could_not_make_is_told_of(began: Exception, unreachable: bool) -> None:
    """
    However a library wraps the system's error; an error of the same class without its number is the library's own.
    """

    def fail(_self: object, _prompt: object) -> None:
        try:
            raise began  # noqa: TRY301 - the chain of errors is what is looked at
        except Exception as error:
            raise RuntimeError("the upstream cannot be reached") from error

    _, raised = _events(_with(Capability.INVOKE, fail), Capability.INVOKE)
    assert isinstance(raised, Raised)
    assert raised.unreachable is unreachable


def test_what_a_tap_raises_is_told_of_at_the_line_that_asked() -> None:
    """
    The harness's own lines are nobody's to look at.
    """

    def fail(_self: object, _prompt: object) -> None:
        load_project(Path("nowhere.toml"))

    _, raised = _events(_with(Capability.INVOKE, fail), Capability.INVOKE)
    assert isinstance(raised, Raised)
    assert raised.line.startswith("battery/test_six_calls.py:")


@pytest.mark.parametrize("capability", list(Capability))
def test_what_a_library_raises_is_told_of_with_the_adapters_line(capability: Capability) -> None:
    """
    A line of a library alone does not say where the adapter is to be mended.
    """

    def fail(_self: object, _prompt: object) -> None:
        json.loads("{")

    _, raised = _events(_with(capability, fail), capability)
    assert isinstance(raised, Raised)
    library, _, own = raised.line.partition(", called from ")
    assert library.startswith("json/decoder.py:")
    assert own == f"battery/test_six_calls.py:{fail.__code__.co_firstlineno + 1}"


@pytest.mark.parametrize("capability", list(Capability))
def test_only_not_implemented_is_unsupported(capability: Capability) -> None:
    """
    NotImplementedError and its subclasses say that the adapter does not support a call.
    """

    class LaterError(NotImplementedError):
        pass

    def fail(_self: object, _prompt: object) -> None:
        raise LaterError

    _, raised = _events(_with(capability, fail), capability)
    assert isinstance(raised, Raised)
    assert raised.unsupported


@pytest.mark.parametrize("capability", [Capability.STREAM, Capability.ASTREAM])
def test_an_endless_stream_is_stopped(capability: Capability, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    After so many items the battery stops a stream and says so instead of `Returned`.
    """
    monkeypatch.setattr(calls, "MOST_ITEMS", 25)

    class Endlessly:
        def stream(self, prompt: str) -> Iterator[str]:
            while True:
                yield prompt

        async def astream(self, prompt: str) -> AsyncIterator[str]:
            while True:
                yield prompt

    *_, last = events = _events(Endlessly(), capability)
    assert sum(isinstance(event, Item) for event in events) == 25
    assert isinstance(last, Endless)
    assert last.items == 25


@pytest.mark.parametrize(
    ("capability", "method", "expected"),
    [
        (Capability.INVOKE, lambda _self, _prompt: None, (None, "None")),
        (Capability.INVOKE, lambda _self, _prompt: 7, (None, "int")),
        (Capability.INVOKE, lambda _self, _prompt: ["a", "b"], (None, "list")),
        (Capability.BATCH, lambda _self, _prompts: "one text", ("one text", "str")),
        (Capability.BATCH, lambda _self, _prompts: {"a": "b"}, (None, "dict")),
    ],
)
def test_values_of_a_wrong_type_are_told_with_their_type(
    capability: Capability, method: Any, expected: tuple[str | None, str]
) -> None:
    """
    What is no text, or no sequence of texts, comes back as one value with its type.
    """
    _, returned = _events(_with(capability, method), capability)
    assert isinstance(returned, Returned)
    assert ((returned.texts[0], returned.types[0]), len(returned.texts)) == (expected, 1)
    assert not returned.plural


@pytest.mark.parametrize(
    ("capability", "method"),
    [
        (Capability.AINVOKE, lambda _self, _prompt: "not awaitable"),
        (Capability.STREAM, lambda _self, _prompt: None),
        (Capability.ASTREAM, lambda _self, _prompt: ["not", "asynchronous"]),
    ],
)
def test_a_method_of_the_wrong_kind_raises_in_the_callers_hands(capability: Capability, method: Any) -> None:
    """
    What cannot be awaited or iterated fails as it would for any caller.
    """
    _, raised = _events(_with(capability, method), capability)
    assert isinstance(raised, Raised)
    assert raised.type == "TypeError"


def test_a_failure_in_the_middle_keeps_the_items_before() -> None:
    """
    Items stand in the log though the stream fails after them.
    """

    def stream(_self: object, prompt: str) -> Iterator[str]:
        yield prompt
        raise ValueError("lost")

    events = _events(_with(Capability.STREAM, stream), Capability.STREAM)
    assert [type(event) for event in events] == [Started, Item, Raised]


def test_a_message_that_quotes_everything_is_shortened() -> None:
    """
    An exception of ten megabytes costs a few kilobytes of the log.
    """

    def fail(_self: object, _prompt: object) -> None:
        raise ValueError("x" * 10_000_000)

    _, raised = _events(_with(Capability.INVOKE, fail), Capability.INVOKE)
    assert isinstance(raised, Raised)
    assert len(raised.message) == LONGEST_MESSAGE
    assert len(raised.traceback) < 20_000


def test_a_traceback_begins_where_the_adapter_does() -> None:
    """
    How the harness came there is not in it: those lines move with each release, and reports are compared.
    """

    def fail(_self: object, _prompt: object) -> None:
        raise ValueError("lost")

    _, raised = _events(_with(Capability.INVOKE, fail), Capability.INVOKE)
    assert isinstance(raised, Raised)
    assert raised.traceback.count('File "') == 1
    assert "in fail" in raised.traceback

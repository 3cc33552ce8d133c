"""
One cell in a process of its own, against a live upstream: what it tells of itself, whatever its adapter does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from harness.events import Computed, Constructed, Event, Item, Raised, Returned, Sent, Spawned
from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.isolation.outcome import Outcome

    Live = Callable[..., Outcome]

E = TypeVar("E", bound=Event)
INVOKE, AINVOKE = Capability.INVOKE, Capability.AINVOKE


def _only(outcome: Outcome, kind: type[E]) -> list[E]:
    return [event for event in outcome.events if isinstance(event, kind)]


def _raised(outcome: Outcome) -> tuple[str, str, str]:
    assert "fault" not in outcome.notes, outcome.notes["fault"]
    raised = _only(outcome, Raised)[-1]
    return raised.phase, raised.type, raised.message


@pytest.mark.parametrize("capability", list(Capability))
def test_an_honest_adapter_is_native_in_each_call(live: Live, capability: Capability) -> None:
    """
    The battery's own doing takes nothing away from an adapter that does everything right.
    """
    judgement = judge(capability, live("Honest", capability).events)
    assert judgement.verdict is Verdict.NATIVE, judgement.reason


def test_what_a_constructor_sends_is_told_apart(live: Live) -> None:
    """
    Its request belongs to the construction and is no inference request; the call's own is one.
    """
    outcome = live("ConstructorTalks", INVOKE)
    assert [(event.phase, event.carries) for event in _only(outcome, Sent)] == [("construction", ()), ("call", (0,))]
    evidence = judge(INVOKE, outcome.events).evidence
    assert evidence.inference_requests == 1
    assert [line.role for line in evidence.timeline.requests] == ["construction", "inference"]


def test_what_the_first_use_sends_is_no_inference_request(live: Live) -> None:
    """
    A token that is fetched in the call is recorded, and changes nothing.
    """
    outcome = live("FirstUseTalks", INVOKE)
    judgement = judge(INVOKE, outcome.events)
    assert [event.phase for event in _only(outcome, Sent)] == ["call", "call"]
    assert len(outcome.interactions) == 2
    assert (judgement.verdict, judgement.evidence.inference_requests) == (Verdict.NATIVE, 1)


@pytest.mark.parametrize("name", ["ConstructorRunsALoop", "ConstructorNeedsALoop"])
def test_constructors_may_need_a_loop_or_refuse_one(live: Live, name: str) -> None:
    """
    Asynchronous calls are made whether the constructor needs a running loop or runs one itself.
    """
    outcome = live(name, AINVOKE)
    assert len(_only(outcome, Constructed)) == 1
    assert judge(AINVOKE, outcome.events).verdict is Verdict.NATIVE


def test_a_constructor_that_fails_either_way_blocks(live: Live) -> None:
    """
    A RuntimeError that has nothing to do with loops is reported once, as the constructor's.
    """
    outcome = live("ConstructorFails", AINVOKE)
    assert len(_only(outcome, Raised)) == 1
    assert _raised(outcome) == ("construction", "RuntimeError", "no such region")
    assert judge(AINVOKE, outcome.events).verdict is Verdict.BLOCKED


def test_what_a_class_overrides_is_told_of_where_it_cannot_be_constructed(live: Live) -> None:
    """
    A support table that was filled by looking at classes has these cells too.
    """
    notes = live("ConstructorFails", AINVOKE).notes
    assert {notes[f"reflected.{one.value}"] for one in Capability} == {"native"}


def test_a_heavy_import_in_the_first_call_is_not_held_against_it(live: Live) -> None:
    """
    What was computed once is not computed again by the warm pass, so the call is native.
    """
    outcome = live("ImportsLate", AINVOKE)
    computed = _only(outcome, Computed)
    assert max(event.seconds for event in computed if not event.warm) >= 0.3
    assert [event.seconds < 0.3 for event in computed if event.warm] == [True]
    assert judge(AINVOKE, outcome.events).verdict is Verdict.NATIVE


def test_computing_each_time_blocks_the_loop(live: Live) -> None:
    """
    What is computed in the warm pass as well is the call's own, and its one request stays one.
    """
    outcome = live("Computes", AINVOKE)
    assert [event.seconds >= 0.3 for event in _only(outcome, Computed) if event.warm] == [True]
    assert len(_only(outcome, Sent)) == len(outcome.interactions) == 1
    assert judge(AINVOKE, outcome.events).mechanism == "blocks-loop"


@pytest.mark.parametrize("wraps", [False, True])
def test_a_package_that_is_missed_only_in_the_call_is_named(live: Live, wraps: bool) -> None:
    """
    As in a constructor: it says nothing about the adapter, also where the adapter says so in its own words.
    """
    judgement = judge(INVOKE, live("NeedsAModule", INVOKE, module="no_such_vendor", wraps=wraps).events)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "no_such_vendor" in judgement.reason


@pytest.mark.parametrize("module", ["toy_adapters.no_such_part", "json.no_such_part"])
def test_a_module_that_no_package_would_bring_is_the_adapters_fault(live: Live, module: str) -> None:
    """
    Its own, or one of Python's.
    """
    outcome = live("NeedsAModule", INVOKE, module=module)
    assert _raised(outcome)[1] == "ModuleNotFoundError"
    assert judge(INVOKE, outcome.events).verdict is Verdict.BROKEN


@pytest.mark.parametrize(
    ("name", "kwargs", "capability", "type_", "message"),
    [
        ("TaskRaises", {"error": "exit"}, AINVOKE, "SystemExit", "enough"),
        ("TaskRaises", {"error": "interrupt"}, AINVOKE, "KeyboardInterrupt", "enough"),
        ("StopsTheLoop", {}, AINVOKE, "RuntimeError", "Event loop stopped before Future completed."),
        ("PropertyRaises", {}, INVOKE, "KeyError", "'not now'"),
        ("RaisesMuted", {}, INVOKE, "MutedError", "its message cannot be had: __str__ raises"),
    ],
)
def test_whatever_the_adapter_raises_is_its_own(  # noqa: PLR0913, PLR0917 - the columns of a table
    live: Live, name: str, kwargs: dict[str, str], capability: Capability, type_: str, message: str
) -> None:
    """
    Exceptions that pass the call by (a task's, a stopped loop, a property's) break the cell and are no fault.
    """
    outcome = live(name, capability, **kwargs)
    assert _raised(outcome) == ("call", type_, message)
    assert judge(capability, outcome.events).verdict is Verdict.BROKEN


@pytest.mark.parametrize("capability", [INVOKE, AINVOKE])
def test_a_recording_keeps_what_is_asked_for_afterwards(live: Live, capability: Capability) -> None:
    """
    A thread or a task that goes on when the call is over may be sooner in replay, and then finds its request recorded.
    """
    outcome = live("AsksAfterwards", capability)
    assert len(outcome.interactions) == 2
    assert judge(capability, outcome.events).verdict is Verdict.NATIVE


@pytest.mark.parametrize("capability", [INVOKE, AINVOKE])
def test_threads_that_are_left_behind_keep_nobody(live: Live, capability: Capability) -> None:
    """
    A thread that sleeps for two minutes, not a daemon, does not keep the cell's process.
    """
    begun = time.monotonic()
    outcome = live("LeavesThreads", capability)
    assert time.monotonic() - begun < 60
    assert judge(capability, outcome.events).verdict is Verdict.NATIVE


@pytest.mark.parametrize("capability", [INVOKE, Capability.STREAM, Capability.BATCH])
def test_children_are_noticed(live: Live, capability: Capability) -> None:
    """
    A subprocess, a fork and a spawned process of multiprocessing are told of, once; the cell is unknown.
    """
    outcome = live("WorksInAChild", capability)
    assert len(_only(outcome, Spawned)) == 1
    assert judge(capability, outcome.events).verdict is Verdict.UNKNOWN


def test_a_child_that_still_runs_is_noticed(live: Live) -> None:
    """
    A spawned process that nobody waited for is told of too.
    """
    assert len(_only(live("ChildGoesOn", INVOKE), Spawned)) == 1


def test_a_cell_tells_of_its_class_and_its_distributions(live: Live) -> None:
    """
    What the class overrides, and the versions of what its requests went through, come with the events.
    """
    notes = live("Honest", Capability.STREAM).notes
    assert {notes[f"reflected.{one.value}"] for one in Capability} == {"native"}
    assert notes["distribution.httpx"].count(".") >= 1


def test_the_standard_prompts_are_asked(live: Live) -> None:
    """
    A single call gets the first prompt, a batch all three, and the answers name their code words.
    """
    (one,) = _only(live("Honest", INVOKE), Returned)
    (three,) = _only(live("Honest", Capability.BATCH), Returned)
    assert [word in (one.texts[0] or "") for word in ("kestrel4127", "marigold5938")] == [True, False]
    words = ("kestrel4127", "marigold5938", "juniper2806")
    assert [word in (text or "") for word, text in zip(words, three.texts, strict=True)] == [True] * 3


def test_items_are_logged_as_the_caller_gets_them(live: Live) -> None:
    """
    A stream's items stand in the log one by one, with their text and type.
    """
    items = _only(live("Honest", Capability.STREAM), Item)
    assert len(items) == 8
    assert {item.type for item in items} == {"str"}
    assert items[0].text == "The word is kestrel4127. "

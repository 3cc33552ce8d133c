"""The verdicts of calls that did not come back as calls should, and of those that could not be tried."""

from __future__ import annotations

import pytest
from stories import ANSWERS, LOOP, Story, answer_json, sse

from harness.events import Dialled, Died, Endless, Missing, Raised, Refused, Spawned, UpstreamFailed
from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

INVOKE, STREAM, BATCH = Capability.INVOKE, Capability.STREAM, Capability.BATCH
EVERY = tuple(Capability)


def _answered(capability: Capability = INVOKE) -> Story:
    story = Story(capability).begin()
    story.whole(story.send(), answer_json(ANSWERS[0]))
    return story.give(ANSWERS[0])


def _verdict(story: Story) -> tuple[Verdict, str]:
    judgement = judge(story.capability, story.events)
    return judgement.verdict, judgement.reason


def test_an_answer_that_follows_from_the_upstreams_is_native() -> None:
    """
    Invoke asks for nothing more.
    """
    assert _verdict(_answered())[0] is Verdict.NATIVE


@pytest.mark.parametrize("capability", EVERY)
def test_a_missing_method_is_unsupported(capability: Capability) -> None:
    """
    It needs no cassette for that.
    """
    story = Story(capability)
    story.add(Missing, what="method", name=capability.value)

    assert _verdict(story)[0] is Verdict.UNSUPPORTED


@pytest.mark.parametrize("capability", EVERY)
def test_a_missing_module_of_the_environment_is_unknown(capability: Capability) -> None:
    """
    It says nothing about the adapter, and the reason names what to install.
    """
    story = Story(capability)
    story.add(Missing, what="module", name="the package vendor-sdk")

    assert _verdict(story) == (Verdict.UNKNOWN, "not measured: the package vendor-sdk")


@pytest.mark.parametrize(("unsupported", "expected"), [(True, Verdict.UNSUPPORTED), (False, Verdict.BROKEN)])
def test_only_not_implemented_is_unsupported(unsupported: bool, expected: Verdict) -> None:
    """
    Whatever else it raises is broken.
    """
    assert _verdict(Story(INVOKE).begin().fail("AnyError", unsupported=unsupported))[0] is expected


@pytest.mark.parametrize("phase", ["import", "construction"])
def test_what_cannot_be_had_is_blocked(phase: str) -> None:
    """
    It could not be tried; also where the constructor raises NotImplementedError.
    """
    story = Story(INVOKE)
    story.add(Raised, phase=phase, type="ValueError", message="no key", unsupported=True, traceback="", line="")

    assert _verdict(story)[0] is Verdict.BLOCKED


def test_a_constructor_that_dies_is_blocked_and_one_whose_upstream_fails_is_unknown() -> None:
    """
    The second says nothing about the adapter.
    """
    died, failed = Story(INVOKE), Story(INVOKE)
    died.add(Died, how="exit", detail="3")
    failed.head(failed.send(()), [b"{}"], status=500)
    failed.add(Raised, phase="construction", type="E", message="", unsupported=False, traceback="", line="")

    assert (_verdict(died)[0], _verdict(failed)[0]) == (Verdict.BLOCKED, Verdict.UNKNOWN)


@pytest.mark.parametrize("how", ["hung", "signal", "exit", "memory"])
def test_a_call_that_hangs_or_crashes_is_broken(how: str) -> None:
    """
    Also where it had its answer already.
    """
    story = _answered()
    story.events.pop()
    story.add(Died, how=how, detail="what it was", stack="where it was")
    judgement = judge(INVOKE, story.events)

    assert (judgement.verdict, judgement.evidence.error) == (Verdict.BROKEN, "where it was")


def test_a_stream_without_end_is_broken() -> None:
    """
    The battery stopped it.
    """
    story = Story(STREAM).begin()
    story.whole(story.send(), answer_json(ANSWERS[0])).item("again")
    story.add(Endless, items=10_000)

    assert _verdict(story)[0] is Verdict.BROKEN


@pytest.mark.parametrize("swallowed", [True, False])
def test_a_request_that_no_recording_answers_is_unknown(swallowed: bool) -> None:
    """
    Also where the adapter swallows the refusal and invents an answer, or has one for another request.
    """
    story = _answered()
    story.events.pop()
    story.add(Refused, method="POST", uri="https://other/", why="another host")
    story = story.give(ANSWERS[0]) if swallowed else story.fail()

    assert _verdict(story)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize("swallowed", [True, False])
def test_what_tries_to_leave_past_the_tape_is_unknown(swallowed: bool) -> None:
    """
    No recording answers that either.
    """
    story = _answered()
    story.events.pop()
    story.add(Dialled, target="api.example.com:443")
    story = story.give(ANSWERS[0]) if swallowed else story.fail()

    assert _verdict(story)[0] is Verdict.UNKNOWN


def test_without_traffic_that_can_be_seen_everything_is_unknown() -> None:
    """
    Also invoke, and also through a child process; but what is no answer at all is broken.
    """
    alone, child, wrong = (Story(INVOKE).begin() for _ in range(3))
    alone.give("an answer from nowhere")
    child.add(Spawned, what="vendor-cli")
    child.give("an answer from a child")
    wrong.give(None)

    assert [_verdict(one)[0] for one in (alone, child, wrong)] == [Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.BROKEN]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ok": true}', b'{"code": 0, "errors": []}'])
@pytest.mark.parametrize("capability", [INVOKE, STREAM])
def test_a_log_alone_does_not_show_where_the_answer_came_from(body: bytes, capability: Capability) -> None:
    """
    It carries the prompt, and what it is answered says nothing.
    """
    story = Story(capability).begin()
    story.whole(story.send(), body)
    if capability.streams:
        story.item("The code word is kestrel4127. ").item("A lamp shows the way.").give()
    else:
        story.give(ANSWERS[0])

    assert _verdict(story)[0] is Verdict.UNKNOWN


def test_a_child_beside_traffic_that_can_be_seen_changes_nothing() -> None:
    """
    It may have asked the machine for its name.
    """
    story = _answered()
    story.add(Spawned, what="uname")

    assert _verdict(story)[0] is Verdict.NATIVE


@pytest.mark.parametrize("failure", ["status", "cut", "event", "reset"])
@pytest.mark.parametrize(("hidden", "expected"), [(True, Verdict.BROKEN), (False, Verdict.UNKNOWN)])
def test_a_failure_of_the_upstream_must_be_told(failure: str, hidden: bool, expected: Verdict) -> None:
    """
    Who passes it on is not measured; who hides it is broken.
    """
    story = Story(INVOKE).begin()
    _fail_upstream(story, failure)
    story = story.give("Sorry, the code word is kestrel4127.") if hidden else story.fail("APIError")

    assert _verdict(story)[0] is expected


@pytest.mark.parametrize("failure", ["status", "cut", "event", "reset"])
@pytest.mark.parametrize("times", [1, 3])
def test_retries_that_end_in_an_answer_change_nothing(failure: str, times: int) -> None:
    """
    However often and in whatever way the upstream failed before.
    """
    story = Story(INVOKE).begin()
    for _ in range(times):
        _fail_upstream(story, failure)
    story.whole(story.send(), answer_json(ANSWERS[0]))

    assert _verdict(story.give(ANSWERS[0]))[0] is Verdict.NATIVE


def test_a_retry_that_is_decorated_belongs_to_the_answer_that_was_not_cut() -> None:
    """
    The cut one held most of the words as well.
    """
    story = Story(INVOKE).begin()
    pieces = sse([ANSWERS[0][:70], ANSWERS[0][70:]])
    first = story.send()
    story.head(first, pieces[:1]).arrive(first, 0).end(first, cut="reset")
    story.whole(story.send(), answer_json(ANSWERS[0]))

    assert _verdict(story.give(f"AI: {ANSWERS[0]}"))[0] is Verdict.NATIVE


def test_a_failing_log_or_poll_beside_the_answer_changes_nothing() -> None:
    """
    The inference request decides.
    """
    story = Story(Capability.AINVOKE, LOOP).begin()
    story.whole(story.send(), answer_json(ANSWERS[0]))
    log = story.send(uri="https://api.example.com/log")
    story.head(log, [b"down"], status=503)

    assert _verdict(story.give(ANSWERS[0]))[0] is Verdict.NATIVE


def _fail_upstream(story: Story, failure: str) -> None:
    request = story.send()
    match failure:
        case "status":
            story.head(request, [b'{"error": "overloaded"}'], status=529).arrive(request, 0).end(request)
        case "cut":
            pieces = sse(["The code"])[:1]
            story.head(request, pieces).arrive(request, 0).end(request, cut="the connection was closed")
        case "event":
            event = b'event: error\ndata: {"error": {"type": "overloaded"}}\n\n'
            pieces = [*sse(["The code"])[:1], event]
            story.head(request, pieces).arrive(request, 0).arrive(request, 1).end(request)
        case _:
            story.add(UpstreamFailed, request=request, why="connection reset")


def test_what_the_adapter_passes_on_as_it_is_is_said_once() -> None:
    """
    The library's own error is both how the upstream failed and what was said of it.
    """
    for message, reason in (
        ("no route", "the upstream failed, and it said so: ConnectError: no route"),
        ("sorry", "the upstream failed (ConnectError: no route) and it said so: ConnectError: sorry"),
    ):
        story = Story(INVOKE).begin()
        story.add(UpstreamFailed, request=story.send(), why="ConnectError: no route")
        assert _verdict(story.fail("ConnectError", message)) == (Verdict.UNKNOWN, reason)


def _unreached(phase: str, *, unreachable: bool, seen: bool) -> Story:
    story = Story(INVOKE) if phase == "construction" else Story(INVOKE).begin()
    if seen:
        story.add(UpstreamFailed, request=story.send(), why="connection refused")
    story.add(
        Raised,
        phase=phase,
        type="ConnectError",
        message="no such name",
        unsupported=False,
        traceback="",
        unreachable=unreachable,
    )
    return story


@pytest.mark.parametrize(("phase", "otherwise"), [("call", Verdict.BROKEN), ("construction", Verdict.BLOCKED)])
def test_who_cannot_connect_past_the_tape_is_unknown(phase: str, otherwise: Verdict) -> None:
    """
    A library with sockets of its own, recorded from a simulator, fails for want of a network; who fails otherwise
    is judged.
    """
    verdict, reason = _verdict(_unreached(phase, unreachable=True, seen=False))
    assert verdict is Verdict.UNKNOWN
    assert "past the tape" in reason
    assert _verdict(_unreached(phase, unreachable=False, seen=False))[0] is otherwise


def test_a_connection_that_the_tape_saw_fail_is_the_upstreams_failure() -> None:
    """
    It is told of as such, as before.
    """
    verdict, reason = _verdict(_unreached("call", unreachable=True, seen=True))
    assert verdict is Verdict.UNKNOWN
    assert reason.startswith("the upstream failed")

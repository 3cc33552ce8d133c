"""
The zoo through a program: over the same recordings the verdicts are those of one process, where the program is honest,
and the program's own fault where it is not. A program that fails, or refuses, is told of and is no adapter's fault.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from labels import ZOO, write_project
from labels_relied import FOUND_OUT, RELIABLE, UNRELIABLE
from upstream import Upstream

from harness.adapters.project import load_project
from harness.checks.registry import chosen, find_checks
from harness.session import Session, Settings
from harness.session.problems import Trouble
from harness.session.readiness import try_checks
from harness.words import Capability, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.adapters.project import Project
    from harness.cells import Cell
    from harness.session.rows import Row

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs need what Windows has not")

PROGRAM: Final = str(Path(__file__).parent / "zoo_program.py")
NAMES: Final = (
    "OpenAISDK", "NativeSync-urllib", "NativeAsync-aiohttp", "AsyncDefaults", "Chat-requests-aiohttp", "YieldsOnce",
    "CollectsPieces", "HalfBuffered", "LooksAhead", "AsyncSyncInside", "SyncInside-httpx2", "OtherLoop-httpx", "Pool",
    "LooksAtTheClock",
)  # fmt: skip
"""Honest ones of each client, and one of each kind that is not, as far as other processes can tell."""
RELIED: Final = {
    "KeepsOpen": "stream-closes",
    "EndsQuietly": "stream-error",
    "KeepsTheBill": "usage-in-streams",
    "NeverTires": "loop-guard",
    "Unlimited": "max-concurrency",
    "OneForAll": "batch-survives",
}
"""One that each kind of fault finds out, and what is seen of requests and connections; and the check that does."""
SOME: Final = {one.name: one for one in (*ZOO, *RELIABLE, *UNRELIABLE) if one.name in {*NAMES, *RELIED, "Telling"}}
CHECKS: Final = (
    "stream-closes", "stream-error", "stream-rebuilds", "usage-in-streams", "event-streaming", "loop-guard",
    "max-concurrency", "batch-survives", "http-status", "stop",
)  # fmt: skip
Labels = dict[tuple[str, str], str]


@dataclass(frozen=True)
class Zoo:
    """
    Hold recordings that were made through an honest program, and where their upstream was.
    """

    folder: Path
    origin: str
    path: str
    recorded: Labels

    def project(self, kind: str | None, *names: str, **program: object) -> Project:
        """
        Return the project of some specimens, which ask a program of a kind, or the upstream itself.
        """
        text = (self.folder / "specimens.toml").read_text()
        base = f"{self.origin if kind is None else '{program.url}'}{self.path}"
        text = text.replace("BASE", base)
        if kind is not None:
            text = text.replace('\ntarget = "', '\nprogram = "proxy"\ntarget = "')
            command = [sys.executable, PROGRAM, kind, "{port}", "{upstream}"]
            table = {"command": command, "upstream": self.origin, "ready": "/up", "ready_within": 250, **program}
            pairs = "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
            text += f"\n[programs.proxy]\n{pairs}\n"
        config = self.folder / f"{kind or 'direct'}.toml"
        config.write_text(text)
        project = load_project(config)
        return replace(project, adapters=tuple(one for one in project.adapters if not names or one.name in names))


def _made(name: str) -> list[Capability]:
    return [one for one in Capability if SOME[name].labels[one.value] != "unsupported"]


def _rows(project: Project, calls: Sequence[Capability] = (), **settings: object) -> list[Row]:
    wanted = (lambda _: calls) if calls else lambda adapter: _made(adapter.name)
    with Session(project, Settings(jobs=2, **settings)) as session:  # type: ignore[arg-type]  # its own fields
        return session.rows(project.adapters, wanted)


def _labels(rows: Sequence[Row]) -> Labels:
    return {(cell.adapter, cell.capability.value): _label(cell) for row in rows for cell in row.cells}


def _label(cell: Cell) -> str:
    return f"{cell.verdict}/{cell.mechanism}" if cell.mechanism else str(cell.verdict)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """
    Give the zoo, recorded through an honest program from an upstream that is gone by now.
    """
    folder = tmp_path_factory.mktemp("zoo")
    write_project(folder, "BASE", [SOME[name] for name in NAMES]).rename(folder / "specimens.toml")
    return _recorded(folder)


def _recorded(folder: Path) -> Zoo:
    with Upstream() as upstream:
        origin = "/".join(upstream.base_url.split("/")[:3])
        made = Zoo(folder, origin, upstream.base_url.removeprefix(origin), {})
        made.recorded.update(_labels(_rows(made.project("honest"), record=True)))
    return made


@pytest.fixture(scope="module")
def relied(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    """
    Give the adapters that keep or break what applications rely on, recorded in the same way.
    """
    folder = tmp_path_factory.mktemp("relied")
    write_project(folder, "BASE", [SOME[name] for name in ("Telling", *RELIED)]).rename(folder / "specimens.toml")
    return _recorded(folder)


def test_through_an_honest_program_the_verdicts_are_those_of_one_process(zoo: Zoo) -> None:
    """
    While recorded, replayed in one process and replayed through the program: each cell is what its label says.
    """
    labels = {(name, call.value): SOME[name].labels[call.value] for name in NAMES for call in _made(name)}

    assert zoo.recorded == labels
    assert _labels(_rows(zoo.project(None))) == labels
    first = _rows(zoo.project("honest"))
    assert _labels(first) == labels
    # neither ports nor keys nor the machine's speed are in what is reported
    (again,) = _rows(zoo.project("honest", "OpenAISDK"))
    assert [row.cells for row in first if row.adapter.name == "OpenAISDK"] == [again.cells]
    assert again.cells[2].evidence.timeline.requests[0].uri.startswith(zoo.origin)


CLIENTS: Final = ("OpenAISDK", "NativeSync-urllib", "NativeAsync-aiohttp", "AsyncSyncInside")


@pytest.mark.parametrize(("kind", "mechanism"), [("collects", "buffered"), ("joins", "single-item")])
def test_a_program_that_reads_everything_first_is_found_out(zoo: Zoo, kind: str, mechanism: str) -> None:
    """
    Its clients read piece by piece and have nothing to do with it: the item came after the middle of the arrivals.
    """
    found = _labels(_rows(zoo.project(kind, *CLIENTS), (Capability.STREAM, Capability.ASTREAM)))

    assert found == {
        ("OpenAISDK", "stream"): f"fallback/{mechanism}",
        ("OpenAISDK", "astream"): f"fallback/{mechanism}",
        ("NativeSync-urllib", "stream"): f"fallback/{mechanism}",
        ("NativeSync-urllib", "astream"): "unsupported",
        ("NativeAsync-aiohttp", "stream"): "unsupported",
        ("NativeAsync-aiohttp", "astream"): f"fallback/{mechanism}",
        # what blocks the loop hurts its caller more
        ("AsyncSyncInside", "stream"): "unsupported",
        ("AsyncSyncInside", "astream"): "fallback/blocks-loop",
    }


def _problems(rows: Sequence[Row]) -> list[tuple[Trouble, str]]:
    return [(one.kind, one.message) for row in rows for one in row.problems]


def test_a_program_that_is_killed_in_the_middle_is_told_of(zoo: Zoo) -> None:
    """
    The cell is unknown and says how the program ended, which is no adapter's fault; the next adapter starts it again.
    """
    rows = _rows(zoo.project("dies", "NativeSync-urllib", "OpenAISDK"), (Capability.STREAM,))

    assert set(_labels(rows).values()) == {"unknown"}
    for row in rows:
        assert row.cells[0].reason == "not measured: the program proxy was killed by SIGKILL in the middle of a call"
    assert [kind for kind, _ in _problems(rows)] == [Trouble.MISTAKE] * 2
    assert "[programs.proxy]: the program proxy was killed by SIGKILL" in _problems(rows)[0][1]


@pytest.mark.parametrize("status", [401, 400])
def test_a_key_that_the_program_does_not_take_is_told_of(
    zoo: Zoo, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The cell is unknown, and the error names the registration and what to write there, whatever the program's status.
    """
    monkeypatch.setenv("ZOO_REFUSES", str(status))
    command = [sys.executable, PROGRAM, "honest", "{port}", "{upstream}", "{key}"]
    rows = _rows(zoo.project("honest", "NativeSync-urllib", command=command), (Capability.INVOKE,))

    ((kind, message),) = _problems(rows)
    said = f"HTTPError: HTTP Error {status}"
    reason = f"the program answered with HTTP status {status}, and asked its upstream nothing: {said}"
    assert rows[0].cells[0].verdict == "unknown"
    assert rows[0].cells[0].reason.startswith(reason)
    assert kind is Trouble.MISTAKE
    assert "NativeSync-urllib" in message.partition(":")[0]
    assert 'api_key = "{program.key}"' in message


def test_an_upstream_that_is_gone_is_told_of(zoo: Zoo) -> None:
    """
    What cannot be recorded, because nobody answers the program, is unknown and leaves the cassette as it was.
    """
    before = (zoo.folder / "cassettes/zoo/OpenAISDK/stream.yaml").read_bytes()

    rows = _rows(zoo.project("honest", "OpenAISDK"), (Capability.STREAM,), record=True)

    ((kind, message),) = _problems(rows)
    assert set(_labels(rows).values()) == {"unknown"}
    assert kind is Trouble.UNKEPT
    assert "the upstream failed: ClientConnectorError" in message
    assert (zoo.folder / "cassettes/zoo/OpenAISDK/stream.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"base_url": "http://127.0.0.1:9"}, "it asks another server than the program that it is registered with"),
        ({"family": "another"}, "there is no cassette for this call"),
    ],
)
def test_what_the_program_cannot_answer_is_unknown(zoo: Zoo, change: Mapping[str, str], reason: str) -> None:
    """
    Neither a request past the program nor a call without a cassette is measured.
    """
    project = zoo.project("honest", "NativeSync-urllib")
    (adapter,) = project.adapters
    if "family" in change:
        adapter = replace(adapter, family=change["family"])
    else:
        adapter = replace(adapter, kwargs={**adapter.kwargs, **change})

    (row,) = _rows(replace(project, adapters=(adapter,)), (Capability.INVOKE,))

    assert row.cells[0].verdict == "unknown"
    assert reason in f"{row.cells[0].reason} {row.cells[0].evidence.error}"


def _tried(project: Project, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, tuple[State, str]]]]:
    """
    Return what came of checks that are wanted of adapters, by adapter, check and call.
    """
    every = find_checks(project)
    found: dict[str, dict[str, dict[str, tuple[State, str]]]] = {}
    with Session(project, Settings(jobs=2)) as session:
        for adapter in project.adapters:
            checks = chosen(every, wanted[adapter.name])
            calls = [one for one in Capability if any(one in check.check.calls for check in checks.values())]
            for call, results in try_checks(session, adapter, checks, {}, calls).results.items():
                for one in results:
                    said = "; ".join(one.findings) or one.why or one.figure
                    found.setdefault(adapter.name, {}).setdefault(one.check, {})[call.value] = (one.state, said)
    return found


def test_checks_through_an_honest_program_find_out_whom_they_find_out_in_one_process(relied: Zoo) -> None:
    """
    Each bad adapter is found out in the calls that it spoils; nothing is said of the one that keeps everything, and
    each check was tried on it.
    """
    wanted = {"Telling": CHECKS, **{name: (check,) for name, check in RELIED.items()}}

    found = _tried(relied.project("honest"), wanted)

    for name, check in RELIED.items():
        spoilt = set(FOUND_OUT.get(name, (check, ("stream", "astream")))[1])
        assert {call for call, one in found[name][check].items() if one[0] is State.FAILED} == spoilt, found[name]
    telling = {name: {one[0] for one in every.values()} for name, every in found["Telling"].items()}
    assert telling == {check: {State.PASSED} for check in CHECKS}
    assert found["Telling"]["loop-guard"]["astream"] == (State.PASSED, "LoopError after 50")


def test_a_check_finds_out_what_the_program_does(relied: Zoo) -> None:
    """
    A program that takes a broken answer for a whole one is found out through a client that would have told; and what
    must hold answers back one by one says that it cannot be tried.
    """
    found = _tried(relied.project("hushes", "Telling"), {"Telling": ("stream-error", "cancel")})["Telling"]

    assert {call: one[0] for call, one in found["stream-error"].items()} == {
        "stream": State.FAILED,
        "astream": State.FAILED,
    }
    assert found["cancel"]["astream"] == (
        State.SKIPPED,
        "its answers come through a program, where they cannot be held back one by one",
    )


def test_a_call_that_the_program_refuses_says_nothing_of_what_is_asked_for(
    relied: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where a client's key is refused, with usage asked for or without, no check fails: none could be tried.
    """
    monkeypatch.setenv("ZOO_REFUSES", "401")
    command = [sys.executable, PROGRAM, "honest", "{port}", "{upstream}", "{key}"]
    wanted = ("loop-guard", "stream-rebuilds", "usage-in-streams")

    found = _tried(relied.project("honest", "Telling", command=command), {"Telling": wanted})["Telling"]

    assert found == {
        check: dict.fromkeys(("stream", "astream"), (State.SKIPPED, "the call raises")) for check in wanted
    }


def test_a_program_that_ends_while_checks_are_tried_says_so(relied: Zoo) -> None:
    """
    Nothing is said of the adapter: what was tried on a program that is gone shows nothing.
    """
    found = _tried(relied.project("dies", "Telling"), {"Telling": ("stream-rebuilds",)})["Telling"]

    assert set(found["stream-rebuilds"].values()) == {
        (State.SKIPPED, "the program proxy was killed by SIGKILL while it was tried")
    }

"""Every check finds its own bad adapter out, in the calls that it spoils, and is silent on every other."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from labels_honest import HONEST
from labels_relied import DEAF, FOUND_OUT, RELIABLE, TIRELESS, UNRELIABLE
from runs import PATIENCE, installed, record

if TYPE_CHECKING:
    from pathlib import Path

# the first test to ask waits until the adapters are recorded and tried
pytestmark = pytest.mark.timeout(2 * PATIENCE)

IN_COLUMNS = ("loop-guard", "max-concurrency", "event-streaming", "usage-in-streams", "stream-rebuilds")
WITH_COLUMNS = ("Telling", "PutTogether", "Apart", "Built", "Unasked", "Reliable", *TIRELESS)
EVERY = (*RELIABLE, *UNRELIABLE, *HONEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """
    Hold what the gate said of every adapter, by its name, its status, and what stands in columns, by adapter and check.
    """

    status: int
    adapters: dict[str, dict[str, Any]]
    columns: dict[str, dict[str, dict[str, Any]]]

    def ended(self, name: str, state: str) -> dict[str, set[str]]:
        """
        Return the checks of an adapter that ended in a state, each with its calls.
        """
        found: dict[str, set[str]] = {}
        for call, results in self.adapters[name]["checks"].items():
            for one in results:
                if one["state"] == state:
                    found.setdefault(one["check"], set()).add(call)
        return found


def _said(folder: Path) -> Said:
    config = record(folder, EVERY).config
    done = subprocess.run(
        [installed(), "check", "--config", str(config), "--json"],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"exit {done.returncode}\n{done.stderr[-8000:]}")
    document = json.loads(done.stdout)
    adapters = {one["adapter"].removeprefix("zoo/"): one for one in document["adapters"]}
    return Said(status=done.returncode, adapters=adapters, columns=_columns(config))


def _columns(config: Path) -> dict[str, dict[str, dict[str, Any]]]:
    options = [word for check in IN_COLUMNS for word in ("--column", check)]
    done = subprocess.run(
        [installed(), "run", "--config", str(config), "--json", "-", "--no-baseline", *options, *WITH_COLUMNS],
        cwd=config.parent, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}\n{done.stderr[-8000:]}")
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one in json.loads(done.stdout)["checks"]:
        found.setdefault(one["adapter"], {}).setdefault(one["check"], {})[one["capability"]] = one
    return found


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """
    Record the adapters and try every check on them, once for all workers of a run.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "zoo-checks"
    result = shared / "said"
    try:
        shared.mkdir()
    except FileExistsError:
        ends = time.monotonic() + 2 * PATIENCE
        while not result.exists() and time.monotonic() < ends:
            time.sleep(0.2)
    else:
        unfinished = shared / "part"
        unfinished.write_bytes(pickle.dumps(_outcome(shared / "project")))
        unfinished.replace(result)
    found = pickle.loads(result.read_bytes())  # noqa: S301 - a worker of this run wrote it
    if isinstance(found, Exception):
        raise found
    assert isinstance(found, Said)
    return found


def _outcome(folder: Path) -> Said | Exception:
    try:
        return _said(folder)
    except Exception as error:  # noqa: BLE001 - raised again by every worker
        return error


@pytest.mark.parametrize("name", FOUND_OUT)
def test_every_bad_adapter_is_found_out_by_its_check(name: str, said: Said) -> None:
    """
    One check fails, in exactly the calls that the adapter spoils, and no other.
    """
    check, calls = FOUND_OUT[name]
    assert said.ended(name, "failed") == {check: set(calls)}


def test_every_check_has_an_adapter_that_it_finds_out(said: Said) -> None:
    """
    There is no check that has never been seen to fire.
    """
    tried = {one["check"] for results in said.adapters["Reliable"]["checks"].values() for one in results}
    assert tried == {check for check, _ in FOUND_OUT.values()}


@pytest.mark.parametrize("name", [*(one.name for one in (*RELIABLE, *HONEST)), *TIRELESS])
def test_no_check_fires_on_an_honest_adapter(name: str, said: Said) -> None:
    """
    No false alarm, whichever client library: what fires is known, and true of the library itself.
    """
    known = {"stream-error": {"stream"}} if name in DEAF else {}
    assert said.ended(name, "failed") == known
    assert said.ended(name, "fault") == {}
    assert said.adapters[name]["ready"] is (name not in DEAF)


def test_silence_is_no_absence(said: Said) -> None:
    """
    On the adapter that keeps and tells everything, every check is tried in every call that it is for, and passes.
    """
    passed = said.ended("Telling", "passed")
    assert said.ended("Telling", "skipped") == {}
    assert sum(map(len, passed.values())) == 32
    assert passed["http-status"] == {"invoke", "ainvoke", "stream", "astream", "batch", "abatch"}


@pytest.mark.parametrize("call", ["stream", "astream"])
def test_a_loop_guard_is_seen_with_exception_and_pieces(call: str, said: Said) -> None:
    """
    Who stops an upstream that repeats itself says so, and after how many pieces; who does not, or says nothing, is
    found out, and also who never promised a guard: therefore it is tried only where it is asked for.
    """
    told = {name: checks["loop-guard"][call] for name, checks in said.columns.items()}
    assert (told["Telling"]["state"], told["Telling"]["figure"]) == ("passed", "LoopError after 50")
    assert {name: (told[name]["state"], told[name]["sentence"]) for name in TIRELESS} == {
        name: ("failed", sentence) for name, sentence in TIRELESS.items()
    }
    assert told["Reliable"]["sentence"] == TIRELESS["NeverTires"]
    assert "loop-guard" not in {one["check"] for one in said.adapters["Telling"]["checks"][call]}


def test_a_column_says_what_was_measured(said: Said) -> None:
    """
    Requests in flight, the way in which pieces are put together, where events begin, the tokens that came.
    """
    told = said.columns["Telling"]
    assert told["max-concurrency"]["abatch"]["sentence"] == (
        "3 requests were under way at a time, and 2 with max_concurrency=2"
    )
    assert told["stream-rebuilds"]["stream"]["sentence"] == (
        "put together by addition, 16 pieces were compared by text, finish reason and usage"
    )
    assert "astream_log: 15 pieces, the first after 1 of 17" in told["event-streaming"]["astream"]["sentence"]
    assert told["usage-in-streams"]["astream"]["figure"] == "64 tokens"
    ways = {name: checks["stream-rebuilds"]["stream"]["figure"] for name, checks in said.columns.items()}
    assert (ways["PutTogether"], ways["Reliable"]) == ("by put_together", "by joining text")
    assert (ways["Apart"], ways["Built"]) == ("by joining text", "by stream_chunk_builder")
    # who cannot be asked for usage is put together without
    assert said.columns["Unasked"]["stream-rebuilds"]["stream"]["state"] == "passed"
    unasked = said.columns["Unasked"]["usage-in-streams"]["stream"]
    assert unasked["state"] == "skipped"
    assert unasked["sentence"].startswith("the recording has no usage, and asked for usage, it raises TypeError")
    assert said.columns["Apart"]["stream-rebuilds"]["stream"]["sentence"].endswith("text, finish reason and usage")
    assert said.columns["Reliable"]["usage-in-streams"]["stream"]["state"] == "skipped"


def test_what_there_is_to_do_names_line_cause_and_command(said: Said) -> None:
    """
    The item of a bad adapter leads to its own method, says what usually causes it, and how to see it again.
    """
    (item,) = said.adapters["KeepsOpen"]["items"]
    assert item["calls"] == ["stream", "astream"]
    assert item["source"]["path"] == "zoo_adapters/relied.py"
    assert item["source"]["text"].startswith("def stream(self")
    assert "connection stays open" in item["evidence"]
    assert item["hint"]
    assert item["again"] == "harness check zoo/KeepsOpen --check stream-closes --only stream --only astream"
    assert said.status == 1

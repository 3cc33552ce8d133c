"""Every specimen is called what its label says: live, and in replay with the upstream gone."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from labels import CALLS, ZOO, Specimen
from runs import PATIENCE, Canary, Cells, label_of, record, replay, replay_at_recorded_pace

if TYPE_CHECKING:
    from pathlib import Path

# the first test to ask waits until the whole zoo is recorded and replayed
pytestmark = pytest.mark.timeout(2 * PATIENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """
    Hold the zoo as it was judged live, in replay and at the recorded pace, and how often somebody dialled out.
    """

    live: Cells
    replayed: Cells
    paced: Cells
    dialled: int


def _judge(folder: Path) -> Judged:
    recorded = record(folder)
    with Canary() as canary:
        replayed = replay(recorded.config, folder / "replayed.json", canary.address)
        paced = replay_at_recorded_pace(recorded.config, canary.address)
        return Judged(live=recorded.live, replayed=replayed, paced=paced, dialled=canary.visits)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """
    Record and replay the zoo, once for all workers of a run.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "zoo"
    try:
        shared.mkdir()
    except FileExistsError:
        return _wait_for(shared / "judged")
    try:
        found = _judge(shared / "project")
    except Exception as error:
        _put(shared / "judged", error)
        raise
    _put(shared / "judged", found)
    return found


def _put(path: Path, value: Judged | Exception) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(pickle.dumps(value))
    unfinished.replace(path)


def _wait_for(path: Path) -> Judged:
    ends = time.monotonic() + 2 * PATIENCE
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.2)
    found = pickle.loads(path.read_bytes())  # noqa: S301 - another worker of this run wrote it
    if isinstance(found, Exception):
        raise found
    assert isinstance(found, Judged)
    return found


@pytest.mark.parametrize("specimen", ZOO, ids=lambda specimen: specimen.name)
def test_labels_are_right_live(specimen: Specimen, judged: Judged) -> None:
    """
    What is judged while the real upstream answers is what docs/verdicts.md says.
    """
    assert found(judged.live, specimen) == labels(specimen, replay=False), why(judged.live, specimen)


@pytest.mark.parametrize("specimen", ZOO, ids=lambda specimen: specimen.name)
def test_labels_are_right_in_replay(specimen: Specimen, judged: Judged) -> None:
    """
    What is judged over the recording, with nobody listening, is what docs/verdicts.md says, and so it is at the
    recorded pace.
    """
    assert found(judged.replayed, specimen) == labels(specimen, replay=True), why(judged.replayed, specimen)
    # at the recorded pace only the calls that it has were made
    paced = {call: label_of(judged.paced[name, call]) for name, call in judged.paced if name == specimen.name}
    assert paced.items() <= labels(specimen, replay=True).items(), paced
    assert paced or specimen.hangs


def found(cells: Cells, specimen: Specimen) -> dict[str, str]:
    """
    Return what the six calls of a specimen were judged to be.
    """
    return {call: label_of(cells[specimen.name, call]) for call in CALLS}


def labels(specimen: Specimen, *, replay: bool) -> dict[str, str]:
    """
    Return what the six calls of a specimen are.
    """
    return {call: specimen.label(call, replay=replay) for call in CALLS}


def why(cells: Cells, specimen: Specimen) -> str:
    """
    Return the rule that decides, and the reasons that were given.
    """
    return "\n".join([specimen.why, *(f"{call}: {cells[specimen.name, call]['reason']}" for call in CALLS)])


def test_a_reason_is_given_for_every_cell(judged: Judged) -> None:
    """
    No cell is without a sentence that says why.
    """
    cells = (judged.live, judged.replayed, judged.paced)

    assert [name for some in cells for name, cell in some.items() if not cell["reason"].strip()] == []


def test_nothing_dials_out_in_replay(judged: Judged) -> None:
    """
    Neither the adapters nor their threads nor their children reach an address that no recording answers for.
    """
    assert judged.dialled == 0


@pytest.mark.parametrize(
    ("name", "call", "figures"),
    [
        ("NativeSync-requests", "batch", {"inputs": 3, "inference_requests": 1, "most_inputs_in_a_request": 3}),
        ("TwoRequests", "batch", {"inputs": 3, "inference_requests": 2, "most_inputs_in_a_request": 2}),
        ("UploadAndPoll", "abatch", {"inputs": 3, "inference_requests": 1, "most_inputs_in_a_request": 3}),
        ("Sequential", "abatch", {"inference_requests": 3, "most_inputs_in_a_request": 1, "peak_in_flight": 1}),
        ("LogsEchoed", "batch", {"inference_requests": 3, "requests": 4, "most_inputs_in_a_request": 1}),
        ("Moderates", "batch", {"inference_requests": 3, "requests": 4, "most_inputs_in_a_request": 1}),
        ("Gather-httpx", "abatch", {"inference_requests": 3, "most_inputs_in_a_request": 1, "fan_out": "concurrent"}),
        ("BufferedInThread", "astream", {"delivery": "buffered", "async_io": "worker-thread"}),
        ("AsyncSyncBufferedInside", "astream", {"delivery": "whole", "async_io": "blocks-loop"}),
        ("UploadInThread", "abatch", {"fan_out": "batched", "async_io": "worker-thread"}),
        ("NextInExecutor", "astream", {"delivery": "incremental", "async_io": "worker-thread"}),
        ("NativeSync-httpx", "stream", {"delivery": "incremental", "async_io": None, "items": 15}),
        ("PlaceholderThenSplit", "stream", {"delivery": "buffered", "async_io": None}),
    ],
)
def test_evidence_keeps_each_question_apart(name: str, call: str, figures: dict[str, object], judged: Judged) -> None:
    """
    The three questions are answered separately, and the figures are those of the exchange, live and in replay.
    """
    for cells in (judged.live, judged.replayed):
        evidence = cells[name, call]["evidence"]
        assert {figure: evidence[figure] for figure in figures} == figures

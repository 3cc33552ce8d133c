"""Engines in the adapter's own process: recorded once, and judged over the recording with the engine gone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import vcr
import yaml
from workshop import Workshop

from harness.words import Capability

if TYPE_CHECKING:
    from harness.cells import Cell

HERE: Final = Path(__file__).resolve().parent
NATIVE, BROKEN, UNKNOWN, LACKING = "native", "broken", "unknown", "unsupported"
ONCE, LATE, THREAD, BLOCKS = "single-item", "buffered", "worker-thread", "blocks-loop"
SEQUENTIAL, CONCURRENT = "sequential", "concurrent"

LABELS: Final = {
    # one call for three prompts; on the loop's thread the engine holds the loop up, whatever it is wrapped in
    "Plain": (NATIVE, THREAD, NATIVE, BLOCKS, NATIVE, THREAD),
    # a text that is cut up when it is done has no piece before its end
    "Awaits": (NATIVE, NATIVE, LATE, NATIVE, SEQUENTIAL, CONCURRENT),
    # what the engine tells a callback arrives piece by piece; a pool asks at the same time
    "IsCalled": (NATIVE, THREAD, NATIVE, THREAD, CONCURRENT, THREAD),
    # one thread writes what another reads; what is computed with the engine's objects cannot be known
    "Streams": (UNKNOWN, UNKNOWN, NATIVE, BLOCKS, SEQUENTIAL, UNKNOWN),
    # which text the tokens were made of is known, and so which input a call carries
    "InNumbers": (NATIVE, LACKING, LACKING, LACKING, NATIVE, BLOCKS),
    # one answer, had by call after call
    "ByAndBy": (NATIVE, LACKING, NATIVE, LACKING, SEQUENTIAL, SEQUENTIAL),
    # the order in which the engine was asked is none of the caller's business
    "Sorts": (NATIVE, THREAD, NATIVE, BLOCKS, NATIVE, THREAD),
    # lost letters, held back pieces, a lost piece, and answers in the wrong order
    "Wrong": (BROKEN, BROKEN, LATE, BROKEN, BROKEN, BROKEN),
    # an engine that fails says nothing of the adapter, unless it hides the failure
    "Failing": (UNKNOWN, BROKEN, UNKNOWN, UNKNOWN, UNKNOWN, BROKEN),
}
"""For each adapter, the labels of the six calls in their order."""


def label(cell: Cell) -> str:
    """
    Return a cell's mechanism, or its verdict where it has none.
    """
    return str(cell.mechanism or cell.verdict)


def row(cells: dict[tuple[str, str], Cell], name: str) -> tuple[str, ...]:
    """
    Return an adapter's labels.
    """
    return tuple(label(cells[name, one]) for one in Capability)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """
    Return a project whose engine stands in a folder of its own.
    """
    root = tmp_path_factory.mktemp("workshop")
    (root / "engine").mkdir()
    shutil.copy(HERE / "murmur.py", root / "engine")
    shutil.copy(HERE / "engine_adapters.py", root)
    return Workshop(root)


@pytest.fixture(scope="module")
def live(workshop: Workshop) -> dict[tuple[str, str], Cell]:
    """
    Record every adapter, once for all tests.
    """
    return workshop.cells([workshop.adapter(name) for name in (*LABELS, "OneMore")], record=True)


@pytest.fixture(scope="module")
def replayed(workshop: Workshop, live: dict[tuple[str, str], Cell]) -> dict[tuple[str, str], Cell]:
    """
    Replay every adapter where the engine cannot be imported.
    """
    del live
    return workshop.cells([workshop.adapter(name) for name in LABELS])


@pytest.mark.parametrize("name", LABELS)
def test_an_adapter_of_an_engine_gets_what_it_deserves(name: str, replayed: dict[tuple[str, str], Cell]) -> None:
    """
    Over the recording, without the engine, each call has its label.
    """
    assert row(replayed, name) == LABELS[name], {one: replayed[name, one].reason for one in Capability}


@pytest.mark.parametrize("name", LABELS)
def test_a_recording_of_an_engine_is_judged_as_its_replay_is(
    name: str, live: dict[tuple[str, str], Cell], replayed: dict[tuple[str, str], Cell]
) -> None:
    """
    The verdicts of the run that records are those of the run that replays.
    """
    assert row(live, name) == row(replayed, name)


def test_the_engine_can_be_told_from_the_row(workshop: Workshop, replayed: dict[tuple[str, str], Cell]) -> None:
    """
    The events hold the engine's address, and the cassette says that an engine answered.
    """
    timeline = replayed["Plain", Capability.STREAM].evidence.timeline
    assert timeline is not None
    assert [one.uri for one in timeline.requests] == ["engine://murmur/Model().__call__"]
    text = (workshop.root / "cassettes/toys/Plain/stream.yaml").read_text(encoding="utf-8")
    assert "upstream: engine" in text


def test_what_was_not_recorded_is_refused(
    workshop: Workshop, live: dict[tuple[str, str], Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A call of the engine that no recording answers makes the cell unknown, and is named.
    """
    assert label(live["OneMore", Capability.INVOKE]) == NATIVE
    adapter = workshop.adapter("OneMore")
    assert label(workshop.cells([adapter], [Capability.INVOKE])["OneMore", Capability.INVOKE]) == NATIVE

    monkeypatch.setenv("ONE_MORE", "1")
    (cell,) = workshop.cells([adapter], [Capability.INVOKE]).values()
    assert label(cell) == UNKNOWN
    assert "engine://murmur/Model().settings.set_threads" in cell.reason


def test_plain_vcrpy_loads_a_recording_of_an_engine(workshop: Workshop, live: dict[tuple[str, str], Cell]) -> None:
    """
    The files are vcrpy's: it finds requests and answers in them, and the answer is readable JSON.
    """
    del live
    path = workshop.root / "cassettes/toys/Plain/batch.yaml"
    with vcr.VCR(record_mode="none").use_cassette(str(path)) as cassette:
        calls = [(request, answer) for request, answer in cassette.data if request.method == "CALL"]
    assert len(calls) == 1
    request, answer = calls[0]
    assert request.uri == "engine://murmur/Model().batch"
    assert [one["record"] for one in json.loads(answer["body"]["string"])["returns"]] == ["Output"] * 3


def test_no_path_of_the_weights_gets_into_a_recording(workshop: Workshop, live: dict[tuple[str, str], Cell]) -> None:
    """
    What a constructor is given is not kept: weights lie elsewhere on every machine.
    """
    del live
    for path in sorted((workshop.root / "cassettes").rglob("*.yaml")):
        assert "weights.bin" not in path.read_text(encoding="utf-8"), path


def test_nothing_of_an_engine_is_called_made_up(workshop: Workshop, live: dict[tuple[str, str], Cell]) -> None:
    """
    What an engine was asked beside its seams has no arrivals, and its recording says of nobody that he made them up.
    """
    del live
    texts = [path.read_text(encoding="utf-8") for path in sorted((workshop.root / "cassettes").rglob("*.yaml"))]
    assert any("method: ASIDE" in text for text in texts)
    assert not any("made_up" in text for text in texts)


def test_tokens_are_kept_as_the_text_that_they_were_made_of(
    workshop: Workshop, live: dict[tuple[str, str], Cell]
) -> None:
    """
    A request in numbers is written with its prompts, and an answer in numbers has its words beside it.
    """
    del live
    text = (workshop.root / "cassettes/toys/InNumbers/batch.yaml").read_text(encoding="utf-8")
    (call,) = [one for one in yaml.safe_load(text)["interactions"] if one["request"]["method"] == "CALL"]
    ((prompts,),) = json.loads(call["request"]["body"]).values()
    assert ["Repeat the code word" in one["made of"] for one in prompts] == [True] * 3
    assert len(set(json.loads(call["response"]["body"]["string"])["text"])) == 3

"""
A served stream against the same stream in one process: the same verdicts, over a socket and by two logs.
"""

from __future__ import annotations

import importlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from labels_honest import HONEST
from labels_streams import STREAMS
from specimen import UNSUPPORTED
from upstream import _completion, _events, answer_to
from vcr.request import Request

from harness.battery.prompts import PROMPTS
from harness.battery.texts import text_of
from harness.serve.judging import judge_logs
from harness.serve.log import clock
from harness.serve.recordings import load
from harness.serve.serving import Options, Serving
from harness.tape import cassette as files
from harness.tape.secrets import Secrets

if TYPE_CHECKING:
    from pathlib import Path

    from specimen import Specimen

ELSEWHERE: Final = frozenset({"Chat", "Tiny", "StreamsByPolling", "PollsThenSplits", "PollsThenYieldsOnce"})
"""Those that ask other addresses than that of completions."""
PATIENCE: Final = 3.0
"""Seconds that an adapter may take to hand on what it has; who buffers is waited for as long."""
SERVED: Final = [
    one
    for one in (*STREAMS, *HONEST)
    if one.labels["stream"] != UNSUPPORTED and one.name.partition("-")[0] not in ELSEWHERE
]


def _recording(folder: Path) -> Path:
    prompt = PROMPTS[0]
    whole = [json.dumps(_completion([{"text": answer_to(prompt), "index": 0, "finish_reason": "stop"}])).encode()]
    interactions = []
    for stream, pieces in ((True, list(_events([prompt]))), (False, whole)):
        kind = "text/event-stream" if stream else "application/json"
        response: dict[str, Any] = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": [kind]},
            "body": {"string": b"".join(pieces)},
        }
        arrivals = tuple(files.Piece(at=0.01 * number, size=len(piece)) for number, piece in enumerate(pieces, 1))
        files.write_timing(response, files.Timing(arrivals=arrivals, framing="chunked" if stream else "length"))
        body = json.dumps({"model": "zoo-1", "prompt": prompt, "stream": stream}).encode()
        request = Request("POST", "https://zoo.example.com/v1/completions", body, {"content-type": "application/json"})
        interactions.append((request, response))
    files.save(folder / "zoo.yaml", interactions, Secrets())
    return folder / "zoo.yaml"


def _release(url: str, came: threading.Event, over: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        while not over.is_set():
            released = client.post("/__harness__/next?wait=0.2").json()
            if "error" not in released and released["index"] + 1 == released["arrivals"] // 2:
                came.wait(PATIENCE)


def _tell(adapter: Any, path: Path, came: threading.Event) -> None:
    with path.open("w") as file:

        def told(event: str, **more: object) -> None:
            file.write(json.dumps({"event": event, "clock": clock(), **more}) + "\n")

        told("Started", capability="stream", inputs=[PROMPTS[0]])
        try:
            for item in adapter.stream(PROMPTS[0]):
                text = text_of(item)
                told("Item", text=text)
                if text and text.strip() and text.split()[0] in answer_to(PROMPTS[0]):
                    came.set()
            told("Returned")
        except Exception as error:  # noqa: BLE001 - whatever the animal raises
            told("Raised", type=type(error).__name__, message=str(error))


def _label(specimen: Specimen, cassette: Path, folder: Path) -> str:
    module, _, name = specimen.target.partition(":")
    log, told = folder / f"{specimen.name}.served.jsonl", folder / f"{specimen.name}.told.jsonl"
    came, over = threading.Event(), threading.Event()
    recordings = load([cassette], ["method", "path", "stream"])
    with Serving(recordings, Options(lockstep=True, repeat=True, log=log)) as serving:
        driver = threading.Thread(target=_release, args=(serving.url, came, over))
        driver.start()
        try:
            adapter = getattr(importlib.import_module(module), name)(base_url=serving.url, **specimen.kwargs)
            _tell(adapter, told, came)
        finally:
            over.set()
            came.set()
            driver.join(60)
    judged = judge_logs(log, told)
    return f"{judged.verdict}/{judged.mechanism}" if judged.mechanism else str(judged.verdict)


# several animals leave their connections open
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_served_stream_has_the_verdict_of_the_same_stream_in_one_process(tmp_path: Path) -> None:
    """
    Each specimen that streams completions deserves its label over a socket, too, by the server's log and its caller's.
    """
    cassette = _recording(tmp_path)
    with ThreadPoolExecutor(12) as pool:
        found = list(zip(SERVED, pool.map(lambda one: _label(one, cassette, tmp_path), SERVED), strict=True))

    assert len(SERVED) > 25
    assert {one.name: label for one, label in found if label != one.labels["stream"]} == {}

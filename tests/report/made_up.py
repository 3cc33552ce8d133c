"""A made-up matrix of any size: numbers as a run would give them, from a seed."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

from harness.cells import Cell, Checked, Evidence, ItemLine, Matrix, Measured, Provenance, RequestLine, Timeline
from harness.words import AsyncIO, Capability, Delivery, FanOut, Mechanism, State, Upstream, Verdict

NAMES = (
    "OpenAI", "Anthropic", "Cohere", "Ollama", "DeepInfra", "HuggingFaceTextGenInference", "Bedrock",
    "AzureMLOnlineEndpoint", "Replicate", "Fireworks", "VertexAI", "Petals",
)  # fmt: skip
ARRIVALS = 30


def made_up(adapters: int = 10, *, families: int = 1, seed: int = 1) -> Matrix:
    """
    Return a matrix of so many adapters, dealt out to so many families.
    """
    dice = random.Random(seed)
    rows = [_adapter(number, families) for number in range(adapters)]
    cells = [cell for number, row in enumerate(rows) for cell in _cells(dice, number, row)]
    return Matrix(complete=True, harness="0.1.0", python="3.11", adapters=tuple(rows), cells=tuple(cells))


def with_checks(matrix: Matrix) -> Matrix:
    """
    Return a matrix with two columns of checks, in every state: two calls differ in figures, and one adapter has none.
    """
    states = [*State, State.PASSED]
    checks = [
        Checked(
            family=one.family, adapter=one.name, check=check, capability=call, state=states[number % len(states)],
            figure=f"LoopError after {number % 3 * place}", sentence=f"{check} was tried with {number} pieces",
        )
        for number, one in enumerate(matrix.adapters[1:])
        for check in ("loop-guard", "stream-rebuilds")
        for place, call in enumerate((Capability.STREAM, Capability.ASTREAM), 1)
    ]  # fmt: skip
    return replace(matrix, checks=tuple(checks))


def _adapter(number: int, families: int) -> Measured:
    name = NAMES[number % len(NAMES)] + (str(number // len(NAMES) + 1) if number >= len(NAMES) else "")
    problem = "ImportError: no module named 'vertexai'; install google-cloud-aiplatform" if number % 12 == 10 else None
    return Measured(
        name=name,
        family=("langchain-0.0.337", "litellm", "langchain-1")[number % families],
        target=f"langchain.llms.{name.lower()}:{name}",
        distributions={"langchain": "0.0.337", "openai": "1.3.3", "requests": "2.31.0"},
        upstream=None if problem else (Upstream.SIMULATED, Upstream.SIMULATED, Upstream.LIVE)[number % 3],
        problem=problem,
    )


def _cells(dice: random.Random, number: int, adapter: Measured) -> list[Cell]:
    if adapter.problem:
        return [_blocked(adapter, capability) for capability in Capability]
    return [_cell(dice, number, adapter, capability) for capability in Capability]


def _blocked(adapter: Measured, capability: Capability) -> Cell:
    verdict, reason = Verdict.BLOCKED, "The adapter could not be imported: see its problem."
    return _plain_cell(adapter, capability, verdict, None, reason, Evidence())


def _plain_cell(  # noqa: PLR0913, PLR0917 - a cell's six parts
    adapter: Measured,
    capability: Capability,
    verdict: Verdict,
    mechanism: Mechanism | None,
    reason: str,
    proof: Evidence,
) -> Cell:
    return Cell(
        family=adapter.family, adapter=adapter.name, capability=capability, verdict=verdict, mechanism=mechanism,
        reason=reason, reflected=Verdict.NATIVE, published=Verdict.NATIVE, evidence=proof,
    )  # fmt: skip


def _cell(dice: random.Random, number: int, adapter: Measured, capability: Capability) -> Cell:
    if capability is Capability.ABATCH and number % 10 == 6:
        return _plain_cell(
            adapter, capability, Verdict.UNSUPPORTED, None, "The adapter has no method abatch.", Evidence(inputs=3)
        )
    if capability is Capability.ASTREAM and number % 10 == 7:
        return _broken(dice, adapter, capability)
    if capability.streams:
        return _stream(dice, number, adapter, capability)
    make = _batch if capability.batches else _invoke
    return make(dice, number, adapter, capability)


def _broken(dice: random.Random, adapter: Measured, capability: Capability) -> Cell:
    error = 'Traceback (most recent call last):\n  File "azureml.py", line 232\nKeyError: "choices" <in chunk>'
    cell = _stream(dice, 1, adapter, capability)
    return _plain_cell(
        adapter, capability, Verdict.BROKEN, None, 'It raised KeyError: "choices" after 4 of 30 arrivals.',
        Evidence(requests=1, inference_requests=1, arrivals=30, timeline=cell.evidence.timeline, error=error,
                 cassette=_provenance(adapter, capability)),
    )  # fmt: skip


def _times(dice: random.Random, count: int, start: float = 0.0) -> tuple[float, ...]:
    at = start + dice.uniform(0.25, 0.6)
    found = []
    for _ in range(count):
        found.append(round(at, 6))
        at += dice.uniform(0.02, 0.12)
    return tuple(found)


def _request(arrivals: tuple[float, ...], sent: float, where: str | None, inputs: tuple[int, ...]) -> RequestLine:
    return RequestLine(
        method="POST", uri="https://api.example.com/v1/completions", role="inference", sent_at=sent, arrivals=arrivals,
        ends_at=arrivals[-1], inputs=inputs, where=where, status=200,
    )  # fmt: skip


def _provenance(adapter: Measured, capability: Capability) -> Provenance:
    path = f"{adapter.family}/{adapter.name}/{capability}.yaml"
    return Provenance(path=path, sha256=hashlib.sha256(path.encode()).hexdigest(), recorded="2026-11-21T05:34:00Z")


def _stream(dice: random.Random, number: int, adapter: Measured, capability: Capability) -> Cell:
    times = _times(dice, ARRIVALS)
    native = number % 3 != 2
    async_io = None if not capability.is_async else AsyncIO.EVENT_LOOP if number % 2 else AsyncIO.WORKER_THREAD
    shown = times[1:-1] if native else (times[-1],)
    items = tuple(ItemLine(at=at, text=f" word{index}", counts=True, after=index) for index, at in enumerate(shown, 2))
    verdict, mechanism = Verdict.NATIVE, None
    if not native:
        verdict, mechanism = Verdict.FALLBACK, Mechanism.SINGLE_ITEM
    elif async_io is AsyncIO.WORKER_THREAD:
        verdict, mechanism = Verdict.FALLBACK, Mechanism.WORKER_THREAD
    reason = f"The first of {len(items)} items came after 2 of {len(times)} arrivals, before the middle of the answer."
    evidence = Evidence(
        delivery=Delivery.INCREMENTAL if native else Delivery.WHOLE, async_io=async_io, items=len(items), arrivals=30,
        requests=1, inference_requests=1, most_inputs_in_a_request=1, peak_in_flight=1, first_item_at=shown[0],
        last_item_at=shown[-1], answer_ends_at=times[-1], cassette=_provenance(adapter, capability),
        timeline=Timeline(requests=(_request(times, 0.0, async_io, (0,)),), items=items),
    )  # fmt: skip
    return _plain_cell(adapter, capability, verdict, mechanism, reason, evidence)


def _invoke(dice: random.Random, number: int, adapter: Measured, capability: Capability) -> Cell:
    times = _times(dice, 2)
    async_io = None if not capability.is_async else AsyncIO.EVENT_LOOP if number % 2 else AsyncIO.WORKER_THREAD
    fallback = async_io is AsyncIO.WORKER_THREAD
    evidence = Evidence(
        delivery=Delivery.WHOLE, async_io=async_io, arrivals=2, requests=1, inference_requests=1, peak_in_flight=1,
        most_inputs_in_a_request=1, answer_ends_at=times[-1], cassette=_provenance(adapter, capability),
        timeline=Timeline(requests=(_request(times, 0.0, async_io, (0,)),)),
    )  # fmt: skip
    if capability.is_async and number % 12 == 11:
        reason = "No recording answers POST https://api.example.com/v1/completions: the nearest differs in its port."
        return _plain_cell(adapter, capability, Verdict.UNKNOWN, None, reason, Evidence())
    verdict = Verdict.FALLBACK if fallback else Verdict.NATIVE
    mechanism = Mechanism.WORKER_THREAD if fallback else None
    reason = f"The answer follows from the upstream's, whose last byte came at {times[-1]:.3f} s."
    return _plain_cell(adapter, capability, verdict, mechanism, reason, evidence)


def _batch(dice: random.Random, number: int, adapter: Measured, capability: Capability) -> Cell:
    fan_out = (FanOut.BATCHED, FanOut.CONCURRENT, FanOut.SEQUENTIAL)[number % 3]
    async_io = AsyncIO.EVENT_LOOP if capability.is_async else None
    requests = []
    start = 0.0
    for index in range(1 if fan_out is FanOut.BATCHED else 3):
        inputs = (0, 1, 2) if fan_out is FanOut.BATCHED else (index,)
        requests.append(_request(_times(dice, 2, start), start, async_io, inputs))
        start = requests[-1].arrivals[-1] if fan_out is FanOut.SEQUENTIAL else 0.0
    native = fan_out is FanOut.BATCHED
    evidence = Evidence(
        delivery=Delivery.WHOLE, async_io=async_io, fan_out=fan_out, arrivals=2 * len(requests), requests=len(requests),
        inference_requests=len(requests), inputs=3, most_inputs_in_a_request=3 if native else 1,
        peak_in_flight=3 if fan_out is FanOut.CONCURRENT else 1,
        answer_ends_at=max(request.arrivals[-1] for request in requests),
        cassette=_provenance(adapter, capability), timeline=Timeline(requests=tuple(requests)),
    )  # fmt: skip
    reason = f"{len(requests)} inference requests carried 3 inputs, at most {evidence.most_inputs_in_a_request} in one."
    mechanism = None if native else Mechanism(fan_out.value)
    return _plain_cell(adapter, capability, Verdict.NATIVE if native else Verdict.FALLBACK, mechanism, reason, evidence)

"""The specimens themselves, without the harness: what is labelled as working does work."""

from __future__ import annotations

import asyncio
import gc
import importlib
import re
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from labels import CALLS, ZOO, Specimen
from upstream import Upstream, answer_to, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPTS = tuple(f"Repeat the code word {word} and go on." for word in ("kestrel4127", "marmot5501", "ibisbill0093"))
WORKS = ("native", "fallback")

# As real adapters do, the specimens keep their clients open until the process ends.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """
    Serve the zoo.
    """
    with Upstream() as serving:
        yield serving
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _text(item: Any) -> str:
    content = getattr(item, "content", None) or getattr(item, "text", item)
    return "".join(block["text"] for block in content) if isinstance(content, list) else content


def _normal(text: str) -> str:
    return re.sub(r"\s+", " ", text.removeprefix("Thinking…")).strip()


async def _collected(items: Any) -> list[Any]:
    return [item async for item in items]


async def _called(adapter: Any, call: str) -> list[str]:
    method = getattr(adapter, call)
    if call.endswith("batch"):
        found = method(list(PROMPTS))
        return [_normal(_text(item)) for item in (await found if call == "abatch" else found)]
    if call == "astream":
        return [_normal("".join(map(_text, await _collected(method(PROMPTS[0])))))]
    if call == "ainvoke":
        return [_normal(_text(await method(PROMPTS[0])))]
    raise AssertionError(call)


def _called_in_sync(adapter: Any, call: str) -> list[str]:
    if call == "batch":
        return [_normal(_text(item)) for item in adapter.batch(list(PROMPTS))]
    found = getattr(adapter, call)(PROMPTS[0])
    return [_normal("".join(map(_text, found)) if call == "stream" else _text(found))]


def _made(specimen: Specimen, base_url: str) -> Any:
    module, attribute = specimen.target.split(":")
    return getattr(importlib.import_module(module), attribute)(base_url, **specimen.kwargs)


IN_A_PROCESS_OF_THEIR_OWN = frozenset({"LeavesAThread", "Chatty", "ClosesItsOutput"})
WORKING = [
    pytest.param(specimen, call, id=f"{specimen.name}-{call}")
    for specimen in ZOO
    for call in CALLS
    if specimen.label(call, replay=False).startswith(WORKS) and specimen.name not in IN_A_PROCESS_OF_THEIR_OWN
]


@pytest.mark.parametrize(("specimen", "call"), WORKING)
def test_a_call_that_is_labelled_as_working_gives_the_upstreams_answer(
    specimen: Specimen, call: str, upstream: Upstream
) -> None:
    """
    Native or emulated, the caller gets each prompt's own answer, white space and placeholders aside.
    """
    adapter = _made(specimen, upstream.base_url)
    expected = [_normal(answer_to(prompt)) for prompt in (PROMPTS if call.endswith("batch") else PROMPTS[:1])]
    found = asyncio.run(_called(adapter, call)) if call.startswith("a") else _called_in_sync(adapter, call)
    if specimen.name.startswith("AsksAnew"):
        assert found[0].startswith(expected[0])
    else:
        assert found == expected


def test_an_answer_has_enough_pieces_to_show_streaming() -> None:
    """
    Each prompt is answered in a dozen pieces or more, and joined they are the answer.
    """
    for prompt in PROMPTS:
        pieces = pieces_of(answer_to(prompt))
        assert len(pieces) >= 12
        assert "".join(pieces) == answer_to(prompt)


def test_nobody_listens_once_the_upstream_is_closed() -> None:
    """
    What is replayed afterwards cannot have come from the upstream.
    """
    gone = Upstream()
    gone.close()
    native = next(specimen for specimen in ZOO if specimen.name == "NativeSync-requests")
    with pytest.raises(OSError, match="refused"):
        _made(native, gone.base_url).invoke(PROMPTS[0])

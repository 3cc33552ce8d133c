"""
LiteLLM's public functions under the names of the six calls.

Nothing is added: what LiteLLM returns is handed on as it is, and what it returns as an error is raised.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import litellm

import litellm_calls.schemas  # noqa: F401 - makes what is made once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping


class LiteLLM:
    """
    Call one model by LiteLLM.

    Args:
        model: "provider/model", as LiteLLM takes it.
        stream_options: for streams only; an API refuses it with anything else, and LiteLLM sends it with everything.
        options: further keyword arguments of `litellm.completion`, such as api_base.
    """

    def __init__(self, model: str, stream_options: Mapping[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401 - what LiteLLM takes
        self._model = model
        self._options = {"num_retries": 0, "max_retries": 0, **options}
        self._streamed = {**self._options, **({"stream_options": stream_options} if stream_options else {})}

    def invoke(self, prompt: str) -> object:
        """
        Call `completion`.
        """
        return litellm.completion(model=self._model, messages=_said(prompt), **self._options)

    async def ainvoke(self, prompt: str) -> object:
        """
        Call `acompletion`.
        """
        return await litellm.acompletion(model=self._model, messages=_said(prompt), **self._options)

    def stream(self, prompt: str, **options: Any) -> Iterator[object]:  # noqa: ANN401 - what LiteLLM takes
        """
        Call `completion` with `stream=True`.
        """
        asked = {**self._streamed, **options}
        return litellm.completion(model=self._model, messages=_said(prompt), stream=True, **asked)

    async def astream(self, prompt: str, **options: Any) -> AsyncIterator[object]:  # noqa: ANN401 - as above
        """
        Call `acompletion` with `stream=True`.
        """
        asked = {**self._streamed, **options}
        chunks = await litellm.acompletion(model=self._model, messages=_said(prompt), stream=True, **asked)
        async for chunk in chunks:
            yield chunk

    def batch(self, prompts: Iterable[str]) -> list[object]:
        """
        Call `batch_completion`.
        """
        conversations = [_said(prompt) for prompt in prompts]
        return _good(litellm.batch_completion(model=self._model, messages=conversations, **self._options))

    async def abatch(self, prompts: Iterable[str]) -> list[object]:
        """
        Call the router's `abatch_completion`: there is no function of the module that does this.
        """
        conversations = [_said(prompt) for prompt in prompts]
        answers = await self._router.abatch_completion(models=[self._model], messages=conversations)
        # a list for each conversation, with an answer of each model
        return _good(answer for (answer,) in answers)

    @cached_property
    def _router(self) -> litellm.Router:
        deployment = {"model_name": self._model, "litellm_params": {"model": self._model, **self._options}}
        return litellm.Router(model_list=[deployment], num_retries=0)


def _said(prompt: str) -> list[Mapping[str, str]]:
    return [{"role": "user", "content": prompt}]


def _good(answers: Iterable[object]) -> list[object]:
    found = list(answers)
    for answer in found:
        if isinstance(answer, Exception):
            raise answer
    return found

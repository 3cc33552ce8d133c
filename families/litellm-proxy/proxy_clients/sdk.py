"""OpenAI's SDK as a client of the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from openai.types.chat import ChatCompletionMessageParam


class OpenAIStreams:
    """
    Stream from one model of the proxy.

    Args:
        base_url: the proxy's address.
        api_key: its key.
        model: as its configuration calls it.
    """

    def __init__(self, base_url: str, api_key: str, model: str) -> None:
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0)
        self._async_client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0)
        self._model = model

    def stream(self, prompt: str, **options: Any) -> Iterator[object]:  # noqa: ANN401 - what the SDK takes
        """
        Ask for a stream of chunks.
        """
        return self._client.chat.completions.create(model=self._model, messages=_said(prompt), stream=True, **options)

    async def astream(self, prompt: str, **options: Any) -> AsyncIterator[object]:  # noqa: ANN401 - as above
        """
        Do the same, awaited.
        """
        create = self._async_client.chat.completions.create
        async for chunk in await create(model=self._model, messages=_said(prompt), stream=True, **options):
            yield chunk


class OpenAISDK(OpenAIStreams):
    """
    Call one model of the proxy.
    """

    def invoke(self, prompt: str) -> object:
        """
        Ask for the whole answer.
        """
        return self._client.chat.completions.create(model=self._model, messages=_said(prompt))

    async def ainvoke(self, prompt: str) -> object:
        """
        Do the same, awaited.
        """
        return await self._async_client.chat.completions.create(model=self._model, messages=_said(prompt))


def _said(prompt: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": prompt}]

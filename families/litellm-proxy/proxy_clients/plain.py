"""Plain HTTP as a client of the proxy: httpx, and the lines of its streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

_PATH = "chat/completions"


class ErrorEvent(Exception):  # noqa: N818 - named after what came
    """
    Say that the proxy ended a stream with an error instead of text.
    """


class HTTPX:
    """
    Call one model of the proxy.

    Args:
        base_url: the proxy's address.
        api_key: its key.
        model: as its configuration calls it.
    """

    def __init__(self, base_url: str, api_key: str, model: str) -> None:
        options: dict[str, Any] = {"base_url": base_url, "headers": {"Authorization": f"Bearer {api_key}"}}
        self._client = httpx.Client(**options, timeout=None)  # noqa: S113 - who measures minds the time
        self._async_client = httpx.AsyncClient(**options, timeout=None)  # noqa: S113 - as above
        self._model = model

    def invoke(self, prompt: str) -> str:
        """
        Ask for the whole answer.
        """
        return _whole(self._client.post(_PATH, json=self._asked(prompt)))

    async def ainvoke(self, prompt: str) -> str:
        """
        Do the same, awaited.
        """
        return _whole(await self._async_client.post(_PATH, json=self._asked(prompt)))

    def stream(self, prompt: str) -> Iterator[str]:
        """
        Ask for a stream, and yield the text of each of its events.
        """
        with self._client.stream("POST", _PATH, json=self._asked(prompt, stream=True)) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                yield from _piece(line)

    async def astream(self, prompt: str) -> AsyncIterator[str]:
        """
        Do the same, awaited.
        """
        asked = self._asked(prompt, stream=True)
        async with self._async_client.stream("POST", _PATH, json=asked) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                for text in _piece(line):
                    yield text

    def _asked(self, prompt: str, **more: object) -> Mapping[str, object]:
        return {"model": self._model, "messages": [{"role": "user", "content": prompt}], **more}


def _whole(response: httpx.Response) -> str:
    response.raise_for_status()
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def _piece(line: str) -> Iterator[str]:
    data = line.removeprefix("data: ")
    if data in {line, "[DONE]"}:
        return
    event = json.loads(data)
    if "error" in event:
        raise ErrorEvent(event["error"]["message"])
    for choice in event["choices"]:
        if text := choice["delta"].get("content"):
            yield text

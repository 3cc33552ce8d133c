"""A package whose pieces are put together by its own function, as LiteLLM's are by `stream_chunk_builder`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Chunk:
    """
    Hold a piece of an answer, or all of it.
    """

    content: str
    finish_reason: str | None = None
    usage: dict[str, int] | None = None


def stream_chunk_builder(chunks: Sequence[Chunk]) -> Chunk:
    """
    Return the answer that chunks make; the last one says how it ended.
    """
    return Chunk("".join(one.content for one in chunks), chunks[-1].finish_reason, chunks[-1].usage)

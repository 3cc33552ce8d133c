"""What engines say that answer in numbers: called while recording, so that a recording can be read."""

from __future__ import annotations

from functools import cache
from typing import Any

from tiny_engines.make import WEIGHTS


def ctranslate2(results: list[Any]) -> list[str]:
    """
    Return what CTranslate2 says, input by input.
    """
    return [str(_tokenizer("CTranslate2/tokenizer").decode(one.sequences_ids[0])) for one in results]


def petals(ids: Any) -> list[str]:  # noqa: ANN401 - a tensor
    """
    Return what the stand-in for Petals says, prompt by prompt.
    """
    return [str(_tokenizer("Petals").decode(one)) for one in ids]


def rwkv(token: int) -> str:
    """
    Return what one token of RWKV's says.
    """
    from tokenizers import Tokenizer  # noqa: PLC0415 - only where the engine is

    return str(Tokenizer.from_file(str(WEIGHTS / "RWKV" / "tokens.json")).decode([token]))


@cache
def _tokenizer(name: str) -> Any:  # noqa: ANN401 - a class of transformers
    from transformers import AutoTokenizer  # noqa: PLC0415 - as above

    return AutoTokenizer.from_pretrained(WEIGHTS / name)

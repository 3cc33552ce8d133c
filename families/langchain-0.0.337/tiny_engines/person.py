"""
A person at a prompt, as a script: what is shown is read, and what is asked for is typed.

Several threads may each have a prompt before them, as several windows on a desk; each gets the answer to its own.
"""

from __future__ import annotations

import random
import re
import threading
from typing import Final

from tiny_engines.vocabulary import WORDS

_CODE_WORD: Final = re.compile(r"\b[a-z]+[0-9]{4}\b")
_desk = threading.local()


def show(prompt: str) -> None:
    """
    Read a prompt.
    """
    _desk.prompt = prompt


def answer(separator: str | None = None, stop: list[str] | None = None) -> str:
    """
    Type an answer to the prompt that was shown last: its code word, and some words that come to mind.
    """
    del separator, stop
    prompt: str = _desk.prompt
    words = random.Random(prompt).sample(WORDS, 20)  # noqa: S311 - the same answer each time, and no secret
    return " ".join(["The", "word", "is", *_CODE_WORD.findall(prompt)]) + f". And then: {', '.join(words)}."

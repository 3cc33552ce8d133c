"""
Origins: which text an engine's numbers were made of.

An engine that is given tokens shows no prompt. What a tokenizer returned for a text is remembered, so that
a request can be written, matched and read with that text in the place of its tokens.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from harness.tape.engines import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FEWEST: Final = 3
"""Different values; a list of fewer, such as a mask of ones, tells no text."""


class Origins:
    """
    Remember what was made of the inputs.

    Args:
        marks: tells which inputs (by index) a text carries.
    """

    def __init__(self, marks: Callable[[str], tuple[int, ...]]) -> None:
        self._marks = marks
        self._known: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def learn(self, texts: Sequence[str], made: Any) -> None:  # noqa: ANN401 - JSON is any value
        """
        Note that a value was made of texts; only those that carry an input matter.
        """
        telling = tuple(text for text in dict.fromkeys(texts) if self._marks(text))
        if telling:
            with self._lock:
                self._learn(telling, made)

    def of(self, name: str) -> tuple[str, ...]:
        """
        Return the texts that an object was made of.
        """
        return self._known.get(name, ())

    def resolved(self, value: Any) -> Any:  # noqa: ANN401 - JSON is any value
        """
        Return a value with texts in the place of what was made of them.
        """
        if isinstance(value, list):
            found = self._known.get(plain.key(value)) if _tells(value) else None
            return {"made of": _plainly(found)} if found else [self.resolved(one) for one in value]
        if isinstance(value, dict):
            if "object" in value and len(value) == 1:
                found = self.of(str(value["object"]))
                return {"made of": _plainly(found)} if found else value
            return {name: self.resolved(one) for name, one in value.items()}
        return value

    def _learn(self, texts: tuple[str, ...], made: Any) -> None:  # noqa: ANN401 - as above
        if isinstance(made, dict):
            if "object" in made and len(made) == 1:
                self._known[str(made["object"])] = texts
            for one in made.values():
                self._learn(texts, one)
        elif _tells(made):
            self._known[plain.key(made)] = texts
        elif isinstance(made, list):
            each = zip(texts, made, strict=True) if len(texts) == len(made) else ((None, one) for one in made)
            for text, one in each:
                self._learn(texts if text is None else (text,), one)


def _tells(value: Any) -> bool:  # noqa: ANN401 - JSON is any value
    if not isinstance(value, list) or not all(isinstance(one, int | float | str) for one in value):
        return False
    return len(set(value)) >= _FEWEST


def _plainly(texts: tuple[str, ...]) -> Any:  # noqa: ANN401 - one text or several
    return texts[0] if len(texts) == 1 else list(texts)

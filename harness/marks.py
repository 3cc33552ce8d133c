"""How an input is recognised in a request and in an answer: by its code word, or by its own text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CODE_WORD: Final = re.compile(r"(?<![A-Za-z0-9])[a-z]{5,9}[0-9]{4}(?![A-Za-z0-9])")
"""The form of the standard prompts' code words: unlike any word or number that an answer holds by chance."""


def code_word(prompt: str) -> str | None:
    """
    Return a prompt's code word; None where it has none.
    """
    found = CODE_WORD.search(prompt)
    return found.group() if found else None


def carried(text: str, inputs: Sequence[str]) -> tuple[int, ...]:
    """
    Return which inputs (by index) a readable request carries.

    An input without a code word is recognised by its letters and digits; one that another
    contains counts only where it also stands by itself.
    """
    words = [code_word(one) for one in inputs]
    if all(words):
        return tuple(number for number, word in enumerate(words) if word and word in text)
    rest = _letters(text)
    found = []
    for number in sorted(range(len(inputs)), key=lambda one: -len(inputs[one])):
        wanted = _letters(inputs[number])
        if wanted and wanted in rest:
            rest = rest.replace(wanted, "\0")
            found.append(number)
    return tuple(sorted(found))


def are_told_apart(one: str, other: str) -> bool:
    """
    Tell whether a request shows which of two inputs it carries: by their code words, or else by letters and digits.
    """
    words = code_word(one), code_word(other)
    return words[0] != words[1] if all(words) else _letters(one) != _letters(other)


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum()).casefold()

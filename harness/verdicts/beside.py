"""What stands beside an answer, and is none: a word that tells of it, the prompt again, one of its pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.verdicts.texts import columns, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.verdicts.exchanges import Exchange

_LONGEST_ASIDE: Final = 64
"""Characters of a reason to end, a role, an identifier or the name of a model."""
_TIMES_AS_LONG: Final = 8
"""The prompts ask for about 500 characters; identifiers have some 40."""


def is_aside(told: str, prompt: str, word: str, found: Iterable[Exchange]) -> bool:
    """
    Tell whether an output is a word beside the answer, such as why it ended: the answer itself has the code word.

    So it is only where that is many times as long, and neither a part of the request nor of what holds the output.
    What an adapter puts around such a word, as much as the word itself, makes no answer of it. A word that each event
    of a stream says again is no longer for that, and no answer either.

    Args:
        told: the output, squeezed.
        prompt: its input.
        word: the input's code word.
        found: the exchanges that may have brought the output.
    """
    if word in told or not told:
        return False
    for one in found:
        core = _core(told, one.texts)
        said = _said_once(core, one.body)
        if len(said) > _LONGEST_ASIDE:
            continue
        least = len(said) * (_TIMES_AS_LONG if said == core else 1)
        asked = squeeze(one.sent.text)
        for text in one.texts:
            echo = text in asked or squeeze(prompt) in text
            if word in text and len(text) >= least and not echo and said not in text:
                return True
    return False


def _core(told: str, texts: Iterable[str]) -> str:
    """
    Return the upstream's text within an output, or all of the output where that is little of it.
    """
    core = max((text for text in texts if text in told), key=len, default="")
    return core if len(core) * 2 >= len(told) else told


def _said_once(text: str, body: bytes) -> str:
    """
    Return the longest of the words that a text is made of, where most of them only come again.
    """
    for column in columns(body):
        different = {*column.pieces}
        if column.text == text and len(different) * 2 <= len(column.pieces):
            return max(different, key=len)
    return text


def is_prompt(told: str, prompt: str, word: str, found: Iterable[Exchange]) -> bool:
    """
    Tell whether an output is what was asked, which the upstream repeated beside its answer.

    The answer itself has the code word as well. An upstream that says nothing else than the prompt answers with it.

    The arguments are those of `is_aside`.
    """
    echo = squeeze(prompt)
    if not echo or echo not in told:
        return False
    for one in found:
        asked = squeeze(one.sent.text)
        rests = (text.replace(told, "").replace(echo, "") for text in one.texts)
        if told in asked and any(word in rest and rest not in asked for rest in rests):
            return True
    return False


def rest_of_pieces(told: str, prompt: str, word: str, others: Sequence[str], found: Iterable[Exchange]) -> str:
    """
    Return what else was said of an output's own answer where one of its pieces was given in its place.

    Where one request asks several inputs, a piece of its answer may be a whole one: a line of a file of answers. It
    is none where pieces are told to belong together, and have this input's code word, and no other's, among them; a
    few words beside an answer that has the code word tell of its state.

    Args:
        told: the output, squeezed.
        prompt: its input.
        word: the input's code word.
        others: those of the inputs that were asked together with it.
        found: the exchanges that may have brought the output.
    """
    echo = squeeze(prompt)
    for one in found:
        if told in one.texts:
            continue
        for column in columns(one.body):
            said = [piece for piece in column.pieces if piece != echo]
            rest = "".join(piece for piece in said if piece not in told)
            whole = "".join(said)
            own = word in whole and not any(other in whole for other in others)
            if told in said and own and not column.cumulative and len(rest) > (len(told) if word in told else 0):
                return rest
    return ""

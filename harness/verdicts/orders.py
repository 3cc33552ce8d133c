"""Whether each output of a batch is the answer to its own input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.marks import code_word
from harness.verdicts.documents import is_one_value
from harness.verdicts.texts import joins, listing, packed, squeeze, texts
from harness.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.verdicts.exchanges import Exchange, Traffic

Ruling = tuple[Verdict, str]
"""A verdict, and why, as a sentence without its full stop."""


def mixed_up(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Ruling | None:
    """
    Say which output of a batch is not the answer to its own input; None where each is, as far as one can tell.
    """
    marks = [code_word(text) for text in inputs]
    spoken = "".join(text for one in found.calls for text in texts(one.body))
    if all(mark and mark in spoken for mark in marks):
        own = [_is_own_answer(number, output, found) for number, output in enumerate(outputs)]
        return _by_marks([squeeze(output) for output in outputs], [mark or "" for mark in marks], own)
    return _by_answers(outputs, found) or _by_list(outputs, inputs, found)


def _is_own_answer(number: int, output: str, found: Traffic) -> bool:
    """
    Tell whether an output is, word by word, the one answer to a request whose last input is this one.
    """
    bringer = found.bringers[number]
    if bringer is None or number != max(bringer.sent.carries, default=None) or squeeze(output) not in bringer.texts:
        return False
    return found.serves.get(bringer.sent.request) == (number,)


def _by_marks(outputs: Sequence[str], marks: Sequence[str], own: Sequence[bool]) -> Ruling | None:
    held = [[number for number, mark in enumerate(marks) if mark in output] for output in outputs]
    if all(number in numbers for number, numbers in enumerate(held)) and all(len(numbers) == 1 for numbers in held):
        return None
    for number, numbers in enumerate(held):
        # who sends a conversation along is told of earlier code words as well
        others = [] if own[number] else [one for one in numbers if one != number]
        if others and number not in numbers:
            return Verdict.BROKEN, f"output {number + 1} answers input {others[0] + 1}: the outputs are not in order"
        if others:
            return Verdict.BROKEN, f"output {number + 1} holds the answers to {len(numbers)} inputs"
    return None


def _by_answers(outputs: Sequence[str], found: Traffic) -> Ruling | None:
    own = [_own_answers(number, found) for number in range(len(outputs))]
    for number, output in enumerate(outputs):
        text = squeeze(output)
        if not own[number] or _is_said(text, own[number]):
            continue
        other = next((one for one, said in enumerate(own) if one != number and _is_said(text, said)), None)
        if other is not None:
            return Verdict.BROKEN, f"output {number + 1} answers input {other + 1}: the outputs are not in order"
    return None


def _is_said(text: str, answers: Sequence[Exchange]) -> bool:
    """
    Tell whether one of these answers says a text: as one, as thoughts and what they led to, or as a mapping.
    """
    return any(text in one.texts or text in joins(one.body, text) or text in packed(one.body) for one in answers)


def _by_list(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Ruling | None:
    """
    Say which outputs stand in another order than in the one list that brought them.
    """
    for one in found.inference:
        numbers = as_asked(found.serves.get(one.sent.request, ()), inputs, one)
        for body in [each.body for each in found.answers.get(one.sent.request, ()) if is_one_value(each.body)]:
            places = listing(body)
            order = [places[text] for number in numbers if (text := squeeze(outputs[number])) in places]
            if len(set(order)) == len(numbers) and order != sorted(order):
                return Verdict.BROKEN, "the outputs stand in another order than the answers: they are not in order"
    return None


def as_asked(numbers: Iterable[int], inputs: Sequence[str], exchange: Exchange) -> list[int]:
    """
    Return inputs in the order in which a request carries them: who sorts its questions has its answers so, too.
    """
    places = {number: exchange.sent.text.find(code_word(inputs[number]) or inputs[number]) for number in numbers}
    return sorted(places, key=lambda number: (places[number], number))


def _own_answers(number: int, found: Traffic) -> list[Exchange]:
    single = [one for one in found.calls if one.sent.carries == (number,) and not one.refused]
    return [answer for one in single for answer in found.answers.get(one.sent.request, (one,))]

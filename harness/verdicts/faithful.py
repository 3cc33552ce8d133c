"""Whether a call that came back gave its caller the upstream's answer, and each input its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.events import Event, Item, Returned, Started
from harness.marks import code_word
from harness.verdicts.exchanges import CALL
from harness.verdicts.fidelity import Agreement, Fidelity, compare
from harness.verdicts.texts import columns, readable, squeeze, texts
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.exchanges import Exchange, Traffic

Wrong = tuple[Verdict, str]


def unfaithful(capability: Capability, events: Sequence[Event], found: Traffic, outputs: Sequence[str]) -> Wrong | None:
    """
    Say what is wrong with what came back; None where nothing is.
    """
    inputs = next((event.inputs for event in events if isinstance(event, Started)), ())
    return (
        wrong_shape(capability, events)
        or _hidden_failure(found)
        or (_mixed_up(outputs, inputs, found) if capability.batches else None)
        or _not_the_answer(outputs, inputs, found)
    )


def fidelity(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> tuple[Fidelity, ...]:
    """
    Relate each output to the answers that may have brought it.
    """
    return tuple(
        compare(
            output,
            _bodies(number, found),
            inputs[number] if number < len(inputs) else "",
            listed=_shared(number, found),
            worded=[one.body for one in _exchanges(number, found) if one.worded],
        )
        for number, output in enumerate(outputs)
    )


def wrong_shape(capability: Capability, events: Sequence[Event]) -> Wrong | None:
    """
    Say what is wrong with the kind or the number of what came back; None where nothing is.
    """
    inputs = len(next((event.inputs for event in events if isinstance(event, Started)), ()))
    if capability.streams:
        # None is no item; a number or a dictionary is one of the wrong type
        odd = next((one for one in events if isinstance(one, Item) and one.text is None and one.type != "None"), None)
        return None if odd is None else (Verdict.BROKEN, f"an item is a {odd.type}, which carries no text")
    returned = next((event for event in events if isinstance(event, Returned)), None)
    if returned is None:
        return Verdict.UNKNOWN, "the call came back without a result being seen"
    if capability.batches and not returned.plural:
        return Verdict.BROKEN, f"{inputs} inputs gave one {returned.types[0]} instead of {inputs} outputs"
    if capability.batches and len(returned.texts) != inputs:
        return Verdict.BROKEN, f"{inputs} inputs gave {len(returned.texts)} outputs"
    for text, kind in zip(returned.texts, returned.types, strict=True):
        if text is None:
            return Verdict.BROKEN, f"the output is a {kind}, which carries no text"
    return None


def _hidden_failure(found: Traffic) -> Wrong | None:
    carrying = [one for one in found.calls if one.sent.carries] or list(found.calls)
    troubled = [one for one in carrying if one.trouble]
    if not troubled:
        return None
    served = {output for one in found.inference if not one.trouble for output in found.serves.get(one.sent.request, ())}
    if found.bringers and len(served) == len(found.bringers):
        return None
    answered = {one.sent.carries for one in carrying if not one.trouble}
    if all(one.sent.carries in answered for one in troubled):
        return None
    return Verdict.BROKEN, f"the upstream failed ({troubled[-1].trouble}), and it hides the failure"


def _mixed_up(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Wrong | None:
    marks = [code_word(text) for text in inputs]
    spoken = "".join(text for one in found.calls for text in texts(one.body))
    if all(mark and mark in spoken for mark in marks):
        own = [_is_own_answer(number, output, found) for number, output in enumerate(outputs)]
        return _by_marks([squeeze(output) for output in outputs], [mark or "" for mark in marks], own)
    return _by_answers(outputs, inputs, found)


def _is_own_answer(number: int, output: str, found: Traffic) -> bool:
    """
    Tell whether an output is, word by word, the one answer to a request whose last input is this one.
    """
    bringer = found.bringers[number]
    if bringer is None or number != max(bringer.sent.carries, default=None) or squeeze(output) not in bringer.texts:
        return False
    return found.serves.get(bringer.sent.request) == (number,)


def _by_marks(outputs: Sequence[str], marks: Sequence[str], own: Sequence[bool]) -> Wrong | None:
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


def _by_answers(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Wrong | None:
    own = [_own_answers(number, found) | _own_places(number, inputs, found) for number in range(len(outputs))]
    for number, output in enumerate(outputs):
        text = squeeze(output)
        if not own[number] or text in own[number]:
            continue
        other = next((one for one, answers in enumerate(own) if one != number and text in answers), None)
        if other is not None:
            return Verdict.BROKEN, f"output {number + 1} answers input {other + 1}: the outputs are not in order"
    return None


def _own_answers(number: int, found: Traffic) -> frozenset[str]:
    single = [one for one in found.calls if one.sent.carries == (number,) and not one.refused]
    answers = [answer for one in single for answer in found.answers.get(one.sent.request, (one,))]
    return frozenset(text for answer in answers for text in answer.texts)


def _own_places(number: int, inputs: Sequence[str], found: Traffic) -> frozenset[str]:
    """
    Return what stands in an input's place, where a call within the process was given several and returned as many.

    What a function returns for a list is in the list's order; what a server answers may be in any, and say so.
    """
    own: set[str] = set()
    for one in found.calls:
        if one.sent.method != CALL or number not in one.sent.carries or one.refused:
            continue
        asked = sorted(one.sent.carries, key=lambda each: one.sent.text.find(code_word(inputs[each]) or inputs[each]))
        listed = [column.pieces for column in columns(one.body) if column.listed]
        own |= {pieces[asked.index(number)] for pieces in listed if len(pieces) == len(asked)}
    return frozenset(own)


def _not_the_answer(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Wrong | None:
    if not outputs:
        return Verdict.BROKEN, "nothing came out"
    together = _taken_apart(outputs, found)
    for number, one in enumerate(fidelity(outputs, inputs, found)):
        if number in together:
            continue
        which = f"output {number + 1}" if len(outputs) > 1 else "what came out"
        match one.agreement:
            case Agreement.FOREIGN:
                return Verdict.BROKEN, f"{which} is not the upstream's answer: {_excerpt(outputs[number])}"
            case Agreement.LOST:
                return Verdict.BROKEN, f"{which} lacks part of the upstream's answer: {_excerpt(one.detail)}"
            case Agreement.DOUBLED:
                return Verdict.BROKEN, f"{which} repeats part of the upstream's answer: {_excerpt(one.detail)}"
    return None


def _exchanges(number: int, found: Traffic) -> list[Exchange]:
    brought = found.brought[number] if number < len(found.brought) else ()
    return [one for one in brought or found.calls if not one.refused]


def _bodies(number: int, found: Traffic) -> list[bytes]:
    return [one.body for one in _exchanges(number, found)]


def _taken_apart(outputs: Sequence[str], found: Traffic) -> frozenset[int]:
    """
    Return the outputs that are one answer to several inputs, taken apart without loss.
    """
    whole: set[int] = set()
    for numbers in found.serves.values():
        joined = "".join(outputs[number] for number in numbers)
        if len(numbers) > 1 and compare(joined, _bodies(numbers[0], found)).agreement is Agreement.SAME:
            whole.update(numbers)
    return frozenset(whole)


def _shared(number: int, found: Traffic) -> bool:
    return any(number in outputs and len(outputs) > 1 for outputs in found.serves.values())


def _excerpt(text: str, limit: int = 60) -> str:
    shown = readable(text)
    return repr(shown if len(shown) <= limit else f"{shown[:limit]}…")

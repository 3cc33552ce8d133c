"""Whether a call that came back gave its caller the upstream's answer, and each input its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.events import Arrival, Event, Item, Returned, first, inputs_of
from harness.marks import code_word
from harness.verdicts.beside import is_aside, is_prompt, rest_of_pieces
from harness.verdicts.documents import is_unreadable
from harness.verdicts.exchanges import exchanges
from harness.verdicts.failures import standing_failure
from harness.verdicts.fidelity import Agreement, Fidelity, compare
from harness.verdicts.orders import Ruling, as_asked, mixed_up
from harness.verdicts.parts import rest_of_parts, torn
from harness.verdicts.polls import told_in_turns
from harness.verdicts.texts import readable, slots, squeeze
from harness.verdicts.thoughts import answered, only_thought, spoilt, worded
from harness.words import Capability, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.verdicts.exchanges import Exchange, Traffic

_OF_AN_ERROR: Final = re.compile(r"\.errors?(?![\w-])", re.IGNORECASE)
_NUMBERING: Final = re.compile(r"\d{1,3}")

_PLAIN: Final = frozenset({"int", "float", "complex", "bool", "dict", "list", "tuple", "set", "bytes", "bytearray"})
"""Python's own types, other than text; an item of one of them is of the wrong type."""


def unfaithful(
    capability: Capability, events: Sequence[Event], found: Traffic, outputs: Sequence[str]
) -> Ruling | None:
    """
    Say what is wrong with what came back; None where nothing is.
    """
    inputs = inputs_of(events)
    return (
        wrong_shape(capability, events)
        or _hidden_failure(found)
        or (_never_asked(inputs, found) if capability.batches else None)
        or (mixed_up(outputs, inputs, found) if capability.batches else None)
        or _without_words(events, _not_the_answer(outputs, inputs, found, _before_anything_came(capability, events)))
    )


def fidelity(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> tuple[Fidelity, ...]:
    """
    Relate each output to the answers that may have brought it.
    """
    return tuple(
        _related(number, output, inputs[number] if number < len(inputs) else "", found)
        for number, output in enumerate(outputs)
    )


def _related(number: int, output: str, prompt: str, found: Traffic) -> Fidelity:
    worded = [one.body for one in _exchanges(number, found) if one.worded]
    alone = compare(output, _bodies(number, found), prompt, listed=_shared(number, found), worded=worded)
    brought = found.brought[number] if number < len(found.brought) else ()
    polls = [one for one in brought if not one.sent.carries and not one.refused]
    if alone.agreement is Agreement.SAME or len(polls) < 2:  # noqa: PLR2004 - one poll tells nothing in turns
        return alone
    return compare(output, [told_in_turns(polls)], prompt)


def wrong_shape(capability: Capability, events: Sequence[Event]) -> Ruling | None:
    """
    Say what is wrong with the kind or the number of what came back; None where nothing is.
    """
    inputs = len(inputs_of(events))
    if capability.streams:
        # None is no item; a number or a dictionary is one of the wrong type
        # objects may tell of other things than text
        odd = next((one for one in events if isinstance(one, Item) and one.text is None and one.type in _PLAIN), None)
        return None if odd is None else (Verdict.BROKEN, f"an item is a {odd.type}, which carries no text")
    returned = first(events, Returned)
    if returned is None:
        return Verdict.UNKNOWN, "the call came back without a result being seen"
    if capability.batches and not returned.plural:
        return Verdict.BROKEN, f"{inputs} inputs gave one {returned.types[0]} instead of {inputs} outputs"
    if capability.batches and len(returned.texts) != inputs:
        return Verdict.BROKEN, f"{inputs} inputs gave {counted(len(returned.texts), 'output')}"
    for number, (text, kind) in enumerate(zip(returned.texts, returned.types, strict=True)):
        if text is None:
            told = _told_of(number, events) if number in returned.errors else None
            return told or (Verdict.BROKEN, f"the output is a {kind}, which carries no text")
    return None


def _told_of(number: int, events: Sequence[Event]) -> Ruling | None:
    """
    Judge an exception in the place of an output: who gives it out where the upstream failed has hidden nothing.
    """
    asked = [one for one in exchanges(events) if one.sent.phase == "call" and number in one.sent.carries]
    trouble = standing_failure(asked, events)
    if trouble is None:
        return None
    return Verdict.UNKNOWN, f"the upstream failed ({trouble}), and output {number + 1} is the exception that says so"


def _hidden_failure(found: Traffic) -> Ruling | None:
    carrying = [one for one in found.calls if one.sent.carries] or list(found.calls)
    troubled = [one for one in carrying if one.trouble]
    if not troubled:
        return None
    served = {
        output
        for one in found.inference
        for output in found.serves.get(one.sent.request, ())
        # what was given for an input in the place of its own answer is none
        if not one.trouble and (output in one.sent.carries or not one.sent.carries)
    }
    if found.bringers and len(served) == len(found.bringers):
        return None
    answered = {one.sent.carries for one in carrying if not one.trouble}
    if all(one.sent.carries in answered for one in troubled):
        return None
    return Verdict.BROKEN, f"the upstream failed ({troubled[-1].trouble}), and it hides the failure"


def _never_asked(inputs: Sequence[str], found: Traffic) -> Ruling | None:
    """
    Say which input no request carried, where others were: its output can be no answer to it.
    """
    asked = {number for one in found.calls for number in one.sent.carries}
    for number, text in enumerate(inputs):
        if asked and number not in asked and not any(squeeze(text) in squeeze(inputs[other]) for other in asked):
            return Verdict.BROKEN, f"input {number + 1} was never sent, and yet it has an output"
    return None


def _before_anything_came(capability: Capability, events: Sequence[Event]) -> str:
    """
    Return what a stream's caller got before any piece of any answer had come: the adapter's own words.
    """
    first = next((place for place, event in enumerate(events) if isinstance(event, Arrival)), 0)
    own = [event.text or "" for event in events[:first] if isinstance(event, Item)]
    return "".join(own) if capability.streams else ""


def _without_words(events: Sequence[Event], ruling: Ruling | None) -> Ruling | None:
    """
    Say so where an answer is wrong because no item has a text that can be read.
    """
    items = [event for event in events if isinstance(event, Item)]
    kinds = dict.fromkeys(one.type for one in items if one.text is None)
    if ruling is None or not kinds or any(one.text for one in items):
        return ruling
    return Verdict.BROKEN, f"none of its {counted(len(items), 'item')} carries a text: {', '.join([*kinds][:3])}"


def _not_the_answer(outputs: Sequence[str], inputs: Sequence[str], found: Traffic, own: str = "") -> Ruling | None:
    wrong = _unlike_the_answer(outputs, inputs, found)
    if wrong is None or not squeeze(own):
        return wrong
    return _unlike_the_answer([one.removeprefix(own) for one in outputs], inputs, found) and wrong


def _unlike_the_answer(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> Ruling | None:
    if not outputs:
        return Verdict.BROKEN, "nothing came out"
    together = _taken_apart(outputs, inputs, found)
    for number, one in enumerate(fidelity(outputs, inputs, found)):
        which = f"output {number + 1}" if len(outputs) > 1 else "what came out"
        told = squeeze(outputs[number])
        good = one.good or number in together
        beside = _beside(number, told, inputs, found) if good else ""
        if beside:
            return Verdict.BROKEN, f"{which} is {beside}: {_excerpt(outputs[number])}"
        if good and _is_thought(number, told, inputs, found):
            return Verdict.BROKEN, f"{which} is what the model thought, and not its answer: {_excerpt(outputs[number])}"
        if one.agreement is Agreement.DECORATED and (less := _passed_off(number, told, found)):
            return _difference(which, outputs[number], less, found, number)
        rest = _rest(number, told, inputs, found) if good else ""
        if rest:
            return Verdict.BROKEN, f"{which} {_DIFFERENCES[Agreement.LOST]}: {_excerpt(rest)}"
        if _is_failure(number, told, found):
            return Verdict.BROKEN, f"{which} is the upstream's error, given as an answer: {_excerpt(outputs[number])}"
        if not good and not _said_nothing(number, outputs, inputs, found):
            return _difference(which, outputs[number], one, found, number)
    return None


def _difference(which: str, output: str, one: Fidelity, found: Traffic, number: int) -> Ruling:
    """
    Say how an output differs from its answer, as far as that can be read.
    """
    if _is_untold(number, found):
        return Verdict.UNKNOWN, f"{which} came from an answer in a binary format that cannot be read"
    told = output if one.agreement is Agreement.FOREIGN else one.detail
    return Verdict.BROKEN, f"{which} {_DIFFERENCES[one.agreement]}: {_excerpt(told)}"


_DIFFERENCES: Final = {
    Agreement.FOREIGN: "is not the upstream's answer",
    Agreement.MIXED: "mixes other words into the upstream's answer",
    Agreement.LOST: "lacks part of the upstream's answer",
    Agreement.DOUBLED: "repeats part of the upstream's answer",
}


def _beside(number: int, told: str, inputs: Sequence[str], found: Traffic) -> str:
    """
    Say what an output is instead of the answer that stands beside it; nothing where it is the answer.
    """
    word = _word_of(number, inputs)
    if word is None:
        return ""
    said = _exchanges(number, found)
    if is_aside(told, inputs[number], word, said):
        return "not the answer but what stands beside it"
    return "what was asked, and not the answer to it" if is_prompt(told, inputs[number], word, said) else ""


def _word_of(number: int, inputs: Sequence[str]) -> str | None:
    return code_word(inputs[number]) if number < len(inputs) else None


def _is_thought(number: int, told: str, inputs: Sequence[str], found: Traffic) -> bool:
    """
    Tell whether an output is nothing but the reasoning beside the answer, which has the input's code word.

    Of a recording made elsewhere nothing has it; then the answer is what says several words.
    """
    word = _word_of(number, inputs)
    said = [one for one in _exchanges(number, found) if only_thought(told, one.body)]
    marked = word is not None and any(word in text for one in said for text in one.texts)
    others = [(text, one) for one in said for text in answered(one.body, squeeze(one.sent.text))]
    return any((word or "") in text if marked else text in worded(one.body) for text, one in others)


def _passed_off(number: int, told: str, found: Traffic) -> Fidelity | None:
    """
    Relate an output to its answer where what seems to be words of the adapter's own is a part of that.
    """
    for one in _exchanges(number, found):
        if related := spoilt(told, one.body):
            return related
        if missing := torn(told, one.body):
            return Fidelity(Agreement.LOST, missing, ())
    return None


def _rest(number: int, told: str, inputs: Sequence[str], found: Traffic) -> str:
    """
    Return what further parts say of the answer to an input that was asked alone, or further pieces of one of several.
    """
    word = _word_of(number, inputs)
    if word is None:
        return ""
    said = _exchanges(number, found)
    others = [each for other in range(len(inputs)) if other != number and (each := _word_of(other, inputs))]
    alone = (rest_of_parts(told, one.body, word) for one in said if len(one.sent.carries) < 2)  # noqa: PLR2004 - one is alone
    together = [one for one in said if len(one.sent.carries) > 1]
    return next(filter(None, alone), "") or rest_of_pieces(told, inputs[number], word, others, together)


def _is_failure(number: int, told: str, found: Traffic) -> bool:
    """
    Tell whether what came out, or most of it, is said nowhere but where the upstream told of an error.
    """
    said = [
        (path, text) for one in _exchanges(number, found) for path, every in slots(one.body).items() for text in every
    ]
    most = [path for path, text in said if text and text in told and len(text) * 2 > len(told)]
    return bool(most) and all(_OF_AN_ERROR.search(path) for path in most)


def _is_untold(number: int, found: Traffic) -> bool:
    answers = [(one.body, one.answered.content_type) for one in _exchanges(number, found) if one.answered is not None]
    return any(is_unreadable(*answer) for answer in answers)


def _exchanges(number: int, found: Traffic) -> list[Exchange]:
    brought = found.brought[number] if number < len(found.brought) else ()
    return [one for one in brought or found.calls if not one.refused]


def _bodies(number: int, found: Traffic) -> list[bytes]:
    return [one.body for one in _exchanges(number, found)]


def _said_nothing(number: int, outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> bool:
    """
    Tell whether an output is empty because its answer is, at the very place that brought the others.
    """
    told = [squeeze(output) for output in outputs]
    if told[number] or not any(told):
        return False
    others = [(told[other], one.body) for other, one in enumerate(found.bringers) if one is not None and told[other]]
    paths = {path for text, body in others for path, said in slots(body).items() if "".join(said) == text}
    for one in found.calls:
        said = {} if one.refused or number not in one.sent.carries else slots(one.body)
        if one.sent.carries == (number,) and any(not "".join(said[path]) for path in paths & said.keys()):
            return True
        if tuple(told[each] for each in as_asked(one.sent.carries, inputs, one)) in said.values():
            return True
    return False


def _taken_apart(outputs: Sequence[str], inputs: Sequence[str], found: Traffic) -> frozenset[int]:
    """
    Return the outputs that are one answer to several inputs, taken apart without loss.
    """
    whole: set[int] = set()
    for numbers in found.serves.values():
        order = sorted(numbers)
        given = [squeeze(outputs[number]) for number in order]
        said = [text for one in _exchanges(numbers[0], found) for text in one.texts]
        # a code word says whose a part is, and otherwise its place among the others does
        marked = all((code_word(inputs[number]) or " ") in part for number, part in zip(order, given, strict=True))
        if len(numbers) > 1 and (
            compare("".join(given), _bodies(numbers[0], found)).agreement is Agreement.SAME
            or any(_cut_from(text, sorted(given, key=text.find) if marked else given) for text in said)
        ):
            whole.update(numbers)
    return frozenset(whole)


def _cut_from(answer: str, parts: Sequence[str]) -> bool:
    """
    Tell whether an answer is these parts in this order, and nothing else but what divides them or leads up to them.

    What divides them holds no letter, or stands between all of them, but for its number: `---`, `2.`, `Answer 2:`. Or
    it stands around each of them: `<answer>` before it and `</answer>` behind it.
    """
    gaps, place = [], 0
    for part in parts:
        start = answer.find(part, place) if part else -1
        if start < 0:
            return False
        gaps.append(answer[place:start])
        place = start + len(part)
    gaps[0] = _mark_alone(*gaps)
    before, *between, behind = (_NUMBERING.sub("", gap) for gap in (*gaps, answer[place:]))
    if between and {*between} == {behind + before}:
        return True
    marks = {gap for gap in (*between, before) if any(map(str.isalpha, gap))}
    shared = {*between} if len(between) > 1 or before == between[0] else set()
    return not any(map(str.isalnum, answer[place:])) and (not marks or marks == shared)


def _mark_alone(before: str, *between: str) -> str:
    """
    Return what stands before the first part without the words that lead up to all of them: `Here you are: 1.`.

    They end with the only mark before the first part that is like those between the others, but for its number.
    """
    marks = {_NUMBERING.sub(r"\\d{1,3}", re.escape(gap)) for gap in between}
    if len(between) < 2 or len(marks) > 1 or not any(map(str.isalnum, between[0])):  # noqa: PLR2004 - one is like any
        return before
    found = [*re.finditer(marks.pop(), before)]
    return found[0].group() if len(found) == 1 and found[0].end() == len(before) else before


def _shared(number: int, found: Traffic) -> bool:
    if any(number in outputs and len(outputs) > 1 for outputs in found.serves.values()):
        return True
    # several messages of one conversation may have been answered together
    mine = found.bringers[number] if number < len(found.bringers) else None
    return mine is not None and sum(one is mine for one in found.bringers) > 1


def _excerpt(text: str, limit: int = 60) -> str:
    shown = readable(text)
    return repr(shown if len(shown) <= limit else f"{shown[:limit]}…")

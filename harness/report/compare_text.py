"""What a comparison says in sentences: the same words in Markdown and on the page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.report.compare import DIFFERING, Finding, by_verdict
from harness.report.text import word
from harness.words import Capability, Verdict, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.report.compare import Compared, Comparison, Practice

NOT_MEASURED: Final = "not measured"
NOT_LOOKED: Final = "-"
"""In the place of what overriding alone would say, where the class was not looked at."""
FINDINGS: Final = {
    Finding.PROMISED: (
        "Published ✅, measured ❌",
        "The page promises a native call, and the call is emulated or fails.",
    ),
    Finding.UNSEEN: ("Published ❌, measured ✅", "The call is native, and the page does not know it."),
    Finding.USELESS: (
        "Published ❌ for a fallback that does not work",
        "The symbol is right, but a fallback works, and these calls do not.",
    ),
    Finding.BY_HAND: (
        "Published rightly, against what the class overrides",
        "Overriding alone would have given these cells the wrong symbol.",
    ),
    Finding.UNKNOWN: ("Unknown", "They were tried, and what was recorded cannot tell."),
}
"""The kinds of cells that are listed, each with its heading and what that means."""
REGENERATED: Final = (
    "The page's own form. A question mark is a cell that was not measured, or of which the recording cannot tell."
)
SILENT: Final = "Where nothing stands, the page says nothing; the family's matrix has those cells as well."
FEW: Final = 12
"""Models of one kind of upstream that are named."""
SHIPPED: Final = "Reported as they are, and repaired by nobody: what fails, where, and why the registration expects it."
NOT_EXPECTED: Final = "nobody expects it"
DEFAULTS: Final = "What a call does that a class does not override: as documented, and as measured."
HOW_TO_READ: Final = (
    "In each cell: published, what overriding alone would say, measured. Where they do not agree, it is bold."
)


def extent(found: Comparison) -> str:
    """
    Say how much was published, and how much of it was measured.
    """
    models = counted(len(found.claims.published), "model")
    missing = len(found.of(Finding.NOT_MEASURED))
    measured = len(found.cells) - missing
    text = f"The published table has {models} and {counted(len(found.cells), 'cell')}; {measured} of them were measured"
    return f"{text}, and {missing} were not." if missing else f"{text}."


def regenerated(found: Comparison) -> str:
    """
    Say what the published table in its own form shows.
    """
    silent = any(len(row) < len(Capability) for _, row in found.models)
    return f"{REGENERATED} {SILENT}" if silent else REGENERATED


def totals(found: Comparison) -> Iterator[str]:
    """
    Yield what the comparison comes to, a sentence each.
    """
    agree, judged = len(found.judged) - len(found.differing), len(found.judged)
    yield f"{agree} of {counted(judged, 'cell')} with a verdict are as published, {len(found.differing)} are not."
    for finding in (Finding.PROMISED, Finding.UNSEEN, Finding.USELESS, Finding.BY_HAND, Finding.UNKNOWN):
        number = len(found.of(finding))
        if number:
            yield f"{FINDINGS[finding][0]}: {counted(number, 'cell')}."
    yield from answered(found)


def answered(found: Comparison) -> Iterator[str]:
    """
    Yield what answered the models: how many each kind of upstream did, and which, where these are few.
    """
    kinds = [
        f"{len(names)} {upstream} ({', '.join(names)})" if len(names) <= FEW else f"{len(names)} {upstream}"
        for upstream, names in found.upstreams.items()
    ]
    if kinds:
        yield f"What answered the models: {', '.join(kinds)}."


def shipped(found: Comparison) -> Iterator[tuple[str, ...]]:
    """
    Yield what does not work: name, calls, the word, what was seen, and why the registration expects that.
    """
    rows: dict[tuple[str, ...], list[str]] = {}
    for one in found.failing:
        if one.cell is not None:
            why = one.cell.why_expected or NOT_EXPECTED
            rows.setdefault((one.adapter, measured_word(one), one.cell.reason, why), []).append(one.capability.heading)
    for (name, *rest), calls in rows.items():
        yield name, ", ".join(calls), *rest


def origin(found: Comparison) -> Iterator[str]:
    """
    Yield what the cells themselves tell of how the table was made.
    """
    looked, departing = found.looked_into, found.departing
    if not looked:
        yield "Nothing was measured yet, so the table cannot be held against what the classes override."
        return
    same = len(looked) - len(departing)
    yield (
        f"In {same} of {counted(len(looked), 'cell')} the published symbol is just what overriding alone would say, "
        f"in {len(departing)} it is not."
    )
    wrong = [one for one in found.of(Finding.PROMISED, Finding.UNSEEN) if one.reflected is not None]
    copied = [one for one in wrong if not one.departs]
    if wrong:
        yield (
            f"Of the {counted(len(wrong), 'cell')} whose published symbol is wrong, {len(copied)} "
            f"{'is' if len(copied) == 1 else 'are'} wrong in the same way as overriding alone: "
            "a class can override a hook and still emulate the call, and need not override it to be native."
        )


def departures(found: Comparison) -> Iterator[tuple[str, ...]]:
    """
    Yield the cells in which the page says something else than overriding alone: name, call, the three words, why.
    """
    for one in found.departing:
        words = named(one.published), named(one.reflected), measured_word(one)
        yield one.adapter, one.capability.heading, *words, found.claims.exceptions.get(one.adapter, "")


DEPARTURES_HEADER: Final = ("Model", "Call", "Published", "Overriding alone", "Measured", "Why")
DIFFERENCES_HEADER: Final = ("Model", "Call", "Published", "Overriding alone", "Measured", "Evidence")
SHIPPED_HEADER: Final = ("Model", "Calls", "Measured", "Evidence", "Expected, because")
DEFAULTS_HEADER: Final = ("Call", "Documented: it", "In the harness's words", "Measured")


def measured_word(one: Compared) -> str:
    """
    Return the symbol and the word of what was measured.
    """
    if one.cell is None:
        return NOT_MEASURED
    return f"{one.cell.verdict.symbol} {word(one.cell)}"


def all_three(one: Compared) -> str:
    """
    Return the three words on one cell in short.
    """
    reflected = one.reflected.symbol if one.reflected else NOT_LOOKED
    return f"{one.published.symbol} {reflected} {measured_word(one)}"


def named(verdict: Verdict | None) -> str:
    """
    Return a verdict's symbol and word.
    """
    return NOT_LOOKED if verdict is None else f"{verdict.symbol} {verdict}"


def disagrees(one: Compared) -> bool:
    """
    Tell whether the three words on a cell are not one.
    """
    return one.finding in {Finding.PROMISED, Finding.UNSEEN, Finding.USELESS, Finding.BY_HAND}


def practised(practice: Practice) -> str:
    """
    Say what became of a documented default.
    """
    total = sum(practice.found.values())
    if not total:
        return NOT_MEASURED
    found = ", ".join(f"{number} {name}" for name, number in practice.found.items())
    verdict = {0: "not as documented", total: "as documented"}.get(practice.as_documented)
    return f"{verdict or f'{practice.as_documented} of {total} as documented'}: {found}"


def call_rows(found: Comparison) -> Iterator[tuple[str, list[int]]]:
    """
    Yield the figures of each call of which the page says something: published ✅, overriding ✅, measured ✅,
    as published, not, unknown, not measured.
    """
    for capability in Capability:
        own = [one for one in found.cells if one.capability is capability]
        if not own:
            continue
        found_of = Counter(one.finding for one in own)
        differing = sum(found_of[each] for each in DIFFERING)
        unknown, missing = found_of[Finding.UNKNOWN], found_of[Finding.NOT_MEASURED]
        symbols = [
            sum(each is not None and each.symbol == "✅" for each in words)
            for words in (
                (one.published for one in own),
                (one.reflected for one in own),
                (one.measured for one in own),
            )
        ]
        yield capability.heading, [*symbols, len(own) - differing - unknown - missing, differing, unknown, missing]


CALL_HEADER: Final = tuple(
    "Call,Published ✅,Overriding ✅,Measured ✅,As published,Not as published,Unknown,Not measured".split(",")
)
VERDICT_HEADER: Final = ("", *(f"{each.symbol} {each}" for each in Verdict), NOT_MEASURED)


def verdict_rows(found: Comparison) -> Iterator[tuple[str, list[int]]]:
    """
    Yield how often each verdict is published, suggested by overriding alone, and measured.
    """
    kinds = {
        "Published": (one.published for one in found.cells),
        "Overriding alone": (one.reflected for one in found.cells),
        "Measured": (one.measured for one in found.cells),
    }
    for name, words in kinds.items():
        yield name, list(by_verdict(words).values())

"""What must never change a verdict: where bodies and items are cut, which threads ran, what else was sent."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from stories import ANSWERS, LOOP, MAIN, OTHER_LOOP, READER_TASK, WORKER, Story

from harness.events import Arrival, Event, Item, Where
from harness.verdicts.judge import judge
from harness.words import Capability, Mechanism, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Mn", "Cn", "Co")), min_size=1, max_size=7
)
TEXTS = st.lists(WORDS, min_size=12, max_size=40).map(lambda words: f"{' '.join(words)} {ANSWERS[0]}")
STYLES = st.sampled_from(["incremental", "buffered", "whole"])
EXPECTED = {
    "incremental": (Verdict.NATIVE, None),
    "buffered": (Verdict.FALLBACK, Mechanism.BUFFERED),
    "whole": (Verdict.FALLBACK, Mechanism.SINGLE_ITEM),
}
NOISE = st.dictionaries(
    st.sampled_from(["id", "model", "role", "created", "usage", "safety", "fingerprint"]),
    st.one_of(st.none(), st.integers(), st.uuids().map(str), st.lists(st.integers(), max_size=2)),
    min_size=1,
    max_size=4,
)


def _cut(whole: Any, cuts: Sequence[float], fewest: int) -> list[Any]:
    """
    Cut something with a length at these shares of it, into so many parts at least.
    """
    places = {round(share * len(whole)) for share in cuts} | {len(whole) * n // fewest for n in range(1, fewest)}
    ends = sorted(place for place in places if 0 < place < len(whole))
    return [whole[start:end] for start, end in zip([0, *ends], [*ends, len(whole)], strict=True)]


def _rows(pieces: Sequence[str], noise: Sequence[dict[str, Any]], wire: str) -> list[tuple[bytes, str]]:
    """
    Return the parts of a body, each with the text that is told once it has come whole.
    """
    rows: list[tuple[dict[str, Any], str]] = []
    for index, piece in enumerate(pieces):
        around = noise[index % len(noise)] if noise else {}
        rows.append(({**around, "choices": [{"index": 0, "delta": {"content": piece}}]}, piece))
        if noise and index % 3 == 0:
            rows.append(({"type": "ping", **around}, ""))
    match wire:
        case "sse":
            return [(f"data: {json.dumps(row)}\r\n\r\n".encode(), piece) for row, piece in rows]
        case "ndjson":
            return [(f"{json.dumps(row, ensure_ascii=False)}\n".encode(), piece) for row, piece in rows]
        case _:
            parts = [(f",{json.dumps(row)}".encode(), piece) for row, piece in rows]
            return [(b"[" + parts[0][0][1:], parts[0][1]), *parts[1:], (b"]", "")]


@dataclass
class Wired:
    """
    Hold a stream's arrivals, and how much of the text, white space aside, each of them completes.
    """

    arrivals: list[bytes]
    told: list[int]


def _wired(rows: Sequence[tuple[bytes, str]], cuts: Sequence[float], fewest: int) -> Wired:
    arrivals = _cut(b"".join(data for data, _ in rows), cuts, fewest)
    ends = list(accumulate(len(data) for data, _ in rows))
    sizes = [0, *accumulate(len("".join(piece.split())) for _, piece in rows)]
    return Wired(arrivals, [sizes[bisect_right(ends, come)] for come in accumulate(map(len, arrivals))])


def _tell(  # noqa: PLR0913, PLR0917 - what a stream is made of
    capability: Capability, text: str, wired: Wired, items: Sequence[str], style: str, early: int
) -> Story:
    """
    Tell a stream whose items come while it arrives (as soon as they can), after it arrived, or all as one.
    """
    story = Story(capability, LOOP if capability.is_async else MAIN).begin()
    request = story.send(stream=True)
    story.head(request, wired.arrivals, kind="text/event-stream")
    left = [text] if style == "whole" else list(items)
    given_out = 0
    for index in range(len(wired.arrivals)):
        story.arrive(request, index)
        while style == "incremental" and index + 1 >= early and left:
            given_out += len("".join(left[0].split()))
            if given_out > wired.told[index]:
                given_out -= len("".join(left[0].split()))
                break
            story.item(left.pop(0))
    story.end(request)
    for item in left:
        story.item(item)
    return story.give()


def _expected(story: Story, style: str) -> tuple[Verdict, Mechanism | None]:
    """
    Return the verdict of a style; what comes as soon as it can may still come after the middle.
    """
    places = [place for place, event in enumerate(story.events) if isinstance(event, Arrival)]
    first = next(
        place for place, event in enumerate(story.events) if isinstance(event, Item) and (event.text or "").strip()
    )
    if style == "incremental" and first > places[len(places) // 2]:
        return EXPECTED["buffered"]
    return EXPECTED[style]


def _said(story: Story, events: Sequence[Event] | None = None) -> tuple[Verdict, Mechanism | None]:
    judgement = judge(story.capability, story.events if events is None else events)
    return judgement.verdict, judgement.mechanism


SHARES = st.lists(st.floats(0, 1), max_size=30)


@given(
    text=TEXTS,
    pieces=SHARES,
    chunks=SHARES,
    items=SHARES,
    noise=st.lists(NOISE, max_size=4),
    wire=st.sampled_from(["sse", "ndjson", "array"]),
    style=STYLES,
    early=st.floats(0, 0.5),
    capability=st.sampled_from([Capability.STREAM, Capability.ASTREAM]),
)
def test_where_bodies_and_items_are_cut_is_no_matter(  # noqa: PLR0913, PLR0917 - hypothesis draws each
    text: str,
    pieces: Sequence[float],
    chunks: Sequence[float],
    items: Sequence[float],
    noise: Sequence[dict[str, Any]],
    wire: str,
    style: str,
    early: float,
    capability: Capability,
) -> None:
    """
    Events, arrivals and items may end anywhere, whatever stands beside the text in the stream.
    """
    wired = _wired(_rows(_cut(text, pieces, 8), noise, wire), chunks, 8)
    story = _tell(capability, text, wired, _cut(text, items, 4), style, int(early * len(wired.arrivals)))

    assert _said(story) == _expected(story, style)


@given(text=TEXTS, items=SHARES, style=STYLES, blanks=st.lists(st.sampled_from(["", " ", "\n", "\t \n"]), min_size=1))
def test_white_space_may_move(text: str, items: Sequence[float], style: str, blanks: Sequence[str]) -> None:
    """
    Between the items, within them, and as items of its own.
    """
    wired = _wired(_rows(_cut(text, (), 12), (), "sse"), (), 12)
    parts = [
        part.replace(" ", blanks[n % len(blanks)]) + blanks[n % len(blanks)]
        for n, part in enumerate(_cut(text, items, 4))
    ]
    story = _tell(Capability.STREAM, f" {text.replace(' ', blanks[0])}", wired, parts, style, 1)
    blank = replace(next(event for event in story.events if isinstance(event, Item)), text=blanks[-1])
    place = next(place for place, event in enumerate(story.events) if isinstance(event, Arrival))

    assert _said(story) == _expected(story, style)
    assert _said(story, [*story.events[:place], blank, *story.events[place:]]) == _expected(story, style)


@given(
    style=STYLES,
    numbers=st.permutations(range(2, 40)),
    clock=st.floats(0.001, 1000),
    real=st.lists(st.floats(0, 100), min_size=1),
)
def test_names_of_threads_and_clocks_are_no_matter(
    style: str, numbers: Sequence[int], clock: float, real: Sequence[float]
) -> None:
    """
    Only which place is the caller's, and the order of events; never how long anything took.
    """
    wired = _wired(_rows(_cut(ANSWERS[0], (), 12), (), "sse"), (), 12)
    story = _tell(Capability.ASTREAM, ANSWERS[0], wired, _cut(ANSWERS[0], (), 9), style, 2)
    events = [
        replace(event, where=_renamed(event.where, numbers), at=event.at * clock, real=real[n % len(real)])
        for n, event in enumerate(story.events)
    ]

    assert _said(story, events) == EXPECTED[style]


def _renamed(where: Where, numbers: Sequence[int]) -> Where:
    loop = None if where.loop is None else numbers[where.loop % 7]
    task = None if where.task is None else numbers[7 + where.task % 11]
    return Where(numbers[18 + where.thread], loop, task)


PLACES = st.sampled_from([(LOOP, "async"), (READER_TASK, "async"), (WORKER, "sync"), (OTHER_LOOP, "async")])
BESIDE = st.tuples(
    st.sampled_from(["token", "moderations", "log", "models", "embeddings"]),
    st.sampled_from([(), (0,)]),
    PLACES,
    st.sampled_from(
        [
            b'{"access_token": "t0k3n", "status": "ok"}',
            b'{"results": [{"flagged": false}]}',
            b'{"data": [{"id": "m-1"}], "object": "list"}',
            b"",
            b"OK",
        ]
    ),
    st.integers(0, 1_000),
)


@given(style=STYLES, beside=st.lists(BESIDE, max_size=5))
def test_requests_beside_the_inference_request_are_no_matter(style: str, beside: Sequence[Any]) -> None:
    """
    Tokens, logs and moderations, wherever and whenever they are sent, unless they hold the loop up.
    """
    wired = _wired(_rows(_cut(ANSWERS[0], (), 12), (), "sse"), (), 12)
    story = _tell(Capability.ASTREAM, ANSWERS[0], wired, _cut(ANSWERS[0], (), 9), style, 2)
    events = list(story.events)
    for number, (name, carries, (where, hook), body, share) in enumerate(beside):
        side = Story(Capability.ASTREAM, LOOP)
        side.requests = 100 + number
        request = side.send(carries, where, hook, uri=f"https://api.example.com/{name}")
        side.whole(request, body, where, hook=hook)
        place = 2 + share % (len(events) - 2)
        events[place:place] = side.events

    assert _said(story, events) == EXPECTED[style]


@given(
    order=st.permutations(range(3)),
    sent=st.permutations(range(3)),
    answers=st.sampled_from([ANSWERS, ("Yes.",) * 3, ("kestrel4127", "marigold5938", "juniper2806")]),
    places=st.lists(st.sampled_from([(MAIN, "sync"), (WORKER, "sync"), (OTHER_LOOP, "async")]), min_size=3, max_size=3),
    capability=st.just(Capability.BATCH),
)
def test_in_which_order_overlapping_requests_end_is_no_matter(
    order: Sequence[int], sent: Sequence[int], answers: Sequence[str], places: Sequence[Any], capability: Capability
) -> None:
    """
    Nor in which order they were sent, nor by which thread.
    """
    story = Story(capability).begin()
    requests = {number: story.send((number,), *places[number]) for number in sent}
    for number in order:
        where, hook = places[number]
        body = json.dumps({"text": answers[number]}).encode()
        story.whole(requests[number], body, where, hook=hook)

    assert _said(story.give(*answers)) == (Verdict.FALLBACK, Mechanism.CONCURRENT)


@given(st.binary(max_size=300), st.text(max_size=80), st.sampled_from(list(Capability)))
def test_any_body_and_any_output_has_a_verdict(body: bytes, output: str, capability: Capability) -> None:
    """
    Nothing that an upstream or an adapter says makes the judge fail.
    """
    story = Story(capability).begin()
    story.whole(story.send(), body)
    if capability.streams:
        story.item(output).give()
    else:
        story.give(*[output] * (3 if capability.batches else 1))

    assert judge(capability, story.events).verdict in Verdict


@given(text=TEXTS, lost=st.floats(0, 0.9), size=st.integers(6, 30), items=SHARES)
def test_what_is_lost_is_always_missed(text: str, lost: float, size: int, items: Sequence[float]) -> None:
    """
    Wherever the piece stood, and however the rest is cut.
    """
    wired = _wired(_rows(_cut(text, (), 12), (), "sse"), (), 12)
    start = int(lost * (len(text) - size))
    given_text = text[:start] + text[start + size :]
    story = _tell(Capability.STREAM, given_text, wired, _cut(given_text, items, 4), "incremental", 1)

    assert judge(Capability.STREAM, story.events).verdict is Verdict.BROKEN

"""Logs of made-up calls, written as a story of what happened in which order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.events import (
    Answered,
    Arrival,
    Constructed,
    Ended,
    Event,
    Hook,
    Item,
    Raised,
    Returned,
    Sent,
    Started,
    Where,
)
from harness.verdicts.judge import judge
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cells import Judgement
    from harness.words import Verdict

MAIN = Where(thread=1)
LOOP = Where(thread=1, loop=10, task=100)
WORKER = Where(thread=2)
OTHER_LOOP = Where(thread=3, loop=30, task=300)
READER_TASK = Where(thread=1, loop=10, task=101)

PROMPTS = (
    "Repeat kestrel4127 and speak of lighthouses.",
    "Repeat marigold5938 and speak of bicycles.",
    "Repeat juniper2806 and speak of bread.",
)
ANSWERS = (
    "The code word is kestrel4127. A lighthouse shows ships the way through the dark.",
    "The code word is marigold5938. A bicycle stays upright because it is steered.",
    "The code word is juniper2806. Dough rises because yeast breathes out gas.",
)


@dataclass
class Story:
    """
    Tell a call, event by event; every method appends and returns the story.
    """

    capability: Capability
    home: Where = MAIN
    events: list[Event] = field(default_factory=list)
    clock: float = 0.0
    requests: int = 0
    pieces: dict[int, list[bytes]] = field(default_factory=dict)
    sent_at: dict[int, float] = field(default_factory=dict)

    def begin(self) -> Story:
        self.add(Constructed, module="m", qualname="A")
        inputs = PROMPTS if self.capability.batches else PROMPTS[:1]
        self.add(Started, where=self.home, capability=self.capability.value, inputs=inputs)
        return self

    def add(self, kind: type[Event], where: Where | None = None, **values: Any) -> Event:
        event = kind(**{"at": self.clock, "real": 0.0, "where": where or self.home, **values})
        self.events.append(event)
        return event

    def send(  # noqa: PLR0913 - what a request may be told by
        self,
        carries: tuple[int, ...] = (0,),
        where: Where | None = None,
        hook: Hook | None = None,
        *,
        method: str = "POST",
        uri: str = "https://api.example.com/v1/completions",
        stream: bool | None = None,
        text: str = "",
    ) -> int:
        place = where or self.home
        self.add(
            Sent,
            where=place,
            request=self.requests,
            method=method,
            uri=uri,
            carries=carries,
            hook=hook or ("async" if place.loop else "sync"),
            asks_stream=stream,
            text=text,
        )
        self.sent_at[self.requests] = self.clock
        self.requests += 1
        return self.requests - 1

    def head(self, request: int, pieces: list[bytes], *, kind: str = "application/json", status: int = 200) -> Story:
        self.pieces[request] = pieces
        body = b"".join(pieces)
        # what the recording says of when it was sent
        at = self.sent_at[request]
        self.add(Answered, at=at, request=request, status=status, content_type=kind, arrivals=len(pieces), body=body)
        return self

    def arrive(self, request: int, index: int, where: Where | None = None, hook: Hook | None = None) -> Story:
        place = where or self.home
        self.clock += 0.05
        how = hook or ("async" if place.loop else "sync")
        self.add(Arrival, where=place, request=request, index=index, size=len(self.pieces[request][index]), hook=how)
        return self

    def end(self, request: int, where: Where | None = None, cut: str | None = None) -> Story:
        self.add(Ended, where=where, request=request, hook="sync", cut=cut)
        return self

    def whole(self, request: int, body: bytes, where: Where | None = None, *, hook: Hook | None = None) -> Story:
        self.head(request, [body])
        self.arrive(request, 0, where, hook)
        return self.end(request, where)

    def item(self, text: str | None, kind: str = "str") -> Story:
        self.add(Item, text=text, type=kind)
        return self

    def give(self, *texts: str | None, plural: bool | None = None, errors: tuple[int, ...] = ()) -> Story:
        many = self.capability.batches if plural is None else plural
        kinds = tuple("str" if text is not None else "int" for text in texts)
        self.add(Returned, texts=tuple(texts), types=kinds, plural=many, errors=errors)
        return self

    def fail(self, kind: str = "ValueError", message: str = "no", *, unsupported: bool = False) -> Story:
        self.add(
            Raised,
            phase="call",
            type=kind,
            message=message,
            unsupported=unsupported,
            traceback="Traceback",
            line="a.py:1",
        )
        return self


def answer_json(*texts: str) -> bytes:
    """
    Return a completion with one choice a text.
    """
    choices = [{"index": index, "text": text} for index, text in enumerate(texts)]
    return json.dumps({"id": "cmpl-1", "choices": choices}).encode()


def pieces_of(text: str) -> list[str]:
    """
    Cut a text before its spaces.
    """
    words = text.split(" ")
    return [words[0], *(f" {word}" for word in words[1:])]


def sse(pieces: list[str]) -> list[bytes]:
    """
    Return the events of a streamed completion, with the finish mark and the end mark.
    """
    events = [json.dumps({"id": "cmpl-1", "choices": [{"index": 0, "text": piece}]}) for piece in pieces]
    events.append(json.dumps({"id": "cmpl-1", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}))
    return [f"data: {event}\n\n".encode() for event in [*events, "[DONE]"]]


def moved(events: list[Event], old: Where, new: Where) -> list[Event]:
    """
    Return the events with one place renamed.
    """
    return [replace(event, where=new) if event.where == old else event for event in events]


def one_each(answers: Sequence[str], *, overlap: bool = False, capability: Capability = Capability.BATCH) -> Story:
    """
    Tell a batch of one request an input.
    """
    story = Story(capability, LOOP if capability.is_async else MAIN).begin()
    requests = []
    for number, answer in enumerate(answers):
        requests.append(story.send((number,)))
        if not overlap:
            story.whole(requests[-1], answer_json(answer))
    if overlap:
        for request, answer in zip(requests, answers, strict=True):
            story.whole(request, answer_json(answer))
    return story


def judged(story: Story, *outputs: str | None) -> Judgement:
    """
    Judge a call that gave these outputs.
    """
    return judge(story.capability, story.give(*outputs).events)


def invoked(body: bytes, output: str | None, kind: str = "application/json") -> Verdict:
    """
    Judge an answer with this body, of which a single call gave this output.
    """
    story = Story(Capability.INVOKE).begin()
    request = story.send()
    story.head(request, [body], kind=kind).arrive(request, 0).end(request)
    return judge(Capability.INVOKE, story.give(output).events).verdict

"""The server: aiohttp's, one for all providers, told apart by the Host header."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web
from jinja2 import UndefinedError

from harness.simulators.asked import Asked, find, is_wanted, parse_body, prompts_in
from harness.simulators.context import answer_context, job_context, piece_context, request_context
from harness.simulators.eventstream import encode_message
from harness.simulators.shapes import Event, Fault, Framing, Kind, Route, Shape, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from harness.simulators.answers import Answer

_LARGEST_REQUEST = 64 * 2**20
_POLL_WORTH = 0.1
"""Seconds that a poll is worth where the simulator has no pace, so that output grows all the same."""

_INVALID_ARGUMENT, _NOT_FOUND, _UNAUTHENTICATED = 3, 5, 16
_UNSUPPORTED_DATA = 1003
"""Close code of RFC 6455, 7.4.1."""
_WHOLE_SHARE = 0.25
"""Which share of a stream's time a whole answer takes, after the first byte."""


@dataclass(slots=True)
class Job:
    """
    Keep what was asked until it is polled for.
    """

    asked: Asked
    answers: Sequence[Answer]
    began: float = field(default_factory=time.monotonic)
    polls: int = 0

    def elapsed(self, pace: float) -> float:
        """
        Return the seconds since the start on the provider's clock.
        """
        return (time.monotonic() - self.began) / pace if pace else self.polls * _POLL_WORTH

    @property
    def lasts(self) -> float:
        """
        Return the seconds until the last answer is complete.
        """
        return max(answer.lasts for answer in self.answers)


class Refusal(Exception):  # noqa: N818 - names what happened; gRPC has its own word for it
    """
    Say why a call is not answered, by the number and the words of a gRPC status.
    """

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


class Provider:
    """
    Answer requests for several hosts.

    Args:
        shapes: the wire formats.
        pace: what the providers' times are multiplied by; 0 for no waiting at all.
        any_host: the shape that also answers for hosts that no shape stands for.
        compose: makes the answer to a prompt.
    """

    def __init__(
        self, shapes: Sequence[Shape], pace: float, any_host: Shape | None, compose: Callable[..., Answer]
    ) -> None:
        self._shapes = shapes
        self._pace = pace
        self._any_host = any_host
        self._compose = compose
        self._jobs: dict[str, Job] = {}

    def application(self) -> web.Application:
        """
        Return what aiohttp serves.
        """
        application = web.Application(client_max_size=_LARGEST_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = await _read(request)
        candidates = self._at(request.headers.get("Host", "").lower())
        for route, shape, origin in _by_closeness(candidates):
            found = route.pattern.fullmatch(asked.path)
            if found and route.method == asked.method:
                asked = replace(asked, origin=origin, params=found.groupdict())
                try:
                    return await self._answer(shape, route, asked, request)
                except UndefinedError as error:
                    # the shape counts on something that this request lacks
                    return _json({"error": f"the shape {shape.name}, {route.method} {route.path}: {error}"}, 500)
        return _unknown(asked, request.headers.get("Host", ""), candidates)

    async def call(self, method: str, headers: Mapping[str, str], body: object) -> AsyncIterator[str]:
        """
        Yield the JSON documents that answer a call of gRPC, at the provider's pace.

        Raises:
            Refusal: the request lacks a credential, or something else.
        """
        shape, route = next((shape, one) for shape in self._shapes for one in shape.routes if one.path == method)
        asked = Asked(method=route.method, path=method, headers=headers, body=body, origin=shape.hosts[0])
        if shape.credential and not shape.credential.is_in(asked):
            raise Refusal(_UNAUTHENTICATED, f"{shape.credential.header} is missing")
        missing = lacking(route, asked)
        if missing:
            raise Refusal(_INVALID_ARGUMENT, f"{missing} is missing")
        if route.kind is Kind.POLL:
            yield self._polled(route, find(asked, route.job)[0])
        elif route.kind is Kind.LOOKUP:
            yield _text(route, request_context(asked))
        else:
            async for text in self._answered(shape, route, asked):
                yield text

    async def _answered(self, shape: Shape, route: Route, asked: Asked) -> AsyncIterator[str]:
        answers = self._answers(shape, route, asked)
        context = answer_context(asked, answers)
        if route.kind is Kind.START:
            yield _text(route, self._started(asked, answers))
        elif route.stream and is_streamed(route.stream, asked):
            async for _, text in self._events(route.stream, context, answers):
                yield text
        else:
            await self._wait(_whole_after(answers))
            yield _text(route, context)

    def _polled(self, route: Route, name: str) -> str:
        job = self._jobs.get(name)
        if job is None:
            raise Refusal(_NOT_FOUND, f"there is no job {name}")
        job.polls += 1
        return _text(route, job_context(job.asked, job.answers, name, job.elapsed(self._pace)))

    def _answers(self, shape: Shape, route: Route, asked: Asked) -> list[Answer]:
        return [
            self._compose(prompt, index=index, pace=shape.pace)
            for index, prompt in enumerate(prompts_in(asked, route.prompts))
        ]

    def _at(self, netloc: str) -> list[tuple[Shape, str]]:
        at = [(shape, origin) for shape in self._shapes if (origin := shape.origin_for(netloc))]
        return at or ([(self._any_host, f"http://{netloc}")] if self._any_host else [])

    async def _answer(self, shape: Shape, route: Route, asked: Asked, request: web.Request) -> web.StreamResponse:
        refused = _refuse(shape, route, asked)
        if refused:
            return refused
        if is_talk(route):
            return await self._talk(shape, route, asked, request)
        if route.kind is Kind.REDIRECT:
            return _reply("", "", route.status, {"Location": route.to.format_map(asked.params)})
        if route.kind is Kind.POLL:
            return await self._poll(route, asked)
        if route.kind is Kind.LOOKUP:
            return _render(route, request_context(asked))
        answers = self._answers(shape, route, asked)
        if route.kind is Kind.START:
            return _render(route, self._started(asked, answers))
        if route.stream and is_streamed(route.stream, asked):
            return await self._flow(route, route.stream, answer_context(asked, answers), answers, request)
        await self._wait(_whole_after(answers))
        return _render(route, answer_context(asked, answers))

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._pace)

    def _started(self, asked: Asked, answers: Sequence[Answer]) -> dict[str, object]:
        # the same question asked twice is two jobs
        seed = request_context(asked)["id"]
        job = next(name for name in (f"{seed}{turn or ''}" for turn in itertools.count()) if name not in self._jobs)
        self._jobs[job] = Job(asked, answers)
        return job_context(asked, answers, job, 0.0)

    async def _poll(self, route: Route, asked: Asked) -> web.Response:
        name = next((str(value) for value in find(asked, route.job)), "")
        job = self._jobs.get(name)
        if job is None:
            return _json({"error": f"there is no job {name}"}, 404)
        job.polls += 1
        elapsed = job.elapsed(self._pace)
        if route.waits:
            left = max(job.lasts - elapsed, 0.0)
            await self._wait(left)
            elapsed += left
        return _render(route, job_context(job.asked, job.answers, name, elapsed))

    async def _flow(
        self, route: Route, stream: Stream, context: dict[str, object], answers: Sequence[Answer], request: web.Request
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=route.status, headers=_headers(route, stream.content_type, context))
        response.enable_chunked_encoding()
        try:
            async for event, text in self._events(stream, context, answers):
                if not response.prepared:
                    await response.prepare(request)
                await response.write(_frame(stream, event, text))
            await response.write_eof()
        except ConnectionError:
            # the client has what it wanted and went away
            pass
        return response

    async def _events(
        self, stream: Stream, context: dict[str, object], answers: Sequence[Answer]
    ) -> AsyncIterator[tuple[Event, str]]:
        await self._wait(answers[0].first)
        for told in _told(stream.opening, context):
            yield told
        for answer, position in _in_turn(answers):
            await self._wait(answer.gaps[position] / len(answers))
            around = piece_context(context, answer, position)
            yield stream.piece, stream.piece.data.render(around)
            if stream.closing and around["last"]:
                yield stream.closing, stream.closing.data.render(around)
        for told in _told(stream.final, context):
            yield told

    async def _talk(self, shape: Shape, route: Route, asked: Asked, request: web.Request) -> web.StreamResponse:
        """
        Answer each text of a websocket's client in pieces.
        """
        talk = web.WebSocketResponse()
        await talk.prepare(request)
        async for message in talk:
            if message.type is not WSMsgType.TEXT or route.stream is None:
                continue
            said = replace(asked, body=parse_body(message.data.encode(), ""))
            answers = self._answers(shape, route, said)
            if lacking(route, said) or not answers:
                await talk.close(code=_UNSUPPORTED_DATA, message=f"{lacking(route, said)} is missing".encode())
                break
            with contextlib.suppress(ConnectionError):
                async for _, text in self._events(route.stream, answer_context(said, answers), answers):
                    await talk.send_str(text)
        return talk


def _told(events: Sequence[Event], context: dict[str, object]) -> Iterator[tuple[Event, str]]:
    """
    Yield the events that this request gets: one of which nothing is left is not sent.
    """
    for event in events:
        text = event.data.render(context)
        if text.strip():
            yield event, text


def is_streamed(stream: Stream, asked: Asked) -> bool:
    """
    Tell whether a request gets a stream.
    """
    return stream.asked == "always" or is_wanted(asked, stream.asked)


def lacking(route: Route, asked: Asked) -> str | None:
    """
    Return a pointer to what a request lacks; None where it lacks nothing.
    """
    missing = next((pointer for pointer in route.requires if not find(asked, pointer)), None)
    if missing is None and route.prompts and not prompts_in(asked, route.prompts):
        return route.prompts[0]
    return missing


def _whole_after(answers: Sequence[Answer]) -> float:
    slowest = max(answers, key=lambda answer: answer.lasts)
    return slowest.first + _WHOLE_SHARE * sum(slowest.gaps)


def _by_closeness(candidates: Sequence[tuple[Shape, str]]) -> list[tuple[Route, Shape, str]]:
    routes = [(route, shape, origin) for shape, origin in candidates for route in shape.routes]
    return sorted(routes, key=lambda entry: entry[0].parameters)


def _in_turn(answers: Sequence[Answer]) -> Iterator[tuple[Answer, int]]:
    """
    Yield the pieces of several answers like a provider that works on them at the same time.
    """
    for position in range(max(len(answer.pieces) for answer in answers)):
        yield from ((answer, position) for answer in answers if position < len(answer.pieces))


async def _read(request: web.Request) -> Asked:
    return Asked(
        method=request.method,
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query),
        # as it was sent: aiohttp takes one that is said twice for plain text
        body=parse_body(await request.read(), request.headers.get("Content-Type", "").lower()),
    )


def _refuse(shape: Shape, route: Route, asked: Asked) -> web.Response | None:
    credential = shape.credential
    if credential and not credential.is_in(asked):
        return _fault(credential.fault, asked, credential.header)
    missing = None if is_talk(route) else lacking(route, asked)
    if missing is None:
        return None
    if shape.missing:
        return _fault(shape.missing, asked, missing)
    return _json({"error": f"{missing} is missing"}, 400)


def _fault(fault: Fault, asked: Asked, missing: str) -> web.Response:
    text = fault.body.render({**request_context(asked), "missing": missing.rpartition("/")[2]})
    return _reply(text, fault.content_type, fault.status)


def is_talk(route: Route) -> bool:
    """
    Tell whether a route is a websocket's, whose client says what it wants later.
    """
    return route.stream is not None and route.stream.framing is Framing.WEBSOCKET


def _text(route: Route, context: dict[str, object]) -> str:
    return route.whole.render(context) if route.whole else ""


def _render(route: Route, context: dict[str, object]) -> web.Response:
    response = _reply(_text(route, context), route.content_type, route.status)
    response.headers.update(_headers(route, route.content_type, context))
    return response


def _headers(route: Route, content_type: str, context: dict[str, object]) -> dict[str, str]:
    extra = {name: template.render(context) for name, template in route.headers.items()}
    return {"Content-Type": content_type, "Server": "simulator", **extra}


def _reply(text: str, content_type: str, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    kind = {"Content-Type": content_type} if content_type else {}
    return web.Response(body=text.encode(), status=status, headers={**kind, "Server": "simulator", **(headers or {})})


def _json(value: object, status: int) -> web.Response:
    return _reply(json.dumps(value), "application/json", status)


def _unknown(asked: Asked, host: str, candidates: Sequence[tuple[Shape, str]]) -> web.Response:
    routes = [f"{route.method} {route.path}" for shape, _ in candidates for route in shape.routes]
    why = f"no simulator answers {asked.method} {asked.path} at {host}" if routes else f"no simulator stands for {host}"
    return _json({"error": why, "routes": routes}, 404)


def _frame(stream: Stream, event: Event, text: str) -> bytes:
    if stream.framing is Framing.AWS:
        headers = {":event-type": event.name or "chunk", ":content-type": "application/json", ":message-type": "event"}
        return encode_message(headers, text.encode())
    if stream.framing is Framing.SSE:
        name = f"event: {event.name}\n" if event.name else ""
        return f"{name}{stream.prefix}{text}\n\n".encode()
    return f"{text}{stream.ending}".encode() if stream.framing is Framing.NDJSON else text.encode()

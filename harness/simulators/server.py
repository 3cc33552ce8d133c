"""The server: aiohttp's, one for all providers, told apart by the Host header."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiohttp import web
from jinja2 import UndefinedError

from harness.simulators.answers import Answer, compose
from harness.simulators.asked import Asked, find, is_wanted, parse_body, prompts_in
from harness.simulators.context import answer_context, job_context, piece_context, request_context
from harness.simulators.eventstream import encode_message
from harness.simulators.shapes import Event, Fault, Framing, Kind, Route, Shape, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LARGEST_REQUEST = 64 * 2**20
_POLL_WORTH = 0.1
"""Seconds that a poll is worth where the simulator has no pace, so that output grows all the same."""

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


class Provider:
    """
    Answer requests for several hosts.

    Args:
        shapes: the wire formats.
        pace: what the providers' times are multiplied by; 0 for no waiting at all.
        any_host: the shape that also answers for hosts that no shape stands for.
        code_word: the regular expression that code words match.
    """

    def __init__(self, shapes: Sequence[Shape], pace: float, any_host: Shape | None, code_word: str) -> None:
        self._shapes = shapes
        self._pace = pace
        self._any_host = any_host
        self._code_word = code_word
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

    def _at(self, netloc: str) -> list[tuple[Shape, str]]:
        at = [(shape, origin) for shape in self._shapes if (origin := shape.origin_for(netloc))]
        return at or ([(self._any_host, f"http://{netloc}")] if self._any_host else [])

    async def _answer(self, shape: Shape, route: Route, asked: Asked, request: web.Request) -> web.StreamResponse:
        refused = _refuse(shape, route, asked)
        if refused:
            return refused
        if route.kind is Kind.REDIRECT:
            return _reply("", "", route.status, {"Location": route.to.format_map(asked.params)})
        if route.kind is Kind.POLL:
            return await self._poll(route, asked)
        if route.kind is Kind.LOOKUP:
            return _render(route, request_context(asked))
        answers = [
            compose(prompt, index=index, code_word=self._code_word, pace=shape.pace)
            for index, prompt in enumerate(prompts_in(asked, route.prompts))
        ]
        if route.kind is Kind.START:
            return self._start(route, asked, answers)
        if route.stream and (route.stream.asked == "always" or is_wanted(asked, route.stream.asked)):
            return await self._flow(route, route.stream, answer_context(asked, answers), answers, request)
        slowest = max(answers, key=lambda answer: answer.lasts)
        await self._wait(slowest.first + _WHOLE_SHARE * sum(slowest.gaps))
        return _render(route, answer_context(asked, answers))

    async def _wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._pace)

    def _start(self, route: Route, asked: Asked, answers: Sequence[Answer]) -> web.Response:
        # the same question asked twice is two jobs
        seed = request_context(asked)["id"]
        job = next(name for name in (f"{seed}{turn or ''}" for turn in itertools.count()) if name not in self._jobs)
        self._jobs[job] = Job(asked, answers)
        return _render(route, job_context(asked, answers, job, 0.0))

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
        await self._wait(answers[0].first)
        try:
            await response.prepare(request)
            for event in stream.opening:
                await response.write(_frame(stream, event, context))
            for answer, position in _in_turn(answers):
                await self._wait(answer.gaps[position] / len(answers))
                await response.write(_frame(stream, stream.piece, piece_context(context, answer, position)))
            for event in stream.final:
                await response.write(_frame(stream, event, context))
            await response.write_eof()
        except ConnectionError:
            # the client has what it wanted and went away
            pass
        return response


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
        body=parse_body(await request.read(), request.content_type),
    )


def _refuse(shape: Shape, route: Route, asked: Asked) -> web.Response | None:
    credential = shape.credential
    if credential and not credential.is_in(asked):
        return _fault(credential.fault, asked, credential.header)
    missing = next((pointer for pointer in route.requires if not find(asked, pointer)), None)
    if missing is None and route.prompts and not prompts_in(asked, route.prompts):
        missing = route.prompts[0]
    if missing is None:
        return None
    if shape.missing:
        return _fault(shape.missing, asked, missing)
    return _json({"error": f"{missing} is missing"}, 400)


def _fault(fault: Fault, asked: Asked, missing: str) -> web.Response:
    text = fault.body.render({**request_context(asked), "missing": missing.rpartition("/")[2]})
    return _reply(text, "application/json", fault.status)


def _render(route: Route, context: dict[str, object]) -> web.Response:
    text = route.whole.render(context) if route.whole else ""
    response = _reply(text, route.content_type, route.status)
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


def _frame(stream: Stream, event: Event, context: Mapping[str, object]) -> bytes:
    text = event.data.render(context)
    if stream.framing is Framing.AWS:
        headers = {":event-type": event.name or "chunk", ":content-type": "application/json", ":message-type": "event"}
        return encode_message(headers, text.encode())
    if stream.framing is Framing.SSE:
        name = f"event: {event.name}\n" if event.name else ""
        return f"{name}{stream.prefix}{text}\n\n".encode()
    return f"{text}{stream.ending}".encode() if stream.framing is Framing.NDJSON else text.encode()

"""What was done with an engine beside the requests: kept once each, and found again."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from vcr.request import Request

from harness.tape.engines import plain
from harness.tape.engines.spec import ASIDE, READ, address
from harness.tape.reading import body_bytes
from harness.tape.scrub import scrub_request

if TYPE_CHECKING:
    from harness.tape.tape import Tape

JSON_TYPE: Final = "application/json"
_SHOWN: Final = 300
"""Characters of a call that a refusal shows."""


class Told:
    """
    Keep, or find, the calls and attributes that are no requests.

    Args:
        tape: where they are kept, or stand.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._lock = threading.Lock()
        self._kept: set[str] = set()
        self._found: dict[str, list[dict[str, Any]]] | None = None
        self._played: dict[str, int] = {}

    def keep(self, method: str, path: str, body: dict[str, Any], packed: dict[str, Any]) -> None:
        """
        Keep what was done and what came of it, unless the same has been kept.
        """
        known = plain.key([method, path, body, packed])
        with self._lock:
            if known in self._kept:
                return
            self._kept.add(known)
        response = {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": [JSON_TYPE]},
            "body": {"string": plain.line(packed).rstrip(b"\n")},
        }
        self._tape.keep(request_of(method, path, body), response)

    def read(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """
        Return what an attribute was; None where the recording holds none, as of an object.
        """
        return self._next(_key(request_of(READ, path, body)))

    def aside(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """
        Return what came of a call.

        Raises:
            ReplayMiss: no such call is recorded.
        """
        request = request_of(ASIDE, path, body)
        found = self._next(_key(request))
        if found is None:
            shown = plain.key(body)[:_SHOWN]
            self._tape.refuse(request, f"{ASIDE} {request.uri}: no such call of the engine is recorded: {shown}")
        return found

    def _next(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            if self._found is None:
                self._found = self._read_all()
            answers = self._found.get(key)
            if not answers:
                return None
            place = self._played.get(key, 0)
            self._played[key] = place + 1
            return answers[min(place, len(answers) - 1)]

    def _read_all(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for request, response in self._tape.recorded():
            if request.method in {ASIDE, READ}:
                found.setdefault(_key(request), []).append(json.loads(response["body"]["string"]))
        return found


def request_of(method: str, path: str, body: dict[str, Any]) -> Request:
    """
    Return what was done as a request.
    """
    data = plain.line(body).rstrip(b"\n") if body else None
    return Request(method, quote(address(path), safe=":/().[]_"), data, {"content-type": JSON_TYPE} if body else {})


def _key(request: Request) -> str:
    # a recorded request was scrubbed, so what is asked is as well
    raw = body_bytes(scrub_request(request))
    return f"{request.method} {request.uri} {plain.key(json.loads(raw) if raw else {})}"

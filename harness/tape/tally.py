"""What scrubbing took out of a recording, and what it kept, in words and figures for whoever commits it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit

from harness.tape.credentials import REDACTED, is_credential
from harness.tape.reading import body_bytes, inflated
from harness.tape.scrub import scrub_request, scrub_response
from harness.tape.timing import read_timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vcr.request import Request

    from harness.tape.secrets import Secrets

_MASK = REDACTED.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    Count what was scrubbed and what was kept.

    Attributes:
        scrubbed: what was taken out because it is a credential or looks like one, and how often.
        left_out: headers that are never kept, whatever is in them.
        kept: headers that were.
        hosts: whom the requests went to.
        requests: how many there are.
        arrivals: pieces of all answers.
        size: bytes of all answers.
    """

    scrubbed: Mapping[str, int] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    requests: int = 0
    arrivals: int = 0
    size: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            scrubbed=Counter(self.scrubbed) + Counter(other.scrubbed),
            left_out=self.left_out | other.left_out,
            kept=self.kept | other.kept,
            hosts=self.hosts | other.hosts,
            requests=self.requests + other.requests,
            arrivals=self.arrivals + other.arrivals,
            size=self.size + other.size,
        )


def tally(interactions: Sequence[tuple[Request, dict[str, Any]]], secrets: Secrets) -> Tally:
    """
    Count what is scrubbed from a recording, and what is kept of it.
    """
    return sum((_one(request, answer, secrets) for request, answer in interactions), Tally())


def _one(request: Request, answer: dict[str, Any], secrets: Secrets) -> Tally:
    asked, answered = scrub_request(request, secrets), scrub_response(answer, secrets)
    before = {str(name).lower() for name in [*request.headers, *answer["headers"]]}
    after = {str(name).lower() for name in [*asked.headers, *answered["headers"]]}
    gone = before - after
    found = Counter(f"header {name}" for name in gone if is_credential(name))
    found.update(_of_address(str(request.uri), str(asked.uri)))
    found.update(_masked("a request's headers", _joined(request.headers.values()), _joined(asked.headers.values())))
    found.update(_masked("a request's body", inflated(body_bytes(request)), body_bytes(asked)))
    found.update(_masked("an answer's headers", _of(answer), _of(answered)))
    found.update(_masked("an answer's body", answer["body"].get("string") or b"", answered["body"]["string"]))
    arrivals = read_timing(answer).arrivals
    return Tally(
        scrubbed=found,
        left_out=frozenset(name for name in gone if not is_credential(name)),
        kept=frozenset(after),
        hosts=frozenset({_host(str(asked.uri))}),
        requests=1,
        arrivals=len(arrivals),
        size=len(answered["body"]["string"]),
    )


def _host(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def _joined(values: Iterable[object]) -> bytes:
    return "\n".join(one.decode("latin-1") if isinstance(one, bytes) else str(one) for one in values).encode()


def _of(answer: Mapping[str, Any]) -> bytes:
    return _joined([answer["status"].get("message") or "", *map(str, answer["headers"].values())])


def _masked(where: str, before: bytes | str, after: bytes) -> Counter[str]:
    before = before.encode() if isinstance(before, str) else before
    more = after.count(_MASK) - before.count(_MASK)
    changed = more > 0 or ("body" in where and before != after and len(before) == len(after))
    return Counter({f"a value in {where}": max(more, 1)}) if changed else Counter()


def _of_address(before: str, after: str) -> Counter[str]:
    found: Counter[str] = Counter()
    if "@" in urlsplit(before).netloc and "@" not in urlsplit(after).netloc:
        found["user and password in an address"] += 1
    was, now = (urlsplit(uri).query.split("&") for uri in (before, after))
    names = [unquote_plus(two.partition("=")[0]) for one, two in zip(was, now, strict=False) if one != two]
    found.update(f"query parameter {name}" for name in names)
    if not names and after.count(REDACTED) > before.count(REDACTED):
        found["a value in an address"] += 1
    return found

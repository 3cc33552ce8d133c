"""A check: what an application relies on, for which calls, and the function that tries it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.errors import UserError
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.checks.bench import Bench

    Run = Callable[["Bench"], Iterable[str]]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class NotApplicable(Exception):  # noqa: N818 - names why a check has nothing to say
    """
    Say that a check cannot be tried on this adapter: it takes no such argument, or the recording does not fit.

    Args:
        why: what keeps it from being tried.
        lasting: no check that was tried before in the same process can have brought that about.
    """

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        super().__init__(why)
        self.lasting = lasting


class CheckError(UserError):
    """
    Report a check that cannot be loaded or used.
    """

    code = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    Describe one check.

    Attributes:
        name: lower-case words with hyphens, unique among all checks.
        promise: what an application relies on, as a sentence without its full stop.
        calls: the capabilities that it is tried on.
        hint: what usually causes it to fail.
        run: tries it in a process of its own; yields a sentence for each thing that is not as promised, and raises
            `NotApplicable` where it cannot be tried.
        since: the battery version that it was added with; a project whose committed matrix was judged by an older one
            is told of it and not failed by it.
        asked: nobody relies on it unless they say so: the merge gate tries it only where it is named.
    """

    name: str
    promise: str
    calls: tuple[Capability, ...]
    hint: str
    run: Run
    since: int = 1
    asked: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            hint = "for example: no-slang"
            raise CheckError(f"{self.name!r} cannot name a check: use lower-case words with hyphens", hint=hint)


def check(  # noqa: PLR0913 - the fields of a check
    *,
    name: str,
    promise: str,
    hint: str,
    calls: Iterable[Capability | str] = tuple(Capability),
    since: int = 1,
    asked: bool = False,
) -> Callable[[Run], Check]:
    """
    Turn a function into a check: a decorator for functions that take a `Bench` and yield what is not as promised.

    Args:
        name: lower-case words with hyphens, unique among all checks.
        promise: what an application relies on, as a sentence without its full stop.
        hint: what usually causes it to fail.
        calls: the capabilities that it is tried on; all six by default.
        since: the battery version that it was added with.
        asked: the merge gate tries it only where it is named.

    Raises:
        CheckError: the name is of another form; raised where the function is decorated.
        ValueError: a call is no capability's name.
    """

    def make(run: Run) -> Check:
        on = tuple(map(Capability, calls))
        return Check(name=name, promise=promise, hint=hint, calls=on, run=run, since=since, asked=asked)

    return make

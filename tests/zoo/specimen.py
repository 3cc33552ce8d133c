"""
One animal of the zoo and its label.

A label is a verdict, with the mechanism behind a slash where there is one. A call that a
specimen lacks is `unsupported`. `recorded` names the calls whose label differs once the
upstream is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CALLS: Final = ("invoke", "ainvoke", "stream", "astream", "batch", "abatch")

NATIVE: Final = "native"
BROKEN: Final = "broken"
UNSUPPORTED: Final = "unsupported"
BLOCKED: Final = "blocked"
UNKNOWN: Final = "unknown"
ONCE: Final = "fallback/single-item"
LATE: Final = "fallback/buffered"
THREAD: Final = "fallback/worker-thread"
OTHER: Final = "fallback/other-loop"
BLOCKS: Final = "fallback/blocks-loop"
SEQUENTIAL: Final = "fallback/sequential"
CONCURRENT: Final = "fallback/concurrent"

SHORT: Final = 3.0
PACKAGE: Final = "zoo_adapters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """
    Describe one adapter of the zoo.

    Attributes:
        name: its name in the registration.
        target: module and attribute inside `zoo_adapters`.
        labels: the label of each of the six calls.
        why: the rule of docs/verdicts.md that decides.
        kwargs: options beside `base_url`.
        recorded: labels that differ in replay.
        timeout: seconds that a call may take, where it hangs on purpose.
        more: further keys of the registration.
    """

    name: str
    target: str
    labels: Mapping[str, str]
    why: str
    kwargs: Mapping[str, object] = field(default_factory=dict)
    recorded: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    more: Mapping[str, object] = field(default_factory=dict)

    def label(self, call: str, *, replay: bool) -> str:
        """
        Return what a call is, live or in replay.
        """
        return self.recorded.get(call, self.labels[call]) if replay else self.labels[call]

    @property
    def hangs(self) -> bool:
        """
        Tell whether the specimen spends its time-out.
        """
        return self.timeout is not None


def specimen(  # noqa: PLR0913 - the columns of a table
    name: str,
    target: str,
    why: str,
    *,
    kwargs: Mapping[str, object] | None = None,
    replay: Mapping[str, str] | None = None,
    timeout: float | None = None,
    more: Mapping[str, object] | None = None,
    **labels: str,
) -> Specimen:
    """
    Return a specimen whose calls are `unsupported`, or what `all` says, unless they are named.
    """
    everything = labels.pop("all", UNSUPPORTED)
    return Specimen(
        name=name,
        target=f"{PACKAGE}.{target}",
        labels={call: labels.get(call, everything) for call in CALLS},
        why=why,
        kwargs=kwargs or {},
        recorded=replay or {},
        timeout=timeout,
        more=more or {},
    )

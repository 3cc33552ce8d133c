"""What is reported: a cell with its evidence, an adapter, a matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.words import AsyncIO, Capability, Delivery, FanOut, Mechanism, State, Upstream, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """
    Say which recording a cell was judged over.

    Attributes:
        path: the cassette, relative to the cassettes directory, with forward slashes.
        sha256: digest of the file, in hexadecimal.
        recorded: when, as an ISO 8601 date-time in UTC; None where the file does not say.
    """

    path: str
    sha256: str
    recorded: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """
    Show one upstream request on the recording's clock: seconds since the first request of the cell was sent.

    Attributes:
        method: of HTTP, or what stands for it; `CALL` for a call of an engine.
        uri: the address, scrubbed of credentials.
        role: `inference`, `poll`, `construction` or `other`.
        sent_at: when it was sent.
        arrivals: when each piece of its answer was handed out.
        ends_at: when its answer ended; None where nothing of one was handed out.
        inputs: the inputs that it carries, by index from 0.
        where: the value of `AsyncIO` for this request alone; None for a sync call and for the constructor's requests.
        status: of the answer, as HTTP has it; None where there was none.
    """

    method: str
    uri: str
    role: str
    sent_at: float
    arrivals: tuple[float, ...]
    ends_at: float | None
    inputs: tuple[int, ...] = ()
    where: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemLine:
    """
    Show one item that the caller got, on the recording's clock.

    Attributes:
        at: when, in seconds since the first request of the cell was sent.
        text: the start of its text, at most 60 characters.
        counts: it carries part of the upstream's answer.
        after: how many of the answer's arrivals had been handed out when the caller got it.
    """

    at: float
    text: str
    counts: bool
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """
    Show a call from the first request to the last item.
    """

    requests: tuple[RequestLine, ...] = ()
    items: tuple[ItemLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """
    Keep the three answers and the figures behind a verdict; docs/matrix.md has them as keys.

    Times are seconds on the recording's clock, since the first request of the cell was sent.

    Attributes:
        delivery: how a stream reached the caller; None for other calls, and where nothing of an answer came out.
        async_io: where an awaited call did its input and output; None for other calls, and without requests.
        fan_out: how the inputs of a batch travelled; None for other calls, and without inference requests.
        items: how many the caller got; outputs, of a call that is no stream.
        arrivals: how many pieces the answer came in.
        requests: how many the call sent, whatever their role; the constructor's are left out.
        inference_requests: how many of them carry a prompt and led to an answer.
        inputs: how many the call was given.
        most_inputs_in_a_request: the most inputs that one request carried and led to the answers of.
        peak_in_flight: the most inference requests under way at one moment.
        first_item_at: when the caller got the first item; None where it got none.
        last_item_at: when it got the last.
        answer_ends_at: when the last answer ended; None where none came.
        cassette: what was replayed; None where there is no recording.
        error: the exception's last lines, or the stack where the call hung; None where it neither raised nor hung.
        timeline: every request and every item.
    """

    delivery: Delivery | None = None
    async_io: AsyncIO | None = None
    fan_out: FanOut | None = None
    items: int = 0
    arrivals: int = 0
    requests: int = 0
    inference_requests: int = 0
    inputs: int = 1
    most_inputs_in_a_request: int = 0
    peak_in_flight: int = 0
    first_item_at: float | None = None
    last_item_at: float | None = None
    answer_ends_at: float | None = None
    cassette: Provenance | None = None
    error: str | None = None
    timeline: Timeline = field(default_factory=Timeline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """
    Say what the events of one call mean.

    Attributes:
        verdict: what the cell turned out to be.
        mechanism: how the call is emulated; None where it is not.
        reason: why, in one sentence with the figures that decided.
        evidence: what was seen.
    """

    verdict: Verdict
    mechanism: Mechanism | None
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """
    One adapter x one capability.

    Attributes:
        family: the set that the adapter is published in.
        adapter: its name.
        capability: the call.
        verdict: what it turned out to be.
        mechanism: how the call is emulated; None where it is not.
        reason: why, in one sentence with the figures that decided.
        declared: what the registration's `declares` says; None where it says nothing.
        reflected: what the class overrides, which is how support tables used to be filled; None where it was not seen.
        published: what the family's published table says; None where it has no such cell.
        expected: what the registration's `expects` says; None where it says nothing.
        why_expected: the registration's reason for that.
        evidence: what was seen.
    """

    family: str
    adapter: str
    capability: Capability
    verdict: Verdict
    mechanism: Mechanism | None
    reason: str
    declared: Verdict | None = None
    reflected: Verdict | None = None
    published: Verdict | None = None
    expected: Verdict | None = None
    why_expected: str | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """
    One check x one cell, where its column is switched on.

    Attributes:
        figure: what was measured, in a few words; empty where there is nothing to say.
        sentence: what was found, measured, or kept it from being tried.
    """

    family: str
    adapter: str
    check: str
    capability: Capability
    state: State
    figure: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    One adapter as it was measured.

    Attributes:
        distributions: name to version of what the adapter and its requests went through.
        upstream: where its cassettes come from; None where it has none.
        problem: the root cause that blocks its cells, named once; None where nothing does.
    """

    name: str
    family: str
    target: str
    distributions: dict[str, str] = field(default_factory=dict)
    upstream: Upstream | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """
    Say which part of a run a matrix is, so that the parts can be joined again and none is missed.

    Attributes:
        number: which one, from 1.
        of: how many there are.
        cells: how many cells it was to measure.
        whole: all of them together measure everything that is registered.
        inputs: digest of the whole run's registrations and cassettes, in hexadecimal; the same in each of its shards.
    """

    number: int
    of: int
    cells: int
    whole: bool
    inputs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """
    Everything one run measured.

    Attributes:
        complete: every registered cell was measured; False after Ctrl-C or for a part.
        harness: the version of the harness.
        python: the version of the interpreter, major and minor.
        battery: the version of the prompts and rules; None where the file does not say.
        shard: which part of a run it is; None where it is no shard.
        checks: what came of the checks whose columns were switched on.
    """

    complete: bool
    harness: str
    python: str
    adapters: tuple[Measured, ...]
    cells: tuple[Cell, ...]
    battery: int | None = None
    shard: Shard | None = None
    checks: tuple[Checked, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """
    Keep what a family's documentation says of a call that an adapter does not implement itself.

    Attributes:
        says: the documented behaviour, as the end of a sentence that begins with the call.
        mechanism: the harness's word for it.
    """

    says: str
    mechanism: Mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """
    Keep what a family's own pages say: its published table, and its documentation of the defaults.

    Attributes:
        family: whose claims they are.
        published: by adapter's name, in the page's order, the verdict word of each call that the page has.
        defaults: what is documented of calls that an adapter does not implement.
        source: where the defaults are documented.
        origin: how the published table was made, in a sentence or two with its source; None where nobody knows.
        exceptions: why single adapters' rows were made otherwise, by name.
    """

    family: str
    published: Mapping[str, Mapping[Capability, Verdict]]
    defaults: Mapping[Capability, Default] = field(default_factory=dict)
    source: str | None = None
    origin: str | None = None
    exceptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    Keep one column of a published table of features: a family, whose adapters stand behind it.

    Attributes:
        name: its heading.
        family: whose cells it shows.
        published: the features that the page gives a check there.
        adapters: those that stand behind it; all of the family's where none is named.
        example: the adapter whose evidence is quoted, if it can be; None for the first.
    """

    name: str
    family: str
    published: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()
    example: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """
    Keep one sentence of a page that promises something.

    Attributes:
        says: the promise, restated.
        feature: the row of the table that shows whether it holds; None where no cell can.
        columns: the columns that it is made for.
        cells: the cells that show it instead, as FAMILY/NAME::CAPABILITY.
        verdict: what these have to be.
        check: the check, by the table's name for it, that shows it instead.
        figure: what the check has to have measured, at its beginning; None for whatever passes.
        unjudged: why no cell shows it, or what does.
    """

    says: str
    feature: str | None = None
    columns: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    verdict: Verdict | None = None
    check: str | None = None
    figure: str | None = None
    unjudged: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """
    Keep a published table that has features for rows and families for columns.

    Attributes:
        title: of the report.
        source: where the table was published.
        features: by the page's name, in its order, the call that shows it.
        columns: in the page's order.
        checks: by a name of theirs, checks whose columns are shown below the table, for each call.
        promises: what the page says beside the table.
    """

    title: str
    source: str
    features: Mapping[str, Capability]
    columns: tuple[Column, ...]
    checks: Mapping[str, str] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()

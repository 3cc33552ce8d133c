"""What a recording is going to cost in requests, said before they are made, and the question whether to go on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from harness.cli.errors import UnattendedError
from harness.cli.screen import note
from harness.session.made import needed
from harness.session.paths import cassette_path, family_of
from harness.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.cli.options import Selection
    from harness.words import Capability

UNATTENDED: Final = 300
"""Inference requests up to which nobody has to say yes where nobody can be asked: thirty adapters, all six calls."""
_LISTED: Final = 12
"""Adapters that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    Say what recording one adapter from its real upstream takes.

    Attributes:
        name: family and name.
        calls: how many calls are made.
        least: inference requests, at least.
        most: at most, where nothing is retried.
        replaced: cassettes that are there.
    """

    name: str
    calls: int
    least: int
    most: int
    replaced: int


def plan(selection: Selection, wanted: Callable[[Adapter], Sequence[Capability]]) -> list[Plan]:
    """
    Say what recording from the real upstreams takes; adapters with an engine ask none.
    """
    asking = [(adapter, wanted(adapter)) for adapter in selection.adapters if adapter.engine is None]
    return [_planned(selection.project, adapter, calls) for adapter, calls in asking if calls]


def _planned(project: Project, adapter: Adapter, calls: Sequence[Capability]) -> Plan:
    ranges = [needed(adapter, one) for one in calls]
    return Plan(
        name=f"{family_of(project, adapter)}/{adapter.name}",
        calls=len(calls),
        least=sum(least for least, _ in ranges),
        most=sum(most for _, most in ranges),
        replaced=sum(cassette_path(project, adapter, one).exists() for one in calls),
    )


def agree(plans: Sequence[Plan], *, yes: bool) -> None:
    """
    Tell what is going to be asked of real upstreams, and go on only where that is wanted.

    Nobody is asked where standard input or standard error is no terminal; there, many requests need a `yes`.

    Raises:
        Abort: the user said no.
        UnattendedError: there are many, and nobody can be asked.
    """
    if not plans:
        return
    _tell(plans)
    if yes:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm("go on?", abort=True, err=True)
    elif (most := sum(one.most for one in plans)) > UNATTENDED:
        msg = f"this would make up to {most} inference requests, and there is no terminal to ask on"
        raise UnattendedError(msg, hint="--yes makes them; names, --only and --missing make them fewer")


def _tell(plans: Sequence[Plan]) -> None:
    total = Plan(
        name=counted(len(plans), "adapter"),
        calls=sum(one.calls for one in plans),
        least=sum(one.least for one in plans),
        most=sum(one.most for one in plans),
        replaced=sum(one.replaced for one in plans),
    )
    note(f"to be recorded from the real upstream: {_line(total)}")
    if 1 < len(plans) <= _LISTED:
        for one in plans:
            note(f"  {_line(one)}")
    note("  an inference request carries a prompt; tokens, lookups, polls, and what an adapter retries, come on top;")
    note("  a call that the adapter does not have takes none")


def _line(one: Plan) -> str:
    span = (
        f"{one.least} to {one.most} inference requests"
        if one.most > one.least
        else counted(one.most, "inference request")
    )
    replaced = f"; {counted(one.replaced, 'cassette')} will be replaced" if one.replaced else ""
    return f"{one.name}: {counted(one.calls, 'call')}, {span}{replaced}"

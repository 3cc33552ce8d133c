"""What can be checked of registrations before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.tape.matchers import UnknownMatcherError, checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.session.columns import Columns


def check_matching(adapters: Iterable[Adapter]) -> None:
    """
    Refuse adapters whose `match_on` names no matcher.

    Raises:
        UnknownMatcherError: names the registration and the matchers that there are.
    """
    for adapter in adapters:
        try:
            checked(adapter.match_on)
        except UnknownMatcherError as error:
            raise UnknownMatcherError(error.message, where=f"{adapter.place}, match_on", hint=error.hint) from error


def columns_of(project: Project, adapters: Iterable[Adapter], names: Sequence[str]) -> Columns | None:
    """
    Return the columns of a run, as `session.columns.columns` does, which is imported only where there are some.

    Raises:
        UserError: a check or an adapter is not known, or a check cannot be loaded.
    """
    if not (names or project.columns):
        return None
    from harness.session.columns import columns  # noqa: PLC0415 - imports the checks, which most runs do without

    return columns(project, adapters, names)

"""What can be checked of registrations before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.adapters import Adapter


def check_matching(adapters: Iterable[Adapter]) -> None:
    """
    Refuse adapters whose `match_on` names no matcher.

    Raises:
        UserError: names the registration and the matchers that there are.
    """
    named = [adapter for adapter in adapters if adapter.match_on is not None]
    if not named:
        return
    from harness.tape import matching  # noqa: PLC0415 - imports vcrpy, 1.3 s, which the parent does without
    from harness.tape.cassette import recorder  # noqa: PLC0415 - as above

    for adapter in named:
        try:
            matching.check(recorder(), adapter.match_on)
        except UserError as error:
            raise UserError(error.message, where=f"{adapter.place}, match_on", hint=error.hint) from error

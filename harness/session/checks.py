"""What can be checked of registrations before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import UserError
from harness.tape.matchers import checked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.adapters import Adapter


def check_matching(adapters: Iterable[Adapter]) -> None:
    """
    Refuse adapters whose `match_on` names no matcher.

    Raises:
        UserError: names the registration and the matchers that there are.
    """
    for adapter in adapters:
        try:
            checked(adapter.match_on)
        except UserError as error:
            raise UserError(error.message, where=f"{adapter.place}, match_on", hint=error.hint) from error

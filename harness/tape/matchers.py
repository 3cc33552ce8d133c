"""
What requests can be matched on, by name; apart from the matching itself, which needs vcrpy.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from harness.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_MATCH_ON: Final = ("method", "scheme", "host", "port", "path", "query", "body")
MATCHERS: Final = (*DEFAULT_MATCH_ON, "headers", "raw_body", "stream", "uri", "url")
"""vcrpy's names, of which the default ones are made tolerant, and `stream`."""


class UnknownMatcherError(UserError):
    """
    Report a name in `match_on` that is no matcher's.
    """

    code = "unknown-matcher"


def checked(match_on: Sequence[str] | None) -> tuple[str, ...]:
    """
    Return the names to match on, the default ones for None.

    Raises:
        UnknownMatcherError: a name is no matcher's.
    """
    names = DEFAULT_MATCH_ON if match_on is None else tuple(match_on)
    unknown = [name for name in names if name not in MATCHERS]
    if unknown:
        likely = difflib.get_close_matches(str(unknown[0]), MATCHERS, 1)
        hint = f"did you mean {likely[0]!r}? " if likely else ""
        msg = f"requests cannot be matched on {unknown[0]!r}"
        raise UnknownMatcherError(msg, where="match_on", hint=f"{hint}known are {', '.join(sorted(MATCHERS))}")
    return names

"""Whether what a caller got carries part of the upstream's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.tape.timing import header
from harness.verdicts.documents import is_plain_type
from harness.verdicts.fidelity import carries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcr.request import Request


@dataclass(frozen=True, slots=True)
class Counts:
    """
    Tell whether a text carries part of the answers that are stored.

    Args:
        stored: requests and responses; those that are recorded meanwhile are looked at too.
    """

    stored: Sequence[tuple[Request, dict[str, Any]]]

    def __call__(self, text: str) -> bool:
        """
        Look for the text.
        """
        responses = [response for _, response in self.stored]
        bodies = [response["body"].get("string") or b"" for response in responses]
        worded = [
            body
            for body, one in zip(bodies, responses, strict=True)
            if is_plain_type(header(one["headers"], "content-type"))
        ]
        return carries(text, bodies, worded)

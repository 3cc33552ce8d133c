"""
The standard prompts.

Each carries a code word of its own, which it asks to have repeated: so a request shows
which inputs it carries, and an answer which input it belongs to. Each asks for enough text
that a stream of it has many pieces. They never change within one battery version, because
committed cassettes answer exactly these words.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
"""Battery version: written into cassettes and matrices, raised whenever a prompt or a rule changes."""

PROMPTS: Final = (
    "Repeat the code word kestrel4127 once. Then explain in about eighty words how a lighthouse guides ships at night.",
    "Repeat the code word marigold5938 once. Then explain in about eighty words why a bicycle stays upright in motion.",
    "Repeat the code word juniper2806 once. Then explain in about eighty words how bread dough rises before baking.",
)
"""Three inputs for a batch; the first alone for the single calls."""

"""What all tests share: one way to search for counter-examples."""

from __future__ import annotations

from hypothesis import settings

# derandomized, because a red run has to be red again; without deadlines, because machines differ
settings.register_profile("harness", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("harness")

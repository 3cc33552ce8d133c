"""What all tests share: one way to search for counter-examples, and what is begun first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

# derandomized, because a red run has to be red again; without deadlines, because machines differ
settings.register_profile("harness", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("harness")

LONG: Final = ("test_zoo_through_programs.py", "test_zoo_verdicts.py", "test_zoo_checks.py", "test_kept_recordings.py")
"""Files that take a minute or more, the longest first: whoever begins one last keeps the other workers waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Begin with the files that take long; the others stay as they are.
    """
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONG)))

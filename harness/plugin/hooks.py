"""The hook by which a conftest.py registers adapters."""

from __future__ import annotations

# Type checkers take this name for typing's own, and importing typing is not free.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest import Config  # noqa: PT013 - only its type

    from harness.adapters.adapter import Adapter


def pytest_harness_adapters(config: Config) -> Adapter | Iterable[Adapter] | None:
    """
    Return adapters to measure with `pytest --harness`: one `harness.Adapter`, or several.

    They are added to those of the configuration file and of installed packages.
    """

"""The hook by which a conftest.py registers adapters."""

from __future__ import annotations

# Type checkers take this name for typing's own, and importing typing is not free.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest import Config  # noqa: PT013 - only its type

    from harness.adapters.adapter import Adapter


def pytest_harness_adapters(
    config: Config,
) -> Adapter | Iterable[Adapter] | Callable[[], Adapter | Iterable[Adapter]] | None:
    """
    Return adapters to measure with `pytest --harness`, beside those of the configuration file and of packages.

    It is called once a run, when items are collected. Every conftest.py and plugin that has it adds to the others.

    Args:
        config: pytest's configuration; a hook that does not need it may leave it out.

    Returns:
        one `harness.Adapter`, an iterable of them, or a callable that returns either; None for none. One that names no
        family gets the project's.

    An exception, two adapters of one name in a family, and anything else that is returned are usage errors of pytest,
    which name the place.
    """

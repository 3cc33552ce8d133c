"""The package itself: a few names, none of which costs anything before it is used."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

import harness


def test_importing_the_package_imports_nothing_else():
    """
    In a bare interpreter only the package and `__future__` are new.
    """
    code = "import sys; before = set(sys.modules); import harness; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {_root()!r}); {code}"],
                          capture_output=True, text=True, check=True, timeout=60)  # fmt: skip

    assert done.stdout.split() == ["__future__", "harness"]


def _root() -> str:
    return str(harness.__path__[0]).removesuffix("harness")


def test_the_public_names_are_what_they_say():
    """
    Each name of `__all__` is there, also for `from harness import *` and dir().
    """
    assert set(harness.__all__) <= set(dir(harness))
    assert [name for name in harness.__all__ if getattr(harness, name, None) is None] == []
    assert harness.Adapter.__name__ == "Adapter"


def test_the_version_is_the_distributions():
    """
    It is written in one place only.
    """
    assert harness.__version__ == metadata.version("capability-harness")


def test_other_names_are_refused_as_usual():
    """
    A lazy module behaves like any other.
    """
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Adaptor'"):
        harness.Adaptor  # noqa: B018 - looking is the test

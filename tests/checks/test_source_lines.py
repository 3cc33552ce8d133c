"""Where to look in an adapter's source: its own method, the base class that has it, or the class that lacks it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from harness.checks.sources import constructor_of, source_of
from harness.words import Capability

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import collections
import functools



def logged(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)
    return inner


class Base:
    def __init__(self, **options): ...
    def invoke(self, prompt): ...
    def batch(self, prompts): ...


class Own(Base):
    @logged
    def stream(self, prompt): ...

    def _call(self, prompt): ...


class Foreign(collections.UserDict):
    invoke = None


def factory(): ...
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """
    Import the code above from a folder of its own.
    """
    (tmp_path / "looked_at.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "looked_at", raising=False)
    return __import__("looked_at")


def _line(text: str) -> int:
    return next(number for number, line in enumerate(CODE.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("name", "call", "line", "inherited"),
    [
        ("Own", "stream", "def stream(self", None),
        ("Own", "invoke", "def _call(self", None),
        ("Own", "batch", "def batch(self", "looked_at.Base"),
        ("Own", "astream", "class Own(Base)", None),
        ("Foreign", "invoke", "class Foreign", None),
    ],
)
def test_the_nearest_line_is_named(  # noqa: PLR0913, PLR0917 - a row of the table
    module, tmp_path: Path, name: str, call: str, line: str, inherited: str
) -> None:
    """
    The method that the class writes itself, under its decorators, comes before that of a base class; where there is
    none, the class is the place to look. An instance that a factory made is looked at by its class.
    """
    cls = getattr(module, name)
    for target in (cls, cls()):
        place = source_of(target, Capability(call), tmp_path)
        assert place is not None
        assert (place.path, place.line, place.inherited) == ("looked_at.py", _line(line), inherited)
        assert place.text.startswith(line)


@pytest.mark.parametrize(
    ("name", "line"),
    [("Own", "def __init__(self, **options)"), ("Foreign", "class Foreign"), ("factory", "def factory")],
)
def test_a_constructor_is_named_where_the_package_writes_it(module, tmp_path: Path, name: str, line: str) -> None:
    """
    Its own `__init__` or that of a base class of its package; the class where another package has it; a factory itself.
    """
    place = constructor_of(getattr(module, name), tmp_path)
    assert place is not None
    assert (place.path, place.line) == ("looked_at.py", _line(line))


def test_what_has_no_source_has_no_place(tmp_path: Path) -> None:
    """
    A class that is written in C, or made at run time, is no error.
    """
    assert source_of(dict, Capability.INVOKE, tmp_path) is None
    assert source_of(type("Made", (), {"__module__": "nowhere"}), Capability.INVOKE, tmp_path) is None

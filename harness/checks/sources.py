"""Where in the adapter's source to look: the method of a call, or the class that lacks it."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.checks.result import Source

if TYPE_CHECKING:
    from harness.words import Capability

_HOOKS: Final = {
    "invoke": ("invoke", "_generate", "_call", "generate"),
    "ainvoke": ("ainvoke", "_agenerate", "_acall", "agenerate"),
    "stream": ("stream", "_stream"),
    "astream": ("astream", "_astream"),
    "batch": ("batch", "_generate", "generate"),
    "abatch": ("abatch", "_agenerate", "agenerate"),
}
"""The methods that a class of its own writes for a call: the call itself, or what a framework's call leads to."""


def source_of(target: object, capability: Capability, root: Path) -> Source | None:
    """
    Return where a call of an adapter is written; where a base class of another package has it, the adapter's class.

    Args:
        target: the class, or the instance that a factory made.
        capability: the call.
        root: what paths are relative to, where they are below it.
    """
    cls = target if inspect.isclass(target) else type(target)
    own = cls.__module__.partition(".")[0]
    owners = [one for one in cls.__mro__ if one.__module__.partition(".")[0] == own]
    # what the class itself writes is nearer than what one of its bases does, whichever of the methods it is
    for owner in owners:
        for name in _HOOKS[capability.value]:
            if callable(vars(owner).get(name)):
                return _place(vars(owner)[name], root, None if owner is cls else _called(owner))
    defined = next((one for one in cls.__mro__ if callable(vars(one).get(capability.value))), None)
    return _place(cls, root, None if defined is None else _called(defined))


def constructor_of(target: object, root: Path) -> Source | None:
    """
    Return where an adapter is constructed: its own `__init__`, or that of the nearest base class; a factory itself.

    Args:
        target: the class or the factory.
        root: what paths are relative to, where they are below it.
    """
    if not inspect.isclass(target):
        return _place(target, root)
    own = target.__module__.partition(".")[0]
    owners = (one for one in target.__mro__ if one.__module__.partition(".")[0] == own)
    found = next((vars(one)["__init__"] for one in owners if inspect.isfunction(vars(one).get("__init__"))), target)
    return _place(found, root)


def _called(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _place(what: Any, root: Path, inherited: str | None = None) -> Source | None:  # noqa: ANN401 - a class or a function
    try:
        what = inspect.unwrap(what)
        lines, number = inspect.getsourcelines(what)
        file = Path(inspect.getsourcefile(what) or "")
    except (OSError, TypeError, ValueError):
        return None
    # what is decorated begins with its decorators; the definition is what is looked for
    offset = next(
        (at for at, line in enumerate(lines) if line.lstrip().startswith(("def ", "async def ", "class "))), 0
    )
    return Source(path=_shown(file, root), line=number + offset, text=lines[offset].strip(), inherited=inherited)


def _shown(file: Path, root: Path) -> str:
    whole = Path(os.path.realpath(file))
    if whole.is_relative_to(os.path.realpath(root)):
        return whole.relative_to(os.path.realpath(root)).as_posix()
    _, found, inside = whole.as_posix().rpartition("/site-packages/")
    return inside if found else "/".join(whole.parts[-2:])

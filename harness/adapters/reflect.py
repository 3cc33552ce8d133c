"""
Reflection: what overriding alone would say, which is how support tables used to be filled.

It is shown beside the verdict, never used for it.
"""

from __future__ import annotations

import inspect
import sys
import typing
from typing import TYPE_CHECKING, Final

from harness.adapters.build import load_target
from harness.errors import RegistrationError
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from harness.adapters.adapter import Adapter

_HOOKS: Final = {
    Capability.AINVOKE: ("ainvoke", "_acall", "_agenerate"),
    Capability.STREAM: ("stream", "_stream"),
    Capability.ASTREAM: ("astream", "_astream"),
    Capability.BATCH: ("batch", "_generate"),
    Capability.ABATCH: ("abatch", "_agenerate"),
}
# Whether isabstract is True of Protocol varies between versions of Python; none of the three is anybody's own class.
_NOBODYS: Final = (object, typing.Generic, typing.Protocol)


def reflected(cls: type) -> dict[Capability, Verdict]:
    """
    Return for each capability what a class overrides, without calling anything.

    `native`: a class that can be instantiated, this one or one it inherits from, defines the method or one of the hooks
    that frameworks call for it; for invoke the method alone is enough. `fallback`: the method comes from abstract
    classes alone. `unsupported`: there is no such method.
    """
    defined = {
        name for owner in cls.__mro__ if _is_own(owner) for name, value in vars(owner).items() if value is not None
    }
    return {capability: _reflected(cls, capability, defined) for capability in Capability}


def unbuilt(adapter: Adapter) -> type | None:
    """
    Return the class of an adapter that could not be constructed; None where its target is not imported, or no class.
    """
    if adapter.target.partition(":")[0] not in sys.modules:
        return None
    try:
        target = load_target(adapter)
    except RegistrationError:
        return None
    return target if isinstance(target, type) else None


def _is_own(owner: type) -> bool:
    if owner in _NOBODYS or getattr(owner, "_is_protocol", False):
        return False
    return not inspect.isabstract(owner)


def _reflected(cls: type, capability: Capability, defined: set[str]) -> Verdict:
    if not callable(getattr(cls, capability.value, None)):
        return Verdict.UNSUPPORTED
    if capability is Capability.INVOKE or not defined.isdisjoint(_HOOKS[capability]):
        return Verdict.NATIVE
    return Verdict.FALLBACK

"""Handles: what an adapter gets in the place of an engine's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from harness.tape.engines.plain import Opaque

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tape.engines.engine import Engine

_ATTRIBUTE: Final = re.compile(r"\.\w+$")
ABSENT: Final = object()
"""Stands for the real object where there is none."""


@dataclass(frozen=True, slots=True)
class Thing:
    """
    Say which object a handle stands for.

    Attributes:
        engine: whose object it is.
        path: how the adapter came to it, with `()` for what a call returned.
        name: the same, told apart from other objects that were come by in this way.
        real: the engine's own object, where there is one.
    """

    engine: Engine
    path: str
    name: str
    real: Any = ABSENT

    @property
    def made_in_a_call(self) -> bool:
        """
        Tell whether the object is what a call of the adapter's, not its constructor, came to.
        """
        return "()#" in self.name

    @property
    def owner(self) -> str:
        """
        Return the name of the object that this one is an attribute of; of one that is none, its own.
        """
        return _ATTRIBUTE.sub("", self.name)

    def below(self, name: str, real: object = ABSENT) -> Thing:
        """
        Return what an attribute is.
        """
        return Thing(self.engine, f"{self.path}.{name}", f"{self.name}.{name}", real)


class Handle(Opaque):
    """
    Stand for one object of an engine: pass on what is done with it while recording, answer from the cassette in replay.
    """

    __slots__ = ("_harness",)

    def __init__(self, thing: Thing) -> None:
        object.__setattr__(self, "_harness", thing)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the engine has there
        # frameworks ask every object whether it follows their protocols; no engine's content has such a name
        if name == "_harness" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(name)
        return known(self).engine.read(known(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        known(self).engine.write(known(self), name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the engine takes and returns
        """
        Make a call.
        """
        return known(self).engine.call(known(self), args, kwargs)

    def __bool__(self) -> bool:
        return known(self).engine.truth(known(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Handle) and known(other).name == known(self).name

    def __hash__(self) -> int:
        return hash(known(self).name)

    def __repr__(self) -> str:
        return f"<{known(self).name}, an object of the engine>"

    def __copy__(self) -> Handle:
        return self

    def __deepcopy__(self, memo: object) -> Handle:
        return self


def known(handle: Handle) -> Thing:
    """
    Return what a handle stands for.
    """
    found: Thing = object.__getattribute__(handle, "_harness")
    return found


def _special(name: str) -> Callable[..., Any]:
    def method(self: Handle, *args: Any) -> Any:  # noqa: ANN401 - as in `__call__`
        return known(self).engine.special(known(self), name, args)

    method.__name__ = method.__qualname__ = name
    return method


SPECIAL: Final = (
    "__len__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__int__", "__float__", "__index__",
    "__instancecheck__", "__enter__", "__exit__", "__aiter__", "__iter__",
)  # fmt: skip
"""What Python looks up in the class, and so has to stand there."""

COMPUTES: Final = tuple("add sub mul truediv floordiv mod pow matmul".split())
_UNANSWERED: Final = (
    *(f"__{form}{name}__" for name in COMPUTES for form in ("", "r", "i")),
    *(f"__{name}__" for name in "neg pos abs lt le gt ge array next anext".split()),
)
"""What a recording has no answer to: a registration has to name another seam, or call the object inert."""


def _unanswered(name: str) -> Callable[..., Any]:
    def method(self: Handle, *_: object) -> Any:  # noqa: ANN401 - raises always
        known(self).engine.unanswered(known(self), name)

    method.__name__ = method.__qualname__ = name
    return method


for _name in SPECIAL:
    setattr(Handle, _name, _special(_name))
for _name in _UNANSWERED:
    setattr(Handle, _name, _unanswered(_name))


class EngineModule(ModuleType):
    """
    Stand for one of an engine's modules.
    """

    def __init__(self, thing: Thing) -> None:
        super().__init__(thing.name)
        self.__dict__["_harness"] = thing
        self.__dict__["__path__"] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        if name in _OF_IMPORT:
            raise AttributeError(name)
        thing = self.thing()
        return thing.engine.read(thing, name)

    def thing(self) -> Thing:
        """
        Return what it stands for.
        """
        found: Thing = self.__dict__["_harness"]
        return found


_OF_IMPORT: Final = frozenset("__all__ __file__ __cached__ __builtins__ __wrapped__ __warningregistry__".split())


class Inert(Opaque):
    """
    Stand in replay for a result that the adapter only computes with: all its numbers are zero.
    """

    __slots__ = ()
    __hash__ = Opaque.__hash__

    def __getitem__(self, key: object) -> Inert:
        return self

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __int__(self) -> int:
        return 0


def _arithmetic(name: str) -> Callable[..., Any]:
    def method(self: Inert, *_: object) -> Inert:
        return self

    method.__name__ = method.__qualname__ = name
    return method


for _name in COMPUTES:
    for _form in ("", "r", "i"):
        setattr(Inert, f"__{_form}{_name}__", _arithmetic(f"__{_form}{_name}__"))

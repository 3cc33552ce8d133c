"""One engine, as an adapter meets it: what is done with its objects, passed on or answered from the cassette."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn
from weakref import WeakKeyDictionary

from harness.tape.engines import plain
from harness.tape.engines.exchanges import Exchanges
from harness.tape.engines.handles import ABSENT, EngineModule, Handle, Inert, Thing, known
from harness.tape.engines.origins import Origins
from harness.tape.engines.plain import Packer
from harness.tape.engines.spec import ASIDE, READ, address
from harness.tape.engines.told import Told, request_of
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.tape.engines.spec import EngineSpec
    from harness.tape.tape import Tape


_REMEDY: Final = "name a seam above it, keep its numbers, or say that it is inert (docs/engines.md)"


@dataclass(slots=True)
class State:
    """
    Hold what is known while one tape runs.
    """

    told: Told
    origins: Origins
    exchanges: Exchanges
    made: Counter[str] = field(default_factory=Counter)


class Engine:
    """
    Stand between an adapter and one engine.

    Args:
        spec: what the registration says of it.
    """

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self._real: dict[str, Any] = {}
        self._inert: list[Any] = []
        self._states: WeakKeyDictionary[Tape, State] = WeakKeyDictionary()
        self._written: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def module(self, name: str, real: object = ABSENT) -> EngineModule:
        """
        Return what stands for a module.
        """
        return EngineModule(Thing(self, name, name, real))

    def state(self, tape: Tape) -> State:
        """
        Return what is known while a tape runs.
        """
        with self._lock:
            if tape not in self._states:
                exchanges = Exchanges(self, tape)
                self._states[tape] = State(Told(tape), Origins(tape.marks), exchanges)
            return self._states[tape]

    # -- what the handles pass on ------------------------------------------------------------------------------

    def read(self, owner: Thing, name: str) -> Any:  # noqa: ANN401 - whatever the engine has there
        """
        Return an attribute: a plain value, or a handle on an object.
        """
        tape = current()
        if _live(owner, tape):
            return self._read_live(tape, owner, name)
        if (owner.name, name) in self._written:
            return self._written[owner.name, name]
        thing = owner.below(name)
        told = None if tape is None else self.state(tape).told.read(thing.path, owner_of(thing))
        return self._learnt(tape, owner, thing, Handle(thing) if told is None else self.result(told, thing))

    def write(self, owner: Thing, name: str, value: object) -> None:
        """
        Set an attribute.
        """
        if _live(owner, current()):
            setattr(owner.real, name, self.unwrapped(value))
        else:
            self._written[owner.name, name] = value

    def call(self, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        """
        Make a call: of a seam as a request, of anything else aside.
        """
        tape, path = current(), owner.path
        if tape is None:
            return self._untaped(owner, args, kwargs)
        if path in self.spec.seams:
            return self.state(tape).exchanges.call(owner, args, kwargs)
        return self._aside(tape, owner, args, kwargs)

    def special(self, owner: Thing, name: str, args: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as above
        """
        Do what Python's syntax asks for, such as indexing.
        """
        real = ABSENT if owner.real is ABSENT else getattr(owner.real, name, ABSENT)
        if name == "__iter__" and real is not ABSENT and owner.below(name).path not in self.spec.seams:
            real = partial(list, owner.real)  # what is iterated over aside is kept whole
        if real is ABSENT and _live(owner, current()):
            msg = f"{type(owner.real).__name__!r} object has no {name}"
            raise TypeError(msg)
        found = self.call(owner.below(name, real), args, {})
        return iter(found) if name == "__iter__" else found

    def unanswered(self, owner: Thing, name: str) -> NoReturn:
        """
        Refuse what is computed with an object: no recording could tell what would come of it.

        Raises:
            ReplayMiss: always, or TypeError where no tape runs.
        """
        msg = f"{address(owner.path)}: {name} of this object is asked for, which no recording answers; {_REMEDY}"
        tape = current()
        if tape is None:
            raise TypeError(msg)
        tape.refuse(request_of(ASIDE, owner.below(name).path, {}), msg)

    def truth(self, owner: Thing) -> bool:
        """
        Tell whether an object counts as true, as most do.
        """
        return bool(owner.real) if _live(owner, current()) else True

    # -- objects -----------------------------------------------------------------------------------------------

    def packer(self, full: str, *, keep: tuple[str, ...] = (), records: bool = True) -> Packer:
        """
        Return what writes a result; its objects are remembered by name.
        """
        return Packer(partial(self._named, full), keep, records)

    def served(self, packed: Any, thing: Thing) -> Any:  # noqa: ANN401 - any value
        """
        Return what the adapter gets for a written value.

        Args:
            packed: the value.
            thing: where it was come by; its objects are named after that.
        """
        return plain.unpack(packed, partial(self._by_name, thing))

    def result(self, packed: Mapping[str, Any], thing: Thing) -> Any:  # noqa: ANN401 - any value
        """
        Return what was returned, or yielded, or raise what was raised.
        """
        if "error" in packed:
            raise plain.unpack_error(packed["error"])
        return self.served(packed["returns"] if "returns" in packed else packed.get("yields"), thing)

    def unwrapped(self, value: Any) -> Any:  # noqa: ANN401 - any value
        """
        Return a value with the engine's own objects in the place of handles.
        """
        if isinstance(value, Handle):
            return known(value).real
        if isinstance(value, EngineModule):
            return value.thing().real
        if isinstance(value, list | tuple) and type(value) in {list, tuple}:
            return type(value)(map(self.unwrapped, value))
        if type(value) is dict:
            return {key: self.unwrapped(one) for key, one in value.items()}
        return value

    def inert(self, path: str, real: object = ABSENT) -> Any:  # noqa: ANN401 - as above
        """
        Return the result of a call that the adapter only computes with: the real one, or zeros.
        """
        if real is not ABSENT:
            self._inert += real if isinstance(real, tuple) else (real,)
            return real
        count = self.spec.inert[path]
        return Inert() if count == 1 else tuple(Inert() for _ in range(count))

    def body(self, tape: Tape, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return a call as the body of its request.
        """
        packer = Packer(self._shown)
        told = {name: packer.pack(value) for name, value in kwargs.items()}
        if args:
            told["arguments"] = [packer.pack(one) for one in args]
        if owner.made_in_a_call:
            told["on"] = {"object": owner.owner}
        found: dict[str, Any] = self.state(tape).origins.resolved(told)
        return found

    # -- what is done aside ------------------------------------------------------------------------------------

    def _aside(self, tape: Tape, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        state = self.state(tape)
        # what a constructor is given stands in the registration, and may hold paths of one machine
        body = self.body(tape, owner, args, kwargs) if tape.log.constructed else {}
        thing = Thing(self, f"{owner.path}()", f"{owner.name}(){_ordinal(state, owner.path, body)}")
        if _live(owner, tape):
            if owner.path in self.spec.inert:
                return self.inert(owner.path, self._done(owner, args, kwargs))
            packed = self._keep_aside(state, owner, thing, body, partial(self._done, owner, args, kwargs))
        elif owner.path in self.spec.inert:
            return self.inert(owner.path)
        else:
            packed = state.told.aside(owner.path, body)
        state.origins.learn(plain.texts_in(body), packed.get("returns"))
        return self.result(packed, thing)

    def _keep_aside(
        self, state: State, owner: Thing, thing: Thing, body: dict[str, Any], make: Callable[[], Any]
    ) -> dict[str, Any]:
        try:
            packed = {"returns": self.packer(thing.name).pack(make())}
        except Exception as error:
            state.told.keep(ASIDE, owner.path, body, plain.pack_error(error))
            raise
        state.told.keep(ASIDE, owner.path, body, packed)
        return packed

    def _done(self, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        return owner.real(*self.unwrapped(args), **self.unwrapped(dict(kwargs)))

    def _read_live(self, tape: Tape | None, owner: Thing, name: str) -> Any:  # noqa: ANN401 - as above
        try:
            thing = owner.below(name, getattr(owner.real, name))
        except AttributeError as error:
            self._keep_read(tape, owner.below(name), plain.pack_error(error))
            raise
        if not self.spec.leads_to_seam(thing.path):
            packed = Packer(lambda *_: {"object": ""}, records=False).pack(thing.real)
            if plain.is_plain(packed):
                self._keep_read(tape, thing, {"returns": packed})
                return self._learnt(tape, owner, thing, thing.real)
        return self._learnt(tape, owner, thing, Handle(thing))

    def _keep_read(self, tape: Tape | None, thing: Thing, packed: dict[str, Any]) -> None:
        if tape is not None:
            self.state(tape).told.keep(READ, thing.path, owner_of(thing), packed)

    def _learnt(self, tape: Tape | None, owner: Thing, thing: Thing, value: Any) -> Any:  # noqa: ANN401 - as above
        if tape is not None:
            origins = self.state(tape).origins
            origins.learn(origins.of(owner.name), {"object": thing.name} if isinstance(value, Handle) else value)
        return value

    def _untaped(self, owner: Thing, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        thing = Thing(self, f"{owner.path}()", f"{owner.name}()")
        if owner.real is ABSENT:
            return Handle(thing)
        return self.served(self.packer(thing.name).pack(self._done(owner, args, kwargs)), thing)

    def _by_name(self, thing: Thing, name: str) -> Handle:
        path = thing.path + _anywhere(name.removeprefix(thing.name))
        return Handle(Thing(self, path, name, self._real.get(name, ABSENT)))

    def _named(self, full: str, value: object, place: str) -> dict[str, Any]:
        if isinstance(value, Handle):
            return {"object": known(value).name}
        self._real[full + place] = value
        return {"object": full + place}

    def _shown(self, value: Any, _: str) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, Handle):
            return {"object": known(value).name}
        if isinstance(value, Inert) or any(value is one for one in self._inert):
            return {"object": "inert"}
        if callable(getattr(value, "tolist", None)):
            return value.tolist()
        return {"object": "a function" if callable(value) else type(value).__qualname__}


def owner_of(thing: Thing) -> dict[str, Any]:
    """
    Return which object an attribute is of, where that needs to be told.
    """
    return {"on": thing.owner} if thing.made_in_a_call else {}


def _ordinal(state: State, path: str, body: dict[str, Any]) -> str:
    if body:
        return f"#{plain.digest(body)}"
    state.made[path] += 1
    return "" if state.made[path] == 1 else f"#{state.made[path]}"


def _live(owner: Thing, tape: Tape | None) -> bool:
    return owner.real is not ABSENT and (tape is None or tape.recording)


def _anywhere(place: str) -> str:
    """
    Return a place in a result with its numbers left out: each element of a list is come by in the same way.
    """
    kept, inside = [], False
    for character in place:
        inside = character == "[" or (inside and character != "]")
        if not inside or character == "[":
            kept.append(character)
    return "".join(kept)

"""One engine, as an adapter meets it: what is done with its objects, passed on or answered from the cassette."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from harness.tape.engines import plain
from harness.tape.engines.exchanges import Exchanges
from harness.tape.engines.handles import ABSENT, EngineModule, Handle, Inert
from harness.tape.engines.origins import Origins
from harness.tape.engines.plain import Packer, Record
from harness.tape.engines.spec import ASIDE, READ, address
from harness.tape.engines.told import Told, request_of
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tape.engines.spec import EngineSpec
    from harness.tape.tape import Tape

_ENGINES: Final[list[Engine]] = []


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
        return EngineModule(Handle(self, name, name, real), name)

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

    def read(self, owner: Handle, name: str) -> Any:  # noqa: ANN401 - whatever the engine has there
        """
        Return an attribute: a plain value, or a handle on an object.
        """
        path, full = f"{owner._harness_path}.{name}", f"{owner._harness_name}.{name}"
        tape = current()
        if _live(owner, tape):
            return self._read_live(owner, name, path, full)
        if (owner._harness_name, name) in self._written:
            return self._written[owner._harness_name, name]
        told = None if tape is None else self.state(tape).told.read(path, full)
        if told is None:
            return Handle(self, path, full)
        return self._learnt(tape, owner, self._served(told, path, full), full)

    def write(self, owner: Handle, name: str, value: object) -> None:
        """
        Set an attribute.
        """
        if _live(owner, current()):
            setattr(owner._harness_real, name, self.unwrapped(value))
        else:
            self._written[owner._harness_name, name] = value

    def call(self, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        """
        Make a call: of a seam as a request, of anything else aside.
        """
        tape, path = current(), owner._harness_path
        if tape is None:
            return self._untaped(owner, args, kwargs)
        if path in self.spec.seams:
            return self.state(tape).exchanges.call(owner, args, kwargs)
        return self._aside(tape, owner, args, kwargs)

    def special(self, owner: Handle, name: str, args: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as above
        """
        Do what Python's syntax asks for, such as indexing.
        """
        real = ABSENT if owner._harness_real is ABSENT else getattr(owner._harness_real, name, ABSENT)
        if real is ABSENT and _live(owner, current()):
            msg = f"{type(owner._harness_real).__name__!r} object has no {name}"
            raise TypeError(msg)
        method = Handle(self, f"{owner._harness_path}.{name}", f"{owner._harness_name}.{name}", real)
        found = self.call(method, args, {})
        return iter(found) if name == "__iter__" else found

    def truth(self, owner: Handle) -> bool:
        """
        Tell whether an object counts as true, as most do.
        """
        return bool(owner._harness_real) if _live(owner, current()) else True

    # -- objects -----------------------------------------------------------------------------------------------

    def packer(self, full: str, *, keep: tuple[str, ...] = (), records: bool = True) -> Packer:
        """
        Return what writes a result; its objects are remembered by name.
        """
        return Packer(partial(self._named, full), keep, records)

    def by_name(self, path: str, full: str, name: str) -> Handle:
        """
        Return the handle on an object of a result.
        """
        place = name.removeprefix(full)
        return Handle(self, path + _anywhere(place), name, self._real.get(name, ABSENT))

    def served(self, packed: Any, path: str, full: str) -> Any:  # noqa: ANN401 - any value
        """
        Return what the adapter gets for a written result.
        """
        return plain.unpack(packed, partial(self.by_name, path, full))

    def unwrapped(self, value: Any) -> Any:  # noqa: ANN401 - any value
        """
        Return a value with the engine's own objects in the place of handles.
        """
        if isinstance(value, Handle):
            return value._harness_real
        if isinstance(value, EngineModule):
            return value.__dict__["_harness_handle"]._harness_real
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

    def body(self, tape: Tape, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return a call as the body of its request.
        """
        packer = Packer(self._shown)
        told = {name: packer.pack(value) for name, value in kwargs.items()}
        if args:
            told["arguments"] = [packer.pack(one) for one in args]
        if "()#" in owner._harness_name:
            told["on"] = packer.pack(owner)["object"]
        found: dict[str, Any] = self.state(tape).origins.resolved(told)
        return found

    # -- what is done aside ------------------------------------------------------------------------------------

    def _aside(self, tape: Tape, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        state, path = self.state(tape), owner._harness_path
        # what a constructor is given stands in the registration, and may hold paths of one machine
        body = self.body(tape, owner, args, kwargs) if tape.log.constructed else {}
        full = f"{owner._harness_name}(){self._ordinal(state, path, body)}"
        if not _live(owner, tape):
            if path in self.spec.inert:
                return self.inert(path)
            packed = state.told.aside(path, body)
        else:
            try:
                real = owner._harness_real(*self.unwrapped(args), **self.unwrapped(kwargs))
            except Exception as error:
                state.told.keep(ASIDE, path, body, plain.pack_error(error))
                raise
            if path in self.spec.inert:
                return self.inert(path, real)
            packed = {"returns": self.packer(full).pack(real)}
            state.told.keep(ASIDE, path, body, packed)
        state.origins.learn(plain.texts_in(body), _returned(packed))
        return self._served(packed, f"{path}()", full)

    def _ordinal(self, state: State, path: str, body: dict[str, Any]) -> str:
        if body:
            return f"#{plain.digest(body)}"
        state.made[path] += 1
        return "" if state.made[path] == 1 else f"#{state.made[path]}"

    def _read_live(self, owner: Handle, name: str, path: str, full: str) -> Any:  # noqa: ANN401 - as above
        tape = current()
        try:
            real = getattr(owner._harness_real, name)
        except AttributeError as error:
            self._keep_read(tape, path, full, plain.pack_error(error))
            raise
        if not self.spec.leads_to_seam(path):
            packed = Packer(lambda *_: {"object": ""}, records=False).pack(real)
            if plain.is_plain(packed):
                self._keep_read(tape, path, full, {"returns": packed})
                return self._learnt(tape, owner, real, full)
        return self._learnt(tape, owner, Handle(self, path, full, real), full)

    def _keep_read(self, tape: Tape | None, path: str, full: str, packed: Any) -> None:  # noqa: ANN401 - JSON
        if tape is not None:
            self.state(tape).told.keep(READ, path, _on(full), packed)

    def _learnt(self, tape: Tape | None, owner: Handle, value: Any, full: str) -> Any:  # noqa: ANN401 - as above
        if tape is not None:
            origins = self.state(tape).origins
            packed = {"object": full} if isinstance(value, Handle) else value
            origins.learn(origins.of(owner._harness_name), packed)
        return value

    def _served(self, packed: dict[str, Any], path: str, full: str) -> Any:  # noqa: ANN401 - as above
        if "raises" in packed:
            raise plain.unpack_error(packed["raises"])
        return self.served(packed.get("returns"), path, full)

    def _untaped(self, owner: Handle, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as above
        path, full = f"{owner._harness_path}()", f"{owner._harness_name}()"
        if owner._harness_real is ABSENT:
            return Handle(self, path, full)
        real = owner._harness_real(*self.unwrapped(args), **self.unwrapped(kwargs))
        return self.served(self.packer(full).pack(real), path, full)

    def _named(self, full: str, value: object, place: str) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, Handle):
            return {"object": value._harness_name}
        self._real[full + place] = value
        return {"object": full + place}

    def _shown(self, value: Any, _: str) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, Handle):
            return {"object": value._harness_name}
        if isinstance(value, Inert) or any(value is one for one in self._inert):
            return {"object": "inert"}
        if callable(getattr(value, "tolist", None)):
            return value.tolist()
        return {"object": "a function" if callable(value) else type(value).__qualname__}


def _live(owner: Handle, tape: Tape | None) -> bool:
    return owner._harness_real is not ABSENT and (tape is None or tape.recording)


def _on(full: str) -> dict[str, Any]:
    return {"on": full.rpartition(".")[0]} if "()#" in full else {}


def _returned(packed: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return packed.get("returns")


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


__all__ = ["Engine", "Record", "address", "request_of"]

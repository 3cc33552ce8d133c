"""The six calls, each once, into a log."""

from __future__ import annotations

import errno
import os
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from harness.battery.texts import text_of, type_of
from harness.battery.thoughts import thoughts_of
from harness.errors import RegistrationError
from harness.events import Endless, Item, Missing, Raised, Returned, Started

if TYPE_CHECKING:
    from types import TracebackType

    from harness.tape.gate import Gate
    from harness.tape.log import Log
    from harness.words import Capability

MOST_ITEMS: Final = 10_000
"""Items after which a stream is called endless; the longest recorded answers have some hundreds."""
LONGEST_MESSAGE: Final = 4_000
"""Characters that are kept of what an exception says: some quote a whole answer."""
LONGEST_TRACEBACK: Final = 16_000
"""Characters that are kept of a traceback's end."""
_UNREACHABLE: Final = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
_HARNESS: Final = f"{Path(__file__).parents[1]}{os.sep}"


class Call:
    """
    Make one call on an instance and log what the caller sees.

    Args:
        instance: the adapter.
        capability: which call.
        inputs: the prompts; single calls get the first.
        log: where the events go.
        gate: is told of items, so that it lets arrivals through.
        lacking: says what must be installed where an error comes down to that; None where it does not.
    """

    def __init__(  # noqa: PLR0913 - what is called, how, and who is told
        self,
        instance: object,
        capability: Capability,
        inputs: Sequence[str],
        log: Log,
        gate: Gate,
        *,
        lacking: Callable[[BaseException], str | None] = lambda _error: None,
    ) -> None:
        self._lacking = lacking
        self._instance = instance
        self._capability = capability
        self._inputs = tuple(inputs) if capability.batches else (inputs[0],)
        self._log = log
        self._gate = gate

    def run(self) -> None:
        """
        Make a synchronous call; whatever it raises is logged.
        """
        with self._logged():
            method = self._begin()
            if method is None:
                return
            if self._capability.streams:
                self._drain(method(self._inputs[0]))
            else:
                self._returned(method(self._argument()))

    async def arun(self) -> None:
        """
        Make an awaited call; whatever it raises is logged.
        """
        with self._logged():
            method = self._begin()
            if method is None:
                return
            if self._capability.streams:
                await self._adrain(method(self._inputs[0]))
            else:
                self._returned(await method(self._argument()))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - also SystemExit and the like are what the adapter did
            lacking = self._lacking(error)
            if lacking is None:
                self._log.add(Raised, **raised(error, "call", files_of(type(self._instance))))
            else:
                self._log.add(Missing, what="module", name=lacking)
        finally:
            self._gate.finish()

    def _begin(self) -> Any | None:  # noqa: ANN401 - any callable the adapter offers
        name = self._capability.value
        method = getattr(self._instance, name, None)
        if not callable(method):
            self._log.add(Missing, what="method", name=name)
            return None
        self._gate.begin()
        self._log.add(Started, capability=name, inputs=self._inputs)
        return method

    def _argument(self) -> str | list[str]:
        return list(self._inputs) if self._capability.batches else self._inputs[0]

    def _drain(self, items: Any) -> None:  # noqa: ANN401 - whatever the adapter returned
        for number, item in enumerate(items, start=1):
            self._item(item)
            if number >= MOST_ITEMS:
                self._log.add(Endless, items=number)
                return
        self._log.add(Returned, texts=(), types=())

    async def _adrain(self, items: Any) -> None:  # noqa: ANN401 - whatever the adapter returned
        if isawaitable(items) and not hasattr(items, "__aiter__"):
            await _says_so(items)
        number = 0
        async for item in items:
            number += 1
            self._item(item)
            if number >= MOST_ITEMS:
                self._log.add(Endless, items=number)
                return
        self._log.add(Returned, texts=(), types=())

    def _item(self, item: object) -> None:
        text = text_of(item)
        thoughts = "" if text else thoughts_of(item)
        self._log.add(Item, text=text, type=type_of(item), thoughts=thoughts)
        if text or thoughts:
            self._gate.item(text or thoughts)

    def _returned(self, value: object) -> None:
        outputs = _several(value) if self._capability.batches else None
        values = (value,) if outputs is None else tuple(islice(outputs, MOST_ITEMS))
        # some exceptions have a text, which is no answer
        errors = [outputs is not None and isinstance(one, BaseException) for one in values]
        self._log.add(
            Returned,
            texts=tuple(None if error else text_of(one) for one, error in zip(values, errors, strict=True)),
            types=tuple(type_of(one) for one in values),
            plural=outputs is not None,
            errors=tuple(number for number, error in enumerate(errors) if error),
        )


async def _says_so(coroutine: Awaitable[object]) -> None:
    """
    Let an `async def` without a `yield` say that there is no such call; whatever else it does, it is no stream.
    """
    try:
        await coroutine
    except NotImplementedError:
        raise
    except Exception:  # noqa: BLE001 - what iterating over it raises says more
        return


_NOT_THE_ADAPTERS: Final = (_HARNESS, "<frozen importlib")


def _several(value: object) -> Iterable[object] | None:
    # outputs may also come one by one; what is one text is no sequence of outputs, whatever can be iterated over
    if not isinstance(value, bytes | bytearray | memoryview) and _is_row(value) and text_of(value) is None:
        return value
    return None


def _is_row(value: object) -> TypeGuard[Iterable[object]]:
    """
    Tell whether things stand in a value one after the other; an array, say, does not call itself a sequence.
    """
    if isinstance(value, Iterator | Sequence):
        return True
    methods = ("__iter__", "__len__", "__getitem__")
    return all(hasattr(type(value), name) for name in methods) and not hasattr(value, "keys")


def files_of(adapter: object) -> tuple[str, ...]:
    """
    Return the files that a class and its bases are written in, or a function, the closest first.
    """
    names = [getattr(one, "__module__", None) for one in getattr(adapter, "__mro__", (adapter,))]
    files = [getattr(sys.modules.get(name), "__file__", None) for name in names if isinstance(name, str)]
    return tuple(dict.fromkeys(file for file in files if isinstance(file, str)))


def files_at(target: str) -> tuple[str, ...]:
    """
    Return the files of what a target names, if it was imported, as `files_of` does.
    """
    module, _, name = target.partition(":")
    found: object = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return files_of(found)


def raised(error: BaseException, phase: str, files: Sequence[str] = ()) -> dict[str, Any]:
    """
    Return the fields of a `Raised` event: what was raised, the line that raised it, and the adapter's that led there.

    Args:
        error: what was raised.
        phase: when.
        files: those that the adapter is written in, the closest first.
    """
    if isinstance(error, RegistrationError):
        # told by the harness itself: where it stands is in the message, and where it was raised says nothing
        return _plain(error, phase)
    lines = traceback.format_exception(type(error), error, _from_the_adapter_on(error.__traceback__))
    return {
        "phase": phase,
        "type": type(error).__qualname__,
        "message": _message(error)[:LONGEST_MESSAGE],
        "unsupported": isinstance(error, NotImplementedError),
        "traceback": "".join(lines[-12:])[-LONGEST_TRACEBACK:],
        "line": _line(error, files),
        "unreachable": any(map(_is_unreachable, chain(error))),
    }


def chain(error: BaseException) -> Iterator[BaseException]:
    """
    Yield an error and all that led to it.
    """
    seen: set[int] = set()
    ahead: BaseException | None = error
    while ahead is not None and id(ahead) not in seen:
        seen.add(id(ahead))
        yield ahead
        ahead = ahead.__cause__ or ahead.__context__


def _is_unreachable(error: BaseException) -> bool:
    # without a number it is not the system's: anybody can raise a ConnectionError
    if not isinstance(error, OSError) or error.errno is None:
        return False
    return isinstance(error, ConnectionError | socket.gaierror) or error.errno in _UNREACHABLE


def _line(error: BaseException, files: Sequence[str]) -> str:
    if isinstance(error, SyntaxError) and error.filename and not error.filename.startswith("<"):
        # it was raised where the file was imported, and stands elsewhere
        return _spot(error.filename, error.lineno)
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith(_NOT_THE_ADAPTERS)
    ]
    if not frames:
        return ""
    last = _spot(frames[-1].filename, frames[-1].lineno)
    if frames[-1].filename in files:
        return last
    # a library's line, compiled perhaps, tells little to whoever has to mend the adapter
    own = next((one for file in files for one in reversed(frames) if one.filename == file), None)
    return last if own is None else f"{last}, called from {_spot(own.filename, own.lineno)}"


def _spot(filename: str, line: int | None) -> str:
    return f"{_short(_posix(filename))}:{line}"


def _plain(error: RegistrationError, phase: str) -> dict[str, Any]:
    said = f"{type(error).__qualname__}: {error}"
    return {
        "phase": phase,
        "type": type(error).__qualname__,
        "message": _message(error)[:LONGEST_MESSAGE],
        "unsupported": False,
        "traceback": said[:LONGEST_TRACEBACK],
        "line": "",
    }


def _from_the_adapter_on(trace: TracebackType | None) -> TracebackType | None:
    """
    Leave out how the harness came there: those lines move with each of its releases, and reports are compared.
    """
    while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename.startswith(_HARNESS):
        trace = trace.tb_next
    return trace


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - what an exception says of itself is the adapter's code too
        return "its message cannot be had: __str__ raises"


def _posix(filename: str) -> str:
    return filename.replace("\\", "/")


def _short(filename: str) -> str:
    # the place of the installation differs from machine to machine and says nothing
    _, found, inside = filename.rpartition("/site-packages/")
    return inside if found else "/".join(filename.split("/")[-2:])

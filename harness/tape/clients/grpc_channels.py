"""
Channels of gRPC whose core is a real one only where it is needed.

Everything that makes a channel (`grpc.secure_channel`, `grpc.aio.insecure_channel`, SDKs that wrap them, copies of the
functions under other names) comes to the two classes `Channel` in the end. Their core is put behind an object that
makes it at the first use past the tape: a channel that only ever talks to a tape has no thread, no socket and no peer,
needs no credentials, and survives a fork.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.tape.clients.grpc_aio import AioCall
from harness.tape.clients.grpc_calls import detour, detour_options
from harness.tape.clients.grpc_sync import Asked, Call, Event
from harness.tape.tape import current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from harness.tape.clients.patching import Patches
    from harness.tape.tape import Tape


def tap(patches: Patches, library: ModuleType) -> None:
    """
    Tap the cores of both kinds of channel.
    """
    from grpc import _channel  # noqa: PLC0415 - imported by grpcio itself only when the first channel is made
    from grpc._cython import cygrpc  # noqa: PLC0415 - as above
    from grpc.aio import _channel as aio_channel  # noqa: PLC0415 - as above

    makes = _Makes(library, cygrpc, _channel.Channel, aio_channel.Channel)
    patches.add(_channel, "cygrpc", _Names(cygrpc, Channel=partial(_core, _Core, cygrpc.Channel, makes)))
    patches.add(aio_channel, "cygrpc", _Names(cygrpc, AioChannel=partial(_core, _AioCore, cygrpc.AioChannel, makes)))
    patches.replace(_channel, "_channel_managed_call_management", _tapped_management)


class _Names:
    """
    Be a module with some other names in it.
    """

    def __init__(self, real: ModuleType, **own: Any) -> None:  # noqa: ANN401 - whatever the module holds
        self.__dict__.update(own)
        self._real = real

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._real, name)


class _Bare(threading.local):
    """
    Say whether channels that this thread makes are to have real cores.
    """

    wanted = False


_bare = _Bare()


@contextmanager
def _real_cores() -> Iterator[None]:
    before, _bare.wanted = _bare.wanted, True
    try:
        yield
    finally:
        _bare.wanted = before


class _Makes:
    """
    Hold grpcio's classes.
    """

    def __init__(self, library: Any, cygrpc: Any, sync: Any, aio: Any) -> None:  # noqa: ANN401 - grpcio's own
        self.library = library
        self.cygrpc = cygrpc
        self.sync = sync
        self.aio = aio


def _core(kind: type[_AnyCore], real: Any, makes: _Makes, target: bytes, *arguments: Any) -> Any:  # noqa: ANN401 - as above
    return real(target, *arguments) if _bare.wanted else kind(real, makes, target, *arguments)


class _AnyCore:
    """
    Stand for a channel's core, and become one at the first use past the tape.

    Args:
        real: the class of the core.
        makes: grpcio's classes.
        target: what the channel is made for.
        arguments: the core's options, its credentials, and its loop if it has one.
    """

    def __init__(self, real: Any, makes: _Makes, target: bytes, *arguments: Any) -> None:  # noqa: ANN401 - grpcio's own
        self._make = real
        self._makes = makes
        self._target = target
        self._arguments = arguments
        self._core: Any = None
        self._handles: dict[int, bytes] = {}
        self._real_handles: dict[int, Any] = {}
        self._shut = False
        self._lock = threading.Lock()

    def target(self) -> bytes:
        """
        Return what the channel is made for.
        """
        return self._target

    def get_registered_call_handle(self, method: bytes) -> int:
        """
        Return a number that stands for a method; the core's own comes when there is a core.
        """
        with self._lock:
            handle = len(self._handles) + 1
            self._handles[handle] = method
        return handle

    def _there(self) -> Any:  # noqa: ANN401 - grpcio's own
        with self._lock:
            if self._core is None:
                self._core = self._make(self._target, *self._arguments)
            return self._core

    def _handle(self, handle: Any) -> Any:  # noqa: ANN401 - a number, None where the method is not registered
        method = self._handles.get(handle) if handle else None
        if method is None:
            return handle
        if handle not in self._real_handles:
            self._real_handles[handle] = self._there().get_registered_call_handle(method)
        return self._real_handles[handle]

    def _connect(self, make: Any, tape: Tape) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Return a channel with a real core: to the same peer, or to the one that answers in its place.
        """
        target = self._target.decode()
        options, credentials = self._arguments[:2]
        led = detour(tape, target)
        if led is not None:
            target, options, credentials = led[0], detour_options(led[1]), None
        with _real_cores():
            return make(target, tuple(options), credentials, None)

    def _call_credentials(self, tape: Tape, credentials: Any) -> Any:  # noqa: ANN401 - grpcio's own
        return None if detour(tape, self._target.decode()) is not None else _wrapped(self._makes.library, credentials)

    def check_connectivity_state(self, try_to_connect: bool) -> Any:  # noqa: ANN401, FBT001 - grpcio's own signature
        """
        Return the state of the connection; a tape is always ready.
        """
        if self._core is None and (self._shut or current() is not None):
            states = self._makes.cygrpc.ConnectivityState
            return states.shutdown if self._shut else states.ready
        return self._there().check_connectivity_state(try_to_connect)


class _Core(_AnyCore):
    """
    Stand for the core of a synchronous channel.
    """

    def segregated_call(self, *arguments: Any) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Begin a call whose events are asked for.
        """
        tape = current()
        if tape is None:
            return self._there().segregated_call(*self._with_handle(arguments))
        return self._call(tape, arguments, integrated=False)

    def integrated_call(self, *arguments: Any) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Begin a call whose events are told by the channel's thread.
        """
        return self._there().integrated_call(*self._with_handle(arguments))

    def taped_call(self, tape: Tape, arguments: tuple[Any, ...]) -> Call:
        """
        Begin a call whose events are told at once.
        """
        return self._call(tape, arguments, integrated=True)

    def next_call_event(self) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Wait for an event of any call.
        """
        return self._there().next_call_event()

    def watch_connectivity_state(self, state: Any, deadline: float | None) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Wait until the state changes, which that of a tape never does.
        """
        if self._core is None and (self._shut or current() is not None):
            time.sleep(max(0.0, (deadline or time.time()) - time.time()))
            return Event((), success=False)
        return self._there().watch_connectivity_state(state, deadline)

    def close(self, *arguments: Any) -> None:  # noqa: ANN401 - grpcio's own
        """
        Close the core, if there is one.
        """
        self._shut = True
        if self._core is not None:
            self._core.close(*arguments)

    def close_on_fork(self, *arguments: Any) -> None:  # noqa: ANN401 - grpcio's own
        """
        Close the core in a forked child, if there is one.
        """
        if self._core is not None:
            self._core.close_on_fork(*arguments)

    def _with_handle(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        return (*arguments[:8], *(self._handle(one) for one in arguments[8:]))

    def _call(self, tape: Tape, arguments: tuple[Any, ...], *, integrated: bool) -> Call:
        _, method, _, deadline, metadata, credentials, batches, *_ = arguments
        options = {
            "timeout": None if deadline is None else max(0.0, deadline - time.time()),
            "metadata": metadata,
            "credentials": self._call_credentials(tape, credentials),
        }
        asked = Asked(self._target.decode(), method.decode(), partial(self._connect, self._makes.sync), options)
        return Call(tape, asked, batches, self._makes.cygrpc.OperationType, integrated=integrated)


class _AioCore(_AnyCore):
    """
    Stand for the core of an asynchronous channel.
    """

    def call(self, method: bytes, deadline: float | None, credentials: Any, *others: Any) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Begin a call.
        """
        tape = current()
        if tape is None:
            wait, *handles = others
            return self._there().call(method, deadline, credentials, wait, *(self._handle(one) for one in handles))
        if self._shut:
            msg = "Channel is closed."
            raise self._makes.cygrpc.UsageError(msg)
        # here credentials come in their public form
        own = None if detour(tape, self._target.decode()) is not None else credentials
        connect = partial(self._connect, self._bare_channel)
        core = self._makes.cygrpc
        target, name = self._target.decode(), method.decode()
        return AioCall(tape, target, name, connect, deadline=deadline, credentials=own, core=core, channel=self)

    def _bare_channel(self, target: str, options: Any, credentials: Any, compression: Any) -> Any:  # noqa: ANN401 - grpcio's own
        return self._makes.aio(target, options, credentials, compression, None)

    async def watch_connectivity_state(self, state: Any, deadline: float | None) -> bool:  # noqa: ANN401 - grpcio's own
        """
        Wait until the state changes, which that of a tape does once: to ready.
        """
        if self._core is not None or (current() is None and not self._shut):
            return bool(await self._there().watch_connectivity_state(state, deadline))
        if self.check_connectivity_state(try_to_connect=False) == state:
            await asyncio.sleep(max(0.0, deadline - time.time()) if deadline else _FOREVER)
            return False
        return True

    def closing(self) -> None:
        """
        Take no more calls.
        """
        self._shut = True
        if self._core is not None:
            self._core.closing()

    def close(self) -> None:
        """
        Close the core, if there is one.
        """
        self._shut = True
        if self._core is not None:
            self._core.close()

    def closed(self) -> bool:
        """
        Tell whether the channel is closed.
        """
        return self._shut if self._core is None else bool(self._core.closed())


_FOREVER = 10.0**8
"""Seconds."""


def _wrapped(library: Any, credentials: Any) -> Any:  # noqa: ANN401 - grpcio's own
    """
    Return a call's credentials in the form in which they are given to a stub.
    """
    return None if credentials is None else library.CallCredentials(credentials)


def _tapped_management(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """
    Keep the channel's thread from being started for a call that the tape answers.
    """

    def management(state: Any) -> Callable[..., Any]:  # noqa: ANN401 - grpcio's own
        begin = original(state)

        def create(*arguments: Any) -> Any:  # noqa: ANN401 - as above
            tape = current()
            core = state.channel
            if tape is None or not isinstance(core, _Core):
                return begin(*arguments)
            *others, operations, handler, context = arguments[:9]
            batches = tuple((batch, handler) for batch in operations)
            return core.taped_call(tape, (*others, batches, context, *arguments[9:]))

        return create

    return management

"""
The tap on `grpc.aio`: below everything of it that is written in Python.

Stubs, interceptors, serializers, call objects and errors are the library's own. What is not is the call of its core in
C: a message is pulled by the task that awaits it, on its own loop, and the core's poller thread is not started.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from harness.protobuf import framed
from harness.tape.clients.grpc_calls import (
    BIDIRECTIONAL,
    OK,
    Status,
    call_request,
    keep,
    message_of,
    status_of,
    stopped,
)
from harness.tape.player import AnswerCut

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.tape.player import Answer
    from harness.tape.tape import Recorder, Tape

_CANCELLED: Final = 1
_INTERNAL: Final = 13


class AioCall:
    """
    Be the core's call object for one call.

    Args:
        tape: the tape.
        target: what the channel was made for.
        method: "/package.Service/Method".
        connect: returns a channel that is not tapped, for recording.
        deadline: when the client gives up, in seconds since the epoch.
        credentials: those of the call alone.
        core: grpcio's core, for its end-of-stream mark and its status.
        channel: the core of the call's channel.
    """

    def __init__(  # noqa: PLR0913 - what the core's own is made of
        self,
        tape: Tape,
        target: str,
        method: str,
        connect: Callable[[Tape], Any],
        *,
        deadline: float | None,
        credentials: Any,  # noqa: ANN401 - grpcio's
        core: Any,  # noqa: ANN401 - grpcio's
        channel: object,
    ) -> None:
        self._channel = channel  # older releases look there for the calls of a channel that is closed
        self._tape = tape
        self._target = target
        self._method = method
        self._connect = connect
        self._deadline = deadline
        self._credentials = credentials
        self._core = core
        self._player: Answer | None = None
        self._messages: list[bytes] = []
        self._sent_all = asyncio.Event()
        self._over = asyncio.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._locally = False
        self._status: Any = None
        self._initial_metadata: tuple[()] = ()

    async def unary_unary(self, request: bytes, metadata: Any, *_: object) -> bytes | None:  # noqa: ANN401 - grpcio's
        """
        Send one message and return the one that answers it; None where the call failed.
        """
        await self._begin([request], metadata)
        return await self._only_message()

    async def initiate_unary_stream(self, request: bytes, metadata: Any, *_: object) -> None:  # noqa: ANN401 - as above
        """
        Send one message.
        """
        await self._begin([request], metadata)
        player = self._player
        if player is not None and not player.body_length and player.cut is None:
            self._end(status_of(player))

    async def stream_unary(self, metadata: Any, sent: Callable[[], None], *_: object) -> bytes | None:  # noqa: ANN401 - as above
        """
        Send messages until the client says that there are no more, and return the one that answers them.
        """
        sent()
        await self._sent_all.wait()
        if self._status is not None:
            return None
        await self._begin(self._messages, metadata)
        return await self._only_message()

    async def initiate_stream_stream(self, *_: object) -> None:
        """
        Refuse.
        """
        self._tape.refuse(call_request(self._target, self._method, []), BIDIRECTIONAL)

    async def send_serialized_message(self, message: bytes) -> None:
        """
        Send one of several messages.
        """
        self._messages.append(message)

    async def send_receive_close(self) -> None:
        """
        Note that there are no more.
        """
        self._sent_all.set()

    async def receive_serialized_message(self) -> Any:  # noqa: ANN401 - bytes, or the core's mark
        """
        Return the next message of a stream; the core's mark at its end.
        """
        message = await self._pull() if self._status is None else None
        return self._core.EOF if message is None else message

    async def status(self) -> Any:  # noqa: ANN401 - grpcio's
        """
        Wait for the call's status.
        """
        await self._over.wait()
        return self._status

    async def initial_metadata(self) -> tuple[()]:
        """
        Return nothing: a cassette keeps no metadata.
        """
        return self._initial_metadata

    def add_done_callback(self, callback: Callable[[], None]) -> None:
        """
        Call this when the call has ended, or at once if it has.
        """
        if self.done():
            callback()
        else:
            self._callbacks.append(callback)

    def cancel(self, details: str) -> None:
        """
        Give the call up.
        """
        if self.done():
            return
        self._locally = True
        if self._player is not None:
            self._player.close()
        self._end(Status(_CANCELLED, details))

    def set_internal_error(self, details: str) -> None:
        """
        End the call with an error of the library's own.
        """
        self._end(Status(_INTERNAL, details))

    def done(self) -> bool:
        """
        Tell whether the call has ended.
        """
        return self._status is not None

    def cancelled(self) -> bool:
        """
        Tell whether the call ended by being cancelled, on whichever side.
        """
        return self.done() and self._status.code() == _CANCELLED

    def is_locally_cancelled(self) -> bool:
        """
        Tell whether the client gave the call up.
        """
        return self._locally

    def is_ok(self) -> bool:
        """
        Tell whether the call ended well.
        """
        return self.done() and self._status.code() == 0

    def time_remaining(self) -> float | None:
        """
        Return the seconds until the client gives up.
        """
        return None if self._deadline is None else max(0.0, self._deadline - time.time())

    async def _begin(self, messages: list[bytes], metadata: Any) -> None:  # noqa: ANN401 - grpcio's
        exchange = self._tape.send(call_request(self._target, self._method, messages), "async")
        self._player = exchange.player
        if exchange.recorder is not None:
            self._player = await self._record(exchange.recorder, messages, metadata)

    async def _record(self, recorder: Recorder, messages: list[bytes], metadata: Any) -> Answer | None:  # noqa: ANN401 - as above
        import grpc  # noqa: PLC0415 - only where somebody uses it

        options = {"timeout": self.time_remaining(), "metadata": metadata or None, "credentials": self._credentials}
        count, status = 0, OK
        async with self._connect(self._tape) as channel:
            call = channel.stream_stream(self._method)(iter(messages), **options)
            try:
                async for message in call:
                    count += 1
                    if not recorder.arrived(framed(message)):
                        call.cancel()
                        return stopped(recorder)
            except grpc.RpcError as error:
                trailing = tuple((key, value) for key, value in error.trailing_metadata() or ())
                status = Status(error.code().value[0], error.details() or "", trailing)
        player = keep(recorder, status, count)
        if player is None:
            self._end(status)
        return player

    async def _only_message(self) -> bytes | None:
        message = await self._pull()
        if self._status is None and self._player is not None:
            self._end(status_of(self._player))
        return message

    async def _pull(self) -> bytes | None:
        player = self._player
        piece = None
        if player is not None and self._status is None:
            try:
                piece = await player.anext()
            except AnswerCut:
                piece = None
            if piece is None or (player.exhausted and player.cut is None):
                self._end(status_of(player))  # after the last message the status comes by itself
        return None if piece is None else message_of(piece)

    def _end(self, status: Status) -> None:
        if self._status is not None:
            return
        core = self._core
        self._status = core.AioRpcStatus(status.code, status.details, status.trailing, status.details)
        self._over.set()
        self._sent_all.set()
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

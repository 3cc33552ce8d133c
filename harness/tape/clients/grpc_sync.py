"""
The tap on synchronous gRPC: below everything of grpcio that is written in Python.

Stubs, interceptors, serializers, futures, iterators and errors are the library's own. What is not is its core in C,
which owns sockets and threads: a call's batches of operations are completed from the tape. Answers are pulled in the
thread that waits for them; the core's own thread is there only for a future, which nobody waits for.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
from harness.tape.tape import ReplayMiss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.events import Hook
    from harness.tape.player import Answer
    from harness.tape.tape import Recorder, Tape

Batch = tuple[tuple[Any, ...], Any]
"""Operations of grpcio that complete together, and what is to be told of it."""
_UNAVAILABLE: Final = 14
_NO_STATUS: Final = Status(13, "the recorded upstream ended without a status")


class Asked(NamedTuple):
    """
    Hold what a call is made of, beside its messages.

    Attributes:
        target: what the channel was made for.
        method: "/package.Service/Method".
        connect: returns a channel that is not tapped, for recording.
        options: time-out, metadata and credentials of the call.
    """

    target: str
    method: str
    connect: Callable[[Tape], Any]
    options: dict[str, Any]


class Done(NamedTuple):
    """
    Be an operation of a batch that was completed.
    """

    kind: Any
    value: Any = None
    status: Status = OK

    def type(self) -> Any:  # noqa: ANN401 - grpcio's enumeration
        """
        Return which operation it was.
        """
        return self.kind

    def message(self) -> bytes | None:
        """
        Return the message that was received.
        """
        return self.value  # type: ignore[no-any-return]  # only asked where it is one

    def initial_metadata(self) -> tuple[()]:
        """
        Return nothing: a cassette keeps no metadata.
        """
        return ()

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """
        Return what belongs to the status.
        """
        return self.status.trailing

    def code(self) -> int:
        """
        Return the status's number.
        """
        return self.status.code

    def details(self) -> str:
        """
        Return the status's words.
        """
        return self.status.details

    def error_string(self) -> str:
        """
        Return the status's words once more.
        """
        return self.status.details


class Event(NamedTuple):
    """
    Be the completion of a batch.
    """

    batch_operations: tuple[Done, ...]
    tag: Any = None
    success: bool = True


class Call:
    """
    Complete the operations of one call from the tape.

    Args:
        tape: the tape.
        asked: what is called.
        batches: the operations that the call begins with.
        kinds: grpcio's enumeration of operations.
        integrated: each batch is told to its tag; otherwise events are asked for.
    """

    def __init__(self, tape: Tape, asked: Asked, batches: Sequence[Batch], kinds: Any, *, integrated: bool) -> None:  # noqa: ANN401 - an enumeration of grpcio
        self._tape = tape
        self._asked = asked
        self._kinds = kinds
        self._integrated = integrated
        self._batches = list(batches)
        self._queue: deque[Callable[[], Event]] = deque()
        self._changed = threading.Condition()
        self._player: Answer | None = None
        self._recorder: Recorder | None = None
        self._status: Status | None = None
        self._cancelled = False
        first = {operation.type(): operation for operations, _ in batches for operation in operations}
        sends, receives = kinds.send_message in first, kinds.receive_message in first
        self._messages = [first[kinds.send_message]._message] if sends else []  # noqa: SLF001 - grpcio keeps it nowhere else
        self._closed = sends
        self._unary = receives
        if not sends and not receives:
            tape.refuse(call_request(asked.target, asked.method, []), BIDIRECTIONAL)
        self._begin_at_once(sends=sends)

    def operate(self, operations: tuple[Any, ...], tag: Any) -> bool:  # noqa: ANN401 - grpcio's own operations
        """
        Start one more batch: another message to send, the end of sending, or a message to receive.
        """
        kinds = self._kinds
        with self._changed:
            for operation in operations:
                if operation.type() == kinds.send_message:
                    self._messages.append(operation._message)  # noqa: SLF001 - see above
                elif operation.type() == kinds.send_close_from_client:
                    self._closed = True
        if operations[0].type() == kinds.receive_message:
            self._deliver(partial(self._received, tag))
            return True
        self._deliver(partial(self._completed, (operations, tag), None))
        if self._closed and self._integrated:
            self._answer_later()
        return True

    def next_event(self) -> Event:
        """
        Wait for the next completion.
        """
        with self._changed:
            while not self._queue and not self._closed:
                self._changed.wait()
            make = self._queue.popleft() if self._queue else None
        if make is None and self._unary:
            self._answer()
            make = self._queue.popleft()
        return self._ended() if make is None else make()

    def cancel(self, code: int, details: str) -> None:
        """
        Give the call up.
        """
        with self._changed:
            self._cancelled = True
            if self._status is None:
                self._status = Status(code, details)
            self._closed = True
            self._changed.notify_all()
        if self._player is not None:
            self._player.close()

    def _begin_at_once(self, *, sends: bool) -> None:
        if not sends:
            return
        future = self._unary and self._integrated
        self._begin("async" if future else "sync")  # who asks for a future does not wait
        if future:
            self._answer_later()
            return
        self._take_down()
        if not self._unary:
            self._tell_start()

    def _begin(self, hook: Hook) -> None:
        exchange = self._tape.send(call_request(self._asked.target, self._asked.method, self._messages), hook)
        self._player, self._recorder = exchange.player, exchange.recorder

    def _take_down(self) -> None:
        """
        While recording, read the real answer, in the thread that waits for it.
        """
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            self._player, self._status = self._record(recorder)

    def _record(self, recorder: Recorder) -> tuple[Answer | None, Status | None]:
        import grpc  # noqa: PLC0415 - only where somebody uses it

        count, status = 0, OK
        with self._asked.connect(self._tape) as channel:
            call = channel.stream_stream(self._asked.method)(iter(self._messages), **self._asked.options)
            try:
                for message in call:
                    count += 1
                    if not recorder.arrived(framed(message)):
                        call.cancel()
                        return stopped(recorder), None
            except grpc.RpcError as error:
                status = Status(error.code().value[0], error.details() or "", tuple(error.trailing_metadata() or ()))
        player = keep(recorder, status, count)
        return player, status if player is None else None

    def _tell_start(self) -> None:
        for batch in self._batches:
            if not any(one.type() == self._kinds.receive_status_on_client for one in batch[0]):
                self._deliver(partial(self._completed, batch, None))
        if self._player is None or (not self._player.body_length and self._player.cut is None):
            self._deliver(self._ended)

    def _deliver(self, make: Callable[[], Event]) -> None:
        if not self._integrated:
            with self._changed:
                self._queue.append(make)
                self._changed.notify_all()
            return
        event = make()
        event.tag(event)

    def _completed(self, batch: Batch, message: bytes | None) -> Event:
        operations, tag = batch
        status = self._status or OK
        return Event(tuple(Done(one.type(), message, status) for one in operations), tag)

    def _pull(self) -> bytes | None:
        player = self._player
        piece = None
        if player is not None and not self._cancelled:
            try:
                piece = player.next("sync")
            except AnswerCut:
                piece = None
        if piece is None:
            self._settle()
        return None if piece is None else message_of(piece)

    def _received(self, tag: Any) -> Event:  # noqa: ANN401 - whatever grpcio wants to be told
        """
        Complete the receiving of one message of a stream; after the last one the status comes by itself.
        """
        message = self._pull()
        event = Event((Done(self._kinds.receive_message, message),), tag)
        if message is None or self._all_told():
            if self._integrated:
                tag(event)
                return self._ended()
            with self._changed:
                self._queue.append(self._ended)
        return event

    def _all_told(self) -> bool:
        return self._player is not None and self._player.exhausted and self._player.cut is None

    def _ended(self) -> Event:
        kinds = self._kinds
        self._settle()
        batch = next(one for one in self._batches if any(o.type() == kinds.receive_status_on_client for o in one[0]))
        return self._completed(batch, None)

    def _settle(self) -> None:
        if self._status is None:
            self._status = _NO_STATUS if self._player is None else status_of(self._player)

    def _answer_later(self) -> None:
        threading.Thread(target=self._answer_or_fail, name="grpc call", daemon=True).start()

    def _answer_or_fail(self) -> None:
        try:
            self._answer()
        except ReplayMiss as miss:  # nobody is there to catch it
            self._finish(None, Status(_UNAVAILABLE, str(miss)))

    def _answer(self) -> None:
        """
        Receive the one message of a call that has no stream of them, and its status.
        """
        if self._player is None and self._recorder is None and self._status is None:
            self._begin("sync")
        self._take_down()
        message = self._pull()
        self._settle()
        self._finish(message, None)

    def _finish(self, message: bytes | None, status: Status | None) -> None:
        self._status = status or self._status
        for batch in self._batches:
            self._deliver(partial(self._completed, batch, message))

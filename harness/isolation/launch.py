"""
The parent's end of a host: its channel, its process and its files.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, Protocol

from harness.isolation import processes
from harness.isolation.protocol import REQUEST, Frame, Frames, Order, spawned_command, write_all

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TAIL: Final = 4096
# Bytes that a cell may print before what it printed so far is thrown away, but for the tail.
_MOST_OUTPUT: Final = 16 * 1024**2
# Bytes of stacks that are read at most; faulthandler itself stops after a hundred threads.
_MOST_STACKS: Final = 1024**2
_GOODBYE: Final = 5.0
# Bytes that are read at a time, and seconds for which more are left to gather where there were fewer. To wake up for
# each event of an instant replay took this side as much processor time as to make something of them.
_PIECE: Final = 1 << 16
_GATHER: Final = 0.01


class Process(Protocol):
    """
    Tell how a host's process ended.
    """

    def status(self) -> int | None:
        """
        Return the exit status, a signal as its negative; None while it runs.
        """

    def hang_up(self) -> None:
        """
        Make the channel end, if it has not by now.
        """

    def release(self) -> None:
        """
        Let go of what the parent holds of an ended process.
        """


class Files:
    """
    Keep what a host and its cells print, and the stacks that they leave.

    Args:
        directory: where to put them.
        name: the host's.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.output = directory / f"{name}.out"
        self.stacks = directory / f"{name}.stacks"
        for path in (self.output, self.stacks):
            path.touch()
        self._printed_from = self._stacked_from = 0
        self._kept = b""

    def mark(self, printed: int, stacked: int) -> None:
        """
        Begin anew: what the files held up to these lengths belongs to an earlier cell.
        """
        self._printed_from, self._stacked_from, self._kept = printed, stacked, b""

    def stack(self) -> str:
        """
        Return the stacks written since the mark, as they are.
        """
        return self._since(self.stacks, self._stacked_from).decode("utf-8", "replace")

    def tail(self, until: int | None = None) -> str:
        """
        Return the last 4 kB printed since the mark.

        Args:
            until: how long the output was when the cell ended; the next one may have printed since.
        """
        size = _size(self.output)
        end = size if until is None else min(until, size)
        # Shorter than it was: it was emptied under the cell's hands.
        start = self._printed_from if self._printed_from <= end else 0
        start = max(start, end - _TAIL)
        printed = self._kept + self._since(self.output, start)[: end - start]
        return printed[-_TAIL:].decode("utf-8", "replace")

    def contain(self) -> None:
        """
        Keep a flood of output from filling the disk.
        """
        if _size(self.output) > _MOST_OUTPUT:
            self._kept = self.tail().encode()
            self._printed_from = 0
            os.truncate(self.output, 0)

    def remove(self) -> None:
        """
        Delete both files.
        """
        for path in (self.output, self.stacks):
            path.unlink(missing_ok=True)

    def _since(self, path: Path, offset: int) -> bytes:
        with suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(offset)
            return file.read(_MOST_STACKS)
        return b""


def _size(path: Path) -> int:
    # A fleet that is closed under way takes its files with it.
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Host:
    """
    Talk to one host.

    Args:
        process: how it ended.
        inbound: descriptor that its frames come from.
        outbound: descriptor that takes its order.
        files: what it writes.
    """

    def __init__(self, process: Process, inbound: int, outbound: int, files: Files) -> None:
        self.pid: int | None = None
        self.files = files
        self._process = process
        self._inbound = inbound
        self._outbound = outbound
        self._inbox: queue.SimpleQueue[list[Frame] | None] = queue.SimpleQueue()
        self._at_hand: deque[Frame] = deque()
        self._reader = threading.Thread(target=self._read, daemon=True, name="harness-host")
        self._at_end = False

    def start(self, order: Order) -> None:
        """
        Hand over the order and begin to listen.
        """
        self._reader.start()
        with suppress(OSError):
            # A host that is dead already is noticed by its status.
            write_all(self._outbound, Frame(kind="order", payload=order.encode()).encode())

    def _read(self) -> None:
        frames = Frames()
        with suppress(OSError):
            while data := os.read(self._inbound, _PIECE):
                self._inbox.put(frames.feed(data))
                if len(data) < _PIECE:
                    time.sleep(_GATHER)
        self._inbox.put(None)

    def next(self, seconds: float) -> Frame | None:
        """
        Return the next frame, or None if none comes within `seconds`.
        """
        if not self._at_hand:
            try:
                frames = self._inbox.get(timeout=seconds)
            except queue.Empty:
                return None
            self._at_end = frames is None
            self._at_hand.extend(frames or ())
        frame = self._at_hand.popleft() if self._at_hand else None
        if frame is not None and frame.kind == "host":
            self.pid = int(frame.payload)
        return frame

    def status(self) -> int | None:
        """
        Return the exit status once it has ended, a signal as its negative.
        """
        return self._process.status()

    @property
    def silent(self) -> bool:
        """
        Tell whether everything it ever sent has been returned by `next`.
        """
        return self._at_end

    def kill(self) -> None:
        """
        End it and everything below it.
        """
        if self.pid is not None and self.status() is None:
            processes.kill_group(self.pid)
        elif self.pid is not None:
            processes.kill_left_over(self.pid)

    def close(self) -> None:
        """
        End it, and let go of everything that belongs to it.
        """
        self.kill()
        self._process.hang_up()
        if self._reader.ident is not None:
            self._reader.join(_GOODBYE)
        if not self._reader.is_alive():
            # Under a reader that is still at it, a closed descriptor's number would soon be another file's.
            self._process.release()
        self.files.remove()


class _Forked:
    # The zygote is its parent, and writes its status into a pipe.

    def __init__(self, channel: socket.socket, pipe: int) -> None:
        self._channel = channel
        self._pipe = pipe
        self._status: int | None = None

    def status(self) -> int | None:
        if self._status is None and select.select([self._pipe], [], [], 0)[0]:
            text = os.read(self._pipe, 1 << 12).decode()
            # No number means that it was never forked, or that the zygote itself is gone, and with it every host.
            self._status = int(text) if text.lstrip("-").isdigit() else -signal.SIGKILL
        return self._status

    def hang_up(self) -> None:
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        self._channel.close()
        os.close(self._pipe)


class _Spawned:
    def __init__(self, process: subprocess.Popen[bytes], streams: tuple[IO[bytes], ...]) -> None:
        self._process = process
        self._streams = streams

    def status(self) -> int | None:
        return self._process.poll()

    def hang_up(self) -> None:
        with suppress(OSError):
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GOODBYE)

    def release(self) -> None:
        for stream in self._streams:
            with suppress(OSError):
                stream.close()


def fork_host(control: socket.socket, files: Files) -> Host:
    """
    Ask the zygote at the other end of `control` for a host.

    Raises:
        OSError: the zygote is gone.
    """
    ours, theirs = socket.socketpair()
    status, writes_status = os.pipe()
    try:
        socket.send_fds(control, [REQUEST], [theirs.fileno(), writes_status])
    except OSError:
        ours.close()
        os.close(status)
        raise
    finally:
        theirs.close()
        os.close(writes_status)
    return Host(_Forked(ours, status), ours.fileno(), ours.fileno(), files)


def spawn_host(files: Files, env: Mapping[str, str]) -> Host:
    """
    Start a host with an interpreter of its own, in an environment of its own.
    """
    with files.output.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the interpreter that runs us
            spawned_command(),
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            bufsize=0,
            start_new_session=True,
        )
    assert process.stdin is not None  # noqa: S101 - for the type checker: both were asked for
    assert process.stdout is not None  # noqa: S101
    streams = (process.stdout, process.stdin)
    host = Host(_Spawned(process, streams), streams[0].fileno(), streams[1].fileno(), files)
    host.pid = process.pid
    return host

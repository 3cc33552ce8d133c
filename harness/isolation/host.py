"""
A host: the process of one adapter, which imports the target once and gives each capability a cell of its own.

The cell is a fork of the host. Where that cannot be (there is no fork, or the target started threads when it was
imported, and a fork would lose them with their locks held), and where the order wants it, the cell is the host itself.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import select
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters.adapter import Adapter
from harness.adapters.build import load_target
from harness.adapters.distributions import distributions
from harness.adapters.missing import MissingDependency
from harness.battery.calls import raised
from harness.battery.job import note, read_note
from harness.errors import RegistrationError
from harness.events import Event, Missing, Raised, encode
from harness.isolation import processes, traces
from harness.isolation.cell import Sender, run_cell, teaching
from harness.isolation.learned import IMPORTED, learn
from harness.isolation.protocol import Frame, Frames, Order, memory_limit, write_all
from harness.isolation.surroundings import proxies
from harness.places import here
from harness.tape import certificates, guard, severance

if TYPE_CHECKING:
    from collections.abc import Mapping


# How long a cell's end may go unnoticed where the kernel cannot tell of it (milliseconds).
_REAP_EVERY: Final = 20
# How long frames may gather before they are passed on (milliseconds). Frame by frame, each event of an instant replay
# woke the host and the parent: 5 ms of processor time for a cell that takes 25 itself.
_GATHER: Final = 10


class Cells(StrEnum):
    """
    Say how a host runs its cells.
    """

    FORKED = "forked"
    IN_TURN = "in-turn"


class Host:
    """
    Serve one order.

    Args:
        order: what to do.
        inbound: descriptor that ends when the parent does.
        outbound: descriptor for the frames.
        cells: how the cells are run.
    """

    def __init__(self, order: Order, inbound: int, outbound: int, cells: Cells) -> None:
        self._order = order
        self._job = order.job
        self._inbound = inbound
        self._outbound = outbound
        self._cells = cells
        self._mistake = ""
        self._dials = 0

    def run(self) -> None:
        """
        Do everything, from the environment to the last cell.
        """
        self._settle()
        if not self._import():
            return
        self._look_up()
        self._fetch()
        gc.freeze()
        self._tell(Frame(kind="ready"))
        together = self._order.together or self._cells is Cells.IN_TURN
        for capability in self._order.capabilities:
            if not together and threading.active_count() == 1:
                self._fork(capability)
            elif self._run_here(capability) or not together:
                return

    def _settle(self) -> None:
        redirect(self._order.output)
        traces.enable(self._order.stacks)
        os.chdir(self._job.root)
        sys.path[:0] = list(dict.fromkeys((self._job.root, *self._job.paths, self._order.directory)))
        processes.limit_memory(memory_limit(self._job))
        if self._job.mode == "replay":
            certificates.leave_unread()
            cut = severance.sever()
            self._tell(Frame(kind="note", payload=note("cut", f"{cut.how} {cut.detail}".strip())))
        if self._job.mode == "replay" or "dial" in self._job.options:
            # a simulator is on this machine
            for name in proxies(list(os.environ)):
                del os.environ[name]
        os.environ.update(_texts(self._job.adapter.get("env")))

    def _tell(self, frame: Frame) -> None:
        write_all(self._outbound, frame.encode())

    def _import(self) -> bool:
        problem = self._problem()
        if problem is None:
            return True
        for capability in self._order.capabilities:
            told = [("note", note("problem", self._mistake))] if self._mistake else []
            for kind, payload in (*told, ("event", encode(problem)), ("note", note("done"))):
                self._tell(Frame(kind=kind, capability=capability, payload=payload))
            self._done(capability, 0)
        return False

    def _look_up(self) -> None:
        # Each cell asks who distributes the target, which takes 40 to 140 ms where it has to search; forked cells
        # find the answer in the cache.
        with suppress(Exception):
            distributions(str(self._job.adapter["target"]).partition(":")[0], ())

    def _fetch(self) -> None:
        if self._cells is Cells.FORKED and self._job.mode == "replay":
            from harness.tape import cassette  # noqa: PLC0415 - imports vcrpy, for which the zygote has its turn

            match_on = self._job.adapter.get("match_on")
            wanted = [self._job.cassettes[one] for one in self._order.capabilities if one in self._job.cassettes]
            cassette.fetch(map(Path, wanted), _names(match_on) if match_on else None)

    def _problem(self) -> Event | None:
        """
        Import what is shared by the cells and say what kept that from being done.

        No cassette is open here, so nothing may leave, also while recording. An import that cannot do without is left
        to the cells: each makes it within its tape.
        """
        begun = time.monotonic()
        target = str(self._job.adapter["target"])
        # collecting garbage while much is imported finds none, and takes a tenth of the time
        gc.disable()
        try:
            self._provide(target)
            with guard.closed(self._dialled):
                self._load(target)
        except BaseException as error:  # noqa: BLE001 - an import that calls sys.exit is the adapter's failure too
            if self._dials:
                return None
            if isinstance(error, RegistrationError) and not isinstance(error, MissingDependency):
                self._mistake = str(error)
            return _failed_import(error, target, time.monotonic() - begun)
        finally:
            # what was imported stays: looking through it once takes 0.06 s
            gc.freeze()
            gc.enable()
        return None

    def _load(self, target: str) -> None:
        if "name" in self._job.adapter:
            load_target(Adapter.from_dict(self._job.adapter))
        else:
            import_target(target)
        objects = [spec.partition(":")[0] for spec in _texts(self._job.adapter.get("objects")).values()]
        for module in (*_names(self._job.adapter.get("preload")), *objects):
            # an import can cost seconds (runhouse 6 s), and each cell would spend them; what is wrong with one, it says
            with suppress(Exception, SystemExit):
                importlib.import_module(module)

    def _provide(self, target: str) -> None:
        table = self._job.adapter.get("engine")
        if isinstance(table, dict):
            from harness.tape import engines  # noqa: PLC0415 - for few, and not from another thread

            engines.provide(engines.EngineSpec.of(table), target, recording=self._job.mode == "record")

    def _dialled(self, target: str) -> None:
        self._dials += 1
        self._tell(Frame(kind="note", payload=note("dialled_at_import", target)))

    def _run_here(self, capability: str) -> int:
        before = severance.attempts()
        self._begin(capability, os.getpid(), self._written())
        status = run_cell(self._job, capability, Sender(self._outbound, capability))
        if status:
            os._exit(status)
        self._end(capability, status, before)
        return status

    def _fork(self, capability: str) -> None:
        before, written = severance.attempts(), self._written()
        incoming, outgoing = os.pipe()
        parent = os.getpid()
        cell = processes.fork()
        if cell == 0:
            os.close(incoming)
            self._become_cell(capability, outgoing, parent)
        with suppress(OSError):
            # Both sides do it, so that the group exists before either goes on.
            os.setpgid(cell, cell)
        os.close(outgoing)
        self._begin(capability, cell, written)
        relay = _Relay(cell, incoming, self._inbound, self._outbound)
        status = relay.run()
        processes.kill_strays()
        if relay.imported:
            learn(relay.imported, self._dialled)
        self._end(capability, status, before)

    def _become_cell(self, capability: str, outgoing: int, parent: int) -> None:
        status = 1
        try:
            with suppress(OSError):
                os.setpgid(0, 0)
            processes.die_with_parent(parent)
            for descriptor in {self._inbound, self._outbound}:
                os.close(descriptor)
            sender = Sender(outgoing, capability)
            status = run_cell(self._job, capability, teaching(sender) if self._job.mode == "replay" else sender)
        finally:
            # Not by way of the interpreter's end: the cell has said all it had to say, and an adapter's exit handlers
            # and lingering threads could only keep it.
            os._exit(status)

    def _written(self) -> tuple[int, int]:
        # What both files hold before a cell begins; the parent would look too late.
        return Path(self._order.output).stat().st_size, Path(self._order.stacks).stat().st_size

    def _begin(self, capability: str, process: int, written: tuple[int, int]) -> None:
        payload = " ".join(str(number) for number in (process, *written)).encode()
        self._tell(Frame(kind="cell", capability=capability, payload=payload))

    def _end(self, capability: str, status: int, before: int) -> None:
        past = severance.attempts() - before
        if past:
            self._tell(Frame(kind="note", capability=capability, payload=note("past_python", str(past))))
        self._done(capability, status)

    def _done(self, capability: str, status: int) -> None:
        payload = f"{status} {self._written()[0]}".encode()
        self._tell(Frame(kind="done", capability=capability, payload=payload))


class _Relay:
    # The cell does not get the host's own channel: killed in the middle of a frame, it would spoil it for the rest.

    def __init__(self, cell: int, incoming: int, inbound: int, outbound: int) -> None:
        self._cell = cell
        self._incoming = incoming
        self._inbound = inbound
        self._outbound = outbound
        self._frames = Frames()
        self.imported: list[str] = []
        self._ends = _open_process(cell)
        self._poll, self._ending = select.poll(), select.poll()
        self._poll.register(incoming, select.POLLIN)
        for descriptor in (inbound, *(() if self._ends is None else (self._ends,))):
            self._poll.register(descriptor, select.POLLIN)
            self._ending.register(descriptor, select.POLLIN)

    def run(self) -> int:
        status = None
        while status is None:
            ready = self._ready(self._poll, None if self._ends is not None else _REAP_EVERY)
            if self._incoming in ready:
                if not self._pass_on():
                    self._poll.unregister(self._incoming)
                self._ready(self._ending, _GATHER)
            status = self._reap()
        self._drain()
        return status

    def _ready(self, poll: select.poll, longest: int | None) -> set[int]:
        ready = {descriptor for descriptor, _ in poll.poll(longest)}
        if self._inbound in ready:
            self._abandon()
        return ready

    def _abandon(self) -> None:
        # Nothing is ever sent after the order, so this is the end of the one who sent it.
        processes.kill_group(self._cell)
        processes.kill_strays()
        os._exit(1)

    def _pass_on(self) -> bool:
        try:
            data = os.read(self._incoming, 1 << 16)
        except BlockingIOError:
            return False
        frames = [frame for frame in self._frames.feed(data) if not self._is_for_the_host(frame)]
        write_all(self._outbound, b"".join(frame.encode() for frame in frames))
        return bool(data)

    def _is_for_the_host(self, frame: Frame) -> bool:
        name, value = read_note(frame.payload) if frame.kind == "note" else ("", "")
        if name != IMPORTED:
            return False
        self.imported = value.split()
        return True

    def _reap(self) -> int | None:
        process, status = os.waitpid(self._cell, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if process else None

    def _drain(self) -> None:
        # A process that the cell left behind may hold the pipe open, so its end is not waited for.
        os.set_blocking(self._incoming, False)
        while self._pass_on():
            pass
        for descriptor in (self._incoming, self._ends):
            if descriptor is not None:
                os.close(descriptor)


def _open_process(process: int) -> int | None:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:
        return None


def redirect(output: str) -> None:
    """
    Send what this process prints into the file `output`, unbuffered, and let it read nothing.
    """
    printed = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    for source, standard in ((empty, 0), (printed, 1), (printed, 2)):
        os.dup2(source, standard)
    os.close(printed)
    os.close(empty)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]


def serve(inbound: int, outbound: int, order: Order, cells: Cells) -> None:
    """
    Serve one order, whatever happens, and end the process.
    """
    status = 1
    try:
        if hasattr(signal, "SIGCHLD"):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        Host(order, inbound, outbound, cells).run()
        status = 0
    except BaseException:  # noqa: BLE001 - the traceback goes to the output, whose tail the parent reads
        traceback.print_exc()
    finally:
        if cells is Cells.IN_TURN and hasattr(os, "fork"):
            # A forked host's strays are the zygote's to end.
            processes.kill_strays()
        os._exit(status)


def import_target(target: str) -> object:
    """
    Import "module:attribute" and return what it names.
    """
    module, _, path = target.partition(":")
    found: object = importlib.import_module(module)
    for name in filter(None, path.split(".")):
        found = getattr(found, name)
    return found


def _failed_import(error: BaseException, target: str, real: float) -> Event:
    if isinstance(error, MissingDependency):
        return Missing(at=0.0, real=real, where=here(), what="module", name=error.told)
    if isinstance(error, ModuleNotFoundError) and error.name and not _exists(error.name):
        return Missing(at=0.0, real=real, where=here(), what="module", name=error.name)
    told = raised(error, "import")
    return Raised(
        at=0.0, real=real, where=here(), **{**told, "message": told["message"] or f"importing {target} raised it"}
    )


def _exists(module: str) -> bool:
    # A module that is missing inside a package that is there is that package's bug, not a package to install.
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _texts(value: object) -> Mapping[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _names(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, list | tuple) else []

"""A program from its start to its end: its port, its key, its configuration, and what it says when it fails."""

from __future__ import annotations

import errno
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters.configuration import read_text
from harness.adapters.program import PLACES, filled
from harness.adapters.variables import expand
from harness.errors import PortTakenError
from harness.isolation import processes
from harness.isolation.surroundings import steady, unwatched
from harness.programs import keeper
from harness.programs.errors import ProgramEndedError, ProgramMissingError, ProgramSilentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.adapters.program import Program

LOOPBACK: Final = "127.0.0.1"
_LOOK: Final = 0.05
_TELL_EVERY: Final = 1.0
_ANSWER_WITHIN: Final = 5.0
_GOOD: Final = range(200, 300)
_TAIL: Final = 12
"""Lines of what a program printed that an error quotes."""
_LINE: Final = 200


class Running:
    """
    Run one program; `close` ends it and everything that it started.

    Args:
        program: the registration.
        root: the configuration's directory: its working directory, and where its file is looked for.
        folder: for what it is given and what it prints; the caller's to remove.
        upstream: the address that it is to ask.

    Attributes:
        url: where it listens.
        key: a random one, for it and its clients.
        seconds: how long it took to be up.

    Raises:
        PortTakenError: somebody listens at its port.
        ProgramMissingError: there is no such command.
        RegistrationError: a variable is not set, or its file cannot be read.
    """

    def __init__(self, program: Program, root: Path, folder: Path, upstream: str) -> None:
        self.program = program
        self.key = f"sk-{secrets.token_hex(16)}"
        self.seconds = 0.0
        self._output = folder / "program.out"
        self._output.touch()
        self._port = _port(program)
        self.url = f"http://{LOOPBACK}:{self._port}"
        self._status: int | None = None
        self._pid: int | None = None
        self._ended = threading.Event()
        self._begun = time.monotonic()
        values = dict(zip(PLACES, (str(self._port), self.url, upstream, self.key, ""), strict=True))
        if program.config is not None:
            values["config"] = str(_written(root / program.config, folder, values))
        self._keeper = self._started(root, values)
        self._listener = threading.Thread(target=self._listen, daemon=True, name=f"harness-{program.name}")
        self._listener.start()

    def wait(self, told: Callable[[float], None] = lambda _: None) -> None:
        """
        Return when it is up.

        Args:
            told: is given the seconds so far, about once a second.

        Raises:
            ProgramMissingError: it cannot be run.
            PortTakenError: somebody else listens at its port by now.
            ProgramEndedError: it ended.
            ProgramSilentError: it was not up in time.
        """
        telling = _TELL_EVERY
        while not self._answers():
            self.seconds = time.monotonic() - self._begun
            if self._ended.wait(_LOOK):
                raise self._failure()
            if self.seconds > self.program.ready_within:
                raise self._silence()
            if self.seconds >= telling:
                told(self.seconds)
                telling += _TELL_EVERY
        self.seconds = time.monotonic() - self._begun
        if self._ended.is_set():
            raise self._failure()

    def ended(self, within: float = 0.0) -> str | None:
        """
        Say how it ended; None while it runs.

        Args:
            within: seconds to wait for its end.
        """
        return self._how() if self._ended.wait(within) else None

    @property
    def pid(self) -> int | None:
        """
        Return the program's process, once it is known.
        """
        return self._pid

    def close(self) -> None:
        """
        End it, if it has not ended.
        """
        with suppress(OSError):
            self._keeper.stdin.close()  # type: ignore[union-attr]  # it was asked for
        try:
            self._keeper.wait(keeper.GRACE + _ANSWER_WITHIN)
        except subprocess.TimeoutExpired:
            processes.kill_group(self._keeper.pid)
            self._keeper.wait()
        self._listener.join(_ANSWER_WITHIN)
        self._ended.set()

    def tail(self) -> str:
        """
        Return the last lines that it printed, without its key.
        """
        lines = self._output.read_text("utf-8", "replace").replace(self.key, "{key}").strip().splitlines()
        return "\n".join(line[:_LINE] for line in lines[-_TAIL:])

    def _started(self, root: Path, values: dict[str, str]) -> subprocess.Popen[bytes]:
        place = self.program.origin
        words = [filled(str(expand(one, f"{place}, command")), values) for one in self.program.command]
        own = {name: str(expand(value, f"{place}, env.{name}")) for name, value in self.program.env.items()}
        own = {name: filled(value, values) for name, value in own.items()}
        environ = {**_directly(steady(unwatched(os.environ))), **own}
        words[0] = _found(words[0], root, environ.get("PATH", ""), f"{place}, command")
        return subprocess.Popen(  # noqa: S603 - what the user registered
            keeper.command(str(self._output), words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=root,
            env=environ,
            # Ctrl-C is for the harness, which ends its programs in order
            start_new_session=True,
        )

    def _listen(self) -> None:
        stream = self._keeper.stdout
        assert stream is not None  # noqa: S101 - it was asked for
        with stream:
            for line in stream:
                word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                self._hear(word, rest)
        self._ended.set()

    def _hear(self, word: str, rest: str) -> None:
        match word:
            case "started":
                self._pid = int(rest)
            case "ended":
                self._status = int(rest)
            case "missing":
                with self._output.open("a", encoding="utf-8") as file:
                    file.write(rest)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_ANSWER_WITHIN)
        try:
            connection.request("GET", self.program.ready)
            return connection.getresponse().status in _GOOD
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _failure(self) -> Exception:
        where, said = self.program.origin, self.tail()
        if self._pid is None:
            msg = f"{self.program.command[0]} cannot be run: {said}"
            return ProgramMissingError(msg, where=f"{where}, command", hint="name a file that may be executed here")
        if _is_taken(self._port):
            return _taken(self.program, self._port)
        said = f"it said at last:\n{said}" if said else "it said nothing"
        return ProgramEndedError(f"the program {self._how()} before it was up", where=where, hint=said)

    def _silence(self) -> Exception:
        what = f"the program runs, and {self.url}{self.program.ready} does not answer within {self.seconds:.0f} s"
        said = self.tail()
        hint = f"name the path that tells that it is up (ready), or give it longer (ready_within); it said:\n{said}"
        return ProgramSilentError(what, where=self.program.origin, hint=hint)

    def _how(self) -> str:
        if self._status is None:
            return "was lost sight of"
        if self._status >= 0:
            return f"ended with exit status {self._status}"
        try:
            return f"was killed by {signal.Signals(-self._status).name}"
        except ValueError:
            return f"was killed by signal {-self._status}"


def _directly(environ: Mapping[str, str]) -> dict[str, str]:
    """
    Return an environment by which loopback is asked without the proxy that a machine may have.
    """
    spared = {
        name: f"{environ[name]},{LOOPBACK}" if environ.get(name) else LOOPBACK for name in ("NO_PROXY", "no_proxy")
    }
    return {**environ, **spared}


def _port(program: Program) -> int:
    try:
        with socket.create_server((LOOPBACK, program.port)) as listener:
            return int(listener.getsockname()[1])
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise _taken(program, program.port) from error


def _taken(program: Program, port: int) -> PortTakenError:
    hint = "end that other program, name another port, or none: then a free one is taken"
    return PortTakenError(f"another program listens at {LOOPBACK}:{port}", where=f"{program.origin}, port", hint=hint)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _found(name: str, root: Path, path: str, where: str) -> str:
    """
    Return a program's file: that of the running interpreter's environment before any other.
    """
    if os.sep in name:
        return str(root / name)
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join((beside, path)))
    if found is None:
        hint = f"install it into this environment ({beside}), or write its whole path"
        raise ProgramMissingError(f"there is no program {name!r}", where=where, hint=hint)
    return found


def _written(template: Path, folder: Path, values: dict[str, str]) -> Path:
    made = folder / template.name
    made.write_text(filled(read_text(template), values), encoding="utf-8")
    made.chmod(0o600)
    return made

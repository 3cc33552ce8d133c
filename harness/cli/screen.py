"""What a command prints, on terminals and elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Final, TextIO

from harness.report.text import printable
from harness.session.problems import Trouble, messages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.session.problems import Problem
    from harness.session.standing import Fault, Note

_NARROWEST: Final = 40
_NO_TERMINAL: Final = 132
_RED: Final = "\x1b[1;31m"
_RESET: Final = "\x1b[0m"


def forgive_encodings() -> None:
    """
    Let what an encoding cannot say become question marks, and not an error.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def is_terminal(stream: TextIO) -> bool:
    """
    Tell whether somebody looks on who can be shown things that move.
    """
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def has_colour(stream: TextIO | None = None) -> bool:
    """
    Tell whether colours and symbols may be used: on a terminal, unless NO_COLOR is set.

    Args:
        stream: where to; standard output if none is given.
    """
    stream = sys.stdout if stream is None else stream
    encoding = (stream.encoding or "").lower().replace("-", "")
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and encoding.startswith("utf")


def width() -> int:
    """
    Return the columns of the terminal, or what COLUMNS says; enough for a table where there is neither.
    """
    return max(shutil.get_terminal_size((_NO_TERMINAL, 24)).columns, _NARROWEST)


def say(text: str | bytes) -> None:
    """
    Print a result; one newline is added to text, none to bytes.
    """
    _print(sys.stdout, text)


def note(text: str) -> None:
    """
    Say something beside the result, on standard error.
    """
    _print(sys.stderr, printable(text))


def complain(kind: str, text: str) -> None:
    """
    Say what is wrong, with a word before it that stands out.
    """
    mark = f"{_RED}{kind}:{_RESET}" if has_colour(sys.stderr) else f"{kind}:"
    _print(sys.stderr, f"{mark} {printable(text)}")


def _print(stream: TextIO, text: str | bytes) -> None:
    try:
        if isinstance(text, bytes):
            stream.flush()
            stream.buffer.write(text)
        else:
            stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        # whoever read has seen enough; the work is done to its end all the same
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def show_faults(faults: Sequence[Fault], file: Path | None) -> None:
    """
    List what is not as it should be, one line for all the calls of an adapter that it is said of.

    Args:
        faults: what is not.
        file: the project's configuration.
    """
    alike: dict[tuple[str, str, str], list[str]] = {}
    for fault in faults:
        cell = fault.cell
        key = (fault.kind.value, f"{cell.family}/{cell.adapter}", fault.message)
        alike.setdefault(key, []).append(cell.capability.value)
    for (kind, name, message), calls in alike.items():
        complain(kind, f"{name} {', '.join(calls)}: {message}")
    if faults:
        cell = faults[0].cell
        from harness.session.commands import typed  # noqa: PLC0415 - `--help` does without

        command = typed(file, "explain", f"{cell.family}/{cell.adapter}", cell.capability.value)
        note(f"  hint: `{command}` shows why; so for others")


def show_notes(notes: Sequence[Note]) -> None:
    """
    List what is worth knowing and fails nothing, one line for all the calls of an adapter that it is said of.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for one in notes:
        key = (f"{one.cell.family}/{one.cell.adapter}", one.message)
        alike.setdefault(key, []).append(one.cell.capability.value)
    for (name, message), calls in alike.items():
        note(f"note: {name} {', '.join(calls)}: {message}")


def show_problems(name: str, problems: Sequence[Problem]) -> None:
    """
    List what the user has to mend, and where the harness itself failed; each once, with the calls that it concerns.

    Args:
        name: the adapter's.
        problems: of its cells.
    """
    for message, calls in messages(problems, Trouble.MISTAKE).items():
        complain("error", f"{name} ({', '.join(calls)}): {message}")
    for message, calls in messages(problems, Trouble.FAULT).items():
        complain("error", f"{name} ({', '.join(calls)}): the harness itself failed, please report it:\n{message}")

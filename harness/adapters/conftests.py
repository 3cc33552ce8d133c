"""What conftest.py files register, for whoever is not pytest: pytest is asked, as it knows how to read them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters.adapter import Adapter
from harness.adapters.registry import HOOK
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.adapters.project import Project

OPTION: Final = "--harness-registered"
"""The option of the pytest plugin that writes what the hook registers into a file, as `reply` reads it."""
_PLUGINS: Final = ("-p", "no:cacheprovider", "-p", "no:harness", "-p", "harness.plugin")
"""By its module's name the plugin is there also where the project switches it off."""
_PLACES: Final = ("conftest.py", "*/conftest.py", "*/*/conftest.py")
_SHOWN: Final = 3
"""Lines of what pytest said that are shown where it could not answer."""


def adapters_of_conftests(project: Project) -> tuple[Adapter, ...]:
    """
    Return the adapters that the hook `pytest_harness_adapters` registers in the conftest.py files of a project.

    Looked at are the files in the project's folder and up to two folders below it. pytest is started only where one of
    them has the hook: it takes half a second.

    Raises:
        RegistrationError: a conftest.py cannot be read, raises, or registers something else.
    """
    files = sorted(_with_the_hook(project.root))
    if not files:
        return ()
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        answer = Path(folder) / "registered.json"
        said = _ask_pytest(project.root, files, answer)
        if not answer.is_file():
            hint = "`pytest --harness --collect-only` says more"
            raise RegistrationError(f"pytest cannot read it: {said}", where=str(files[0]), hint=hint)
        return _read(answer.read_bytes())


def reply(adapters: Iterable[Adapter]) -> bytes:
    """
    Return what pytest answers: the adapters, or the mistake that was made in registering them.
    """
    try:
        found: dict[str, object] = {"adapters": [adapter.as_dict() for adapter in adapters]}
    except RegistrationError as error:
        found = {"mistake": {"message": error.message, "where": error.where, "hint": error.hint}}
    return json.dumps(found).encode()


def _read(answer: bytes) -> tuple[Adapter, ...]:
    found = json.loads(answer)
    if "mistake" in found:
        mistake = found["mistake"]
        raise RegistrationError(mistake["message"], where=mistake["where"], hint=mistake["hint"])
    return tuple(Adapter.from_dict(values) for values in found["adapters"])


def _with_the_hook(root: Path) -> Iterator[Path]:
    for pattern in _PLACES:
        for path in root.glob(pattern):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and HOOK.encode() in _content(path):
                yield path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # what pytest cannot read either, it tells of


def _ask_pytest(root: Path, files: Iterable[Path], answer: Path) -> str:
    folders = [str(path.parent) for path in files]
    done = subprocess.run(  # noqa: S603 - the interpreter that runs us
        [sys.executable, "-m", "pytest", *_PLUGINS, f"{OPTION}={answer}", *folders],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return " / ".join(lines[-_SHOWN:]) or f"it ended with status {done.returncode}"

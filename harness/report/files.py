"""Files that are either the old one or the complete new one, never half of it."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """
    Replace a file in one step, making its folder where it is missing.

    Raises:
        ReportError: the folder cannot be made or written; the old file is untouched.
    """
    replace_files({path: data})


def replace_files(files: Mapping[Path, bytes]) -> None:
    """
    Replace several files: the first old one goes only when every new one is complete on the disk.

    Raises:
        ReportError: a folder cannot be made or written, or a file cannot be replaced.
    """
    drafts: list[tuple[Path, Path]] = []
    try:
        for path, data in files.items():
            with _explained(path):
                if _is_device(path):
                    path.write_bytes(data)
                elif not _holds(path, data):
                    drafts.append((_draft(path, data), path))
        for draft, path in drafts:
            with _explained(path):
                draft.replace(path)
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def append_file(path: Path, data: bytes) -> None:
    """
    Write at the end of a file that others write to as well.

    Raises:
        ReportError: it cannot be written.
    """
    with _explained(path), path.open("ab") as file:
        file.write(data)


def _holds(path: Path, data: bytes) -> bool:
    """
    Tell whether a file has this content already: thousands of badges that did not change need not be written again.
    """
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _is_device(path: Path) -> bool:
    """
    Tell whether it is there and is no ordinary file, as /dev/stdout is: such a thing is written, not replaced.
    """
    return path.exists() and not path.is_file() and not path.is_dir()


def _draft(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    draft = path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = f"make {path.parent} a folder that you may write to, or choose another one"
        raise ReportError(f"cannot be written: {error.strerror or error}", where=str(path), hint=hint) from error

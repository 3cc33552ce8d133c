"""Folders of shapes, and which of them answer together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.simulators.shapes import read_shape
from harness.simulators.tables import ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harness.simulators.shapes import Shape


def load_shapes(*folders: Path) -> dict[str, Shape]:
    """
    Return the shapes of folders by name.

    A name, and a host, belongs to the first folder that has it: so a project can share another's shapes and have some
    of them otherwise.

    Raises:
        ShapeError: a folder or one of its files cannot be used.
    """
    shapes: dict[str, Shape] = {}
    files: dict[str, Path] = {}
    for folder in folders:
        taken = {host for shape in shapes.values() for host in shape.hosts}
        new = {file.stem: file for file in _files(folder) if file.stem not in files}
        files |= new
        read = [read_shape(file) for file in new.values()]
        left = [replace(one, hosts=tuple(host for host in one.hosts if host not in taken)) for one in read]
        shapes |= {one.name: one for one in left if one.hosts}
    for name, shape in shapes.items():
        _check_beside(shape, shapes, files[name])
    return shapes


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ShapeError(
            "there is no such folder",
            where=str(folder),
            hint="name the folder that holds one TOML file for each provider",
        )
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ShapeError("the folder holds no shapes", where=str(folder), hint="a shape is a file like openai.toml")
    return files


def _check_beside(shape: Shape, shapes: Mapping[str, Shape], file: Path) -> None:
    unknown = next((name for name in shape.beside if name not in shapes), None)
    if unknown is not None:
        raise ShapeError(
            f"there is no shape {unknown!r}", where=f"{file}: beside", hint=f"one of {', '.join(sorted(shapes))}"
        )


def with_those_beside(names: Iterable[str], shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """
    Return the named shapes, and those that have to answer beside them.
    """
    found: dict[str, Shape] = {}
    open_ends = list(names)
    while open_ends:
        name = open_ends.pop(0)
        if name not in found:
            found[name] = shapes[name]
            open_ends += found[name].beside
    return found

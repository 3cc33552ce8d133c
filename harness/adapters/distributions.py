"""Distributions: what was installed of all that an adapter and its requests went through."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OURS: Final = "capability-harness"
# What runs the adapters is in every stack and says nothing about any of them.
_RUNNERS: Final = frozenset({"harness", "vcr", "pytest", "_pytest", "pluggy", "xdist", "execnet"})


def distributions(target_module: str, through: Iterable[str]) -> dict[str, str]:
    """
    Return name and version of the distributions that own a target's module and the modules that its requests passed.

    Args:
        target_module: the module of the target, dotted.
        through: top-level modules that were seen on the stacks of requests.

    The standard library and what runs the adapters (the harness, vcrpy, pytest) are left out. Sorted by name.
    """
    tops = {name.partition(".")[0] for name in (target_module, *through)}
    asked = tops - _RUNNERS - sys.stdlib_module_names - {"", "__main__"}
    found: dict[str, str] = {}
    for top in sorted(asked):
        found |= _owners(top)
    return dict(sorted(found.items(), key=lambda item: (item[0].lower(), item[0])))


def normalized(name: str) -> str:
    """
    Return a distribution's name in the form in which names are compared (PEP 503).
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def warm() -> None:
    """
    Look at everything that is installed, once for all processes that are forked from this one.
    """
    _everything()
    _editables()


@cache
def _owners(top: str) -> Mapping[str, str]:
    """
    Return the distributions of one top-level module.

    The map of everything that is installed takes 40 to 80 ms for 86 distributions, one distribution asked for by name
    1 ms. Most are named after their module, so the map is only made for those that are not, and for namespaces; and
    not for a file beside which nothing is installed, such as a module of the project itself.
    """
    namesake = None if _is_namespace(top) else _namesake(top)
    if namesake is not None:
        return _versions([namesake])
    names = sorted(set(_everything().get(top, ()))) if _may_be_installed(top) else []
    if names:
        return _versions(metadata.distribution(name) for name in names)
    return _versions(dist for dist, folder in _editables() if _holds(folder, top))


def _versions(found: Iterable[metadata.Distribution]) -> dict[str, str]:
    # each access parses the file anew
    told = [dist.metadata for dist in found]
    return {one["Name"]: one["Version"] for one in told}


def _is_namespace(top: str) -> bool:
    module = sys.modules.get(top)
    return module is not None and getattr(module, "__file__", None) is None


def _may_be_installed(top: str) -> bool:
    """
    Tell whether there is metadata where a module was found; also where it was not found, or is a namespace.
    """
    module = sys.modules.get(top)
    file = getattr(module, "__file__", None)
    if file is None:
        return True
    folder = Path(file).parent
    if hasattr(module, "__path__"):
        folder = folder.parent
    return any(folder.glob("*.*-info"))


def _namesake(top: str) -> metadata.Distribution | None:
    try:
        dist = metadata.distribution(top)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    listed = (dist.read_text("top_level.txt") or "").split()
    return dist if top in listed or _lists(dist, top) else None


def _lists(dist: metadata.Distribution, top: str) -> bool:
    record = dist.read_text("RECORD")
    if record is not None:
        # of thousands of lines, and the parsed ones take ten times as long
        return re.search(rf"^{re.escape(top)}(/|\.py,)", record, re.MULTILINE) is not None
    return any(file.parts[0] in {top, f"{top}.py"} for file in dist.files or ())


@cache
def _everything() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@cache
def _editables() -> tuple[tuple[metadata.Distribution, Path], ...]:
    """
    Return what is installed from a folder that may still change; such files list no modules (PEP 660, PEP 610).
    """
    from urllib.request import url2pathname  # noqa: PLC0415 - 10 ms, for what is editable

    found: list[tuple[metadata.Distribution, Path]] = []
    for dist in metadata.distributions():
        told = dist.read_text("direct_url.json")
        # our own folder holds families, stand-ins and tests, which are no part of it
        if told and re.search(r'"editable"\s*:\s*true', told) and dist.metadata["Name"] != _OURS:
            found.append((dist, Path(url2pathname(urlsplit(json.loads(told)["url"]).path))))
    return tuple(found)


def _holds(folder: Path, top: str) -> bool:
    file = getattr(sys.modules.get(top), "__file__", None)
    return file is not None and Path(file).resolve().is_relative_to(folder.resolve())

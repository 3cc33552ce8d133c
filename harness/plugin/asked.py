"""What was asked of the plugin: each option, or its ini twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.adapters.project import load_project
from harness.session.pace import read_pace
from harness.session.shards import read_slice

if TYPE_CHECKING:
    import pytest

    from harness.adapters.project import Project
    from harness.session.shards import Slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """
    Hold the plugin's options.

    Attributes:
        project: the configuration, from `--harness-config`, the working directory upwards, or pytest's root directory.
        names: the adapters to measure; all where there are none.
        families: the families to measure; all where there are none.
        json: where to write the matrix, if anywhere.
        reports: where to write the reports, if anywhere.
        pace: factor of the recorded pace.
        record: talk to the real upstreams.
        alone: no two calls share a process, whatever the committed matrix says.
        columns: the checks that are columns of the table; the project's where there are none.
        part: which of several parts of the adapters to measure; None for all of them.
    """

    project: Project
    names: tuple[str, ...]
    families: tuple[str, ...]
    json: Path | None
    reports: Path | None
    pace: float
    record: bool
    alone: bool = False
    part: Slice | None = None
    columns: tuple[str, ...] = ()


def read_options(config: pytest.Config) -> Asked:
    """
    Return what was asked for.

    Raises:
        UserError: an option or the configuration cannot be used.
    """
    return Asked(
        project=_project(config),
        names=tuple(_given(config, "adapter") or ()),
        families=tuple(_given(config, "family") or ()),
        json=_path(config, "json"),
        reports=_path(config, "reports"),
        pace=read_pace(str(_given(config, "pace") or "instant"), "--harness-pace"),
        record=bool(_given(config, "record")),
        alone=bool(_given(config, "alone")),
        columns=tuple(_given(config, "column") or ()),
        part=_part(_given(config, "shard")),
    )


def _project(config: pytest.Config) -> Project:
    start = config.invocation_params.dir
    project = load_project(_path(config, "config"), start)
    return project if project.file is not None else load_project(None, config.rootpath)


def _part(given: str | None) -> Slice | None:
    return read_slice(given, "--harness-shard") if given else None


def _given(config: pytest.Config, name: str) -> Any:  # noqa: ANN401 - options are of any type
    option = config.getoption(f"harness_{name}")
    return config.getini(f"harness_{name}") if option is None else option


def _path(config: pytest.Config, name: str) -> Path | None:
    option = config.getoption(f"harness_{name}")
    if option is not None:
        return config.invocation_params.dir / Path(option)
    ini = config.getini(f"harness_{name}")
    # as with pytest's own paths: what a file says is meant from where the file is
    return (config.inipath.parent if config.inipath else config.rootpath) / str(ini) if ini else None

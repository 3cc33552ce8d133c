"""Options that several commands share, and what they select."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from harness.cells import Shard
from harness.cli.errors import NoAdaptersError, UnknownCapabilityError
from harness.errors import UserError
from harness.session.settings import MEMORY, TIMEOUT, Settings
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.project import Project
    from harness.adapters.registry import Registry
    from harness.session.shards import Slice

F = TypeVar("F", bound="Callable[..., Any]")

_MEBIBYTE: Final = 1024 * 1024
_EXAMPLE: Final = (
    '`harness new NAME` registers one; by hand: [adapters.MyLLM] with target = "my_package.llms:MyLLM"; in'
    " pyproject.toml the table is [tool.harness.adapters.MyLLM]"
)


def _pace(ctx: click.Context, param: click.Parameter, value: str) -> float:
    from harness.session.pace import read_pace  # noqa: PLC0415 - needed by commands that replay only

    try:
        return read_pace(value)
    except UserError as error:
        raise click.BadParameter(f"{error.message}: {error.hint}", ctx, param) from error


def _slice(ctx: click.Context, param: click.Parameter, value: str | None) -> Slice | None:
    from harness.session.shards import read_slice  # noqa: PLC0415 - needed by who asks for a part only

    try:
        return None if value is None else read_slice(value)
    except UserError as error:
        raise click.BadParameter(f"{error.message}: {error.hint}", ctx, param) from error


def _finite(ctx: click.Context, param: click.Parameter, value: float) -> float:
    # not-a-number passes every range: no comparison with it holds
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number of seconds", ctx, param)
    return value


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Hold what a command works on.

    Attributes:
        project: the configuration.
        registry: everything registered.
        adapters: what was selected.
        capabilities: the calls that were selected.
        shard: which part of the selected adapters these are; None where they are all of them.
    """

    project: Project
    registry: Registry
    adapters: tuple[Adapter, ...]
    capabilities: tuple[Capability, ...]
    shard: Shard | None = None

    @property
    def whole(self) -> bool:
        """
        Tell whether nothing was left out.
        """
        return len(self.adapters) == len(self.registry) and set(self.capabilities) == set(Capability)

    @property
    def registered(self) -> list[tuple[str, str]]:
        """
        Return family and name of every registered adapter.
        """
        return [(adapter.family or self.project.family, adapter.name) for adapter in self.registry]


config_option = click.option(
    "--config", type=click.Path(), metavar="FILE", help="The configuration; may also stand before the command."
)
pace_option = click.option(
    "--pace",
    callback=_pace,
    default="instant",
    show_default=True,
    metavar="instant|recorded|FACTOR",
    help="How fast recordings are replayed; the verdicts are the same at every pace.",
)
shard_option = click.option(
    "--shard",
    callback=_slice,
    metavar="NUMBER/OF",
    help="Only this part of the adapters, such as 2/5; `harness report` joins the matrices of all parts.",
)

_SELECTING: Final = (
    click.argument("names", nargs=-1, metavar="[NAME]..."),
    click.option("--family", "families", multiple=True, metavar="F", help="Only adapters of this family; repeatable."),
    click.option("--environment", metavar="E", help="Only adapters that run in this locked environment."),
    click.option("--only", multiple=True, metavar="CAPABILITY", help="Only this call, such as astream; repeatable."),
    config_option,
)
_RUNNING: Final = (
    click.option(
        "--jobs",
        "-j",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many adapters run side by side; by default one a processor.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        callback=_finite,
        default=TIMEOUT,
        show_default=True,
        metavar="S",
        help="Seconds that a call may take, where the registration does not say.",
    ),
    click.option(
        "--memory",
        type=click.IntRange(min=64),
        default=MEMORY // _MEBIBYTE,
        show_default=True,
        metavar="MB",
        help="Megabytes that a call may use.",
    ),
    click.option("--spawn", is_flag=True, help="Start an interpreter for each adapter instead of forking one."),
)


def selecting(command: F) -> F:
    """
    Add the names and the options that select cells.
    """
    return _decorated(command, _SELECTING)


def running(command: F) -> F:
    """
    Add the options of commands that call adapters.
    """
    return _decorated(command, _RUNNING)


def _decorated(command: F, decorators: Sequence[Callable[[F], F]]) -> F:
    return reduce(lambda made, decorate: decorate(made), reversed(decorators), command)


def settings_of(given: Mapping[str, Any], **more: Any) -> Settings:  # noqa: ANN401 - options are of any type
    """
    Return the settings that the options of `running` say.
    """
    return Settings(
        jobs=given["jobs"],
        timeout=given["timeout"],
        memory=given["memory"] * _MEBIBYTE,
        spawn=given["spawn"] or None,
        **more,
    )


def project_of(ctx: click.Context, config: str | None) -> Project:
    """
    Return the project that the command line names, or the nearest.

    Raises:
        UserError: the configuration cannot be used.
    """
    from harness.adapters.project import load_project  # noqa: PLC0415 - `--help` does without

    named = config or (ctx.obj or {}).get("config")
    return load_project(Path(named) if named else None)


def registry_of(project: Project) -> Registry:
    """
    Return every adapter that is registered.

    Raises:
        NoAdaptersError: there is none.
        RegistrationError: one cannot be used.
    """
    registry = everything_registered(project)
    if not len(registry):
        neither = "neither harness.toml nor a table [tool.harness] in pyproject.toml"
        where = str(project.file) if project.file else f"{neither} from {project.root} upwards"
        raise NoAdaptersError("no adapter is registered", where=where, hint=_EXAMPLE)
    return registry


def everything_registered(project: Project) -> Registry:
    """
    Return the adapters of the project's file, of installed packages and of the project's conftest.py files.

    Raises:
        UserError: a registration cannot be used.
    """
    from harness.adapters.conftests import adapters_of_conftests  # noqa: PLC0415 - as above
    from harness.adapters.registry import find_adapters  # noqa: PLC0415 - as above

    return find_adapters(project, adapters_of_conftests(project))


def select(ctx: click.Context, given: Mapping[str, Any]) -> Selection:
    """
    Return what a command works on, from the options of `selecting`.

    Raises:
        UserError: there is no such adapter, family, environment or call, or nothing is registered.
    """
    project = project_of(ctx, given["config"])
    registry = registry_of(project)
    adapters = registry.select(given["names"], given["families"], given["environment"])
    named = {capability(name, "--only") for name in given["only"]}
    return Selection(project, registry, adapters, tuple(one for one in Capability if not named or one in named))


def in_part(selection: Selection, part: Slice | None) -> Selection:
    """
    Return the part of a selection that one of several runs is to measure; all of it where no part is named.
    """
    if part is None:
        return selection
    from harness.session.shards import digest_of_inputs  # noqa: PLC0415 - as above

    adapters = part.take(selection.project, selection.adapters)
    shard = Shard(
        number=part.number,
        of=part.of,
        cells=len(adapters) * len(selection.capabilities),
        whole=selection.whole,
        inputs=digest_of_inputs(selection.project, selection.adapters, selection.capabilities),
    )
    return replace(selection, adapters=adapters, shard=shard)


def capability(name: str, where: str | None = None) -> Capability:
    """
    Return the call of a name.

    Args:
        name: what was typed.
        where: the option or argument that it was typed for, for errors.

    Raises:
        UnknownCapabilityError: there is none; says which was probably meant.
    """
    try:
        return Capability(name)
    except ValueError:
        from harness.adapters.spelling import did_you_mean  # noqa: PLC0415 - needed for a mistake only

        known = [one.value for one in Capability]
        msg = f"unknown capability {name!r}{did_you_mean(name, known)}"
        raise UnknownCapabilityError(msg, where=where, hint=f"the six calls are {', '.join(known)}") from None

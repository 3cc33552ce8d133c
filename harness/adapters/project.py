"""The project: one configuration file, or none, and the adapters that it registers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.adapters import checks
from harness.adapters.adapter import Adapter
from harness.adapters.configuration import PYPROJECT, Configuration, find_configuration
from harness.adapters.program import Program, program, require_program
from harness.adapters.targets import target_text
from harness.adapters.variables import expand
from harness.errors import RegistrationError
from harness.words import Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROJECT_KEYS: Final = (
    "family", "cassettes", "reports", "published", "documented", "env", "preload", "paths", "simulators", "words",
    "upstream", "timeout", "environment", "checks", "columns", "usage", "programs", "adapters",
)  # fmt: skip
_ADAPTER_KEYS: Final = tuple(one.name for one in fields(Adapter) if one.name not in {"name", "family", "origin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """
    Say where a project's files are and which adapters it registers.

    Attributes:
        root: the directory of the configuration file, or the working directory where there is none.
        family: what its adapters are published in.
        cassettes: directory of the cassettes.
        reports: directory of the reports.
        published: the family's published table, if it has one.
        documented: what its pages say beside the table, if that is kept.
        env: environment variables of all its adapters, set before anything of theirs is imported.
        preload: modules to import once for all adapters.
        paths: further directories that modules are imported from.
        simulators: directories of the simulators' data.
        words: how many words a simulator's answer has at least, where that is not the usual number.
        upstream: where its adapters' cassettes come from, where they do not say.
        timeout: seconds that a call of its adapters may take, where they do not say.
        environment: the locked environment that its adapters run in, where they do not say; None where it has but one.
        checks: further checks of `harness check`, as "module:attribute".
        columns: checks that are columns of the table.
        column_rows: the adapters that a column is tried on, where these are not all.
        usage: how a stream of its adapters is asked for token usage, where they do not say.
        programs: those beside the adapters, by their names.
        adapters: those that the file registers, in its order.
        file: the configuration file, if there is one.
        package: the distribution that the project builds, if it is known.
    """

    root: Path
    family: str
    cassettes: Path
    reports: Path
    published: Path | None = None
    documented: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    simulators: tuple[Path, ...] = ()
    words: int | None = None
    upstream: Upstream | None = None
    timeout: float | None = None
    environment: str | None = None
    checks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    column_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    usage: Mapping[str, object] | None = None
    programs: Mapping[str, Program] = field(default_factory=dict)
    adapters: tuple[Adapter, ...] = ()
    file: Path | None = None
    package: str | None = None

    @property
    def import_paths(self) -> tuple[Path, ...]:
        """
        Return the directories that an uninstalled project's modules are imported from: its root, its `src`, and others.
        """
        return tuple(path for path in (self.root, self.root / "src", *self.paths) if path.is_dir())

    def expanded_env(self) -> dict[str, str]:
        """
        Return the environment variables of all its adapters with `${NAME}` expanded.

        Raises:
            RegistrationError: a variable is not set and has no default.
        """
        place = f"{self.file or self.root}, env"
        return {name: str(expand(value, f"{place}.{name}")) for name, value in self.env.items()}

    def adopt(self, adapter: Adapter, origin: str = "") -> Adapter:
        """
        Return an adapter with the project's values where it has none of its own.
        """
        return replace(
            adapter,
            family=adapter.family or self.family,
            env={**self.env, **adapter.env},
            upstream=adapter.upstream or (self.upstream if adapter.engine is None else Upstream.ENGINE),
            timeout=adapter.timeout or self.timeout,
            environment=adapter.environment or self.environment,
            usage=self.usage if adapter.usage is None else adapter.usage,
            origin=adapter.origin or origin,
        )


def load_project(config: Path | None = None, cwd: Path | None = None) -> Project:
    """
    Return the project of a configuration file, or of the nearest one; targets are not imported.

    Args:
        config: the file to take; otherwise the nearest `harness.toml`, or `pyproject.toml` with a [tool.harness] table.
        cwd: where to look from, upwards; the working directory where none is given. Where nothing is found, the project
            is this directory, with its name as the family.

    Raises:
        ConfigurationError: a file cannot be found, read or understood.
        RegistrationError: a key is misspelt, or a value is of the wrong kind or names something unknown.
    """
    start = Path.cwd() if cwd is None else cwd.absolute()
    found = find_configuration(config, start)
    if found is None:
        return Project(
            root=start, family=_as_family(start.name), cassettes=start / "cassettes", reports=start / "reports"
        )
    return _project(found)


def _project(found: Configuration) -> Project:
    place = found.place()
    settings = found.settings
    _check_project_keys(settings, found)
    root = found.file.parent
    family = _family(found)
    told = settings.get("columns", ())
    project = Project(
        root=root,
        family=family,
        cassettes=_cassettes(root / _path(settings, "cassettes", place, "cassettes"), place),
        reports=root / _path(settings, "reports", place, "reports"),
        published=_optional_path(settings, "published", place, root),
        documented=_optional_path(settings, "documented", place, root),
        env=checks.environment(settings.get("env", {}), f"{place}, env"),
        preload=checks.modules(settings.get("preload", ()), f"{place}, preload"),
        paths=tuple(root / one for one in checks.texts(settings.get("paths", ()), f"{place}, paths")),
        simulators=_folders(settings.get("simulators", ()), f"{place}, simulators", root),
        words=checks.optional(checks.count)(settings.get("words"), f"{place}, words"),
        upstream=checks.optional(checks.upstream)(settings.get("upstream"), f"{place}, upstream"),
        timeout=checks.optional(checks.seconds)(settings.get("timeout"), f"{place}, timeout"),
        environment=checks.optional(checks.environment_name)(settings.get("environment"), f"{place}, environment"),
        checks=_specs(settings.get("checks", ()), f"{place}, checks"),
        columns=checks.texts(list(told) if isinstance(told, dict) else told, f"{place}, columns"),
        column_rows=_column_rows(told, f"{place}, columns"),
        usage=checks.optional(checks.keywords)(settings.get("usage"), f"{place}, usage"),
        programs=_programs(found),
        file=found.file,
        package=found.package,
    )
    adapters = tuple(project.adopt(adapter) for adapter in _adapters(found))
    for adapter in adapters:
        require_program(adapter, project.programs)
    return replace(project, adapters=adapters)


def _check_project_keys(settings: Mapping[str, object], found: Configuration) -> None:
    place = found.place()
    if found.file.name != PYPROJECT and "tool" in settings:
        hint = f"in {found.file.name} the tables stand without the prefix tool.harness: write [adapters.MyLLM]"
        raise RegistrationError("unknown key 'tool'", where=place, hint=hint)
    adapters = found.place("adapters", "NAME").removeprefix(f"{found.file} ")
    checks.known_keys(settings, _PROJECT_KEYS, place, dict.fromkeys(_ADAPTER_KEYS, adapters))


def _family(found: Configuration) -> str:
    if "family" in found.settings:
        return checks.folder_name(found.settings["family"], f"{found.place()}, family")
    return _as_family(found.package or found.file.parent.name)


def _as_family(name: str) -> str:
    # A folder may be named as no family can be, on some platforms; nobody wrote this name as a family.
    return re.sub(r"""[/\\:*?"<>|\x00-\x1f\x7f]+""", "-", name).strip(". ") or "adapters"


def _path(settings: Mapping[str, object], key: str, place: str, default: str) -> str:
    return checks.text(settings.get(key, default), f"{place}, {key}")


def _cassettes(folder: Path, place: str) -> Path:
    if folder.exists() and not folder.is_dir():
        msg = f"{folder} is a file, and cassettes are kept in a folder"
        raise RegistrationError(msg, where=f"{place}, cassettes", hint="name a folder, or move that file away")
    return folder


def _optional_path(settings: Mapping[str, object], key: str, place: str, root: Path) -> Path | None:
    return root / checks.text(settings[key], f"{place}, {key}") if key in settings else None


def _column_rows(told: object, where: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(told, dict):
        return {}
    return {check: checks.texts(names, f"{where}.{check}") for check, names in told.items()}


def _folders(value: object, where: str, root: Path) -> tuple[Path, ...]:
    names = (checks.text(value, where),) if isinstance(value, str) else checks.texts(value, where)
    return tuple(root / name for name in names)


def _specs(value: object, where: str) -> tuple[str, ...]:
    return tuple(target_text(one, where) for one in checks.texts(value, where))


def _programs(found: Configuration) -> dict[str, Program]:
    tables = checks.table(found.settings.get("programs", {}), f"{found.place()}, programs")
    return {name: program(name, table, found.place("programs", name)) for name, table in tables.items()}


def _adapters(found: Configuration) -> list[Adapter]:
    tables = found.settings.get("adapters", {})
    example = found.place("adapters", "MyLLM").removeprefix(f"{found.file} ")
    if not isinstance(tables, dict):
        msg = "adapters must be a table with one table for each adapter"
        raise RegistrationError(msg, where=found.place(), hint=f"write {example} above each adapter's keys")
    return [_adapter(name, table, found, example) for name, table in tables.items()]


def _adapter(name: str, table: object, found: Configuration, example: str) -> Adapter:
    place = found.place("adapters", name)
    if not isinstance(table, dict):
        hint = f'write {example} above its keys, of which target = "module:attribute" is one'
        raise RegistrationError(f"an adapter must be a table, not {table!r}", where=place, hint=hint)
    _refuse_dotted(name, table, found)
    project = found.place().removeprefix(f"{found.file}").strip() or "the top of the file"
    checks.known_keys(table, _ADAPTER_KEYS, place, dict.fromkeys(_PROJECT_KEYS, project))
    if "target" not in table:
        hint = 'say what to test, for example: target = "my_package.llms:MyLLM"'
        raise RegistrationError("has no target", where=place, hint=hint)
    return Adapter(name=name, origin=place, **table)


def _refuse_dotted(name: str, table: Mapping[str, object], found: Configuration) -> None:
    """
    Refuse a name that was cut at its dot, as TOML does where names of models are not in quotes.
    """
    rest = [key for key, value in table.items() if key not in _ADAPTER_KEYS and isinstance(value, dict)]
    if len(table) != 1 or not rest:
        return
    meant = found.place("adapters", f"{name}.{rest[0]}").removeprefix(f"{found.file} ")
    msg = f"has a table {rest[0]!r}, which is no key of an adapter, and no target"
    raise RegistrationError(
        msg, where=found.place("adapters", name), hint=f"a name with a dot is written in quotes: {meant}"
    )

"""The plugin at work: collects cells beside the ordinary tests, gathers what they showed, and reports it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from harness.adapters.registry import find_adapters
from harness.cells import Shard
from harness.errors import UserError
from harness.plugin.asked import Asked, read_options
from harness.plugin.desk import Desk
from harness.plugin.gathered import Gathered, pack
from harness.plugin.hooked import hooked
from harness.plugin.nodes import FOUND, AdapterNode, CellItem, MistakeNode
from harness.plugin.starting import Starting
from harness.session.checks import check_matching
from harness.session.outputs import require_file, require_folder
from harness.session.shards import digest_of_inputs
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from harness.adapters.adapter import Adapter
    from harness.adapters.registry import Registry

NAME: Final = "harness-active"
_CELL_ID: Final = re.compile(rf"([^/:]+/[^/:]+)::({'|'.join(Capability)})")
_REGISTERED: Final = "harness_registered"
_SHARD: Final = "harness_shard"


def enable(config: pytest.Config) -> None:
    """
    Start work: check what can be checked before anything is collected.

    Raises:
        pytest.UsageError: an option or the configuration cannot be used, or what was asked for cannot be written.
    """
    try:
        asked = read_options(config)
        if not is_worker(config):
            _require_places(asked)
    except UserError as error:
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Active(config, asked), NAME)


def is_worker(config: pytest.Config) -> bool:
    """
    Tell whether another pytest (xdist's) told this one to run, and gathers what it finds.
    """
    return hasattr(config, "workerinput")


def _require_places(asked: Asked) -> None:
    if asked.json is not None:
        require_file(asked.json)
    if asked.reports is not None:
        require_folder(asked.reports)


class Active:
    """
    Take part in one run of pytest.

    Args:
        config: pytest's.
        asked: the plugin's options.
    """

    def __init__(self, config: pytest.Config, asked: Asked) -> None:
        self._config = config
        self._asked = asked
        self._desk = Desk(asked, Starting(config))
        self._gathered = Gathered(asked)
        self._ids: list[tuple[str, Capability]] = []
        self._split: tuple[Sequence[Adapter], bool] = ((), False)

    def pytest_report_header(self) -> str:
        """
        Say where adapters are registered, and how they are run.
        """
        project = self._asked.project
        place = project.file if project.file is not None else f"no configuration above {project.root}"
        how = "recording from the real upstreams" if self._asked.record else "replaying"
        return f"harness: {place}, {how}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """
        Keep the ids of cells among the arguments: pytest would look for files of these names.
        """
        rest = []
        for argument in self._config.args:
            named = _CELL_ID.fullmatch(argument)
            if named and not (self._config.invocation_params.dir / argument.partition("::")[0]).exists():
                self._ids.append((named[1], Capability(named[2])))
            else:
                rest.append(argument)
        self._config.args[:] = rest

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """
        Collect the cells, before other plugins select among the items.
        """
        try:
            registry = self._registry()
            selected = self._selected(registry)
            check_matching(selected)
            self._desk.prepare(selected)
        except UserError as error:
            if not is_worker(self._config):
                raise pytest.UsageError(str(error)) from error
            # a usage error of a worker would be an internal error of xdist
            items.extend(session.genitems(MistakeNode.from_parent(session, name="harness", mistake=error)))
            return
        self._gathered.register([adapter.id for adapter in registry])
        self._split = selected, len(selected) == len(registry)
        for adapter in self._part_of(selected):
            items.extend(session.genitems(self._node(session, adapter)))

    def _registry(self) -> Registry:
        return find_adapters(self._asked.project, hooked(self._config))

    def _selected(self, registry: Registry) -> Sequence[Adapter]:
        names = (*self._asked.names, *dict.fromkeys(name for name, _ in self._ids))
        return registry.select(names, self._asked.families)

    def _part_of(self, selected: Sequence[Adapter]) -> Sequence[Adapter]:
        part = self._asked.part
        return selected if part is None else part.take(self._asked.project, selected)

    def _node(self, session: pytest.Session, adapter: Adapter) -> AdapterNode:
        calls = [one for name, one in self._ids if name == adapter.id] or list(Capability)
        path = self._asked.project.file or session.path
        return AdapterNode.from_parent(
            session, name=adapter.id, nodeid=adapter.id, path=path, adapter=adapter, desk=self._desk, calls=calls
        )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """
        Plan which cells are measured together.
        """
        cells = [(item.adapter, item.capability) for item in session.items if isinstance(item, CellItem)]
        if not self._config.getoption("collectonly") and not session.testsfailed:
            self._desk.plan(cells)
            self._gathered.shard = self._shard(len(cells))

    def _shard(self, cells: int) -> Shard | None:
        """
        Return what tells of the other parts of this run, where it is one of several.
        """
        part, project, (split, everything) = self._asked.part, self._asked.project, self._split
        if part is None:
            return None
        return Shard(
            number=part.number,
            of=part.of,
            cells=cells,
            whole=everything and cells == len(self._part_of(split)) * len(Capability),
            inputs=digest_of_inputs(project, split, tuple(Capability)),
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """
        Let the report carry the cell to whoever gathers: with xdist, that is another process.
        """
        report = yield
        if isinstance(item, CellItem) and call.when == "call":
            found = item.stash.get(FOUND, None)
            if found is not None:
                report.harness_cell = pack(found)  # type: ignore[attr-defined]  # reports carry what plugins give them
            if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
                # where it was skipped is the registration, not a line of the harness
                report.longrepr = (str(item.path), 1, report.longrepr[2])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """
        Gather the cell of a report.
        """
        packed = getattr(report, "harness_cell", None)
        if packed is not None and not is_worker(self._config):
            self._gathered.add(packed)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """
        End every process, and write what was asked for.
        """
        self._desk.close()
        worker = is_worker(self._config)
        if worker and self._gathered.knows:
            told = {_REGISTERED: self._gathered.registered, _SHARD: self._gathered.told_shard()}
            self._config.workeroutput.update(told)  # type: ignore[attr-defined]  # xdist's
        if not worker and not self._config.getoption("collectonly"):
            self._gathered.write(interrupted=session.exitstatus == pytest.ExitCode.INTERRUPTED)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """
        Learn from a worker which adapters are registered, and which part of them was measured.
        """
        output = getattr(node, "workeroutput", None) or {}
        if output.get(_REGISTERED) is not None:
            self._gathered.register(output[_REGISTERED])
        if output.get(_SHARD) is not None:
            self._gathered.shard = Shard(**output[_SHARD])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """
        Print the table.
        """
        if self._gathered.knows and not self._config.getoption("collectonly"):
            self._gathered.show(terminalreporter)

    def pytest_unconfigure(self) -> None:
        """
        End every process, also where pytest stopped early.
        """
        self._desk.close()

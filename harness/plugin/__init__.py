"""
The pytest plugin: one item for each cell, with `pytest --harness`.

Without `--harness` it adds its options and does nothing else; what it then imports is this file.
"""

from __future__ import annotations

from argparse import SUPPRESS

# Type checkers take this name for typing's own, and importing typing is not free.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from pytest import Config, Parser, PytestPluginManager  # noqa: PT013 - only their types

# name, kind of the ini twin, what it does, further arguments of the option
_SEVERAL = {"action": "append", "metavar": "NAME"}
_OPTIONS = (
    ("adapter", "args", "measure this adapter, NAME or FAMILY/NAME; repeatable", _SEVERAL),
    ("family", "args", "measure the adapters of this family; repeatable", _SEVERAL),
    ("column", "args", "add this check to the table as a column; repeatable", {**_SEVERAL, "metavar": "CHECK"}),
    ("shard", "string", "measure this part of the adapters, such as 2/5", {"metavar": "NUMBER/OF"}),
    ("json", "string", "write the matrix there", {"metavar": "FILE"}),
    ("reports", "string", "write the reports there; without it pytest writes none", {"metavar": "DIR"}),
    ("pace", "string", "instant (the default), recorded, or a factor of the recorded pace", {"metavar": "PACE"}),
    ("alone", "bool", "make each call in its own process, also where the matrix knows it", {"action": "store_true"}),
    ("config", "string", "the configuration, if not the nearest harness.toml or pyproject.toml", {"metavar": "FILE"}),
    ("record", "bool", "talk to the real upstreams and write the cassettes", {"action": "store_true"}),
)


def pytest_addoption(parser: Parser) -> None:
    """
    Add `--harness` and its fellows, each with an ini twin of the same name.
    """
    group = parser.getgroup("harness", "what LLM adapters really do")
    about = "measure the registered adapters: one item a cell, FAMILY/NAME::CAPABILITY"
    group.addoption("--harness", action="store_true", default=None, help=about)
    parser.addini("harness", f"as --harness: {about}", type="bool", default=False)
    # for the command `harness`, which is told so what conftest.py files register
    group.addoption("--harness-registered", default=None, help=SUPPRESS)
    for name, kind, about, given in _OPTIONS:
        group.addoption(f"--harness-{name}", dest=f"harness_{name}", default=None, help=about, **given)
        parser.addini(f"harness_{name}", f"as --harness-{name}: {about}", type=kind, default=None)  # type: ignore[arg-type]  # one of pytest's kinds


def pytest_addhooks(pluginmanager: PytestPluginManager) -> None:
    """
    Make `pytest_harness_adapters` known, so that a conftest.py may have it whether it is asked for or not.
    """
    from harness.plugin import hooks  # noqa: PLC0415 - it imports this package

    pluginmanager.add_hookspecs(hooks)


def pytest_cmdline_main(config: Config) -> int | None:
    """
    Write what conftest.py files register, where that is all that is asked for.
    """
    if config.getoption("harness_registered") is None:
        return None
    from harness.plugin.hooked import write_registered  # noqa: PLC0415 - imports what nobody pays for who does not ask

    return write_registered(config)


def pytest_configure(config: Config) -> None:
    """
    Start work, where it is asked for.
    """
    asked = config.getoption("harness")
    if asked or (asked is None and config.getini("harness")):
        from harness.plugin.active import enable  # noqa: PLC0415 - imports what nobody pays for who does not ask

        enable(config)

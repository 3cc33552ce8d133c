"""
A program's table is checked when the configuration is read: what is wrong is said with its place, and how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from harness.adapters.project import load_project
from harness.errors import RegistrationError

if TYPE_CHECKING:
    from pathlib import Path

GOOD: Final = """
[programs.proxy]
command = ["my-proxy", "--config", "{config}", "--port", "{port}"]
config = "proxy.yaml"
upstream = "https://api.example.com"
ready = "/up"
env = { KEY = "{key}", OTHER = "${OTHER:-placeholder}" }

[adapters.Mine]
target = "mine:Mine"
program = "proxy"
kwargs = { base_url = "{program.url}/v1", options = [{ key = "{program.key}", template = "{name}" }] }
"""


def test_a_program_is_registered(tmp_path: Path) -> None:
    """
    What the table says is kept, and what it does not say has its default.
    """
    (tmp_path / "harness.toml").write_text(GOOD)

    project = load_project(cwd=tmp_path)

    (adapter,) = project.adapters
    program = project.programs["proxy"]
    assert adapter.program == "proxy"
    assert program.command == ("my-proxy", "--config", "{config}", "--port", "{port}")
    assert (program.upstream, program.ready, program.port) == ("https://api.example.com", "/up", 0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('program = "proxy"', 'program = "proxi"', "there is no program 'proxi'; did you mean 'proxy'"),
        ('program = "proxy"\n', "", "its arguments have {program.url}, and it has no program"),
        ("{program.key}", "{program.kee}", "{program.kee}, which is nothing known; did you mean 'program.key'"),
        ("{port}", "{prot}", "{prot} is nothing known; did you mean 'port'"),
        ('config = "proxy.yaml"\n', "", "{config} stands for a file, and none is named"),
        ('upstream = "https://api.example.com"\n', "", "has no upstream"),
        ("https://api.example.com", "api.example.com", "'api.example.com' is not the address of a server"),
        ("https://api.example.com", "https://api.example.com/v1", "is not the address of a server"),
        ('ready = "/up"', 'redy = "/up"', "unknown key 'redy'; did you mean 'ready'"),
        ('ready = "/up"', 'ready = "up"', "'up' is no path"),
        ('ready = "/up"', "port = 70000", "must be a port, from 0"),
        ('ready = "/up"', "ready_within = 0", "must be a positive number of seconds"),
    ],
)
def test_what_is_wrong_in_a_programs_table_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    """
    Misspelt, missing and senseless values are errors that name the file and the table.
    """
    (tmp_path / "harness.toml").write_text(GOOD.replace(old, new, 1))

    with pytest.raises(RegistrationError) as caught:
        load_project(cwd=tmp_path)

    assert message in str(caught.value)
    assert str(tmp_path / "harness.toml") in str(caught.value)

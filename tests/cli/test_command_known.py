"""
Calls that share a process where the committed matrix knows them: what they confirm, and what is measured alone again.
"""

from __future__ import annotations

import json
import shutil
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from toy_project import Folder
from toy_upstream import ToyUpstream

ADAPTERS = '''"""Adapters that tell which process each of their calls is made in."""

from __future__ import annotations

import json
import os

import requests


class Steady:
    def __init__(self, base_url):
        self.url = base_url

    def _seen(self, call):
        with open(os.environ["SEEN"], "a") as seen:
            seen.write(f"{type(self).__name__} {call} {os.getpid()}\\n")

    def _post(self, prompt):
        return requests.post(self.url + "/v1/complete", json={"prompt": prompt}).json()["choices"][0]["text"]

    def _pieces(self, prompt):
        body = {"prompt": prompt, "stream": True}
        with requests.post(self.url + "/v1/complete", json=body, stream=True) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"data: {"):
                    yield json.loads(line[6:])["choices"][0]["text"]

    def invoke(self, prompt):
        self._seen("invoke")
        return self._post(prompt)

    def stream(self, prompt):
        self._seen("stream")
        yield from self._pieces(prompt)

    def batch(self, prompts):
        self._seen("batch")
        return [self._post(prompt) for prompt in prompts]


class LogsIn(Steady):
    """Ask for a token once in a process."""

    token = None

    def _post(self, prompt):
        if LogsIn.token is None:
            LogsIn.token = requests.post(self.url + "/token", json={}).json()["token"]
        return super()._post(prompt)


class Raises(Steady):
    def batch(self, prompts):
        self._seen("batch")
        raise ValueError("no batch today")


class WarmsUp(Steady):
    """Stream only in a process that has made another call."""

    warm = False

    def _post(self, prompt):
        WarmsUp.warm = True
        return super()._post(prompt)

    def stream(self, prompt):
        self._seen("stream")
        pieces = self._pieces(prompt)
        yield from pieces if WarmsUp.warm else ["".join(pieces)]
'''
REGISTRATIONS = """
family = "toys"

[adapters.Steady]
target = "installed_llm:Steady"
kwargs = { base_url = "URL" }

[adapters.LogsIn]
target = "installed_llm:LogsIn"
kwargs = { base_url = "URL" }

[adapters.WarmsUp]
target = "installed_llm:WarmsUp"
kwargs = { base_url = "URL" }

[adapters.Raises]
target = "installed_llm:Raises"
kwargs = { base_url = "URL" }
expects = { batch = "broken" }
reason = "it has no batch today"

[adapters.Own]
target = "own_llm:Steady"
kwargs = { base_url = "URL" }
"""
CALLS = ("--only", "invoke", "--only", "stream", "--only", "batch")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """
    Give an environment that the adapters are installed in, beside all that is installed here.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    (installed,) = folder.glob("lib/python*/site-packages")
    ours = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (installed / "ours.pth").write_text("\n".join(ours) + "\n", encoding="utf-8")
    (installed / "installed_llm.py").write_text(ADAPTERS, encoding="utf-8")
    return str(folder / "bin" / Path(sys.executable).name)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, python: str) -> Path:
    """
    Give a project that was recorded, and replayed once with each call alone, and whose upstream is gone.
    """
    folder = tmp_path_factory.mktemp("measured")
    project = Folder(folder, {"SEEN": str(folder / "seen.txt")}, python)
    (folder / "own_llm.py").write_text(ADAPTERS, encoding="utf-8")
    with ToyUpstream() as upstream:
        project.toml.write_text(REGISTRATIONS.replace("URL", upstream.base_url), encoding="utf-8")
        recorded = project("record", *CALLS)
        assert recorded.status == 0, recorded.said
    first = project("run", *CALLS)
    assert first.status == 0, first.said
    return folder


@pytest.fixture
def known(measured: Path, tmp_path: Path, python: str) -> Folder:
    """
    Give a copy of the project whose cells are known.
    """
    shutil.copytree(measured, tmp_path / "project")
    return Folder(tmp_path / "project", {"SEEN": str(tmp_path / "project" / "seen.txt")}, python)


def _run(project: Folder, *options: str) -> dict[str, int]:
    """
    Run and return in how many processes each adapter's calls were made.
    """
    seen = project.path / "seen.txt"
    seen.unlink(missing_ok=True)
    done = project("run", *CALLS, *options)
    assert done.status in {0, 1}, done.said
    processes: dict[str, set[str]] = {}
    for line in seen.read_text(encoding="utf-8").splitlines():
        adapter, _, process = line.split()
        processes.setdefault(adapter, set()).add(process)
    return {adapter: len(found) for adapter, found in processes.items()}


def _verdict(project: Folder, adapter: str, call: str) -> str:
    cells = json.loads((project.reports / "matrix.json").read_text(encoding="utf-8"))["cells"]
    found = next(one for one in cells if (one["adapter"], one["capability"]) == (adapter, call))
    return str(found["mechanism"] or found["verdict"])


def _edit(project: Folder, old: str, new: str) -> None:
    path = project.reports / "matrix.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_calls_that_are_known_share_a_process_and_leave_equal_reports(known: Folder) -> None:
    """
    Steady's calls confirm what is known, three in one process, and the reports are the same bytes.
    """
    before = known.digests("reports")

    assert _run(known, "--", "Steady") == {"Steady": 1}
    assert known.digests("reports") == before


def test_what_an_earlier_call_changes_is_measured_alone_again(known: Folder) -> None:
    """
    A token that is kept and a stream that only flows once warm are noticed, and each call gets its own process.
    """
    before = known.digests("reports")
    assert _verdict(known, "WarmsUp", "stream") == "single-item"

    # one that all were made in, three of one each, and one in which the late stream is made again at its pace
    assert _run(known, "--", "LogsIn", "WarmsUp") == {"LogsIn": 4, "WarmsUp": 5}
    assert known.digests("reports") == before


def test_what_is_broken_is_kept_apart(known: Folder) -> None:
    """
    What a broken call does to its process, or to that one's parent, must not reach the other calls.
    """
    assert _run(known, "--", "Raises") == {"Raises": 3}


def test_an_adapter_of_the_projects_own_never_shares(known: Folder) -> None:
    """
    Its code may have changed since, in a way that only shows in a process of its own.
    """
    assert _run(known, "--", "Own") == {"Steady": 3}


@pytest.mark.parametrize("option", ["--alone", "--no-baseline", "--pace=recorded"])
def test_nothing_is_shared_where_that_is_not_wanted(known: Folder, option: str) -> None:
    """
    With --alone, without a matrix to confirm, and at a pace of which the matrix knows nothing.
    """
    assert _run(known, option, "--", "Steady") == {"Steady": 3}


def test_what_another_version_measured_is_not_known(known: Folder) -> None:
    """
    A matrix of another harness confirms nothing.
    """
    _edit(known, '"harness": "', '"harness": "0.')

    assert _run(known, "--json", str(known.path / "new.json"), "--", "Steady") == {"Steady": 3}


def test_a_committed_verdict_is_never_taken_for_a_measured_one(known: Folder) -> None:
    """
    A matrix that says otherwise is not believed: the calls are made again, alone, and the truth is told.
    """
    _edit(known, '"mechanism": "sequential"', '"mechanism": "worker-thread"')

    assert _run(known, "--", "Steady") == {"Steady": 4}
    assert _verdict(known, "Steady", "batch") == "sequential"


def test_pytest_shares_and_keeps_apart_alike(known: Folder) -> None:
    """
    The plugin's cells confirm the matrix in one process, and with --harness-alone in three.
    """
    seen = known.path / "seen.txt"

    def processes(*options: str) -> int:
        seen.unlink(missing_ok=True)
        command = [known.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--harness", *options]
        only = ("--harness-adapter", "Steady", "-k", "not ainvoke and not astream and not abatch")
        done = subprocess.run(
            [*command, *only], cwd=known.path, env=known.env(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        return len({line.split()[2] for line in seen.read_text(encoding="utf-8").splitlines()})

    assert processes() == 1
    assert processes("--harness-alone") == 3

"""The reusable workflow: what its steps run, and what it and the pages pin."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from toy_project import Folder

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "ci.md"
PIN: Final = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def _workflow() -> dict[Any, Any]:
    text = (ROOT / ".github" / "workflows" / "harness.yml").read_text(encoding="utf-8")
    # YAML 1.1 reads the key `on` as a truth value
    found: dict[Any, Any] = yaml.safe_load(text.replace("\non:\n", "\n'on':\n"))
    return found


def _script(job: str, step: str) -> str:
    (found,) = (one["run"] for one in _workflow()["jobs"][job]["steps"] if one.get("name") == step)
    return str(found)


def _run(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """
    Run a step as a runner would: bash that stops at the first error, with the environment's commands.
    """
    names = {"GITHUB_WORKSPACE": str(folder), "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [shutil.which("bash") or "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    environ = {**os.environ, **names, **environ}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=300)


def test_the_jobs_measure_and_compare(project: Folder, tmp_path: Path) -> None:
    """
    The first job is red for an adapter that became worse, and keeps matrix and findings; the second compares that
    matrix with the committed one, says so in the summary, and prints nothing of it.
    """
    code = project.path / "toy_adapters.py"
    text = code.read_text()
    worse = text.replace(
        "yield from filter(None, map(_text, answer.iter_lines()))", 'yield "".join(map(_text, answer.iter_lines()))'
    )
    code.write_text(worse, encoding="utf-8")
    temp, elsewhere, summary = tmp_path / "temp", tmp_path / "elsewhere", tmp_path / "summary.md"
    environ = {"RUNNER_TEMP": str(temp), "GITHUB_STEP_SUMMARY": str(tmp_path / "first.md")}
    temp.mkdir()
    chosen = {"ADAPTERS": "Good", "FAMILY": "", "CONFIG": "harness.toml"}
    done = _run(_script("measure", "Measure"), project.path, **environ, **chosen)
    assert done.returncode == 1, done.stderr
    assert "::error file=toy_adapters.py" in done.stdout
    assert sorted(one.name for one in (temp / "measured").iterdir()) == ["harness.sarif", "matrix.json"]

    shutil.copytree(temp / "measured", elsewhere / "measured")
    shutil.copytree(project.reports, elsewhere / "committed" / "reports")
    names = {"GITHUB_STEP_SUMMARY": str(summary), "REPORTS": "reports"}
    done = _run(_script("compare", "Say what changed"), elsewhere, **names)
    assert (done.returncode, done.stdout) == (1, "")
    assert summary.read_text().startswith("### Capabilities: 1 worse")
    assert "toys/Good stream" in (elsewhere / "difference.txt").read_text()

    names["REPORTS"] = "none"
    done = _run(_script("compare", "Say what changed"), elsewhere, **names)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_words_of_inputs_are_those_of_a_shell_and_nothing_of_them_is_run(tmp_path: Path) -> None:
    """
    Requirements may stand on several lines and have blanks in quotes; names of adapters likewise.
    """
    (tmp_path / "bin").mkdir()
    for name, calls in (("python", '[ "$1" = -m ] || exec "$REAL" "$@"'), ("harness", "")):
        script = tmp_path / "bin" / name
        script.write_text(f'#!/bin/sh\n{calls}\nprintf "<%s>" "$@" >> "$SAID"\n')
        script.chmod(0o755)
    said = tmp_path / "said"
    environ = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "REAL": sys.executable, "SAID": str(said)}
    wanted = ". capability-harness==0.1.0\n'my-sdk>=2; python_version<\"4\"'\n$(touch pwned) *\n"
    done = _run(_script("measure", "Install the adapters and the harness"), tmp_path, REQUIREMENTS=wanted, **environ)
    assert done.returncode == 0, done.stderr
    pinned, marked = "<capability-harness==0.1.0>", '<my-sdk>=2; python_version<"4">'
    assert said.read_text() == f"<-m><pip><install><.>{pinned}{marked}<$(touch><pwned)><*>"
    assert not (tmp_path / "pwned").exists()

    said.unlink()
    inputs = {"ADAPTERS": "Good 'My LLM'", "FAMILY": "", "CONFIG": "", "RUNNER_TEMP": str(tmp_path)}
    assert _run(_script("measure", "Measure"), tmp_path, **inputs, **environ).returncode == 0
    assert said.read_text().startswith("<check><Good><My LLM><--github>")
    said.unlink()
    assert _run(_script("measure", "Measure"), tmp_path, **{**inputs, "ADAPTERS": ""}, **environ).returncode == 0
    assert said.read_text().startswith("<check><--github>")
    # not taken for all of them
    assert _run(_script("measure", "Measure"), tmp_path, **{**inputs, "ADAPTERS": "'My LLM"}, **environ).returncode == 1


def test_only_the_second_job_may_write_and_it_runs_nothing_of_the_project() -> None:
    """
    The job that installs the project may read alone and sees no secret; the other one installs the harness alone.
    """
    workflow = _workflow()
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert jobs["measure"]["permissions"] == {"contents": "read"}
    assert jobs["compare"]["permissions"] == {"contents": "read", "security-events": "write"}
    assert "secrets" not in str(workflow)
    assert "requirements" not in str(jobs["compare"])
    # nothing of an input or an event is put into a script, where it could be read as one
    assert not [step for job in jobs.values() for step in job["steps"] if "${{" in step.get("run", "")]
    checkouts = [one for job in jobs.values() for one in job["steps"] if "checkout@" in one.get("uses", "")]
    assert [one["with"]["persist-credentials"] for one in checkouts] == [False, False]


def test_every_action_is_pinned() -> None:
    """
    What the workflow uses is named by a commit, with its version beside it, each action at one version.
    """
    text = (ROOT / ".github" / "workflows" / "harness.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert all(PIN.fullmatch(one) for one in used), used
    assert len(set(used)) == len({one.partition("@")[0] for one in used}) == 5


def test_the_page_names_the_inputs_and_its_snippets_are_code() -> None:
    """
    The page lists the inputs with their defaults, calls the workflow with some of them, and its noxfile is Python.
    """
    page = PAGE.read_text(encoding="utf-8")
    inputs = _workflow()["on"]["workflow_call"]["inputs"]
    table = page.partition("| input |")[2].partition("\n\n")[0]
    for name, one in inputs.items():
        row = next(line for line in table.splitlines() if f"`{name}`" in line)
        default = str(one["default"]).lower() if one["type"] == "boolean" else one["default"]
        assert not default or f"`{default}`" in row
    caller = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    job = caller["jobs"]["capabilities"]
    assert job["with"].keys() <= inputs.keys()
    assert job["permissions"] == _workflow()["jobs"]["compare"]["permissions"]
    snippet = ast.parse(page.partition("```python\n")[2].partition("```")[0])
    assert [one.name for one in snippet.body if isinstance(one, ast.FunctionDef)] == ["capabilities"]

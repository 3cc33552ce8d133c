"""
Exit statuses: what is as it should be gives 0, what is not gives 1, and the harness's own failure 3.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toy_project import Folder


def _git(project: Folder, *words: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=project.path, check=True, capture_output=True)  # noqa: S607 - git


def test_what_is_declared_has_to_hold(project: Folder) -> None:
    """
    An adapter that declares a stream and yields once contradicts its registration; what holds is no failure.
    """
    text = project.toml.read_text()
    for declared, status in (('["invoke", "stream"]', 1), ('["invoke"]', 0)):
        project.toml.write_text(
            text.replace('target = "plain:Plain"', f'target = "plain:Plain"\ndeclares = {declared}')
        )
        done = project("run", "Plain", "--only", "invoke", "--only", "stream")
        assert done.status == status, done.said
        assert ("declared to be native, but it is fallback (single-item)" in done.said) is bool(status)


def test_a_broken_cell_fails_unless_that_is_expected(project: Folder) -> None:
    """
    An expected failure is none; without the expectation it is; an expectation that no longer holds is one.
    """
    text = project.toml.read_text()
    assert project("run", "Faulty", "--only", "invoke").status == 0

    project.toml.write_text(text.replace('expects = { invoke = "broken" }', "").replace("reason =", "link ="))
    done = project("run", "Faulty", "--only", "invoke")
    assert done.status == 1
    assert "broken: toys/Faulty invoke" in done.said
    assert "ValueError" in done.said

    project.toml.write_text(text.replace('{ invoke = "broken" }', '{ stream = "broken" }'))
    done = project("run", "Faulty", "--only", "stream")
    assert done.status == 1
    assert "issue 7), which no longer holds: it is native" in done.said


def test_falling_behind_the_committed_matrix_fails(project: Folder) -> None:
    """
    What git has as native and is no longer so fails again and again, until it is mended or committed so.
    """
    _git(project, "init", "-q")
    _git(project, "add", "reports")
    _git(project, "commit", "-qm", "measured")
    adapters = project.path / "toy_adapters.py"
    text = adapters.read_text()
    worse = text.replace(
        "yield from filter(None, map(_text, answer.iter_lines()))", 'yield "".join(map(_text, answer.iter_lines()))'
    )
    assert worse != text
    adapters.write_text(worse, encoding="utf-8")
    for _ in range(2):
        done = project("run", "Good", "--only", "stream")
        assert done.status == 1, done.said
        assert "native in the committed matrix, and now fallback (single-item)" in done.said
    assert project("run", "Good", "--only", "stream", "--no-baseline").status == 0
    _git(project, "commit", "-qam", "it is what it is")
    assert project("run", "Good", "--only", "stream").status == 0


def test_a_fault_of_the_harness_is_owned(project: Folder) -> None:
    """
    Where the harness itself fails, it says so, asks for a report, blames nobody else, and the status is 3.
    """
    (project.path / "sitecustomize.py").write_text(
        "import harness.report.terminal as terminal\n"
        "def fail(*args, **options):\n    raise ZeroDivisionError('planted')\n"
        "terminal.render_terminal = fail\n",
        encoding="utf-8",
    )
    done = project("run", "Good", "--only", "invoke", "--json", "m.json", env=project.env(PYTHONPATH=str(project.path)))
    assert done.status == 3
    for words in ("planted", "harness's fault", "report it"):
        assert words in done.said


def test_record_writes_what_a_replay_needs_and_no_more(fresh: Folder) -> None:
    """
    --missing leaves what is recorded as it is, --only records one call, and --json has what was judged live.
    """
    assert fresh("record", "Good", "--only", "invoke").status == 0
    before = fresh.digests("cassettes")
    assert set(before) == {"cassettes/toys/Good/invoke.yaml"}
    done = fresh("record", "Good", "--only", "invoke", "--only", "stream", "--missing", "--json", "m.json")
    assert done.status == 0, done.err
    assert "kept" in done.err
    after = fresh.digests("cassettes")
    assert set(after) == {*before, "cassettes/toys/Good/stream.yaml"}
    assert before.items() <= after.items()
    (cell,) = json.loads((fresh.path / "m.json").read_text())["cells"]
    assert (cell["capability"], cell["verdict"]) == ("stream", "native")
    assert not fresh.reports.exists()
    again = fresh("record", "Good", "--only", "invoke", "--only", "stream", "--missing")
    assert (again.status, fresh.digests("cassettes")) == (0, after)
    assert "nothing to record" in again.said


def test_an_upstreams_failure_is_kept_only_where_that_is_wanted(fresh: Folder) -> None:
    """
    An answer of status 503 is not kept, which fails the recording and says why; --keep-errors keeps it.
    """
    text = fresh.toml.read_text().replace("[adapters.Good]", "[adapters.Bad]")
    fresh.toml.write_text(text.replace('" }', '", path = "/broke" }', 1))
    done = fresh("record", "Bad", "--only", "invoke")
    assert done.status == 1
    assert "503" in done.said
    assert "--keep-errors" in done.said
    assert not fresh.cassette("Bad", "invoke").exists()
    kept = fresh("record", "Bad", "--only", "invoke", "--keep-errors")
    assert fresh.cassette("Bad", "invoke").exists(), kept.said


def test_record_that_gets_no_answer_leaves_the_old_cassette(project: Folder) -> None:
    """
    Recording again while the upstream is away keeps nothing, loses nothing, and fails.
    """
    before = project.digests("cassettes")
    done = project("record", "Good", "--only", "invoke")
    assert done.status == 1, done.said
    assert project.digests("cassettes") == before


SHAPE = """
hosts = ["https://api.example.com"]

[[routes]]
path = "/v1/complete"
prompts = "/prompt"
whole = '''
{"choices": [{"index": 0, "text": {{ text | tojson }}}]}
'''
stream = "/stream"
stream_type = "text/event-stream"
framing = "sse"

[routes.piece]
event = ""
data = '''
{"choices": [{"index": 0, "text": {{ piece | tojson }}}]}
'''

[routes.final]
event = ""
data = "[DONE]"
"""


def test_simulate_records_from_a_shape(fresh: Folder) -> None:
    """
    With --simulate the project's simulators answer for the provider's own address, and the report says so.
    """
    shapes = fresh.path / "shapes"
    shapes.mkdir()
    (shapes / "example.toml").write_text(f'source = "made for this test"\n{SHAPE}', encoding="utf-8")
    fresh.toml.write_text(
        'family = "toys"\nsimulators = "shapes"\n'
        '[adapters.Sim]\ntarget = "toy_adapters:Honest"\nsimulator = "example"\n'
        'kwargs = { base_url = "https://api.example.com" }\n',
        encoding="utf-8",
    )
    done = fresh("record", "Sim", "--simulate", "--only", "invoke", "--only", "stream")
    assert done.status == 0, done.said
    replayed = fresh("run", "Sim", "--only", "invoke", "--only", "stream", "--json", "-")
    matrix = json.loads(replayed.out)
    assert [cell["verdict"] for cell in matrix["cells"]] == ["native", "native"]
    assert matrix["adapters"][0]["upstream"] == "simulated"

    fresh.toml.write_text(fresh.toml.read_text().replace('"example"', '"exmple"'))
    wrong = fresh("record", "Sim", "--simulate")
    assert wrong.status == 2
    assert "'exmple'" in wrong.said
    assert "example" in wrong.said

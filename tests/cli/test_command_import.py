"""`harness import` in a real process: what files become, what is written, and how it is judged afterwards."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from toy_project import Folder

ODD = '''"""Adapters with one peculiarity each, over an honest one."""

from __future__ import annotations

from toy_adapters import Honest


class Odd(Honest):
    def stream(self, prompt):
        yield from (text for number, text in enumerate(super().stream(prompt)) if number != 4)

    async def astream(self, prompt):
        async for text in super().astream(prompt):
            yield text
        raise KeyError("a field of another version")

    def invoke(self, prompt):
        return self.post("/v2/complete", prompt=prompt).text

    def batch(self, prompts):
        raise ValueError("no request was ever sent")

    async def abatch(self, prompts):
        return (await super().abatch(prompts))[:1]
'''
WORDS = "Once upon a time there was a king of old".split()
KING, QUEENS, KNAVES = "Tell me a tale of a king", "Tell me a tale of two queens", "Tell me a tale of three knaves"
SSE = "".join(f"data: {json.dumps({'choices': [{'text': word}]})}\r\n\r\n" for word in WORDS)


def exchange(body: dict[str, Any], answer: str) -> dict[str, Any]:
    """
    Return an interaction as vcrpy has it, with another host and a key.
    """
    headers = {"authorization": ["Bearer " + "sk-" + "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0Lm"]}
    return {
        "request": {"method": "post", "uri": "https://elsewhere.example//v1/complete", "headers": headers,
                    "body": json.dumps(body)},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": answer}},
    }  # fmt: skip


def texts(*answers: str) -> str:
    """
    Return a whole answer.
    """
    return json.dumps({"choices": [{"text": text} for text in answers]})


@pytest.fixture
def elsewhere(fresh: Folder) -> Path:
    """
    Give a folder with three recordings that can be used and one that cannot; its project registers two more adapters.
    """
    folder = fresh.path / "elsewhere"
    folder.mkdir()
    streamed = exchange({"prompt": KING, "stream": True}, SSE + "data: [DONE]\r\n\r\n")
    both = {"version": 1, "interactions": [exchange({"prompt": KING}, texts("Once upon")), streamed]}
    (folder / "both.yaml.gz").write_bytes(gzip.compress(yaml.safe_dump(both).encode()))
    batch = exchange({"prompt": [KING, QUEENS, KNAVES]}, texts("one", "two", "three"))
    (folder / "batch.json").write_text(json.dumps(batch))
    (folder / "late.yaml").write_text(yaml.safe_dump({"interactions": [streamed]}))
    (folder / "nock.json").write_text('[{"scope": "https://a.example", "method": "POST", "path": "/x"}]')
    (fresh.path / "odd.py").write_text(ODD)
    for name, target in (("Whole", "toy_adapters:Honest"), ("Odd", "odd:Odd")):
        fresh.add(f'[adapters.{name}]\ntarget = "{target}"\nkwargs = {{ base_url = "https://mine.example" }}\n')
    return folder


def verdicts(project: Folder) -> dict[str, dict[str, Any]]:
    """
    Return the cells of the last run by their call.
    """
    return {cell["capability"]: cell for cell in json.loads((project.reports / "matrix.json").read_text())["cells"]}


def registered(said: str, name: str) -> str:
    """
    Return the lines that are offered for a registration, without the name of their table.
    """
    offered = said.partition(f"[adapters.{name}]\n")[2]
    return "\n".join(re.findall(r"^  (match_on .*|upstream .*|prompts .*)$", offered, re.MULTILINE))


def test_files_become_cassettes_and_are_judged(fresh: Folder, elsewhere: Path) -> None:
    """
    Claim: each file becomes what it shows or is refused, the lines to register work as they stand, nothing is
    overwritten, and the sources stay.
    """
    files = sorted(str(path.relative_to(fresh.path)) for path in elsewhere.iterdir())
    before = fresh.digests()
    tried = fresh("import", *files, "--adapter", "Whole", "--dry-run")
    assert (tried.status, fresh.digests()) == (1, before)

    done = fresh("import", *files, "--adapter", "Whole")
    assert done.status == 1
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.startswith("elsewhere")}
    assert rows[files[0]].endswith("batch, abatch")
    assert rows[files[1]].endswith("invoke, ainvoke, stream, astream")
    assert "stream comes from elsewhere/both.yaml.gz already" in done.said
    assert "nock.json - refused: it looks like a recording of nock, which cannot be used" in done.said
    now = fresh.digests()
    assert before.items() <= now.items()
    written = sorted(set(now) - set(before))
    calls = ("abatch", "ainvoke", "astream", "batch", "invoke", "stream")
    assert written == [f"cassettes/toys/Whole/{call}.yaml" for call in calls]
    assert "Zx9Qw8Er7" not in "".join((fresh.path / name).read_text() for name in written)

    again = fresh("import", files[1], "--adapter", "Whole", "--as", "invoke")
    assert (again.status, fresh.digests()) == (1, now)
    assert "nothing; invoke has a cassette; --again replaces it" in again.said
    assert fresh("import", files[2], "--adapter", "Whole", "--as", "invoke", "--again").status == 0
    changed = {name for name, digest in fresh.digests().items() if digest != now[name]}
    assert changed == {"cassettes/toys/Whole/invoke.yaml"}
    assert fresh("import", files[1], "--adapter", "Whole", "--as", "invoke", "--again").status == 0
    assert fresh.digests() == now

    lines = registered(done.err, "Whole")
    assert KING in lines
    target = 'target = "toy_adapters:Honest"\nkwargs = { base_url = "https://mine.example" }\n'
    fresh.toml.write_text(fresh.toml.read_text().replace(target, f"{target}{lines}\n"))
    fresh("run", "Whole")
    cells = verdicts(fresh)
    assert {name: cell["verdict"] for name, cell in cells.items()} == dict.fromkeys(calls, "native")
    assert "made up from the wire format" in cells["stream"]["reason"]
    assert (cells["stream"]["evidence"]["arrivals"], cells["stream"]["evidence"]["items"]) == (11, 10)
    matrix = json.loads((fresh.reports / "matrix.json").read_text())
    assert [row["upstream"] for row in matrix["adapters"]] == ["imported"]


def test_outputs_in_another_order_are_the_adapters_own(fresh: Folder, elsewhere: Path) -> None:
    """
    Claim: over imported answers to three requests of one input each, who turns the outputs round is broken, and who
    gives them as they came is not; a file of two inputs becomes nothing, with the reason.
    """
    turned = "    def batch(self, prompts):\n        return [self.invoke(one) for one in prompts][::-1]\n"
    (fresh.path / "turned.py").write_text(f"from toy_adapters import Honest\n\n\nclass Turned(Honest):\n{turned}")
    apart = [exchange({"prompt": one}, texts(f"of {one[-5:]}")) for one in (KING, QUEENS, KNAVES)]
    (elsewhere / "apart.yaml").write_text(yaml.safe_dump({"interactions": apart}))
    (elsewhere / "two.yaml").write_text(yaml.safe_dump({"interactions": [exchange({"prompt": [KING, QUEENS]}, "[]")]}))
    asks = f'match_on = ["method", "path", "body"]\nprompts = {json.dumps([KING, QUEENS, KNAVES])}\n'
    fresh.add(f'[adapters.Turned]\ntarget = "turned:Turned"\nkwargs = {{ base_url = "https://mine.example" }}\n{asks}')
    done = fresh("import", "elsewhere/apart.yaml", "elsewhere/two.yaml", "--adapter", "Turned")
    assert (done.status, "a batch has three inputs" in done.said) == (1, True)
    fresh("run", "Turned")
    cells = verdicts(fresh)
    assert cells["batch"]["verdict"] == "broken"
    assert "not in order" in cells["batch"]["reason"]
    assert (cells["invoke"]["verdict"], cells["ainvoke"]["verdict"]) == ("native", "native")


def test_a_recording_that_does_not_fit_is_no_defect(fresh: Folder, elsewhere: Path) -> None:
    """
    Claim: who raises over an imported answer, asks another path or gets too little is unknown; who loses a part of an
    answer that it understood, or fails before it asks, is broken.
    """
    register = 'target = "odd:Odd"\n'
    match_on = 'match_on = ["method", "path", "stream"]\n'
    fresh.toml.write_text(fresh.toml.read_text().replace(register, register + match_on))
    done = fresh("import", *map(str, (elsewhere / "both.yaml.gz", elsewhere / "batch.json")), "--adapter", "Odd")
    assert done.status == 0
    fresh("run", "Odd")
    found = {name: (cell["verdict"], cell["reason"]) for name, cell in verdicts(fresh).items()}
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "invoke": "unknown", "ainvoke": "native", "stream": "broken", "astream": "unknown", "batch": "broken",
        "abatch": "unknown",
    }  # fmt: skip
    assert "may not fit this adapter: it raises KeyError" in found["astream"][1]
    assert "may not fit this adapter: 3 inputs gave 1 output" in found["abatch"][1]
    assert "no recording answers it" in found["invoke"][1]


def test_mistakes_are_told(fresh: Folder, elsewhere: Path) -> None:
    """
    Claim: a file, an adapter or a call that is not there is told with what was probably meant, and nothing is written.
    """
    before = fresh.digests()
    late = str(elsewhere / "late.yaml")
    for words, said in (
        (("nowhere.yaml", "--adapter", "Good"), "does not exist"),
        ((late, "--adapter", "Goood"), "did you mean 'Good'"),
        ((late, "--adapter", "Good", "--as", "streem"), "did you mean 'stream'"),
        ((late,), "--adapter"),
    ):
        done = fresh("import", *words)
        assert (done.status, said in done.said) == (2, True), done.said
    assert fresh.digests() == before

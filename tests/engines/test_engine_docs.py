"""The example of docs/engines.md, done as it says."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "engines.md"
PARROT: Final = """
class Settings:
    def set_threads(self, count):
        self.count = count


class Piece:
    def __init__(self, text):
        self.text = text


class Model:
    def __init__(self, path):
        if not path.endswith(".weights"):
            raise OSError("no such weights")
        self.settings = Settings()

    def generate(self, prompt, *, temperature, stream=False):
        pieces = [Piece(f"{word} ") for word in prompt.split()]
        return iter(pieces) if stream else prompt

    def batch(self, prompts):
        return [Piece(prompt) for prompt in prompts]
"""


def blocks(text: str) -> dict[str, str]:
    """
    Return the page's files: blocks whose first line is a comment with a name.
    """
    found = re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.DOTALL)
    return dict(found)


def test_the_example_of_the_page_runs_as_the_page_says(tmp_path: Path) -> None:
    """
    Recorded with the library there and replayed without it, the calls have the verdicts that the page names.
    """
    files = blocks(PAGE.read_text(encoding="utf-8"))
    assert sorted(files) == ["harness.toml", "my_llms.py"]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    library = tmp_path / "parrot.py"
    library.write_text(PARROT, encoding="utf-8")
    harness = str(Path(sysconfig.get_path("scripts")) / "harness")
    environ = {"PATH": "", "PARROT_WEIGHTS": "grey.weights"}

    subprocess.run([harness, "record", "MyLLM"], cwd=tmp_path, env=environ, capture_output=True, check=True)
    library.unlink()
    subprocess.run(
        [harness, "run", "--json", "matrix.json"], cwd=tmp_path, env={"PATH": ""}, capture_output=True, check=True
    )

    matrix = json.loads((tmp_path / "matrix.json").read_text(encoding="utf-8"))
    assert [row["upstream"] for row in matrix["adapters"]] == ["engine"]
    assert {cell["capability"]: cell["mechanism"] or cell["verdict"] for cell in matrix["cells"]} == {
        "invoke": "native",
        "ainvoke": "worker-thread",
        "stream": "native",
        "astream": "unsupported",
        "batch": "native",
        "abatch": "unsupported",
    }

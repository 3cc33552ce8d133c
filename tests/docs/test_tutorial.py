"""The tutorial, executed from its own text: its files written, its commands run, its outputs compared."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from markdown_it import MarkdownIt
from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
CLONE: Final = "path/to/the/clone"
MOST_COMMANDS: Final = 10
ADAPTER: Final = "tiny_llm.py"


@dataclass(frozen=True)
class Block:
    """
    Hold a fenced block: its language, what it is of a file (`title`, `shows`), its text, and its line in the page.
    """

    language: str
    options: dict[str, str]
    text: str
    line: int


def _blocks(page: str) -> Iterator[Block]:
    for token in MarkdownIt().parse(page):
        if token.type == "fence":
            language, *words = shlex.split(token.info)
            assert token.map is not None
            options = dict(word.split("=", 1) for word in words)
            yield Block(language, options, token.content, token.map[0] + 1)


def _shown(expected: str, actual: str) -> None:
    """
    Hold what the page shows against what came, however lines are wrapped.
    """
    parts = (re.escape(" ".join(part.split())) for part in expected.split("…"))
    pattern = ".*?".join(part.replace(r"\ ", " ") for part in parts)
    said = " ".join(actual.split())
    # where something is left out the blanks around it are, too
    assert re.search(re.sub(r" ?(\.\*\?) ?", r"\1", pattern), said), (
        f"the page shows:\n{expected}\nand it was:\n{actual}"
    )


def _patched(text: str, diff: str) -> str:
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] != other) for other in "+-")
    assert text.count(old) == 1, f"this is not once in the file:\n{old}"
    return text.replace(old, new)


class Reader:
    """
    Do what the page says, in an empty folder, and remember what was said.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""
        self.status = 0
        self.done: list[list[str]] = []

    def follow(self, block: Block) -> None:
        """
        Write the file, run the command, or compare what is shown.
        """
        match block:
            case Block(language="console"):
                assert not self.status, f"{self.done[-1]} failed, and the page goes on: {self.said}"
                self._run(shlex.split(block.text))
            case Block(language="text"):
                _shown(block.text, self.said)
            case Block(options={"shows": name}):
                _shown(block.text, (self.folder / name).read_text(encoding="utf-8"))
            case Block(language="diff", options={"title": name}):
                file = self.folder / name
                file.write_text(_patched(file.read_text(encoding="utf-8"), block.text), encoding="utf-8")
            case Block(options={"title": name}):
                file = self.folder / name
                file.parent.mkdir(exist_ok=True)
                assert not file.exists()
                file.write_text(block.text, encoding="utf-8")
            case _:
                pytest.fail(f"nothing says what this is: line {block.line}")

    def _run(self, words: list[str]) -> None:
        self.done.append(words)
        if words[:2] == ["pip", "install"]:
            _installed(words[2:])
            return
        program = shutil.which(words[0], path=str(Path(sys.executable).parent))
        assert program, f"{words[0]} is not installed"
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "COLUMNS"))}
        done = subprocess.run(
            [program, *words[1:]], cwd=self.folder, env={**environ, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=200,
        )  # fmt: skip
        self.said, self.status = done.stdout, done.returncode


def _installed(wanted: list[str]) -> None:
    """
    Stand in for pip, which would need a network: what the page installs is here, extras included.
    """
    for words in wanted:
        one = Requirement(words.replace(CLONE, "capability-harness"))
        assert version(one.name)
        for extra in one.extras:
            needs = [Requirement(text) for text in requires(one.name) or ()]
            brought = [need for need in needs if need.marker and need.marker.evaluate({"extra": extra})]
            assert brought, f"{one.name} has no extra {extra}"
            assert all(need.specifier.contains(version(need.name)) for need in brought)


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    """
    From an empty folder to READY in fewer than ten commands; then one line turns native into fallback, and the gate is
    red with the line of the method that it is in.
    """
    reader = Reader(tmp_path)
    ready = None
    for block in _blocks(PAGE.read_text(encoding="utf-8")):
        reader.follow(block)
        if "\nREADY: " in f"\n{reader.said}":
            ready = ready or len(reader.done)
    assert ready is not None
    assert ready < MOST_COMMANDS
    assert reader.status == 1, reader.said
    (line,) = re.findall(rf"look at +{re.escape(ADAPTER)}:(\d+):", reader.said)
    assert (tmp_path / ADAPTER).read_text().splitlines()[int(line) - 1].strip() == "def stream(self, prompt):"
    assert (tmp_path / "reports" / "index.html").is_file()


def test_what_the_page_shows_is_compared() -> None:
    """
    A line that did not come, and an order that was another one, are seen; how lines are wrapped does not matter.
    """
    came = "one: kept\ntwo: kept\nlast 3\n"
    _shown("one:\n kept\n…\nlast …", came)
    for wrong in ("one: lost", "two: kept\none: kept", "one: kept\nlast 3", "one: kept … first"):
        with pytest.raises(AssertionError, match="the page shows"):
            _shown(wrong, came)
    with pytest.raises(AssertionError, match="not once"):
        _patched("a\n", " b\n+c\n")

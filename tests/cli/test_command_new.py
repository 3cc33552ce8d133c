"""`harness new` in a real process: what it writes, refuses, asks and says."""

from __future__ import annotations

import os
import pty
import subprocess
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toy_project import Folder


def test_an_adapter_is_registered_and_known(fresh: Folder) -> None:
    """
    The file begins as before, `list` knows the new name, and the next commands are named with the key that they need.
    """
    before = fresh.toml.read_bytes()
    done = fresh(
        "new", "Mine", "--target", "toy_adapters:Leaks", "--kwarg", "base_url=http://127.0.0.1:9", "--kwarg",
        "api_key=${MY_KEY:-placeholder}", "--declares", "invoke",
    )  # fmt: skip
    assert done.status == 0, done.said
    assert fresh.toml.read_bytes().startswith(before)
    table = tomllib.loads(fresh.toml.read_text())["adapters"]["Mine"]
    assert table["kwargs"] == {"base_url": "http://127.0.0.1:9", "api_key": "${MY_KEY:-placeholder}"}
    assert table["declares"] == ["invoke"]
    assert "toy_adapters.Leaks imports and constructs; it has invoke, ainvoke" in done.said
    assert "MY_KEY=... harness record Mine" in done.said
    assert "Mine" in fresh("list").out


def test_what_cannot_be_used_is_not_written(fresh: Folder) -> None:
    """
    A name that is taken, a target that does not import or construct, a secret, a mistake: told, and the file stays.
    """
    before = fresh.toml.read_bytes()
    key = "sk-" + "proj-" + "Zx9Qw8Er7Ty6Ui5Op4As3Df2Gh1Jk0Lm"
    for words, status, said in (
        (("Good", "--target", "toy_adapters:Honest", "--kwarg", "base_url=u"), 2, "registered already"),
        (("Mine", "--target", "toy_adapters:Onest"), 2, "no 'Onest'; did you mean 'Honest'"),
        (("Mine", "--target", "toy_adapters:Honest", "--kwarg", "base_url=${NOT_SET}"), 2, "NOT_SET is not set"),
        (("Mine", "--target", "toy_adapters:Honest"), 1, "'base_url' hint: --kwarg NAME=VALUE gives it an argument"),
        (("Mine", "--target", "toy_adapters:Honest", "--kwarg", "url=u"), 1, "hint: leave --kwarg url out, or correct"),
        (("Mine", "--target", "toy_adapters:ConstructorFails", "--kwarg", "base_url=u"), 1, "no such region"),
        (("Mine", "--target", "toy_adapters.Honest"), 2, "write a colon"),
        (("Mine", "--target", "toy_adapters:Honest", "--kwarg", f"api_key={key}"), 2, "looks like a secret"),
        (("Mine", "--target", "toy_adapters:Leaks", "--kwarg", "api_key=hunter22"), 2, "let the environment hold it"),
        ((key, "--target", "toy_adapters:Honest", "--kwarg", "base_url=u"), 2, "the name looks like a secret"),
        (("Mine", "--target", "toy_adapters:Honest", "--declares", "strem"), 2, "did you mean 'stream'"),
        (("Mine",), 2, "--target"),
    ):
        done = fresh("new", *words)
        assert done.status == status, done.said
        assert said in done.said, done.said
        # where the harness itself stood says nothing to whoever forgot an argument
        assert "build.py" not in done.said
        assert key not in done.said
        assert fresh.toml.read_bytes() == before


def test_a_terminal_is_asked(fresh: Folder) -> None:
    """
    What is missing is asked for, where somebody can answer, and a target that can be none asked for again; a new file
    says whose it is, and a name of two words is one in the commands that come next.
    """
    fresh.toml.unlink()
    ours, theirs = pty.openpty()
    os.write(ours, b"toy_adapters.Honest\ntoy_adapters:Honest\nbase_url=http://127.0.0.1:9\n\nstrem\nstream, invoke\n")
    with fresh.start("new", "My own", stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        out, _ = process.communicate(timeout=120)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert process.returncode == 0, shown
    assert "write a colon before the class" in shown
    assert "harness check 'My own'" in shown
    assert b"registered: My own in harness.toml" in out
    table = tomllib.loads(fresh.toml.read_text())["adapters"]["My own"]
    assert (table["kwargs"], table["declares"]) == ({"base_url": "http://127.0.0.1:9"}, ["stream", "invoke"])

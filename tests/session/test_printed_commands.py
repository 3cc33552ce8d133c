"""Commands that are printed: pasted into a shell where they were printed, they are about the same thing."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.session.commands import typed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_name_with_blanks_is_one_word_of_a_shell() -> None:
    """
    Whatever stands in a name, a shell hands it to the command as it is.
    """
    names = ["my-package/My LLM", "$HOME", "it's", "a;b", "Größe"]
    assert shlex.split(typed(None, "check", *names)) == ["harness", "check", *names]
    assert typed(None, "check", "my-package/My_LLM(0.1)", "--only", "stream").startswith("harness check 'my-")
    assert typed(None, "explain", "my-package/MyLLM", "stream") == "harness explain my-package/MyLLM stream"


def test_a_configuration_is_named_where_it_would_not_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    From the folder of the file, or below it, nothing needs to be said; elsewhere, or near another file, `--config` is.
    """
    file, other = tmp_path / "one" / "harness.toml", tmp_path / "two words" / "harness.toml"
    for each in (file, other):
        each.parent.mkdir()
        each.write_text("")
    (file.parent / "src").mkdir()
    monkeypatch.chdir(file.parent / "src")
    assert typed(file, "check", "A") == "harness check A"
    assert shlex.split(typed(other, "check", "A"))[-2:] == ["--config", str(other)]
    monkeypatch.chdir(file.parent)
    assert typed(other, "check", "A") == "harness check A --config '../two words/harness.toml'"
    file.write_text("damaged")
    assert typed(other, "run").endswith("--config '../two words/harness.toml'")

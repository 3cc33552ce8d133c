"""`harness docs` in a real process: pages on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from toy_project import Folder

BEGIN, END = b"<!-- harness:begin show=both -->", b"<!-- harness:end -->"
ROOT = Path(__file__).resolve().parents[2]


def test_pages_are_rewritten_in_place(project: Folder) -> None:
    """
    --check changes nothing and shows the difference with status 1; then the page is rewritten, behind a link and with
    its mode; then --check is content, and the file is not touched any more.
    """
    page, link = project.path / "page.md", project.path / "link.md"
    before = b"\xef\xbb\xbf# Title\r\n\r\n" + BEGIN + b"\r\nold\r\n" + END + b"\r\nno newline at the end: \xff"
    page.write_bytes(before)
    page.chmod(0o640)
    link.symlink_to("page.md")
    (project.path / "my link.md").symlink_to("page.md")

    checked = project("docs", "link.md", "--check")
    assert (checked.status, page.read_bytes()) == (1, before)
    assert "-old" in checked.out
    assert "+| Model | Invoke |" in checked.out
    assert "hint: `harness docs link.md` does it" in checked.said
    named = project("docs", "my link.md", "--check", "--matrix", "reports/matrix.json")
    assert "`harness docs 'my link.md' --matrix reports/matrix.json` does it" in named.said

    assert project("docs", "link.md").status == 0
    after = page.read_bytes()
    assert after.startswith(before[: before.index(b"old")])
    assert after.endswith(before[before.index(END) :])
    assert "| Plain | ✅ native |".encode() in after
    assert (link.is_symlink(), page.stat().st_mode & 0o777) == (True, 0o640)

    os.utime(page, (1, 1))
    assert project("docs", "page.md").status == 0
    assert project("docs", "page.md", "--check").status == 0
    assert (page.stat().st_mtime, page.read_bytes()) == (1, after)


def test_one_bad_page_spoils_none(project: Folder) -> None:
    """
    Where one of several pages cannot be used, all stay as they are; the mistake has file and line, and status 2.
    """
    good, bad = project.path / "good.md", project.path / "bad.mdx"
    good.write_bytes(BEGIN + b"\n" + END + b"\n")
    bad.write_bytes(b"one\n{/* harness:begin */}\n")
    done = project("docs", "good.md", "bad.mdx")
    assert done.status == 2
    assert "bad.mdx:2: harness:begin is never closed" in done.said
    assert good.read_bytes() == BEGIN + b"\n" + END + b"\n"

    bad.write_bytes(b"nothing\n")
    assert "bad.mdx:1: has no markers" in project("docs", "good.md", "bad.mdx").said
    assert project("docs", "good.md", "bad.mdx", "--skip-unmarked").status == 0
    assert b"Plain" in good.read_bytes()
    assert project("docs", "none.md").status == 2
    bad.write_bytes((BEGIN + b"\n" + END).decode().encode("utf-16"))
    assert "bad.mdx: is UTF-16" in project("docs", "bad.mdx").said


def test_the_hook_definitions_name_commands_that_exist(project: Folder) -> None:
    """
    What pre-commit would run passes over a page without markers and rewrites one that has some.
    """
    hooks = {one["id"]: one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    (project.path / "plain.md").write_text("text\n")
    (project.path / "page.md").write_bytes(BEGIN + b"\n" + END + b"\n")
    statuses = []
    for name in ("harness-docs-check", "harness-docs", "harness-docs-check"):
        program, *words = hooks[name]["entry"].split()
        assert program == "harness"
        statuses.append(project(*words, "plain.md", "page.md").status)
    assert statuses == [1, 0, 0]

"""
The site: Sphinx over the pages as they are.

Its navigation is docs/index.md: the lists below each of its headings, so that there is one table of contents, and one
that GitHub shows as well.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "capability-harness"
extensions = ["myst_parser"]
exclude_patterns = ["requirements*"]
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
root_doc = "index"
# headings have the anchors that GitHub gives them
myst_heading_anchors = 4
# some blocks hold what their language has no grammar for, such as "…"
suppress_warnings = ["misc.highlighting_failure"]

_PAGE: Final = re.compile(r"\]\((\w[\w-]*)\.md\)")


def contents(text: str) -> str:
    """
    Return hidden tables of contents, one for each heading of a page that has a list of pages below it.
    """
    tokens = MarkdownIt().parse(text)
    caption, pages = "", dict[str, list[str]]()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            caption = token.content
        elif token.type == "inline" and token.level > 1:
            pages.setdefault(caption, []).extend(_PAGE.findall(token.content))
    return "".join(_tree(name, found) for name, found in pages.items())


def _tree(caption: str, pages: list[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def _with_contents(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx's interface
    if page == root_doc:
        source[0] += contents(source[0])


def setup(app: Sphinx) -> None:
    """
    Give the first page its tables of contents.
    """
    app.connect("source-read", _with_contents)

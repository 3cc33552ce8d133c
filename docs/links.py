"""
The links of the repository's pages: files that exist, headings that exist, and addresses that could be ones.

    python docs/links.py [ROOT]

Nothing is fetched: whether an address elsewhere answers is not looked at.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

PAGES: Final = ("*.md", "docs/**/*.md", "families/*/README.md")
_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")
_HOST: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_PARSER: Final = MarkdownIt("commonmark").enable("table")


class Link(NamedTuple):
    """
    Hold where a link stands and where it leads.
    """

    page: Path
    line: int
    target: str


def links(page: Path) -> Iterator[Link]:
    """
    Return the links and pictures of a page.
    """
    for block in _PARSER.parse(page.read_text(encoding="utf-8")):
        line = block.map[0] + 1 if block.map else 0
        for token in block.children or ():
            target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
            if isinstance(target, str):
                yield Link(page, line, target)


def anchors(page: Path) -> set[str]:
    """
    Return the anchors that GitHub gives to a page's headings.
    """
    tokens = _PARSER.parse(page.read_text(encoding="utf-8"))
    seen: Counter[str] = Counter()
    found = set()
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            name = _NOT_IN_ANCHORS.sub("", _shown(inline).strip().lower()).replace(" ", "-")
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found


def _shown(heading: Token) -> str:
    return "".join(part.content for part in heading.children or ())


def problem(link: Link, root: Path) -> str | None:
    """
    Say what is wrong with a link; None where nothing is.
    """
    parts = urlsplit(link.target)
    if parts.scheme or parts.netloc:
        fine = parts.scheme == "https" and parts.hostname and _HOST.fullmatch(parts.hostname)
        return None if fine else "is no address that begins with https:// and a host"
    file = (link.page.parent / unquote(parts.path)).resolve() if parts.path else link.page
    if not file.is_relative_to(root):
        return "leads out of the repository"
    if not file.exists():
        return "there is no such file"
    if parts.fragment and file.suffix == ".md" and parts.fragment not in anchors(file):
        return "there is no such heading"
    return None


def main(root: Path) -> int:
    """
    Print what is wrong with the links below a directory, and return 1 if anything is.
    """
    pages = sorted({page for pattern in PAGES for page in root.glob(pattern)})
    found = [link for page in pages for link in links(page)]
    wrong = [(link, why) for link in found if (why := problem(link, root))]
    for link, why in wrong:
        print(f"{link.page.relative_to(root)}:{link.line}: {link.target}: {why}")  # noqa: T201 - what it is for
    print(f"{len(found)} links in {len(pages)} pages, {len(wrong)} wrong")  # noqa: T201 - as above
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()))

"""What all the pages share: the template engine, the style, and a policy that lets in nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import jinja2
from markupsafe import Markup

from harness.report.text import VERDICTS, printable
from harness.words import Capability, State, Verdict, counted

if TYPE_CHECKING:
    from harness.cells import Matrix

GLYPHS: Final = {"✅": "✓", "❌": "✗", "?": "?", "n/a": "n/a"}
"""The published symbols as plain characters, which take the colour of their words."""
TONES: Final = {
    State.PASSED: "ok",
    State.FAILED: "ko",
    State.SKIPPED: "nn",
    State.OFF: "nn",
    State.FAULT: "qq",
    None: "qq",
}
"""The classes of what came of checks."""
SHORT: Final = {each: each.value[:2] for each in Verdict} | {Verdict.UNSUPPORTED: "no"}
"""The verdicts' classes in the page, where they stand six hundred times for fifty adapters."""


def render_page(template: str, matrix: Matrix, *, script: str | None, **given: Any) -> str:  # noqa: ANN401 - what templates are given
    """
    Return a page.

    Args:
        template: its template's name.
        matrix: what it shows.
        script: the name of its script; None for a page without.
        given: what the template reads besides.
    """
    style, code = _style(matrix), source(script) if script else ""
    return environment().get_template(template).render(
        matrix=matrix,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(code),  # noqa: S704 - our own file
        policy=_policy(style, code),
        **given,
    )  # fmt: skip


def _style(matrix: Matrix) -> str:
    # a page without columns of checks is, to the byte, what it was before there were any
    return "\n".join([source("style.css"), *([source("checks.css")] if matrix.checks else [])])


def _policy(style: str, script: str) -> str:
    """
    Return the content security policy: this style, this script, nothing else from anywhere.
    """
    scripts = _hash(script) if script else "'none'"
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {scripts}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def source(name: str) -> str:
    """
    Return one of our own files, without the indentation of its lines.
    """
    loader = environment().loader
    assert loader is not None  # noqa: S101 - set two functions below
    lines = loader.get_source(environment(), name)[0].splitlines()
    return "\n".join(line.strip() for line in lines)


def breakable(name: str) -> Markup:
    """
    Return a name, escaped, that a narrow column may break where its words meet.
    """
    return Markup("<wbr>").join(_JOINTS.split(printable(name)))


_JOINTS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_./])")


@cache
def environment() -> jinja2.Environment:
    """
    Return the template engine.
    """
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["printable"] = printable
    made.filters["breakable"] = breakable
    made.filters["counted"] = counted
    made.filters["plain"] = _plain
    made.filters["short"] = SHORT.__getitem__
    made.filters["tone"] = TONES.__getitem__
    made.globals["Capability"] = Capability
    made.globals["VERDICTS"] = VERDICTS
    made.globals["GLYPHS"] = GLYPHS
    return made


def _plain(text: str) -> str:
    """
    Return text with the published symbols as plain characters.
    """
    for symbol, glyph in GLYPHS.items():
        text = text.replace(symbol, glyph)
    return text

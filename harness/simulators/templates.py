"""
Templates of what a provider says: Jinja in a sandbox, in which an unknown name is an error.

A template of a JSON document may be broken over several lines: line breaks and the
indentation after them are dropped, so that it fits into one event or one line.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from harness.simulators.pickles import pickled

if TYPE_CHECKING:
    from harness.simulators.tables import Table


def _to_json(value: object) -> str:
    # Jinja's own escapes what matters in HTML, and no provider does; a name that is not there raises when it is printed
    return json.dumps(value, ensure_ascii=False, default=str)


def _to_base64(value: str | bytes) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


def _environment() -> SandboxedEnvironment:
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["tojson"] = _to_json
    environment.filters["b64"] = _to_base64
    environment.filters["pickle"] = pickled
    return environment


_ENVIRONMENT: Final = _environment()
_BREAK: Final = re.compile(r"\s*\n\s*")


def compile_template(source: str, table: Table, key: str) -> Template:
    """
    Return a template.

    Args:
        source: its text.
        table: where it is written, for messages.
        key: under which key.

    Raises:
        ShapeError: its syntax is wrong.
    """
    stripped = source.strip()
    if stripped.startswith(("{", "[")):
        source = _BREAK.sub("", stripped)
    try:
        return _ENVIRONMENT.from_string(source)
    except TemplateError as error:
        raise table.error(key, f"is no template: {error.message}", "it is Jinja: {{ name }}, {% for … %}") from error


def try_template(template: Template, context: dict[str, object], table: Table, key: str) -> None:
    """
    Render a template once, and read what comes out if it looks like a JSON object.

    Raises:
        ShapeError: it uses a name that is not there, or makes broken JSON.
    """
    try:
        text = template.render(context)
    except Exception as error:  # a template can raise whatever its filters raise
        names = ", ".join(sorted(context))
        raise table.error(key, f"cannot be rendered: {error}", f"these names are there: {names}") from error
    if not text.lstrip().startswith(("{", "[{")):
        return
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        near = text[max(0, error.pos - 30) : error.pos + 30]
        raise table.error(
            key,
            f"makes broken JSON: {error.msg} near {near!r}",
            "strings need | tojson, and elements a comma between them",
        ) from error

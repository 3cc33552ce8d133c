"""Shapes for the tests: one small provider for each way of answering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.simulators import Shape, Simulator, load_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMPLETIONS = """
source = "made up"
hosts = ["https://api.completions.test", "http://localhost:4127"]

[auth]
header = "Authorization"
starts = "Bearer "
body = '{"error": "no key"}'

[missing]
status = 422
body = '{"error": "{{ missing }} is required"}'

[[routes]]
path = "/v1/completions"
prompts = "/prompt"
requires = ["/model"]
headers = { "x-request-id" = "{{ id }}" }
whole = '''
{"model": {{ request.model | tojson }},
 "choices": [{% for answer in answers %}{"index": {{ answer.index }}, "text": {{ answer.text | tojson }}}
             {{- "" if loop.last else ", " }}{% endfor %}]}
'''
stream = "/stream"
framing = "sse"
opening = { event = "ping", data = "{}" }
piece = '{"index": {{ index }}, "text": {{ piece | tojson }}}'
final = "[DONE]"

[[routes]]
kind = "redirect"
path = "/v1/completions/"
to = "/v1/completions"

[[routes]]
kind = "lookup"
path = "/v1/models/{name:path}"
whole = '{"name": "{{ params.name }}", "seen_at": "{{ origin }}"}'
"""

LINES = """
source = "made up"
hosts = ["https://lines.test"]

[[routes]]
path = "/generate"
prompts = "/messages"
stream = "always"
framing = "ndjson"
piece = '{"response": {{ piece | tojson }}, "done": false}'
final = '{"response": "", "done": true}'

[[routes]]
method = "GET"
path = "/plain"
prompts = "?prompt"
stream = "?stream"
framing = "raw"
whole = "{{ text }}"
content_type = "text/plain; charset=utf-8"
piece = "{{ piece }}"
"""

CLOUD = """
source = "made up"
hosts = ["https://runtime.*.cloud.test"]

[[routes]]
path = "/model/{model}/invoke-with-response-stream"
prompts = "/inputText"
stream = "always"
framing = "aws-event-stream"
piece = { event = "chunk", data = '{"bytes": "{% filter b64 %}{"outputText": {{ piece | tojson }}}{% endfilter %}"}' }
"""

JOBS = """
source = "made up"
hosts = ["https://jobs.test"]

[[routes]]
kind = "start"
path = "/jobs"
status = 201
prompts = "/prompts"
whole = '{"id": "{{ job }}", "status": "{{ state }}", "get": "{{ origin }}/jobs/{{ job }}"}'

[[routes]]
kind = "poll"
path = "/jobs/{job}"
whole = '''
{"id": "{{ job }}", "status": "{{ state }}", "output": {{ said | tojson }}, "asked": {{ request.prompts | tojson }}}
'''
"""

UPLOADS = """
source = "made up"
hosts = ["https://uploads.test"]

[[routes]]
kind = "start"
path = "/files"
prompts = "/data/0"
whole = '{"id": "{{ job }}"}'

[[routes]]
kind = "poll"
method = "POST"
path = "/runs"
job = "/file"
waits = true
whole = '{"state": "{{ state }}", "text": {{ text | tojson }}}'

[[routes]]
path = "/call"
prompts = "/data/1/prompt"
whole = '{"data": "{{ text | pickle | b64 }}"}'
"""

ENDS = """
source = "made up"
hosts = ["https://ends.test"]

[missing]
status = 422
content_type = "text/plain; charset=utf-8"
body = "no {{ missing }}"

[[routes]]
path = "/generate"
prompts = "/prompt"
stream = "@X-Wants-Events"
framing = "sse"
whole = '{"text": {{ text | tojson }}}'
piece = '{"index": {{ index }}, "text": {{ piece | tojson }}}'
closing = '{"index": {{ index }}, "text": null}'
final = "[DONE]"
"""

SHAPES = {"ends": ENDS, "uploads": UPLOADS, "completions": COMPLETIONS, "lines": LINES, "cloud": CLOUD, "jobs": JOBS}


@pytest.fixture
def write_shape(tmp_path: Path) -> Callable[[str], Path]:
    """Return what writes a shape called `odd` and returns its folder."""

    def write(text: str) -> Path:
        (tmp_path / "odd.toml").write_text(text, "utf-8")
        return tmp_path

    return write


@pytest.fixture
def shape_texts() -> dict[str, str]:
    """Return the shapes above as they stand in files."""
    return SHAPES


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shape]:
    """Return the shapes above, read from files."""
    folder = tmp_path_factory.mktemp("shapes")
    for name, text in SHAPES.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return load_shapes(folder)


@pytest.fixture(scope="session")
def simulator(shapes: dict[str, Shape]) -> Iterator[Simulator]:
    """Return a simulator of all the shapes that waits for nothing."""
    with Simulator(shapes, pace=0) as running:
        yield running

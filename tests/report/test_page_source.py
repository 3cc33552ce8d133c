"""index.html as text: valid structure, all text escaped, one file, small, the same bytes for the same matrix."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hostile import NASTY, matrices
from hypothesis import given
from made_up import made_up, with_checks

from harness.cells import ItemLine, RequestLine, Timeline
from harness.report.html import render_html
from harness.report.text import anchor, printable
from harness.report.timeline import render_svg
from harness.words import Capability

if TYPE_CHECKING:
    from harness.cells import Matrix

TAGS = set(
    """
    html head meta title link style body svg marker path a header h1 p ul li strong span main section h2 div label
    input select option output table caption thead tr th tbody td dl dt dd small h3 details summary i b pre code
    footer script text button wbr
    """.split()
)


class Page(HTMLParser):
    """
    Read a page as a browser would: its tags, ids, links, texts and scripts.
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self.texts: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"href", "src", "action", "xlink:href"}:
                self.links.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem in self.raw:
            self.raw[self.cdata_elem].append(data)
        else:
            self.texts.append(data)


def test_equal_matrices_are_equal_pages():
    """
    The order of the results leaves no trace.
    """
    matrix = made_up(4, families=2)
    turned = replace(matrix, adapters=matrix.adapters[::-1], cells=matrix.cells[::-1])

    assert render_html(matrix) == render_html(turned)


def test_every_cell_leads_to_its_evidence():
    """
    Each cell of the table links to an anchor that exists once.
    """
    matrix = made_up(12, families=3)
    page = Page(render_html(matrix))
    cells = {f"#{anchor(each.family, each.adapter, each.capability)}" for each in matrix.cells}

    assert cells <= set(page.links)
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)


def test_a_column_of_a_check_leads_to_what_came_of_it():
    """
    Each adapter that a check was tried on has a list of results; without checks there is neither column nor style.
    """
    plain = made_up(4, families=2)
    matrix = with_checks(plain)
    source = render_html(matrix)
    page = Page(source)
    anchors = {f"{anchor(one.family, one.name)}--checks" for one in matrix.adapters}

    assert {f"#{one}" for one in anchors} <= set(page.links)
    assert anchors <= set(page.ids)
    assert all(one.sentence in source for one in matrix.checks)
    assert json.loads("".join(page.raw["script"][0]))["adapters"][1]["checks"] is not None
    turned = replace(matrix, checks=matrix.checks[::-1])
    assert render_html(turned) == source
    assert ".ok {" not in render_html(plain)
    assert "--checks" not in render_html(plain)


def test_the_page_loads_nothing():
    """
    Every address in it is a place in itself.
    """
    page = Page(render_html(made_up(12)))

    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert not re.search(r"url\((?!#)|@import", "".join(page.raw["style"]))


def test_its_policy_allows_its_own_style_and_script_only():
    """
    The policy's digests are those of what stands in the page.
    """
    source = render_html(made_up(1))
    page = Page(source)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', source)
    assert policy is not None

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == digest("".join(page.raw["style"]))
    assert rules["script-src"] == digest(page.raw["script"][-1])


def test_tools_find_the_table_as_json():
    """
    The embedded JSON has a word for every cell of every adapter.
    """
    matrix = made_up(11)
    data = json.loads(Page(render_html(matrix)).raw["script"][0])
    openai = next(row for row in data["adapters"] if row["name"] == "OpenAI")

    assert data["capabilities"] == [capability.value for capability in Capability]
    assert openai["cells"] == ["native", "worker-thread", "native", "worker-thread", "native", "native"]
    assert len(data["adapters"]) == 11


def test_fifty_adapters_fit_in_300_kilobytes():
    """
    A page of 300 cells, streams with 30 arrivals and 28 items each, is small enough to be mailed.
    """
    size = len(render_html(made_up(50, families=3)).encode())

    assert size < 300_000


@given(matrices())
def test_strangers_text_stays_text(matrix: Matrix):
    """
    Hostile names and reasons make no element, no attribute, no script and no link.
    """
    page = Page(render_html(matrix))

    assert set(page.tags) <= TAGS
    assert page.handlers == []
    assert page.tags.count("script") == 2
    assert all(link.startswith("#") or link == "data:," for link in page.links)
    names = [row["name"] for row in json.loads(page.raw["script"][0])["adapters"]]
    assert sorted(names) == sorted(adapter.name for adapter in matrix.adapters)


@pytest.mark.parametrize("nasty", [each for each in NASTY if "\n" not in each])
def test_a_hostile_reason_is_shown_as_it_is(nasty: str):
    """
    What would steer a browser is read as text, character for character.
    """
    matrix = made_up(1)
    page = Page(render_html(replace(matrix, cells=(replace(matrix.cells[0], reason=f"[{nasty}]"),))))

    assert f"[{printable(nasty)}]" in "".join(page.texts)


def test_an_incomplete_run_and_a_missing_cell_are_said():
    """
    What was not measured is unknown, in the table and in the evidence.
    """
    matrix = made_up(1)
    source = render_html(replace(matrix, complete=False, cells=matrix.cells[:5]))

    assert "Not every registered cell was measured" in source
    assert source.count("? unknown") >= 2
    assert "This cell was not measured." in source


def test_many_polls_share_a_row_of_the_picture():
    """
    Thirty polls do not make thirty rows.
    """
    polls = tuple(
        RequestLine(
            method="GET", uri="http://u/job", role="poll", sent_at=at / 10, arrivals=(at / 10 + 0.05,), ends_at=None
        )
        for at in range(30)
    )
    svg = render_svg(Timeline(requests=polls))

    assert "30 times GET /job (poll)" in svg
    assert svg.count("<text y=") == 1


def test_marks_stand_where_they_happened():
    """
    The picture is to scale: the middle of the time is the middle of the row.
    """
    request = RequestLine(
        method="POST", uri="http://u/v1", role="inference", sent_at=0, arrivals=(1.0, 2.0), ends_at=2.0
    )
    item = ItemLine(at=1.0, text="a", counts=True, after=1)
    svg = render_svg(Timeline(requests=(request,), items=(item,)))

    assert '<path class=a d="M160 22h160"/>' in svg
    assert '<path class=i d="M160 52h0"/>' in svg
    assert "<text class=e x=100% y=75>2 s</text>" in svg


def test_a_moment_without_length_still_has_a_picture():
    """
    Everything at time zero divides by nothing.
    """
    request = RequestLine(method="POST", uri="http://[", role="inference", sent_at=0, arrivals=(0.0,), ends_at=0.0)

    assert "POST http://[" in render_svg(Timeline(requests=(request,)))
    assert render_svg(Timeline()) == ""

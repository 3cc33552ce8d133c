"""index.html in a real browser: without scripts, by keyboard, in both colour schemes, on a phone, on paper."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from made_up import made_up, with_checks

from harness.cells import Claims
from harness.report.compare_html import render_comparison_html
from harness.report.html import render_html
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator
    from playwright.sync_api import Page as Tab

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
ADAPTERS = 12
CELL = "langchain-0.0.337--OpenAI--astream"
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1280, "height": 900}
CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) layers.push(rgba(getComputedStyle(each).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const box = element.getBoundingClientRect();
    if (!text || !box.width || ["SCRIPT", "STYLE", "OPTION", "title"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const ink = over(rgba(element instanceof SVGElement ? style.fill : style.color), below);
    const [a, b] = [light(ink), light(below)].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), element.tagName, element.getAttribute("class"), element.textContent.trim()]);
  }
  return found;
}
"""


def chromium() -> str:
    """
    Return where the browser is, or say how to get one.
    """
    if os.environ.get("HARNESS_NO_BROWSER") == "1":
        pytest.skip("HARNESS_NO_BROWSER=1: the page is not checked in a browser")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    for found in (os.environ.get("HARNESS_CHROMIUM"), *map(shutil.which, names), "/usr/bin/chromium"):
        if found and Path(found).exists():
            return found
    pytest.fail(
        "no Chromium: install it (apt-get install chromium), name one in HARNESS_CHROMIUM, "
        "or set HARNESS_NO_BROWSER=1 to skip the tests of the page",
        pytrace=False,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Give one headless browser.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for who has a browser

    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        found.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """
    Give the address of a page of twelve adapters in two families.
    """
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_bytes(render_html(with_checks(made_up(ADAPTERS, families=2))).encode())
    return path.as_uri()


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Tab]:
    """
    Open the page in a context of its own; whatever it complains of, or asks of a network, fails the test.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on(
        "request", lambda request: complaints.append(request.url) if request.url != address.split("#", 1)[0] else None
    )
    try:
        tab.goto(address)
        yield tab
        assert [each for each in complaints if not each.startswith("data:")] == []
    finally:
        context.close()


def names(tab: Tab) -> list[str]:
    """
    Return the adapters that the table shows, in its order.
    """
    return tab.locator("#table tbody tr:visible th").all_inner_texts()


def tab_to(tab: Tab, target: Locator) -> None:
    """
    Reach an element with the Tab key alone.
    """
    for _ in range(60):
        tab.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail("not reached in sixty presses of Tab")


def test_without_scripts_all_evidence_is_in_reach(browser: Browser, address: str):
    """
    Every one of the details opens by a click on its summary, and controls that would do nothing are hidden.
    """
    with opened(browser, address, java_script_enabled=False) as tab:
        assert len(names(tab)) == ADAPTERS
        assert not tab.locator("#controls").is_visible()
        assert tab.locator("th button").count() == 0
        details = tab.locator("#evidence details")
        # one more an adapter: what came of the checks
        assert details.count() == ADAPTERS * 7
        for number, shown in ((0, "p"), (22, "p"), (20, "li"), (ADAPTERS * 7 - 1, "li")):
            details.nth(number).locator("summary").click()
            assert details.nth(number).locator(shown).first.is_visible()


def test_without_scripts_a_link_shows_the_cells_evidence(browser: Browser, address: str):
    """
    A cell of the table leads to its evidence, and the evidence is there to be read.
    """
    with opened(browser, address, java_script_enabled=False) as tab:
        tab.locator(f'td a[href="#{CELL}"]').click()
        assert tab.locator(f"#{CELL.replace('.', chr(92) + '.')} p").first.is_visible()


def test_the_filter_works_by_keyboard_and_says_how_many(browser: Browser, address: str):
    """
    Typing narrows table and evidence, the count is announced, and nothing found is said.
    """
    with opened(browser, address) as tab:
        count = tab.locator("#count")
        assert count.get_attribute("aria-live") == "polite"
        tab_to(tab, tab.get_by_label("Adapter", exact=True))
        tab.keyboard.type("azure")
        assert names(tab) == ["AzureMLOnlineEndpoint"]
        assert count.inner_text() == f"1 of {ADAPTERS} adapters shown"
        assert tab.locator(".adapter:visible").count() == 1
        tab.keyboard.type("zzz")
        assert tab.locator("#none").is_visible()


def test_families_and_verdicts_are_filters_too(browser: Browser, address: str):
    """
    They narrow together.
    """
    with opened(browser, address) as tab:
        tab.get_by_label("Family").select_option("litellm")
        assert len(names(tab)) == ADAPTERS // 2
        tab.get_by_label("With a cell that is").select_option("unknown")
        assert names(tab) == ["Petals"]


def test_sorting_works_by_keyboard_and_is_announced(browser: Browser, address: str):
    """
    A press sorts, another turns the order, and the heading says so.
    """
    with opened(browser, address) as tab:
        button = tab.get_by_role("button", name="Adapter")
        head = tab.locator("#table thead th").first
        tab_to(tab, button)
        tab.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "ascending"
        assert names(tab) == sorted(names(tab), key=str.lower)
        tab.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == "descending"
        assert names(tab) == sorted(names(tab), key=str.lower, reverse=True)
        tab.get_by_role("button", name="Native").press("Space")
        assert head.get_attribute("aria-sort") is None
        counts = [int(text.split()[0]) for text in tab.locator("#table tbody td:nth-child(3)").all_inner_texts()]
        assert counts == sorted(counts, reverse=True)


def test_a_capability_sorts_from_native_to_unknown(browser: Browser, address: str):
    """
    The order is that of the verdicts, not of their letters.
    """
    with opened(browser, address) as tab:
        tab.get_by_role("button", name="Async invoke").press("Enter")
        words = tab.locator("#table tbody td:nth-child(5)").all_inner_texts()

    assert words[0] == "✓ native"
    assert words[-2:] == ["✗ blocked", "? unknown"]


def test_a_link_from_elsewhere_opens_its_evidence(browser: Browser, address: str):
    """
    The fragment opens the details, scrolls to them and puts the focus there.
    """
    with opened(browser, f"{address}#{CELL}") as tab:
        details = tab.locator(f'[id="{CELL}"]')
        assert details.get_attribute("open") is not None
        assert details.locator("svg[role=img]").first.is_visible()
        tab.wait_for_function("cell => document.activeElement.parentElement.id === cell", arg=CELL)
        assert details.evaluate("element => Math.abs(element.getBoundingClientRect().top) < innerHeight")


def test_a_link_into_filtered_evidence_shows_it(browser: Browser, address: str):
    """
    Whoever follows a link sees what it leads to, filter or not.
    """
    with opened(browser, address) as tab:
        tab.get_by_label("Adapter", exact=True).fill("azure")
        tab.evaluate("hash => { location.hash = hash }", CELL)
        tab.locator(f'[id="{CELL}"] svg[role=img]').first.wait_for()
        assert len(names(tab)) == ADAPTERS


def test_focus_is_seen(browser: Browser, address: str):
    """
    The first press of Tab shows the way past the header; what has the focus has an outline.
    """
    with opened(browser, address) as tab:
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.className") == "skip"
        assert tab.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
        tab_to(tab, tab.locator("#table td a").first)
        assert tab.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Browser, address: str, scheme: str):
    """
    In both colour schemes, with all evidence open, text stands out from its ground by at least 4.5 to 1.
    """
    with opened(browser, address, color_scheme=scheme) as tab:
        tab.locator("#open").click()
        tab.keyboard.press("Home")
        found = tab.evaluate(CONTRAST)

    assert len(found) > 1000
    assert [entry for entry in found if entry[0] < 4.5] == []


def test_the_schemes_differ(browser: Browser, address: str):
    """
    Who prefers dark gets dark.
    """
    grounds = []
    for scheme in ("light", "dark"):
        with opened(browser, address, color_scheme=scheme) as tab:
            grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert grounds == ["rgb(250, 250, 248)", "rgb(19, 21, 24)"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_phone_scrolls_the_table_and_not_the_page(browser: Browser, address: str, scripts: bool):
    """
    At 360 pixels the page is as wide as the screen, the table scrolls inside itself, and its first column stays.
    """
    with opened(browser, address, viewport=PHONE, java_script_enabled=scripts) as tab:
        for summary in tab.locator("#evidence summary").all()[:12]:
            summary.click()
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        left = tab.locator("#table tbody th").first.evaluate(
            "head => { head.closest('.scroll').scrollLeft = 300; return head.getBoundingClientRect().left }"
        )
        assert 0 <= left <= 30
        assert tab.locator("#table").evaluate("table => table.parentElement.scrollLeft") == 300


GAPS = """
table => {
  const box = table.parentElement;
  const inset = (cell, side) => parseFloat(getComputedStyle(cell).getPropertyValue(`padding-${side}`));
  const rows = [...table.rows];
  box.scrollLeft = box.scrollWidth;
  return [box.scrollWidth - table.offsetWidth, ...new Set(rows.map(row => inset(row.lastElementChild, "right")
    - inset(row.firstElementChild, "left")))];
}
"""


@pytest.mark.parametrize("width", [360, 1200, 1600])
def test_the_last_column_keeps_as_far_from_the_edge_as_the_first(browser: Browser, address: str, width: int):
    """
    Whether the table fits or is scrolled to its end, no column touches the frame.
    """
    with opened(browser, address, viewport={"width": width, "height": 800}) as tab:
        assert tab.locator("#table").evaluate(GAPS) == [0, 0]


def test_text_in_a_picture_keeps_its_size_on_a_phone(browser: Browser, address: str):
    """
    Pictures shrink, their labels do not.
    """
    with opened(browser, f"{address}#{CELL}", viewport=PHONE) as tab:
        picture = tab.locator(f'[id="{CELL}"] svg[role=img]')
        box, label = picture.bounding_box(), picture.locator("text").first.bounding_box()

    assert box is not None
    assert label is not None
    assert box["width"] < 340
    assert label["height"] >= 11


def test_paper_has_all_the_evidence_and_no_controls(browser: Browser, address: str):
    """
    What cannot be clicked is printed.
    """
    with opened(browser, address) as tab:
        tab.emulate_media(media="print")
        assert not tab.locator("#controls").is_visible()
        assert all(each.bounding_box() for each in tab.locator("#evidence details > p:first-of-type").all())
        assert tab.evaluate(
            "document.querySelector('.scroll').scrollWidth <= document.querySelector('.scroll').clientWidth"
        )
        assert tab.pdf()[:5] == b"%PDF-"


def test_forced_colours_leave_the_marks_visible(browser: Browser, address: str):
    """
    Where the system chooses the colours, chips get a border and marks the system's ink.
    """
    with opened(browser, f"{address}#{CELL}", forced_colors="active") as tab:
        assert (
            tab.locator(".chip").first.evaluate("chip => getComputedStyle(chip).borderTopColor") != "rgba(0, 0, 0, 0)"
        )
        ink = tab.evaluate("getComputedStyle(document.querySelector('#mark-a path')).stroke")
        assert ink == tab.evaluate("getComputedStyle(document.body).color")


def test_the_table_is_one_to_a_screen_reader(browser: Browser, address: str):
    """
    It has a name, headings for rows and columns, and words in every cell.
    """
    with opened(browser, address) as tab:
        table = tab.get_by_role("table", name="Adapters and the six calls")
        assert table.get_by_role("columnheader").count() == 11
        assert table.get_by_role("rowheader").count() == ADAPTERS
        assert table.get_by_role("link", name="✓ native").count() > 10
        tab.locator("#open").click()
        assert tab.get_by_role("img", name="30 arrivals").count() > 10


def test_a_hostile_page_runs_nothing(browser: Browser, tmp_path: Path):
    """
    Scripts in names and reasons are read, not run, and the policy has nothing to object to.
    """
    from dataclasses import replace  # noqa: PLC0415 - beside its one use

    evil = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    matrix = made_up(2)
    adapters = tuple(replace(each, name=each.name + evil, problem=evil) for each in matrix.adapters)
    cells = tuple(replace(each, adapter=each.adapter + evil, reason=evil) for each in matrix.cells)
    path = tmp_path / "evil.html"
    path.write_text(render_html(replace(matrix, adapters=adapters, cells=cells)), "utf-8")
    with opened(browser, path.as_uri()) as tab:
        assert tab.title() == "Capability matrix"
        assert f"OpenAI{evil}" in names(tab)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_comparison_can_be_read_anywhere(browser: Browser, address: str, scheme: Any):
    """
    On a phone, without scripts, in both schemes: enough contrast, nothing wider than the screen, links to the evidence.
    """
    matrix = made_up(ADAPTERS, families=2)
    family = matrix.adapters[0].family
    names = [each.name for each in matrix.adapters if each.family == family] + ["NotMeasured"]
    claims = Claims(family=family, published={name: dict.fromkeys(Capability, Verdict.NATIVE) for name in names})
    path = Path(address.removeprefix("file://")).with_name(f"{scheme}.html")
    path.write_text(render_comparison_html(matrix, claims), "utf-8")
    with opened(browser, path.as_uri(), color_scheme=scheme, viewport=PHONE) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert [each for each in tab.evaluate(CONTRAST) if each[0] < 4.5] == []
        tab_to(tab, tab.locator("section[aria-labelledby=h-totals] .scroll").first)
        link = tab.locator("a.chip").first.get_attribute("href")
    assert link is not None
    with opened(browser, f"{address}#{link.partition('#')[2]}") as tab:
        assert tab.locator("#evidence details[open] p").first.is_visible()


def test_no_table_of_the_committed_comparison_is_wider_than_a_desktop(browser: Browser):
    """
    Sentences wrap, however long: nobody has to scroll a table sideways to read its evidence.
    """
    page = Path(__file__).parents[2] / "reports" / "langchain-0.0.337.html"
    with opened(browser, page.as_uri(), viewport=DESKTOP) as tab:
        tables = tab.locator(".scroll")
        assert tables.count() > 5
        assert tables.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth)") == []

"""
Take the README's picture of a part of the table from the committed page, in a real browser.

    python docs/picture.py reports/index.html docs/table.png OpenAI LlamaCpp ...
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HIDE_OTHERS = """
(table, names) => table.querySelectorAll("tbody tr").forEach(
    (row) => { row.hidden = !names.includes(row.querySelector("th").textContent.trim()); })
"""


def main(page: str, picture: str, *names: str) -> None:
    """
    Write the picture of a page's table.

    Args:
        page: path of the page.
        picture: path of the PNG to write.
        names: the adapters to show; the others are hidden.
    """
    browser_path = os.environ.get("HARNESS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(QUIET))
        tab = browser.new_page(viewport={"width": 1180, "height": 1200}, color_scheme="light", device_scale_factor=1.5)
        tab.goto(Path(page).resolve().as_uri())
        table = tab.locator("#table")
        table.evaluate(HIDE_OTHERS, list(names))
        table.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""
Take the README's picture of the table from the committed page, in a real browser.

    python docs/picture.py reports/index.html docs/table.png
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


def main(page: str, picture: str) -> None:
    """
    Write the picture of a page's table.

    Args:
        page: path of the page.
        picture: path of the PNG to write.
    """
    browser_path = os.environ.get("HARNESS_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(QUIET))
        tab = browser.new_page(viewport={"width": 1180, "height": 1200}, color_scheme="light", device_scale_factor=1.5)
        tab.goto(Path(page).resolve().as_uri())
        tab.locator("#table").screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

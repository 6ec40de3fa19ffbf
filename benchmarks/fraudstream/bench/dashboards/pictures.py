"""Pictures of the pages of a running stack, as the documentation shows them.

``python -m fraudstream.bench.dashboards.pictures --url http://127.0.0.1:8050 --folder docs/images [--phone]``
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from fraudstream.bench.dashboards.browsing import READY, launched

# The explorer opens the transaction of the newest fraud that the live page shows.
PAGES = {
    "live": "/?range=5m",
    "history": "/history?origin=history",
    "explorer": "/explorer?id={fraud}",
    "rejected": "/explorer?tab=rejected",
    "system": "/system",
}
_VIEWPORTS = {"": {"width": 1440, "height": 900}, "-phone": {"width": 390, "height": 844}}
_DRAWN = """() => {
    const all = (kind, part) => [...document.querySelectorAll(`.panel--ready ${kind}`)]
        .filter(one => one.checkVisibility()).every(one => one.querySelector(part));
    return all('.dash-graph', '.trace') && all('.grid', '.ag-row');
}"""


def main() -> int:
    """Take every page in both schemes; with ``--phone`` at a phone's width too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--phone", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        for suffix, viewport in _VIEWPORTS.items():
            if suffix and not options.phone:
                continue
            for scheme in ("light", "dark"):
                chosen: Any = {"viewport": viewport, "color_scheme": scheme, "locale": "en-GB"}
                page = browser.new_page(**chosen, reduced_motion="reduce")
                fraud = _newest_fraud(page, options.url)
                for name, path in PAGES.items():
                    _open(page, options.url + path.format(fraud=fraud))
                    _take(page, options.folder / f"{name}{suffix}-{scheme}.png")
                page.close()
    return 0


def _newest_fraud(page: Page, url: str) -> str:
    _open(page, f"{url}/?range=1h&table=frauds")
    link = page.locator("#live-decisions-table .row-fraud .cell-link").first
    link.wait_for(timeout=60_000)
    return re.sub(r"\D", "", link.inner_text())


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(READY, timeout=60_000)
    page.wait_for_function(_DRAWN, timeout=60_000)


def _take(page: Page, path: Path) -> None:
    shown = page.screenshot(full_page=True, animations="disabled")
    Image.open(io.BytesIO(shown)).convert("RGB").save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())

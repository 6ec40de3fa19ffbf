"""Every page compared with its last approved picture.

``FRAUDSTREAM_SCREENSHOTS=write`` writes new pictures. They are compared in blocks, so that another machine's font
smoothing makes no difference and a missing bar does.
"""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import PHONE, expect_settled, switch_to_dark
from tests.missing import skip_without

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parent / "screenshots"
WRITE = os.environ.get("FRAUDSTREAM_SCREENSHOTS") == "write"
BLOCK = 12
# A block differs if its mean colour is off by more than this; at most this share of the blocks may differ.
MOST_OFF = 18
MOST_BLOCKS = 0.02
# Figures follow the window's width a moment after it has changed.
NARROW = "() => [...document.querySelectorAll('.main-svg')].every(figure => figure.clientWidth <= innerWidth)"
PAGES = {
    "live": "/",
    "live-filtered": "/?range=15m&category_recipient=food_store,tech_store&table=frauds",
    "history": "/history?origin=history",
    "history-compared": "/history?origin=history&period=2025-09,2025-11&compare=2026-01,2026-03",
    "explorer": "/explorer?id=1001004",
    "explorer-rejected": "/explorer?tab=rejected&event=transactions/1/0",
    "system": "/system",
}


@pytest.fixture(scope="module", autouse=True)
def liberation_sans() -> None:
    """The pictures need their font: in another one every line of text differs."""
    listed = subprocess.run(["fc-list"], capture_output=True, text=True, check=False).stdout if which("fc-list") else ""
    if "LiberationSans-Regular" not in listed:
        skip_without("the font Liberation Sans", "apt-get install fonts-liberation fontconfig")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_looks_as_it_did(visit: Any, site: Any, name: str) -> None:
    page = visit(reduced_motion="reduce")
    page.goto(site.url + PAGES[name])
    expect_settled(page)
    apart = {"light": compared(page, f"{name}-light")}
    switch_to_dark(page)
    apart["dark"] = compared(page, f"{name}-dark")
    page.set_viewport_size(PHONE)
    page.wait_for_function(NARROW)
    apart["phone"] = compared(page, f"{name}-phone")
    assert {view: share for view, share in apart.items() if share > MOST_BLOCKS} == {}


def compared(page: Page, name: str) -> float:
    """The share of blocks in which the page differs from its picture; the picture is written on request."""
    # Wait for two equal pictures: figures appear after their data, fonts and tables later still.
    shown = page.screenshot(full_page=True, animations="disabled")
    for _ in range(20):
        page.wait_for_timeout(300)
        before, shown = shown, page.screenshot(full_page=True, animations="disabled")
        if before == shown:
            break
    path = PICTURES / f"{name}.png"
    if WRITE:
        PICTURES.mkdir(exist_ok=True)
        Image.open(io.BytesIO(shown)).convert("RGB").quantize(256).save(path, optimize=True)
        return 0.0
    assert path.exists(), f"{path.name} has never been made: FRAUDSTREAM_SCREENSHOTS=write"
    return difference(Image.open(io.BytesIO(shown)), Image.open(path))


def difference(first: Image.Image, second: Image.Image) -> float:
    """The share of blocks that differ; 1 when the sizes are apart by more than a few lines."""
    if first.width != second.width or abs(first.height - second.height) > 2 * BLOCK:
        return 1.0
    blocks = (first.width // BLOCK, min(first.height, second.height) // BLOCK)
    area = (0, 0, blocks[0] * BLOCK, blocks[1] * BLOCK)
    small = [
        np.asarray(image.convert("RGB").crop(area).resize(blocks, Image.Resampling.BOX), dtype="i2")
        for image in (first, second)
    ]
    return float((np.abs(small[0] - small[1]).max(axis=2) > MOST_OFF).mean())


def test_a_bar_that_is_missing_is_a_difference_and_a_soft_edge_is_none() -> None:
    plain = Image.new("RGB", (1200, 900), "white")
    barred = plain.copy()
    barred.paste((213, 94, 0), (300, 200, 700, 700))
    softened = barred.resize((600, 450), Image.Resampling.BILINEAR).resize((1200, 900), Image.Resampling.BILINEAR)
    assert difference(plain, barred) > MOST_BLOCKS
    assert difference(barred, softened) <= MOST_BLOCKS
    assert difference(plain, plain.crop((0, 0, 1200, 600))) == 1.0

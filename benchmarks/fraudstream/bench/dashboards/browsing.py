"""What a browser measures: the time until a page is ready, and its heap over live updates."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc"]
CHROMIUM = Path("/usr/bin/chromium")
# No visible panel is loading any more, and all figures and tables on the screen are drawn.
READY = """() => {
    const panels = [...document.querySelectorAll('section.panel')].filter(panel => panel.checkVisibility());
    const onScreen = element => {
        const box = element.getBoundingClientRect();
        return element.checkVisibility() && box.top < innerHeight && box.bottom > 0;
    };
    const drawn = (kind, part) => [...document.querySelectorAll(`.panel--ready ${kind}`)]
        .filter(onScreen).every(element => element.querySelector(part));
    return panels.length > 0 && !panels.some(panel => panel.classList.contains('panel--loading'))
        && drawn('.dash-graph', '.trace') && drawn('.grid', '.ag-row');
}"""
_TIMES, _FIRST_TIMES = 7, 5
_LEAST_SAMPLES = 6
_VIEWPORT: Any = {"width": 1440, "height": 900}


@contextmanager
def launched() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def measure_pages(url: str, pages: dict[str, str]) -> dict[str, Any]:
    """Milliseconds from the address to the last panel: with the page's files in the browser's cache, and without."""
    measured: dict[str, Any] = {}
    with launched() as browser:
        for name, path in pages.items():
            first = []
            for _ in range(_FIRST_TIMES):
                with browser.new_context(viewport=_VIEWPORT) as context:
                    first.append(_open(context.new_page(), url + path))
            with browser.new_context(viewport=_VIEWPORT) as context:
                page = context.new_page()
                _open(page, url + path)
                again = []
                for _ in range(_TIMES):
                    page.goto("about:blank")
                    again.append(_open(page, url + path))
            measured[name] = {
                "median_ms": round(statistics.median(again)),
                "max_ms": round(max(again)),
                "all_ms": [round(duration) for duration in again],
                "empty_cache_median_ms": round(statistics.median(first)),
                "empty_cache_all_ms": [round(duration) for duration in first],
            }
    return measured


def _open(page: Page, address: str) -> float:
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(READY, timeout=60_000, polling=20)
    return 1000 * (time.perf_counter() - started)


def measure_heap(url: str, minutes: float) -> dict[str, Any]:
    """The live page's heap after each collection, in MiB, over minutes of updates; the trend leaves out the start."""
    with launched() as browser:
        page = browser.new_page(viewport=_VIEWPORT)
        session = page.context.new_cdp_session(page)
        page.goto(url)
        page.wait_for_function(READY, timeout=60_000)
        updates = 0

        def count(request: Any) -> None:
            nonlocal updates
            updates += "_dash-update" in request.url

        page.on("request", count)
        samples = []
        step = min(max(10.0, minutes), minutes * 60 / _LEAST_SAMPLES)
        ends_at = time.monotonic() + minutes * 60
        while time.monotonic() < ends_at:
            page.wait_for_timeout(1000 * step)
            session.send("HeapProfiler.collectGarbage")
            samples.append(session.send("Runtime.getHeapUsage")["usedSize"] / 2**20)
    settled = samples[len(samples) // 3 :]
    half = max(len(settled) // 2, 1)
    first, last = sum(settled[:half]) / half, sum(settled[half:]) / (len(settled) - half)
    return {
        "minutes": minutes,
        "updates": updates,
        "first_half_mib": round(first, 2),
        "second_half_mib": round(last, 2),
        "growth_percent": round(100 * (last - first) / first, 2),
        "samples_mib": [round(sample, 2) for sample in samples],
    }

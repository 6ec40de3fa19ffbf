"""Both pages as a reader sees them, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from fraudstream.dashboards import history, live

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
READY = "panel panel--ready"


@pytest.fixture
def page(chromium: Browser, site: Any) -> Iterator[Page]:
    """A page that fails its test when it logs an error or asks another host for anything."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((site.url, "data:", "blob:")) else complaints.append(request.url)
        ),
    )
    yield page
    context.close()
    assert complaints == []


def expect_ready(page: Page, panel_ids: list[str]) -> None:
    for panel_id in panel_ids:
        expect(page.locator(f"#{panel_id}")).to_have_class(READY, timeout=WAIT_MS)


def test_live_page_shows_data_in_every_panel(page: Page, site: Any) -> None:
    page.goto(site.url)
    expect_ready(page, [panel.id for panel in live.PANELS])
    for panel in live.PANELS:
        expect(page.locator(f"#{panel.id} .barlayer .point path").first).to_be_attached()
    expect(page.locator("#live-decisions-table .ag-row").first).to_be_visible()
    assert page.locator("#live-transactions").inner_text().replace(",", "").isdigit()
    if site.memory is not None:
        expect(page.locator("#live-transactions")).to_have_text("1,500")


def test_history_page_shows_data_in_every_panel_and_for_each_origin(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history")
    expect_ready(page, [panel.id for panel in history.PANELS.values()])
    for panel in history.PANELS.values():
        expect(page.locator(f"#{panel.id} .scatterlayer .point").first).to_be_attached()
    if site.memory is not None:
        expect(page.locator("#history-transactions")).to_have_text("2,300")
        page.get_by_text("Labelled history", exact=True).click()
        expect(page.locator("#history-transactions")).to_have_text("800")


def test_navigation_needs_no_reload(page: Page, site: Any) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="History report")).to_be_visible()
    page.get_by_role("link", name="Live", exact=True).click()
    expect_ready(page, ["live-minutes"])


def test_pause_stops_the_updates_and_resume_continues_them(page: Page, site: Any) -> None:
    updates: list[str] = []
    page.on("request", lambda request: updates.append(request.url) if "_dash-update" in request.url else None)
    page.goto(site.url)
    expect_ready(page, ["live-minutes"])
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    page.wait_for_load_state("networkidle")
    before = len(updates)
    # Quiet for longer than the refresh interval of one second: any update would come within it.
    page.wait_for_timeout(2_500)
    assert len(updates) == before
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#live-status")).to_have_text("Live")
    page.wait_for_event("request", lambda request: "_dash-update" in request.url)


def test_the_theme_toggles_and_is_remembered(page: Page, site: Any) -> None:
    page.goto(site.url)
    expect_ready(page, ["live-category"])
    root, tick = page.locator("html"), page.locator("#live-category .ytick text").first
    expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    light = tick.evaluate("element => getComputedStyle(element).fill")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(tick).not_to_have_css("fill", light)
    page.reload()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")


def test_the_theme_toggles_while_paused(page: Page, site: Any) -> None:
    page.goto(site.url)
    expect_ready(page, ["live-category"])
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    tick = page.locator("#live-category .ytick text").first
    light = tick.evaluate("element => getComputedStyle(element).fill")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(tick).not_to_have_css("fill", light)
    expect(page.locator("#live-status")).to_have_text("Paused")


def test_a_lost_store_is_told_with_the_time_of_the_data_and_recovers(page: Page, site: Any) -> None:
    if site.memory is None:
        pytest.skip("a real store is not taken away")
    page.goto(site.url)
    expect_ready(page, ["live-category"])
    site.memory.away = True
    expect(page.locator("#live-category-note")).to_contain_text("Data from", timeout=WAIT_MS)
    expect(page.locator("#live-status")).to_have_text("Store away")
    expect(page.locator("#live-category .barlayer .point path").first).to_be_attached()
    site.memory.away = False
    expect_ready(page, [panel.id for panel in live.PANELS])


def test_nothing_is_cut_off_on_a_phone(page: Page, site: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/history"):
        page.goto(site.url + path)
        expect(page.locator("section.panel--ready").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

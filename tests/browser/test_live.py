"""The live page as a reader uses it, in Chromium."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fraudstream.dashboards.pages.live import controls as live_controls
from tests.browser.conftest import NOW, WAIT_MS, expect_ready

pytestmark = pytest.mark.browser

PANELS = [panel.id for panel in live_controls.PANELS]


def opened(page: Page, site: Any, search: str = "") -> None:
    page.goto(site.url + "/" + search)
    expect_ready(page, [*PANELS, "live-decisions"])


def click_bar(page: Page, panel: str, index: int) -> None:
    """Click the middle of this panel's bar of legitimate transactions at this index."""
    bar = page.locator(f"#{panel} .barlayer .trace").nth(1).locator(".point path").nth(index)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def count(site: Any, **fields: Any) -> str:
    rows = [row for row in site.traffic.live if all(row[name] in values for name, values in fields.items())]
    return f"{len(rows):,}"


def test_every_panel_shows_data(page: Page, site: Any) -> None:
    opened(page, site)
    for panel in PANELS:
        expect(page.locator(f"#{panel} .barlayer .point path").first).to_be_attached()
    expect(page.locator("#live-decisions-table .ag-row").first).to_be_visible()
    expect(page.locator("#live-transactions")).to_have_text("3,000")
    expect(page.locator("#live-status")).to_have_text("Live")
    expect(page.locator("#live-decisions-table .row-fraud").first).to_contain_text("▲ Fraud")


def test_a_click_on_a_bar_filters_everything_and_another_takes_it_back(page: Page, site: Any) -> None:
    opened(page, site)
    click_bar(page, "live-by-day_of_week", 5)
    expect(page.locator("#live-transactions")).to_have_text(count(site, day_of_week=["saturday"]))
    expect(page).to_have_url(re.compile("day_of_week=saturday"))
    click_bar(page, "live-by-month", 11)
    expect(page.locator("#live-transactions")).to_have_text(count(site, day_of_week=["saturday"], month=[12]))
    click_bar(page, "live-by-day_of_week", 6)
    both = count(site, day_of_week=["saturday", "sunday"], month=[12])
    expect(page.locator("#live-transactions")).to_have_text(both)
    click_bar(page, "live-by-month", 11)
    expect(page.locator("#live-transactions")).to_have_text(count(site, day_of_week=["saturday", "sunday"]))
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#live-transactions")).to_have_text("3,000")
    expect(page).not_to_have_url(re.compile("day_of_week"))


def test_horizontal_bars_filter_too(page: Page, site: Any) -> None:
    opened(page, site)
    for panel, index, fields in (
        ("live-by-category_recipient", 3, {"category_recipient": ["tech_store"]}),
        ("live-by-transaction_type", 0, {"transaction_type": ["online"]}),
        ("live-by-transaction_type", 4, {"transaction_method": ["card_with_contact"]}),
    ):
        click_bar(page, panel, index)
        expect(page.locator("#live-transactions")).to_have_text(count(site, **fields))
        page.get_by_role("button", name="Clear filters").click()
        expect(page.locator("#live-transactions")).to_have_text("3,000")


def test_amounts_and_minutes_filter_too(page: Page, site: Any) -> None:
    opened(page, site)
    click_bar(page, "live-by-amount_bin", 4)
    rows = [row for row in site.traffic.live if 100 <= row["amount"] < 125]
    expect(page.locator("#live-transactions")).to_have_text(f"{len(rows):,}")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#live-transactions")).to_have_text("3,000")
    click_bar(page, "live-minutes", 30)
    begin = NOW.replace(second=0) - timedelta(minutes=29)
    arrived = [row for row in site.traffic.live if begin <= row["enqueued_at"] < begin + timedelta(minutes=1)]
    expect(page.locator("#live-transactions")).to_have_text(f"{len(arrived):,}")
    page.get_by_role("button", name=f"Minute {begin:%H:%M}").click()
    expect(page.locator("#live-transactions")).to_have_text("3,000")


def test_filters_work_from_the_keyboard(page: Page, site: Any) -> None:
    opened(page, site)
    box = page.get_by_role("textbox", name="Filter by category")
    box.focus()
    page.keyboard.type("tech")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#live-transactions")).to_have_text(count(site, category_recipient=["tech_store"]))


def test_a_reload_keeps_range_filters_table_and_pause(page: Page, site: Any) -> None:
    opened(page, site)
    page.get_by_text("15 min", exact=True).click()
    click_bar(page, "live-by-category_recipient", 0)
    page.locator("#live-decisions-choice").get_by_text("Frauds").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    expect(page).to_have_url(re.compile("paused="))
    before = page.locator("#live-transactions").inner_text()
    page.reload()
    expect_ready(page, ["live-by-category_recipient"])
    expect(page.locator("#live-transactions")).to_have_text(before)
    expect(page.locator("#live-status")).to_have_text("Paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    for part in ("range=15m", "category_recipient=food_store", "table=frauds", "paused="):
        assert part in page.url


def test_each_range_counts_its_own_time(page: Page, site: Any) -> None:
    opened(page, site)
    for name, minutes in (("5 min", 5), ("15 min", 15), ("1 h", 60)):
        page.locator("#live-range").get_by_text(name, exact=True).click()
        rows = [row for row in site.traffic.live if row["enqueued_at"] >= NOW - timedelta(minutes=minutes)]
        expect(page.locator("#live-transactions")).to_have_text(f"{len(rows):,}")
    page.locator("#live-range").get_by_text("All", exact=True).click()
    expect(page.locator("#live-coverage")).to_contain_text("totals")
    expect(page.locator("#live-transactions")).to_have_text("3,000")


@pytest.mark.timed
def test_a_decision_is_on_the_page_within_two_seconds(page: Page, site: Any) -> None:
    opened(page, site)
    # An opening page first loads its scripts; the table's are the last.
    expect(page.locator("#live-decisions-table .ag-row .ag-cell").first).to_be_visible()
    newest = replace(site.traffic.decisions[-1], id=4_242_424, enqueued_at=NOW)
    site.traffic.tail.window.add([newest])
    expect(page.locator("#live-decisions-table").get_by_text("4242424")).to_be_visible(timeout=2_000)
    expect(page.locator("#live-transactions")).to_have_text("3,001", timeout=2_000)


def test_pausing_stops_the_requests_and_resuming_continues_them(page: Page, site: Any) -> None:
    updates: list[str] = []
    page.on("request", lambda request: updates.append(request.url) if "_dash-update" in request.url else None)
    opened(page, site)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    page.wait_for_load_state("networkidle")
    before = len(updates)
    # Quiet for longer than the refresh interval of one second: any update would come within it.
    page.wait_for_timeout(2_500)
    assert len(updates) == before
    with page.expect_request(lambda request: "_dash-update" in request.url):
        page.get_by_role("button", name="Resume").click()
    expect(page.locator("#live-status")).to_have_text("Live")


def test_the_page_reports_a_lost_store_while_the_stream_goes_on_and_recovers(page: Page, site: Any) -> None:
    opened(page, site, "?range=all")
    site.traffic.store.away = True
    expect(page.locator("#live-by-category_recipient-note")).to_contain_text("Data from", timeout=WAIT_MS)
    expect(page.locator("#live-status")).to_have_text("Store away")
    expect(page.locator("#live-by-category_recipient .barlayer .point path").first).to_be_attached()
    page.locator("#live-range").get_by_text("1 h", exact=True).click()
    expect_ready(page, PANELS)
    site.traffic.store.away = False
    page.locator("#live-range").get_by_text("All", exact=True).click()
    expect(page.locator("#live-status")).to_have_text("Live")
    expect_ready(page, PANELS)


def test_a_lost_broker_leaves_the_stored_data_and_it_recovers(page: Page, site: Any) -> None:
    opened(page, site)
    site.traffic.tail.problem = "Kafka does not answer."
    expect(page.locator("#live-status")).to_have_text("Stream away")
    expect(page.locator("#live-coverage")).to_contain_text("store job's minutes")
    expect_ready(page, PANELS)
    site.traffic.tail.problem = ""
    expect(page.locator("#live-status")).to_have_text("Live")


def test_a_start_without_any_source_says_so_in_every_panel(page: Page, site: Any) -> None:
    site.traffic.store.away = True
    site.traffic.tail.problem = "Kafka does not answer."
    page.goto(site.url)
    for panel in PANELS:
        expect(page.locator(f"#{panel}")).to_have_class("panel panel--failed", timeout=WAIT_MS)
        expect(page.locator(f"#{panel}-note")).to_contain_text("does not answer")
    site.traffic.store.away = False
    expect_ready(page, PANELS)


def test_a_figure_is_saved_as_a_picture(page: Page, site: Any) -> None:
    opened(page, site)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save Category as PNG").click()
    assert download.value.suggested_filename == "fraudstream-live-by-category_recipient.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def test_the_theme_toggles_even_while_paused_and_is_remembered(page: Page, site: Any) -> None:
    opened(page, site)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live-status")).to_have_text("Paused")
    root, tick = page.locator("html"), page.locator("#live-by-category_recipient .ytick text").first
    light = tick.evaluate("element => getComputedStyle(element).fill")
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    expect(tick).not_to_have_css("fill", light)
    expect(page.locator("#live-status")).to_have_text("Paused")
    page.reload()
    expect(root).to_have_attribute("data-mantine-color-scheme", "dark")


def test_numbers_follow_the_browsers_locale(visit: Any, site: Any) -> None:
    page = visit(locale="de-DE")
    opened(page, site)
    expect(page.locator("#live-transactions")).to_have_text("3.000")
    expect(page.locator("#live-share")).to_have_text(re.compile(r"^\d+,\d\d\s%$"))
    cells = page.locator("#live-decisions-table .ag-row").first.locator("[col-id=score]")
    expect(cells).to_have_text(re.compile(r"^0,\d{3}$"))


def test_a_page_that_stays_open_does_not_keep_every_tick(page: Page, site: Any) -> None:
    kept = "() => window.dash_stores[0].getState().history.past.length"
    tick = "number => window.dash_clientside.set_props('live-tick', {n_intervals: number})"
    opened(page, site)
    lengths = []
    for number in range(1_000, 1_250):
        page.evaluate(tick, number)
        lengths.append(page.evaluate(kept))
    assert 50 < max(lengths) <= 100
    expect(page.locator("#live-status")).to_have_text("Live")

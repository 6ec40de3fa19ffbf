"""History, explorer and system as a reader uses them, and what all pages have in common."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fraudstream.dashboards.pages.history import layout as history_layout
from fraudstream.dashboards.pages.system import page as system
from tests.browser.conftest import PHONE, WAIT_MS, expect_ready, expect_settled, switch_to_dark
from tests.events import GOOD

pytestmark = pytest.mark.browser

HISTORY = [panel.id for panel in [*history_layout.PANELS.values(), history_layout.TREND]]
ADDRESSES = (
    "/",
    "/history",
    "/explorer?id=1001000",
    "/explorer?tab=rejected&event=transactions/1/0",
    "/explorer?tab=search",
    "/system",
)


def test_history_shows_data_in_every_panel_and_for_each_origin(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history")
    expect_ready(page, HISTORY)
    for panel in HISTORY:
        expect(page.locator(f"#{panel} .scatterlayer .trace").first).to_be_attached()
    expect(page.locator("#history-transactions")).to_have_text("5,000")
    page.get_by_text("Labelled history", exact=True).click()
    expect(page.locator("#history-transactions")).to_have_text("2,000")
    expect(page).to_have_url(re.compile("origin=history"))


def test_what_is_out_of_sight_comes_without_scrolling(page: Page, site: Any) -> None:
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(f"{site.url}/history")
    for panel in HISTORY:
        expect(page.locator(f"#{panel} .scatterlayer .trace").first).to_be_attached()
    page.goto(site.url)
    expect(page.locator("#live-decisions-table .ag-row").first).to_be_attached()
    assert page.evaluate("scrollY") == 0


def test_the_tables_library_waits_for_a_table(page: Page, site: Any) -> None:
    library = page.locator("script[src*='/dash_ag_grid.']")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.clock.install()
    page.goto(f"{site.url}/history")
    page.locator("#history-transactions").get_by_text("5,000").wait_for()
    expect(library).to_have_count(0)
    page.goto(f"{site.url}/explorer?tab=rejected")
    expect(page.locator("#explorer-rejections .ag-row").first).to_be_visible()
    expect(library).to_have_count(1)


def test_two_periods_are_compared_and_kept_in_the_address(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history?origin=history&period=2026-01,2026-03")
    expect_ready(page, HISTORY)
    rows = [
        row for row in site.traffic.history if row["event_time"].strftime("%Y-%m") in ("2026-01", "2026-02", "2026-03")
    ]
    expect(page.locator("#history-transactions")).to_have_text(f"{len(rows):,}")
    page.locator("#history-other").click()
    # The picker shows the year of the newest month: two months of it are chosen by their names.
    dialog = page.locator(
        ".mantine-MonthPickerInput-monthsListCell button, .mantine-MonthPickerInput-monthsListControl"
    )
    dialog.first.wait_for()
    page.get_by_role("button", name=re.compile("^Jan")).first.click()
    page.get_by_role("button", name=re.compile("^Apr")).first.click()
    expect(page).to_have_url(re.compile(r"compare=\d{4}-01-01,\d{4}-04-01"))
    expect(page.locator("#history-transactions-unit")).to_contain_text("B: ")
    page.reload()
    expect_ready(page, HISTORY)
    expect(page.locator("#history-transactions-unit")).to_contain_text("B: ")


def test_a_click_opens_the_rows_behind_a_bar_with_their_files(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history?origin=live")
    expect_ready(page, HISTORY)
    bar = page.locator("#history-by-transaction_type .barlayer .trace").first.locator(".point path").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#history-rows-panel-title")).to_have_text("Transactions: Online")
    expect(page.locator("#history-rows .ag-row").first).to_be_visible()
    expect(page.locator("#history-rows-panel-insight")).to_contain_text("200 rows. The first 200")
    with page.expect_download() as download:
        page.locator("#history-rows-csv").click()
    table = pd.read_csv(download.value.path())
    assert set(table["transaction_type"]) == {"online"}
    page.get_by_role("button", name="Close the rows").click()
    expect(page.locator("#history-rows-box")).to_be_hidden()


def test_rows_can_be_chosen_without_a_mouse(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history")
    expect_ready(page, HISTORY)
    page.get_by_role("textbox", name="Show the transactions of").focus()
    # Typed as fast as people do: each letter clears the choice in the list.
    page.keyboard.type("Saturday", delay=60)
    option = page.get_by_role("option")
    expect(option).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("data-combobox-selected", "true")
    page.keyboard.press("Enter")
    expect(page.locator("#history-rows-panel-title")).to_have_text("Transactions: Saturday")
    expect(page).to_have_url(re.compile("rows=day_of_week,saturday"))


@pytest.mark.parametrize(("name", "read"), [("CSV", pd.read_csv), ("Parquet", pd.read_parquet)])
def test_the_report_is_exported(page: Page, site: Any, name: str, read: Any) -> None:
    page.goto(f"{site.url}/history?origin=history")
    expect_ready(page, HISTORY)
    with page.expect_download() as download:
        page.locator(f"#history-{name.lower()}").click()
    assert read(download.value.path()).loc[0, "transactions"] == 2_000


def test_a_row_of_the_live_table_leads_to_its_transaction(page: Page, site: Any) -> None:
    page.goto(site.url)
    link = page.locator("#live-decisions-table .ag-row .cell-link").first
    number = link.inner_text()
    page.get_by_role("button", name="Pause").click()
    link.click()
    expect(page.get_by_role("heading", name="Explorer")).to_be_visible()
    expect_ready(page, ["explorer-transaction-state"])
    expect(page.locator("#explorer-transaction")).to_contain_text(f'"_id": {number}')
    page.go_back()
    expect(page.get_by_role("heading", name="Live decisions")).to_be_visible()


def test_a_transaction_is_shown_end_to_end(page: Page, site: Any) -> None:
    fraud = next(row for row in site.traffic.live if row["prediction"])
    page.goto(f"{site.url}/explorer")
    page.get_by_label("Transaction id").fill(str(fraud["id"]))
    page.get_by_role("button", name="Open").click()
    shown = page.locator("#explorer-transaction")
    source = fraud["source"]
    expect(shown).to_contain_text(f"transactions, partition {source['partition']}, offset {source['offset']}")
    for part in ("▲ Fraud", f"{fraud['score']:.3f}", "model version 3", "Published", "Stored", "Reasons"):
        expect(shown).to_contain_text(part)
    expect(page).to_have_url(re.compile(f"id={fraud['id']}"))
    page.get_by_label("Transaction id").fill("12")
    page.keyboard.press("Enter")
    expect(page.locator("#explorer-transaction-state-note")).to_contain_text("No transaction 12 is stored")


def test_a_search_by_field_says_what_it_covers(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/explorer?tab=search&field=month&value=3")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#explorer-rows .ag-row").first).to_be_visible()
    expect(page.locator("#explorer-search-insight")).to_contain_text("The first 200 found")
    page.get_by_label("Value").fill("March")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("#explorer-search-note")).to_contain_text("month takes a whole number")


def test_a_rejected_event_is_corrected_and_sent_after_a_confirmation(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/explorer?tab=rejected")
    page.locator("#explorer-rejections .cell-link", has_text="transactions/1/0").click()
    expect(page.locator("#explorer-event-body")).to_contain_text("amount: not what the contract says")
    expect(page.locator("#explorer-event-body")).to_contain_text('{"id": 7, "amount": "much"}')
    replay = page.get_by_role("button", name="Replay")
    expect(replay).to_be_disabled()
    box = page.get_by_label("Event to send")
    box.fill(json.dumps(GOOD | {"id": 777}))
    expect(replay).to_be_enabled()
    replay.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Send this event again?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert site.replay.sent == []
    replay.click()
    page.get_by_role("dialog").get_by_role("button", name="Send it").click()
    expect(page.locator("#explorer-replayed")).to_contain_text("it is now transactions/0/1")
    assert [json.loads(value) for value in site.replay.sent] == [GOOD | {"id": 777}]


def test_bytes_that_are_no_text_are_shown_in_hexadecimal(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/explorer?tab=rejected&event=transactions/0/0")
    expect(page.locator("#explorer-event-body")).to_contain_text("Raw bytes as hexadecimal")
    expect(page.get_by_label("Event to send")).to_be_hidden()


def test_the_system_page_names_every_part_and_the_model(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/system")
    expect_ready(page, [panel.id for panel in system.PANELS])
    parts = page.locator("#system-parts-list")
    for name in ("Kafka", "Stream job", "Scoring service", "Store job", "Document store", "MLflow", "Dashboards"):
        expect(parts.get_by_role("row", name=name)).to_be_visible()
    expect(parts.get_by_role("row", name="MLflow")).to_contain_text("Away")
    model = page.locator("#system-model-body")
    expect(model.get_by_role("link", name="Version in MLflow")).to_have_attribute("href", "/nowhere")
    expect(model).to_contain_text("0.8812")


def test_every_page_reports_a_lost_store_and_recovers(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/history")
    expect_ready(page, HISTORY)
    site.traffic.store.away = True
    expect(page.locator("#history-by-month-note")).to_contain_text("Data from", timeout=WAIT_MS)
    page.goto(f"{site.url}/explorer?id=1001000")
    expect(page.locator("#explorer-transaction-state-note")).to_contain_text("does not answer")
    page.goto(f"{site.url}/explorer?tab=rejected")
    expect(page.locator("#explorer-rejected-note")).to_contain_text("does not answer", timeout=WAIT_MS)
    site.traffic.store.away = False
    expect_ready(page, ["explorer-rejected"])


def test_navigation_needs_no_reload(page: Page, site: Any) -> None:
    page.goto(site.url)
    page.evaluate("window.stayed = true")
    for name, title in (("History", "History report"), ("Explorer", "Explorer"), ("System", "System")):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    page.get_by_role("link", name="Live", exact=True).click()
    expect(page.get_by_role("heading", name="Live decisions")).to_be_visible()
    assert page.evaluate("window.stayed")


@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_serious_in_either_scheme_and_a_phone_cuts_nothing_off(
    visit: Any, site: Any, address: str
) -> None:
    page = visit(reduced_motion="reduce")
    page.goto(site.url + address)
    expect_settled(page)
    serious = {"light": seriously_wrong(page)}
    switch_to_dark(page)
    serious["dark"] = seriously_wrong(page)
    assert serious == {"light": [], "dark": []}
    page.set_viewport_size(PHONE)
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def seriously_wrong(page: Page) -> list[tuple[str, list[str]]]:
    """What axe calls serious or critical: rule and elements."""
    # A figure is one picture with a name; a screen reader announces none of its elements.
    violations = Axe().run(page, {"exclude": [[".js-plotly-plot"]]}).response["violations"]
    return [
        (rule["id"], [node["html"][:160] for node in rule["nodes"][:3]])
        for rule in violations
        if rule["impact"] in ("serious", "critical")
    ]


def test_the_keyboard_reaches_the_content_first(page: Page, site: Any) -> None:
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Live decisions")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to content")
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")

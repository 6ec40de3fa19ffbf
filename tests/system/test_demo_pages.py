"""The pages of a stack that runs: what they show is what the documents hold, and new transactions appear in time."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fraudstream.core.documents.client import REJECTED, TRANSACTIONS, database
from fraudstream.core.kafka.clients import producer
from fraudstream.dashboards.pages.history import layout as history_layout
from fraudstream.dashboards.pages.live import controls as live_controls
from fraudstream.dashboards.pages.system import page as system
from tests.browser.conftest import Visitor, expect_ready, launched
from tests.events import GOOD
from tests.system.conftest import Fraudstream, await_condition

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module", autouse=True)
def rejected(stack: Fraudstream) -> None:
    """An event that is rejected for its amount."""
    place = send(stack, json.dumps(GOOD | {"id": 900_001, "amount": "much"}).encode())
    await_condition(lambda: "dashboards" in stack.pids_ready(), 60)
    await_condition(lambda: database(stack.settings)[REJECTED].find_one({"_id": place}) is not None, 120)


@pytest.fixture
def page(chromium: Browser, stack: Fraudstream) -> Iterator[Page]:
    visitor = Visitor(chromium, stack.settings.dashboard_url)
    yield visitor.page
    visitor.leave()
    assert visitor.complaints == []


def send(stack: Fraudstream, value: bytes) -> str:
    """Where the event landed."""
    sender = producer(stack.settings)
    sent = sender.send("transactions", value=value).get(timeout=30)
    sender.close()
    return f"transactions/{sent.partition}/{sent.offset}"


def stored(stack: Fraudstream, origin: str) -> pd.DataFrame:
    return pd.DataFrame(list(database(stack.settings)[TRANSACTIONS].find({"origin": origin})))


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def test_the_live_cards_equal_a_count_of_the_documents(page: Page, stack: Fraudstream) -> None:
    page.goto(f"{stack.settings.dashboard_url}/?range=all")
    expect_ready(page, [panel.id for panel in live_controls.PANELS])
    rows = stored(stack, "live")
    frauds = rows[rows["prediction"] == 1]
    expect(page.locator("#live-transactions")).to_have_text(f"{len(rows):,}", timeout=60_000)
    expect(page.locator("#live-frauds")).to_have_text(f"{len(frauds):,}")
    expect(page.locator("#live-risk")).to_have_text(f"{frauds['amount'].sum():,.0f}")
    # The same from the stream itself, once its tail has been read.
    page.locator("#live-range").get_by_text("1 h", exact=True).click()
    expect(page.locator("#live-coverage")).to_contain_text("the stream itself", timeout=60_000)
    since = pd.Timestamp(datetime.now(UTC)) - pd.Timedelta(hours=1)
    expect(page.locator("#live-transactions")).to_have_text(f"{(rows['enqueued_at'] >= since).sum():,}")


def test_the_history_cards_equal_a_count_of_the_documents(page: Page, stack: Fraudstream) -> None:
    page.goto(f"{stack.settings.dashboard_url}/history?origin=history")
    expect_ready(page, [panel.id for panel in [*history_layout.PANELS.values(), history_layout.TREND]])
    rows = stored(stack, "history")
    expect(page.locator("#history-transactions")).to_have_text(f"{len(rows):,}", timeout=60_000)
    expect(page.locator("#history-frauds")).to_have_text(f"{(rows['isFraud'] == 1).sum():,}")
    assert number(page.locator("#history-amount").inner_text()) == pytest.approx(rows["amount"].sum(), abs=1)
    months = sorted(rows["event_time"].dt.strftime("%Y-%m").unique())[2:4]
    page.goto(f"{stack.settings.dashboard_url}/history?origin=history&period={months[0]},{months[1]}")
    within = rows[rows["event_time"].dt.strftime("%Y-%m").isin(months)]
    expect(page.locator("#history-transactions")).to_have_text(f"{len(within):,}", timeout=60_000)


def test_a_transaction_can_be_followed_end_to_end(page: Page, stack: Fraudstream) -> None:
    document = database(stack.settings)[TRANSACTIONS].find_one({"origin": "live"})
    assert document is not None
    page.goto(f"{stack.settings.dashboard_url}/explorer?id={document['_id']}")
    expect_ready(page, ["explorer-transaction-state"])
    source = document["source"]
    expect(page.locator("#explorer-transaction")).to_contain_text(
        f"transactions, partition {source['partition']}, offset {source['offset']}"
    )


def test_a_rejected_event_is_corrected_sent_and_scored(page: Page, stack: Fraudstream) -> None:
    page.goto(f"{stack.settings.dashboard_url}/explorer?tab=rejected")
    page.locator("#explorer-rejections .ag-row", has_text="amount").locator(".cell-link").first.click()
    box = page.get_by_label("Event to send")
    # The rejected event, when it comes, replaces what was typed before.
    expect(box).not_to_have_value("")
    expect(page.locator("#explorer-correction[data-dash-is-loading=true]")).to_have_count(0)
    box.fill(json.dumps(GOOD | {"id": 900_001, "amount": 12.5}))
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("dialog").get_by_role("button", name="Send it").click()
    expect(page.locator("#explorer-replayed")).to_contain_text("it is now transactions/", timeout=60_000)
    documents = database(stack.settings)[TRANSACTIONS]
    await_condition(lambda: documents.find_one({"_id": 900_001}) is not None, 120)


def test_every_part_works_and_the_model_is_linked(page: Page, stack: Fraudstream) -> None:
    page.goto(f"{stack.settings.dashboard_url}/system")
    expect_ready(page, [panel.id for panel in system.PANELS])
    parts = page.locator("#system-parts-list")
    for name in ("Kafka", "Scoring service", "Document store", "MLflow"):
        expect(row_of(parts, name)).to_contain_text("Working", timeout=60_000)
    for name in ("Stream job", "Store job"):
        expect(row_of(parts, name)).to_contain_text(re.compile("Working|Idle"))
    link = page.locator("#system-model-body").get_by_role("link", name="Version in MLflow")
    expect(link).to_have_attribute("href", re.compile(f"^{re.escape(stack.settings.mlflow_tracking_uri)}/#/models/"))


def row_of(parts: Locator, name: str) -> Locator:
    """The row that begins with the name: others may speak of that part."""
    return parts.get_by_role("row", name=re.compile(f"^{name}"))


def test_a_store_that_dies_and_comes_back_is_reported(page: Page, stack: Fraudstream) -> None:
    page.goto(f"{stack.settings.dashboard_url}/?range=all")
    expect_ready(page, ["live-by-category_recipient"])
    kill_until_reported(page, stack)
    expect(page.locator("#live-status")).to_have_text("Live", timeout=120_000)
    expect_ready(page, ["live-by-category_recipient"])


def kill_until_reported(page: Page, stack: Fraudstream) -> None:
    """Kill the store, and again if it came back before the page read it the next time."""
    for _ in range(9):
        subprocess.run(["kill", "-9", str(stack.pids()["documents"])], check=False)
        with contextlib.suppress(AssertionError):
            expect(page.locator("#live-status")).to_have_text("Store away", timeout=6_000)
            return
    expect(page.locator("#live-status")).to_have_text("Store away")

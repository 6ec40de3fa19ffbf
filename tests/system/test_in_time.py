"""What has a bound of seconds on a running system. `.ci/run` runs these tests while nothing else runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents.client import TRANSACTIONS, database
from fraudstream.runtime.accounting import end_offsets
from tests.browser.conftest import Visitor, launched
from tests.events import GOOD
from tests.system.conftest import Fraudstream, await_condition, new_fraudstream
from tests.system.test_demo_pages import send
from tests.system.test_running import account, publish

pytestmark = [pytest.mark.system, pytest.mark.timed, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def realtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fraudstream]:
    """All parts, with a stream job in real time."""
    fraudstream = new_fraudstream(tmp_path_factory.mktemp("realtime"))
    fraudstream.run("demo", "--events", "100", "--rate", "0", "--history", "2000", "--exit")
    fraudstream.run("up", "-d", "--realtime")
    yield fraudstream
    fraudstream.run("down")


def test_real_time_is_ten_times_as_quick_as_the_pause_between_two_micro_batches(realtime: Fraudstream) -> None:
    scored_from = end_offsets(realtime.settings, SCORED)
    summary, _ = account(realtime, publish(realtime, "--count", "1000", "--rate", "100"), scored_from)
    assert summary.complete
    assert summary.latency_p50_ms < realtime.settings.trigger_interval_seconds * 100, summary


@pytest.mark.browser
def test_a_new_transaction_shows_within_two_seconds_of_being_scored(realtime: Fraudstream) -> None:
    await_condition(lambda: "dashboards" in realtime.pids_ready(), 60)
    with launched() as browser:
        visitor = Visitor(browser, realtime.settings.dashboard_url)
        page = visitor.page
        page.goto(realtime.settings.dashboard_url)
        expect(page.locator("#live-coverage")).to_contain_text("the stream itself", timeout=60_000)
        # A page that is being opened has scripts to load first; its table's are the last.
        expect(page.locator("#live-decisions-table .ag-row .ag-cell").first).to_be_visible(timeout=60_000)
        event = GOOD | {"id": 900_100, "date": f"{datetime.now(UTC):%d/%m/%Y %H:%M:%S}"}
        send(realtime, json.dumps(event).encode())
        # The moment of the frame that shows it, by the browser's clock, which is this machine's.
        shown = page.wait_for_function(
            "id => document.querySelector('#live-decisions-table').textContent.includes(id) && Date.now()",
            arg="900100",
            timeout=120_000,
        )
        shown_at = datetime.fromtimestamp(shown.json_value() / 1000, UTC)
        visitor.leave()
    assert visitor.complaints == []
    documents = database(realtime.settings)[TRANSACTIONS]
    await_condition(lambda: documents.find_one({"_id": 900_100}) is not None, 60)
    document = documents.find_one({"_id": 900_100})
    assert document is not None
    assert (shown_at - document["published_at"]).total_seconds() <= 2.0

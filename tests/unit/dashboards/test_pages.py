from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from fraudstream.core.settings import load_settings
from fraudstream.dashboards import decisions, history, live, panels, words
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.feed import Feed, View
from fraudstream.dashboards.queries import Decision, Snapshot, read_snapshot

AWAY = "The document store does not answer."


@pytest.fixture
def snapshot(traffic: Any) -> Snapshot:
    return read_snapshot(traffic.store, traffic.now)


def test_live_cards_are_those_of_the_transactions(traffic: Any, snapshot: Snapshot) -> None:
    frauds = [row for row in traffic.live if row["prediction"]]
    cards = live.card_values(snapshot)
    assert cards["live-transactions"] == "3,000"
    assert cards["live-frauds"] == f"{len(frauds):,}"
    assert cards["live-share"] == f"{100 * len(frauds) / 3000:.2f}{words.NBSP}%"
    assert cards["live-risk"] == f"{sum(row['amount'] for row in frauds):,.0f}"
    last = [row for row in traffic.live if row["enqueued_at"] > traffic.live[-1]["enqueued_at"] - timedelta(seconds=30)]
    assert float(cards["live-rate"]) == pytest.approx(len(last) / 30, rel=0.15)
    newest = sorted(row["latency_ms"] for row in traffic.live[-500:])
    assert cards["live-latency"] == words.milliseconds(newest[474])


def test_history_cards_are_those_of_the_transactions(traffic: Any, snapshot: Snapshot) -> None:
    frauds = [row for row in traffic.history if row["prediction"]]
    total = snapshot.total(("history",))
    cards, units = history.card_values(total), history.card_units(total)
    assert cards["history-transactions"] == "2,000"
    assert cards["history-amount"] == f"{sum(row['amount'] for row in traffic.history):,.0f}"
    assert cards["history-mean"] == f"{sum(row['amount'] for row in frauds) / len(frauds):,.2f}"
    assert units["history-rate"].startswith("95")


def test_every_panel_is_ready_when_there_are_data(traffic: Any, snapshot: Snapshot) -> None:
    for drawn in (
        live.shown(View(snapshot), traffic.now, "light"),
        history.shown(View(snapshot), "all", traffic.now, "dark"),
    ):
        assert {outputs["state"] for outputs in drawn.values()} == {"panel panel--ready"}


def test_every_panel_tells_since_when_its_data_are_old(traffic: Any, snapshot: Snapshot) -> None:
    view = View(snapshot, AWAY)
    for drawn in (live.shown(view, traffic.now, "light"), history.shown(view, "all", traffic.now, "light")):
        for outputs in drawn.values():
            assert outputs["state"] == "panel panel--stale"
            assert "12:00:30 UTC" in outputs["note"]
            assert outputs["figure"].data


@pytest.mark.parametrize(
    ("view", "name"),
    [(View(), "loading"), (View(None, AWAY), "failed")],
)
def test_without_any_data_a_panel_loads_or_says_why_not(traffic: Any, view: View, name: str) -> None:
    drawn = live.shown(view, traffic.now, "light")
    assert {outputs["state"] for outputs in drawn.values()} == {f"panel panel--{name}"}


def test_without_transactions_a_panel_says_so(traffic: Any) -> None:
    drawn = live.shown(View(Snapshot(traffic.now)), traffic.now, "light")
    assert drawn["live-category"]["state"] == "panel panel--empty"
    assert drawn["live-category"]["note"] == live.EMPTY


def test_recolouring_leaves_the_data_alone() -> None:
    patch = json.loads(json.dumps(live.CATEGORY.recolour("dark").to_plotly_json()))
    assert [operation["location"] for operation in patch["operations"]] == [["layout", "template"]]


def test_rows_are_the_newest_and_frauds_have_reasons_in_words(snapshot: Snapshot) -> None:
    rows = decisions.rows(snapshot.recent, frauds_only=False)
    assert [row["id"] for row in rows] == [str(decision.id) for decision in snapshot.recent[: decisions.ROWS_SHOWN]]
    frauds = decisions.rows(snapshot.recent, frauds_only=True)
    assert len(frauds) == len([decision for decision in snapshot.recent if decision.fraud])
    assert all(row["decision"] == "▲ Fraud" and row["reasons"] for row in frauds)
    assert all(row["reasons"] == "" for row in rows if not row["fraud"])


def test_reasons_in_words(traffic: Any) -> None:
    reasons = (
        ("foreign_transaction", 2.0),
        ("amount", 1.5),
        ("category_recipient", 1.0),
        ("children", 0.5),
        ("x_y", 0.1),
    )
    features = {"foreign_transaction": 1, "amount": 1412.5, "category_recipient": "tech_store", "children": 1}
    decision = Decision(1, traffic.now, traffic.now, 0, True, 0.9, 0.5, "3", 12.0, reasons, features)
    assert words.reasons_in_words(decision) == "Foreign transaction, amount 1,412.50, tech store, 1 child, x y"
    assert words.reasons_in_figures(reasons).startswith("foreign transaction: +2.00 log-odds\namount: +1.50")


@pytest.mark.parametrize(
    ("dimension", "value", "short", "long"),
    [
        ("month", "2", "Feb", "February"),
        ("day_of_week", "monday", "Mon", "Monday"),
        ("amount_bin", "25-50", "25", "amounts 25–50"),
        ("hour", "7", "07", "07:00–07:59 UTC"),
        ("transaction_method", "internet_payement", "Internet payment", "Internet payment"),
    ],
)
def test_labels(dimension: str, value: str, short: str, long: str) -> None:
    assert words.label(dimension, value) == short
    assert words.long_label(dimension, value) == long


def test_durations_carry_their_unit() -> None:
    assert words.milliseconds(842.4) == f"842{words.NBSP}ms"
    assert words.milliseconds(12_340) == f"12.34{words.NBSP}s"
    assert words.milliseconds(None) == words.NOTHING


class TestApplication:
    @pytest.fixture
    def browser(self, traffic: Any) -> Any:
        settings = load_settings(mlflow_tracking_uri="http://127.0.0.1:5123")
        return create_app(settings, Feed(lambda: read_snapshot(traffic.store, traffic.now))).server.test_client()

    def test_the_page_loads_nothing_from_elsewhere(self, browser: Any) -> None:
        page = browser.get("/").get_data(as_text=True)
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert addresses
        assert [address for address in addresses if not address.startswith("/")] == []

    def test_the_shell_links_to_mlflow(self, browser: Any) -> None:
        assert "'http://127.0.0.1:5123'" in str(browser.get("/_dash-layout").get_json())

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/", "Live decisions"),
            ("/history", "History report"),
            ("/history/", "History report"),
            ("/x", "No such page"),
        ],
    )
    def test_an_address_shows_its_page(self, browser: Any, path: str, expected: str) -> None:
        output = "..content.children...navigation.children.."
        request = {
            "output": output,
            "outputs": [
                {"id": "content", "property": "children"},
                {"id": "navigation", "property": "children"},
            ],
            "inputs": [{"id": "location", "property": "pathname", "value": path}],
            "changedPropIds": ["location.pathname"],
        }
        answer = browser.post("/_dash-update-component", json=request)
        assert answer.status_code == 200
        assert expected in answer.get_data(as_text=True)

    def test_a_tracking_file_is_not_linked(self, traffic: Any) -> None:
        settings = load_settings(mlflow_tracking_uri="sqlite:///mlflow.db")
        app = create_app(settings, Feed(lambda: read_snapshot(traffic.store, traffic.now)))
        assert "MLflow" not in str(app.server.test_client().get("/_dash-layout").get_json())


def test_panels_start_loading() -> None:
    layout = json.dumps(live.MINUTES.layout().to_plotly_json(), default=lambda part: part.to_plotly_json())
    assert panels.State("loading").class_name in layout

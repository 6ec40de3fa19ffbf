"""The live page: what its cards and bars count, from which source, and what it says about that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from fraudstream.core.contract.rollups import AMOUNT_BIN, AMOUNT_EDGES, amount_bins
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import Decision, LiveSnapshot, Reader
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.pages.live import controls as live_controls
from fraudstream.dashboards.pages.live import page as live
from fraudstream.dashboards.pages.live.view import Content, Selection, content_of
from fraudstream.dashboards.ui import decisions, panels, words
from fraudstream.dashboards.ui.formats import formats

ENGLISH = formats("en-GB")
AWAY = "The document store does not answer."


@pytest.fixture
def snapshot(traffic: Any) -> LiveSnapshot:
    return Reader(traffic.store).live(traffic.now, ring=True)


@pytest.fixture
def frame(traffic: Any) -> pd.DataFrame:
    rows = pd.DataFrame(traffic.live)
    edges = [*AMOUNT_EDGES, float("inf")]
    rows[AMOUNT_BIN] = pd.cut(rows["amount"], edges, right=False, labels=list(amount_bins())).astype(str)
    return rows


def look(
    traffic: Any,
    snapshot: LiveSnapshot | None,
    selection: Selection,
    *,
    problem: str = "",
    tail: TailView | None = None,
) -> Content:
    return content_of(View(snapshot, problem), tail or traffic.tail.look(), selection, traffic.now)


def trace(panel: dict[str, Any], name: str) -> dict[str, Any]:
    return next(item for item in panel["figure"]["data"] if item["name"] == name)


@pytest.mark.parametrize("span", ["5m", "15m", "1h", "all"])
@pytest.mark.parametrize("filters", [{}, {"day_of_week": frozenset({"saturday"}), "month": frozenset({"12", "7"})}])
def test_each_card_equals_an_independent_count(
    traffic: Any, snapshot: LiveSnapshot, frame: pd.DataFrame, span: str, filters: dict[str, frozenset[str]]
) -> None:
    content = look(traffic, snapshot, Selection(span, filters))
    minutes = {"5m": 5, "15m": 15, "1h": 60, "all": 100_000}[span]
    rows = frame[frame["enqueued_at"] >= traffic.now - timedelta(minutes=minutes)]
    for name, values in filters.items():
        rows = rows[rows[name].astype(str).isin(values)]
    frauds = rows[rows["prediction"] == 1]
    cards = live.card_values(content, ENGLISH)
    assert cards["live-transactions"] == f"{len(rows):,}"
    assert cards["live-frauds"] == f"{len(frauds):,}"
    assert cards["live-share"] == f"{100 * len(frauds) / len(rows):.2f}%"
    assert cards["live-risk"] == f"{frauds['amount'].sum():,.0f}"
    last = frame[frame["enqueued_at"] >= traffic.now - timedelta(seconds=30)]
    assert cards["live-rate"] == f"{len(last) / 30:.1f}"
    latencies = sorted(rows["latency_ms"])
    assert cards["live-latency"] == ENGLISH.milliseconds(latencies[-(-95 * len(latencies) // 100) - 1])


@pytest.mark.parametrize("span", ["15m", "1h", "all"])
def test_each_bar_equals_an_independent_count(
    traffic: Any, snapshot: LiveSnapshot, frame: pd.DataFrame, span: str
) -> None:
    selection = Selection(span, {"category_recipient": frozenset({"food_store", "tech_store"})})
    panels_drawn = live.figure_outputs(look(traffic, snapshot, selection), selection, "light", ENGLISH)
    minutes = {"15m": 15, "1h": 60, "all": 100_000}[span]
    within = frame[frame["enqueued_at"] >= traffic.now - timedelta(minutes=minutes)]
    filtered = within[within["category_recipient"].isin(["food_store", "tech_store"])]
    upright, lying = (
        ("live-by-day_of_week", "live-by-month", "live-by-amount_bin"),
        ("live-by-category_recipient", "live-by-transaction_type"),
    )
    for panel_id, axis in [*((name, "x") for name in upright), *((name, "y") for name in lying)]:
        frauds, others = trace(panels_drawn[panel_id], "Fraud"), trace(panels_drawn[panel_id], "Legitimate")
        lengths = "y" if axis == "x" else "x"
        for place, (dimension, value) in enumerate(frauds["customdata"]):
            rows = within if dimension == "category_recipient" else filtered
            rows = rows[rows[dimension].astype(str) == value]
            assert frauds[lengths][place] == (rows["prediction"] == 1).sum(), (panel_id, value)
            assert others[lengths][place] == (rows["prediction"] == 0).sum(), (panel_id, value)
    lines = [trace(panels_drawn["live-minutes"], name) for name in ("Legitimate", "Fraud")]
    for place, (_, start) in enumerate(lines[0]["customdata"]):
        begin = datetime.fromisoformat(start)
        rows = filtered[(filtered["enqueued_at"] >= begin) & (filtered["enqueued_at"] < begin + timedelta(minutes=1))]
        for prediction, line in enumerate(lines):
            assert line["y"][place] == (rows["prediction"] == prediction).sum(), start


def test_a_filters_other_values_are_dimmed_and_stay_to_be_chosen(traffic: Any, snapshot: LiveSnapshot) -> None:
    selection = Selection("1h", {"day_of_week": frozenset({"monday"})})
    bars = trace(
        live.figure_outputs(look(traffic, snapshot, selection), selection, "light", ENGLISH)["live-by-day_of_week"],
        "Legitimate",
    )
    assert all(length > 0 for length in bars["y"])
    assert bars["marker"]["opacity"][0] == 1.0
    assert set(bars["marker"]["opacity"][1:]) == {0.28}


def test_since_the_start_counts_the_totals_of_the_store(traffic: Any, snapshot: LiveSnapshot) -> None:
    content = look(traffic, snapshot, Selection("all"))
    assert (content.source, content.total) == ("totals", snapshot.total)
    assert "totals" in live.coverage(content, Selection("all"), ENGLISH)


def test_a_window_that_reaches_back_too_little_gives_way_to_the_stores_minutes(
    traffic: Any, snapshot: LiveSnapshot, frame: pd.DataFrame
) -> None:
    traffic.tail.window.complete_since(traffic.now - timedelta(minutes=3))
    content = look(traffic, snapshot, Selection("15m"))
    begin = (traffic.now - timedelta(minutes=15)).replace(second=0)
    assert content.source == "minutes"
    assert content.total.transactions == (frame["enqueued_at"] >= begin).sum()
    assert sum(tally.transactions for tally in content.dimensions[AMOUNT_BIN].values()) == content.total.transactions


def test_a_filter_over_more_than_the_window_holds_says_from_when_it_counts(
    traffic: Any, snapshot: LiveSnapshot, frame: pd.DataFrame
) -> None:
    since = traffic.now - timedelta(minutes=3)
    traffic.tail.window.complete_since(since)
    selection = Selection("1h", {"transaction_type": frozenset({"online"})})
    content = look(traffic, snapshot, selection)
    rows = frame[(frame["enqueued_at"] >= since) & (frame["transaction_type"] == "online")]
    assert content.total.transactions == len(rows)
    assert live.coverage(content, selection, ENGLISH) == (
        f"{len(rows)} decisions since 11:57:30 UTC: as far back as single decisions are kept"
    )


def test_without_the_stream_the_newest_stored_decisions_are_the_window(
    traffic: Any, snapshot: LiveSnapshot, frame: pd.DataFrame
) -> None:
    tail = TailView(problem="Kafka does not answer.")
    content = look(traffic, snapshot, Selection("5m"), tail=tail)
    assert content.source == "ring"
    assert content.total.transactions == (frame["enqueued_at"] >= traffic.now - timedelta(minutes=5)).sum()
    assert content.rows[0].id == frame.sort_values(["enqueued_at", "id"])["id"].iloc[-1]
    # The ring holds 500, which is less than an hour: the minutes tell.
    assert look(traffic, snapshot, Selection("1h"), tail=tail).source == "minutes"
    assert live.status(View(snapshot), tail, paused=False)[0] == "Stream away"


def test_while_the_stream_flows_a_lost_store_takes_only_the_totals(traffic: Any, snapshot: LiveSnapshot) -> None:
    assert look(traffic, snapshot, Selection("1h"), problem=AWAY).problem == ""
    stale = look(traffic, snapshot, Selection("all"), problem=AWAY)
    assert stale.problem == AWAY
    outputs = live.figure_outputs(stale, Selection("all"), "light", ENGLISH)
    assert outputs["live-by-category_recipient"]["state"] == "panel panel--stale"
    assert "12:00:30 UTC" in outputs["live-by-category_recipient"]["note"]
    assert outputs["live-by-category_recipient"]["figure"]["data"]
    assert live.status(View(snapshot, AWAY), traffic.tail.look(), paused=False)[0] == "Store away"


def test_a_paused_page_stands_still_while_more_arrives(traffic: Any, snapshot: LiveSnapshot) -> None:
    selection = Selection("15m", paused_at=traffic.now - timedelta(minutes=2))
    before = look(traffic, snapshot, selection)
    newest = traffic.decisions[-1]
    traffic.tail.window.add([replace(newest, id=77, enqueued_at=traffic.now)])
    after = look(traffic, snapshot, selection)
    assert (after.total, after.rows) == (before.total, before.rows)
    assert live.status(View(snapshot), traffic.tail.look(), paused=True)[0] == "Paused"


@pytest.mark.parametrize(
    ("view", "tail", "name"),
    [
        (View[LiveSnapshot](), TailView(), "loading"),
        (View[LiveSnapshot](None, AWAY), TailView(problem="Kafka is away."), "failed"),
    ],
)
def test_without_any_data_a_panel_loads_or_says_why_not(
    traffic: Any, view: View[LiveSnapshot], tail: TailView, name: str
) -> None:
    for selection in (Selection("1h"), Selection("all"), Selection("5m", {"month": frozenset({"1"})})):
        outputs = live.figure_outputs(content_of(view, tail, selection, traffic.now), selection, "light", ENGLISH)
        assert {panel["state"] for panel in outputs.values()} == {f"panel panel--{name}"}


def test_without_transactions_a_panel_says_so(traffic: Any) -> None:
    view = View(LiveSnapshot(traffic.now, detailed=True))
    outputs = live.figure_outputs(
        content_of(view, TailView(), Selection("all"), traffic.now), Selection("all"), "light", ENGLISH
    )
    assert outputs["live-by-category_recipient"]["state"] == "panel panel--empty"
    assert outputs["live-by-category_recipient"]["note"] == live.NOTHING_YET


def test_rows_are_the_newest_and_frauds_have_reasons_in_words(traffic: Any, snapshot: LiveSnapshot) -> None:
    everything = decisions.rows(look(traffic, snapshot, Selection()).rows, ENGLISH)
    newest = sorted(traffic.live, key=lambda row: (row["enqueued_at"], row["id"]), reverse=True)
    assert [row["id"] for row in everything] == [str(row["id"]) for row in newest[:100]]
    frauds = decisions.rows(look(traffic, snapshot, Selection(frauds_only=True)).rows, ENGLISH)
    assert [row["id"] for row in frauds] == [str(row["id"]) for row in newest if row["prediction"]][:100]
    assert all(row["decision"] == "▲ Fraud" and row["reasons"] for row in frauds)
    assert all(row["reasons"] == "" for row in everything if not row["fraud"])


def test_what_nobody_offers_is_no_selection() -> None:
    selection = live.selection_from({"month": ["13", "2"], "day_of_week": None}, ["nonsense"], "9y", "x", "else")
    assert selection == Selection("1h", {"month": frozenset({"2"})}, None, False)


def test_the_address_gives_the_page_its_state() -> None:
    search = "?range=15m&month=1,12,99&paused=1777896000000&table=frauds&minute=x"
    layout = str(live_controls.layout(search).to_plotly_json())
    assert "value='15m'" in layout
    assert "value=['1', '12']" in layout
    assert "data='1777896000000'" in layout
    assert "'frauds'" in layout


def test_panels_start_loading_and_recolour_without_their_data() -> None:
    assert panels.State("loading").class_name in str(live_controls.MINUTES.layout())
    patch = live_controls.PANELS[1].recolour("dark").to_plotly_json()
    assert [operation["location"] for operation in patch["operations"]] == [["layout", "template"]]


def test_times_of_a_moment() -> None:
    assert live_controls.moment("1777896000000") == datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert live_controls.moment("soon") is None
    assert live_controls.moment(None) is None
    assert live_controls.is_minute("2026-05-04T12:00:00+00:00")
    assert not live_controls.is_minute("2026-05-04T12:00:30+00:00")


def test_reasons_in_words(traffic: Any) -> None:
    fields = ("foreign_transaction", "amount", "category_recipient", "children", "x_y")
    reasons = tuple(zip(fields, (2.0, 1.5, 1.0, 0.5, 0.1), strict=True))
    features = {"foreign_transaction": 1, "amount": 1412.5, "category_recipient": "tech_store", "children": 1}
    decision = Decision(1, traffic.now, traffic.now, 0, True, 0.9, 0.5, "3", 12.0, reasons, features)
    assert words.reasons_in_words(decision, ENGLISH) == "Foreign transaction, amount 1,412.50, tech store, 1 child, x y"
    assert words.reasons_in_words(decision, formats("de")).startswith("Foreign transaction, amount 1.412,50")
    assert words.reasons_in_figures(reasons).startswith("foreign transaction: +2.00 log-odds\namount: +1.50")

"""The history report: every card and bar against an independent count, periods, rows, and the exported files."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from fraudstream.core.contract.rollups import AMOUNT_BIN, AMOUNT_EDGES, DIMENSIONS, amount_bins
from fraudstream.core.documents.client import TRANSACTIONS
from fraudstream.dashboards.data.buckets import Tally
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import HistorySnapshot, Reader
from fraudstream.dashboards.pages.history import layout as history_layout
from fraudstream.dashboards.pages.history import page as history
from fraudstream.dashboards.pages.history import view as history_view
from fraudstream.dashboards.pages.history.exports import encoded
from fraudstream.dashboards.pages.history.view import Drill, Period, Report, period, report
from fraudstream.dashboards.ui.formats import formats

ENGLISH = formats("en-GB")
WINTER = Period(datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
SPRING = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


@pytest.fixture
def snapshot(traffic: Any) -> HistorySnapshot:
    return Reader(traffic.store).history(traffic.now)


@pytest.fixture
def frame(traffic: Any) -> pd.DataFrame:
    rows = pd.DataFrame(
        [{**row, "origin": "live"} for row in traffic.live] + [{**row, "origin": "history"} for row in traffic.history]
    )
    edges = [*AMOUNT_EDGES, float("inf")]
    rows[AMOUNT_BIN] = pd.cut(rows["amount"], edges, right=False, labels=list(amount_bins())).astype(str)
    rows["hour"] = rows["event_time"].dt.hour
    rows["all"] = "all"
    return rows


def of(frame: pd.DataFrame, choice: str, chosen: Period | None) -> pd.DataFrame:
    rows = frame[frame["origin"].isin(history_view.CHOICES[choice])]
    if chosen is not None:
        rows = rows[(rows["event_time"] >= chosen.first) & (rows["event_time"] < chosen.end)]
    return rows


@pytest.mark.parametrize("choice", ["all", "history", "live"])
@pytest.mark.parametrize("chosen", [None, WINTER, SPRING])
def test_every_bar_equals_an_independent_count(
    snapshot: HistorySnapshot, frame: pd.DataFrame, choice: str, chosen: Period | None
) -> None:
    counted, rows = report(snapshot, choice, chosen), of(frame, choice, chosen)
    for dimension in DIMENSIONS:
        expected = {
            str(value): Tally(
                len(part),
                int(part["prediction"].sum()),
                pytest.approx(part["amount"].sum()),
                pytest.approx(part.loc[part["prediction"] == 1, "amount"].sum()),
            )
            for value, part in rows.groupby(dimension)
        }
        assert counted.dimensions[dimension] == expected, dimension
    by_day = {str(day): len(part) for day, part in rows.groupby(rows["event_time"].dt.date)}
    assert {f"{day:%Y-%m-%d}": tally.transactions for day, tally in counted.days.items()} == by_day


@pytest.mark.parametrize("chosen", [None, WINTER])
def test_every_card_equals_an_independent_count(
    snapshot: HistorySnapshot, frame: pd.DataFrame, chosen: Period | None
) -> None:
    rows = of(frame, "history", chosen)
    frauds, others = rows[rows["prediction"] == 1], rows[rows["prediction"] == 0]
    total = report(snapshot, "history", chosen).total
    cards, units = history.card_values(total, ENGLISH), history.card_units(total, ENGLISH)
    assert cards["history-transactions"] == f"{len(rows):,}"
    assert cards["history-frauds"] == f"{len(frauds):,}"
    assert cards["history-rate"] == f"{100 * len(frauds) / len(rows):.2f}%"
    assert cards["history-amount"] == f"{rows['amount'].sum():,.0f}"
    assert cards["history-fraud-amount"] == f"{frauds['amount'].sum():,.0f}"
    assert cards["history-mean"] == f"{frauds['amount'].mean():,.2f}"
    assert units["history-mean"] == f"legitimate: {others['amount'].mean():,.2f}"
    assert units["history-rate"].startswith("95%: ")


def test_the_other_period_stands_below_each_card(snapshot: HistorySnapshot) -> None:
    first, other = report(snapshot, "all", WINTER).total, report(snapshot, "all", SPRING).total
    units = history.card_units(first, ENGLISH, other)
    assert units["history-transactions"] == f"B: {other.transactions:,}"
    apart = 100 * (first.frauds / first.transactions - other.frauds / other.transactions)
    assert f"{abs(apart):.2f}" in units["history-rate"]
    assert ("+" if apart >= 0 else "−") in units["history-rate"]


def test_two_periods_are_drawn_into_the_same_panels(snapshot: HistorySnapshot) -> None:
    first, other = report(snapshot, "all", WINTER), report(snapshot, "all", SPRING)
    drawn = history.figure_outputs(View(snapshot), first, other, "dark", ENGLISH)
    assert {panel["state"] for panel in drawn.values()} == {"panel panel--ready"}
    names = [trace["name"] for trace in drawn["history-by-month"]["figure"]["data"]]
    assert "A Fraud rate" in names
    assert "B Fraud rate" in names


def test_a_lost_store_leaves_the_report_with_its_time(snapshot: HistorySnapshot) -> None:
    first = report(snapshot, "all", None)
    drawn = history.figure_outputs(View(snapshot, "away"), first, None, "light", ENGLISH)
    assert {panel["state"] for panel in drawn.values()} == {"panel panel--stale"}
    nothing = history.figure_outputs(View(None, "away"), Report({}, {}), None, "light", ENGLISH)
    assert {panel["state"] for panel in nothing.values()} == {"panel panel--failed"}
    loading = history.figure_outputs(View(), Report({}, {}), None, "light", ENGLISH)
    assert {panel["state"] for panel in loading.values()} == {"panel panel--loading"}


def test_a_period_without_transactions_is_empty(snapshot: HistorySnapshot) -> None:
    never = Period(datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 2, 1, tzinfo=UTC))
    drawn = history.figure_outputs(View(snapshot), report(snapshot, "all", never), None, "light", ENGLISH)
    assert {panel["note"] for panel in drawn.values()} == {history.EMPTY}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["2026-03", "2026-04"], SPRING),
        (["2026-04-01", "2026-03-01"], SPRING),
        (["2026-03"], None),
        ([None, None], None),
        (["soon", "later"], None),
        (None, None),
    ],
)
def test_periods_are_whole_months_in_any_order(given: Any, expected: Period | None) -> None:
    assert period(given) == expected
    assert WINTER.end == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("drill", "criteria"),
    [
        (Drill("month", "3"), {"month": 3}),
        (Drill("day_of_week", "monday"), {"day_of_week": "monday"}),
        (Drill(AMOUNT_BIN, "25-50"), {"amount": {"$gte": 25.0, "$lt": 50.0}}),
        (Drill(AMOUNT_BIN, "400+"), {"amount": {"$gte": 400.0}}),
        (Drill("hour", "7"), {}),
    ],
)
def test_rows_behind_a_bar_are_asked_for_by_field(drill: Drill, criteria: dict[str, Any]) -> None:
    assert drill.is_known
    assert drill.criteria("all", None) == criteria
    assert drill.criteria("live", SPRING) == criteria | {
        "origin": "live",
        "event_time": {"$gte": SPRING.first, "$lt": SPRING.end},
    }


def test_unknown_bars_have_no_rows() -> None:
    assert not Drill("month", "13").is_known
    assert not Drill("password", "x").is_known


def test_the_hour_is_told_from_the_time(traffic: Any) -> None:
    drill = Drill("hour", str(traffic.history[0]["event_time"].hour))
    assert drill.keeps(traffic.history[0])
    assert not Drill("hour", "24").keeps(traffic.history[0])


def test_the_report_as_files_holds_every_value(snapshot: HistorySnapshot, frame: pd.DataFrame) -> None:
    rows = history_view.table(report(snapshot, "all", None))
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        table = read(io.BytesIO(encoded(rows, form)))  # type: ignore[operator]
        assert table.loc[0, ["dimension", "transactions", "frauds"]].tolist() == [
            "all",
            len(frame),
            int(frame["prediction"].sum()),
        ]
        assert table.groupby("dimension")["transactions"].sum().eq(len(frame)).all()
        assert (table["fraud_rate_low"] <= table["fraud_rate"]).sum() == table["fraud_rate"].notna().sum()


def test_documents_as_files_keep_nested_and_odd_fields(traffic: Any) -> None:
    documents = [{**traffic.live[0], "note": 1}, {**traffic.live[1], "note": "text"}]
    rows = documents
    table = pd.read_parquet(io.BytesIO(encoded(rows, "parquet")))
    assert table["note"].tolist() == ["1", "text"]
    assert '"offset"' in table["source"][0]
    assert len(pd.read_csv(io.BytesIO(encoded(rows, "csv")))) == 2
    assert encoded([], "csv") is not None


def test_the_address_gives_the_report_its_state() -> None:
    layout = str(history_layout.layout("?origin=live&period=2026-01,2026-03&compare=x,y&rows=month,3").to_plotly_json())
    assert "value='live'" in layout
    assert "value=['2026-01-01', '2026-03-01']" in layout
    assert "data=['month', '3']" in layout


def test_rows_tell_decisions_from_labels(traffic: Any) -> None:
    stored = traffic.store[TRANSACTIONS].documents
    scored = history.row(stored[traffic.live[0]["id"]], ENGLISH)
    labelled = history.row(stored[traffic.history[0]["id"]], ENGLISH)
    assert "labelled" not in scored["decision"]
    assert labelled["decision"].endswith(", labelled")
    assert labelled["score"] is None

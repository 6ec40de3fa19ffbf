from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from fraudstream.core.rollups import AMOUNT_BIN
from fraudstream.dashboards import figures, words
from fraudstream.dashboards.measures import wilson_band
from fraudstream.dashboards.queries import Tally, minute_starts, read_snapshot
from fraudstream.dashboards.theme import template

FIELD_DIMENSIONS = ("day_of_week", "month", "category_recipient", "transaction_type", "transaction_method")


def trace(figure: Any, name: str) -> Any:
    return next(item for item in figure.data if item.name == name)


@pytest.mark.parametrize("dimension", FIELD_DIMENSIONS)
def test_each_bar_is_the_count_of_its_transactions(traffic: Any, dimension: str) -> None:
    tallies = read_snapshot(traffic.store, traffic.now).tallies(dimension, ("live",))
    figure = figures.shares({dimension: tallies})
    for value, label, frauds, legitimate in zip(
        words.VALUES[dimension],
        trace(figure, "Fraud").x,
        trace(figure, "Fraud").y,
        trace(figure, "Legitimate").y,
        strict=True,
    ):
        rows = [row for row in traffic.live if str(row[dimension]) == value]
        assert label == words.label(dimension, value)
        assert frauds == sum(row["prediction"] for row in rows)
        assert frauds + legitimate == len(rows)


def test_amount_bars_follow_the_bins(traffic: Any) -> None:
    tallies = read_snapshot(traffic.store, traffic.now).tallies(AMOUNT_BIN, ("live",))
    bars = trace(figures.shares({AMOUNT_BIN: tallies}), "Fraud")
    frauds = [row["amount"] for row in traffic.live if row["prediction"]]
    assert list(bars.x) == ["0", "25", "50", "75", "100", "125", "150", "200", "250", "300", "400+"]
    assert bars.y[0] == len([amount for amount in frauds if amount < 25])
    assert bars.y[-1] == len([amount for amount in frauds if amount >= 400])


def test_horizontal_bars_show_several_dimensions_one_after_the_other(traffic: Any) -> None:
    snapshot = read_snapshot(traffic.store, traffic.now)
    dimensions = {name: snapshot.tallies(name, ("live",)) for name in ("transaction_type", "transaction_method")}
    bars = trace(figures.shares(dimensions, horizontal=True), "Legitimate")
    assert list(bars.y)[:3] == ["Online", "Onsite", "Internet payment"]
    assert bars.text[0] == words.percent(
        dimensions["transaction_type"]["online"].frauds / dimensions["transaction_type"]["online"].transactions
    )


def test_an_unforeseen_value_is_drawn_last() -> None:
    tallies = {"kiosk": Tally(4, 1, 40.0, 10.0), "online": Tally(6, 2, 60.0, 20.0)}
    bars = trace(figures.shares({"transaction_type": tallies}), "Fraud")
    assert list(bars.x) == ["Online", "Onsite", "Kiosk"]
    assert list(bars.y) == [2, 0, 1]


def test_minutes_without_traffic_are_zero_and_the_running_one_is_paler(traffic: Any) -> None:
    later = traffic.now + timedelta(minutes=10)
    snapshot = read_snapshot(traffic.store, later)
    bars = trace(figures.minutes(minute_starts(later), snapshot.minutes), "Legitimate")
    assert list(bars.y[-9:]) == [0] * 9
    minute = minute_starts(later)[20]
    arrived = [row for row in traffic.live if minute <= row["enqueued_at"] < minute + timedelta(minutes=1)]
    assert arrived
    assert bars.y[20] == len([row for row in arrived if not row["prediction"]])
    assert bars.marker.opacity[-1] < bars.marker.opacity[0]


@pytest.mark.parametrize("dimension", ["month", "category_recipient"])
def test_rates_have_their_band_and_the_counts_below(traffic: Any, dimension: str) -> None:
    tallies = read_snapshot(traffic.store, traffic.now).tallies(dimension, ("history",))
    figure = figures.rates(dimension, tallies)
    points = trace(figure, "Fraud rate")
    for index, value in enumerate(words.VALUES[dimension]):
        tally = tallies[value]
        band = wilson_band(tally.frauds, tally.transactions)
        assert band is not None
        assert points.y[index] == pytest.approx(100 * tally.frauds / tally.transactions)
        assert trace(figure, "Transactions").y[index] == tally.transactions
        if dimension == "month":
            low, high = trace(figure, "95 % low").y[index], trace(figure, "95 % high").y[index]
        else:
            low = points.y[index] - points.error_y.arrayminus[index]
            high = points.y[index] + points.error_y.array[index]
        assert (low, high) == pytest.approx((100 * band[0], 100 * band[1]))


def test_a_value_without_transactions_has_no_rate() -> None:
    figure = figures.rates("transaction_type", {"online": Tally(10, 1, 100.0, 10.0)})
    assert list(trace(figure, "Fraud rate").x) == ["Online"]
    assert list(trace(figure, "Transactions").y) == [10, 0]


def test_no_figure_carries_plotlys_default_look_or_fails_on_nothing() -> None:
    for figure in (figures.blank(), figures.shares({"month": {}}), figures.rates("hour", {})):
        assert "#E5ECF6" not in json.dumps(figure.to_plotly_json()["layout"], default=str)


def test_schemes_differ_in_ink_alone() -> None:
    light, dark = template("light")["layout"], template("dark")["layout"]
    assert light["font"]["color"] != dark["font"]["color"]
    assert light["colorway"][0] == dark["colorway"][0]
    assert light["paper_bgcolor"] == dark["paper_bgcolor"] == "rgba(0, 0, 0, 0)"


def test_the_highest_share_needs_enough_transactions() -> None:
    tallies = {"online": Tally(100, 10, 0.0, 0.0), "onsite": Tally(5, 5, 0.0, 0.0)}
    assert figures.highest_share("transaction_type", tallies) == f"Highest share: Online, 10.0{words.NBSP}%"
    assert figures.highest_share("transaction_type", {}) == ""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from fraudstream.core.contract.rollups import ALL, AMOUNT_BIN
from fraudstream.dashboards.data.buckets import Tally
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.queries import Reader, minute_starts
from fraudstream.dashboards.pages.history import figures as rate_figures
from fraudstream.dashboards.ui import figures, words
from fraudstream.dashboards.ui.formats import formats
from fraudstream.dashboards.ui.theme import template

FIELD_DIMENSIONS = ("day_of_week", "month", "category_recipient", "transaction_type", "transaction_method")


def trace(figure: Any, name: str) -> Any:
    """A trace, after Plotly itself has checked the figure."""
    return next(item for item in go.Figure(figure).data if item.name == name)


@pytest.mark.parametrize("dimension", FIELD_DIMENSIONS)
def test_each_bar_is_the_count_of_its_transactions(traffic: Any, dimension: str) -> None:
    tallies = Reader(traffic.store).live(traffic.now, ring=False).totals[dimension]
    figure = figures.shares({dimension: tallies})
    for value, label, frauds, legitimate in zip(
        VALUES[dimension],
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
    tallies = Reader(traffic.store).live(traffic.now, ring=False).totals[AMOUNT_BIN]
    bars = trace(figures.shares({AMOUNT_BIN: tallies}), "Fraud")
    frauds = [row["amount"] for row in traffic.live if row["prediction"]]
    assert list(bars.x) == ["0", "25", "50", "75", "100", "125", "150", "200", "250", "300", "400+"]
    assert bars.y[0] == len([amount for amount in frauds if amount < 25])
    assert bars.y[-1] == len([amount for amount in frauds if amount >= 400])


def test_horizontal_bars_show_several_dimensions_one_after_the_other(traffic: Any) -> None:
    totals = Reader(traffic.store).live(traffic.now, ring=False).totals
    dimensions = {name: totals[name] for name in ("transaction_type", "transaction_method")}
    bars = trace(figures.shares(dimensions, horizontal=True), "Legitimate")
    assert list(bars.y)[:3] == ["Online", "Onsite", "Internet payment"]
    assert bars.text[0] == formats().percent(
        dimensions["transaction_type"]["online"].frauds / dimensions["transaction_type"]["online"].transactions
    )


def test_an_unforeseen_value_is_drawn_last() -> None:
    tallies = {"kiosk": Tally(4, 1, 40.0, 10.0), "online": Tally(6, 2, 60.0, 20.0)}
    bars = trace(figures.shares({"transaction_type": tallies}), "Fraud")
    assert list(bars.x) == ["Online", "Onsite", "Kiosk"]
    assert list(bars.y) == [2, 0, 1]


def test_minutes_without_traffic_are_zero_and_the_running_one_is_paler(traffic: Any) -> None:
    later = traffic.now + timedelta(minutes=10)
    snapshot = Reader(traffic.store).live(later, ring=False)
    counted = {start: tallies[ALL][ALL] for start, tallies in snapshot.minutes.items()}
    bars = trace(figures.minutes(minute_starts(later), counted), "Legitimate")
    assert list(bars.y[-9:]) == [0] * 9
    minute = minute_starts(later)[20]
    arrived = [row for row in traffic.live if minute <= row["enqueued_at"] < minute + timedelta(minutes=1)]
    assert arrived
    assert bars.y[20] == len([row for row in arrived if not row["prediction"]])
    assert bars.marker.opacity[-1] < bars.marker.opacity[0]


def test_no_figure_carries_plotlys_default_look_or_fails_on_nothing() -> None:
    empty = (figures.blank(), figures.shares({"month": {}}), rate_figures.rates("hour", {}), rate_figures.trend({}))
    for figure in empty:
        assert "#E5ECF6" not in json.dumps(go.Figure(figure).to_plotly_json()["layout"], default=str)


def test_schemes_differ_in_ink_alone() -> None:
    light, dark = template("light")["layout"], template("dark")["layout"]
    assert light["font"]["color"] != dark["font"]["color"]
    assert light["colorway"][0] == dark["colorway"][0]
    assert light["paper_bgcolor"] == dark["paper_bgcolor"] == "rgba(0, 0, 0, 0)"


def test_the_highest_share_needs_enough_transactions() -> None:
    tallies = {"online": Tally(100, 10, 0.0, 0.0), "onsite": Tally(5, 5, 0.0, 0.0)}
    assert figures.highest_share("transaction_type", tallies) == "Highest share: Online, 10.0%"
    assert figures.highest_share("transaction_type", {}) == ""


def test_bars_carry_what_a_click_filters_by() -> None:
    figure = figures.shares({"month": {"3": Tally(4, 1, 4.0, 1.0)}}, chosen={"month": frozenset({"3"})})
    for part in figure["data"]:
        assert part["customdata"][2] == ["month", "3"]
        assert part["marker"]["opacity"][2] == 1.0
        assert part["marker"]["opacity"][3] < 0.5


def test_figures_write_numbers_as_the_locale_does() -> None:
    figure = figures.shares({"month": {"3": Tally(4_000, 500, 4.0, 1.0)}}, forms=formats("de-DE"))
    assert figure["layout"]["separators"] == ",."
    assert "4.000 transactions" in figure["data"][0]["hovertext"][2]
    assert "12,5" in figure["data"][0]["hovertext"][2]
    assert words.long_label("month", "3") in figure["data"][0]["hovertext"][2]

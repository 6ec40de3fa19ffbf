from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import plotly.graph_objects as go
import pytest

from fraudstream.dashboards.data.buckets import Tally
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.measures import wilson_band
from fraudstream.dashboards.data.queries import Reader
from fraudstream.dashboards.pages.history import figures as rate_figures


def trace(figure: Any, name: str) -> Any:
    """A trace, after Plotly itself has checked the figure."""
    return next(item for item in go.Figure(figure).data if item.name == name)


@pytest.mark.parametrize("dimension", ["month", "category_recipient"])
def test_rates_have_their_band_and_the_counts_below(traffic: Any, dimension: str) -> None:
    tallies = Reader(traffic.store).history(traffic.now).totals["history"][dimension]
    figure = rate_figures.rates(dimension, tallies)
    points = trace(figure, "Fraud rate")
    for index, value in enumerate(VALUES[dimension]):
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
    figure = rate_figures.rates("transaction_type", {"online": Tally(10, 1, 100.0, 10.0)})
    assert list(trace(figure, "Fraud rate").x) == ["Online"]
    assert list(trace(figure, "Transactions").y) == [10, 0]


@pytest.mark.parametrize("dimension", ["month", "category_recipient"])
def test_two_periods_stand_side_by_side_with_their_own_bands(traffic: Any, dimension: str) -> None:
    totals = Reader(traffic.store).history(traffic.now).totals
    figure = rate_figures.rates(dimension, totals["history"][dimension], totals["live"][dimension])
    for prefix, origin in (("A", "history"), ("B", "live")):
        tallies = totals[origin][dimension]
        counts = trace(figure, f"{prefix} Transactions")
        assert list(counts.y) == [tallies.get(value, Tally()).transactions for value in VALUES[dimension]]
        points = trace(figure, f"{prefix} Fraud rate")
        first = tallies[points.customdata[0][1]]
        assert points.y[0] == pytest.approx(100 * first.frauds / first.transactions)
    markers = [trace(figure, f"{name} Fraud rate").marker for name in "AB"]
    looks = {(marker.symbol, marker.color) for marker in markers}
    assert len(looks) == 2
    assert figure["layout"]["shapes"] == []


def test_the_trend_has_every_day_and_a_gap_where_nothing_happened() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    figure = rate_figures.trend({start: Tally(10, 1, 1.0, 0.1), start + timedelta(days=2): Tally(20, 4, 1.0, 0.1)})
    rate, counts = trace(figure, "Fraud rate"), trace(figure, "Transactions")
    assert list(counts.x) == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert list(counts.y) == [10, 0, 20]
    assert list(rate.y) == [10.0, None, 20.0]
    band = wilson_band(4, 20)
    assert band is not None
    assert trace(figure, "95 % low").y[2] == pytest.approx(100 * band[0])
    assert trace(figure, "95 % high").y[2] == pytest.approx(100 * band[1])

"""The window of newest decisions: bounded, each decision once, and exact for every combination of filters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pandas as pd
import pytest

from fraudstream.core.contract.rollups import AMOUNT_BIN, AMOUNT_EDGES, EVENT_DIMENSIONS, amount_bins
from fraudstream.dashboards.data.buckets import Tally
from fraudstream.dashboards.data.measures import quantile
from fraudstream.dashboards.data.queries import decision_from
from fraudstream.dashboards.data.window import Window
from fraudstream.dashboards.data.window_view import EMPTY, FILTERED, FRAUD, MINUTE

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture
def window(traffic: Any) -> Window:
    window: Window = traffic.tail.window
    return window


@pytest.fixture
def frame(traffic: Any) -> pd.DataFrame:
    """The same transactions, for an independent count."""
    rows = pd.DataFrame(traffic.live)
    edges = [*AMOUNT_EDGES, float("inf")]
    rows[AMOUNT_BIN] = pd.cut(rows["amount"], edges, right=False, labels=list(amount_bins())).astype(str)
    rows["minute"] = rows["enqueued_at"].dt.floor("min").map(lambda start: start.isoformat())
    for name in EVENT_DIMENSIONS:
        rows[name] = rows[name].astype(str)
    return rows


def tally(rows: pd.DataFrame) -> Tally:
    frauds = rows[rows["prediction"] == 1]
    return Tally(len(rows), len(frauds), pytest.approx(rows["amount"].sum()), pytest.approx(frauds["amount"].sum()))


def kept(rows: pd.DataFrame, filters: dict[str, frozenset[str]], but: str = "") -> pd.DataFrame:
    for name, values in filters.items():
        if name != but:
            rows = rows[rows[name].isin(values)]
    return rows


FILTERS: list[dict[str, frozenset[str]]] = [
    {},
    {"day_of_week": frozenset({"monday", "sunday"})},
    {"category_recipient": frozenset({"tech_store"}), "month": frozenset({"1", "7", "12"})},
    {AMOUNT_BIN: frozenset({"150-200", "400+"}), "transaction_type": frozenset({"online"})},
    {"transaction_method": frozenset({"phone"}), "day_of_week": frozenset({"friday"}), "month": frozenset({"2"})},
]


@pytest.mark.parametrize(("filters", "minutes"), list(product(FILTERS, [60, 15, 5])))
def test_every_bar_equals_an_independent_count(
    traffic: Any, window: Window, frame: pd.DataFrame, filters: dict[str, frozenset[str]], minutes: int
) -> None:
    since = traffic.now - timedelta(minutes=minutes)
    rows = frame[frame["enqueued_at"] >= since]
    counted = window.view().slice(since, None, filters)
    assert counted.total == tally(kept(rows, filters))
    for name in FILTERED:
        expected = {str(value): tally(part) for value, part in kept(rows, filters, but=name).groupby(name)}
        assert counted.dimensions[name] == expected, name
    expected = {start: tally(part) for start, part in kept(rows, filters).groupby("minute")}
    assert {start.isoformat(): minute for start, minute in counted.minutes.items()} == expected


def test_a_minute_is_a_filter_too(traffic: Any, window: Window, frame: pd.DataFrame) -> None:
    start = (traffic.now - timedelta(minutes=20)).replace(second=0).isoformat()
    filters = {MINUTE: frozenset({start})}
    counted = window.view().slice(LONG_AGO, None, filters)
    assert counted.total == tally(frame[frame["minute"] == start])
    assert len(counted.minutes) == frame["minute"].nunique()


def test_a_view_ends_where_it_was_paused(traffic: Any, window: Window, frame: pd.DataFrame) -> None:
    paused_at = traffic.now - timedelta(minutes=10)
    counted = window.view().slice(traffic.now - timedelta(hours=1), paused_at)
    assert counted.total == tally(frame[frame["enqueued_at"] <= paused_at])


def test_latencies_are_those_of_the_selection(traffic: Any, window: Window, frame: pd.DataFrame) -> None:
    filters = {"transaction_type": frozenset({"online"})}
    counted = window.view().slice(LONG_AGO, None, filters)
    expected = sorted(kept(frame, filters)["latency_ms"])
    assert quantile(counted.latencies, 0.95) == pytest.approx(expected[-(-95 * len(expected) // 100) - 1], rel=1e-5)


def test_latencies_by_minute(traffic: Any, window: Window, frame: pd.DataFrame) -> None:
    for start, quantiles in window.view().latency_by_minute(LONG_AGO).items():
        part = sorted(frame[frame["minute"] == start.isoformat()]["latency_ms"])
        # Nearest rank, in whole percents.
        ranks = [max(-(-percent * len(part) // 100), 1) for percent in (50, 95, 99)]
        assert quantiles == pytest.approx([part[rank - 1] for rank in ranks], rel=1e-5)


def test_the_newest_rows_obey_the_same_filters(traffic: Any, window: Window, frame: pd.DataFrame) -> None:
    filters = {"category_recipient": frozenset({"restaurant"}), AMOUNT_BIN: frozenset({"100-125"})}
    newest = window.view().newest(20, LONG_AGO, None, filters)
    expected = kept(frame, filters).sort_values(["enqueued_at", "id"], ascending=False)["id"].head(20)
    assert [decision.id for decision in newest] == expected.tolist()
    frauds = window.view().newest(50, LONG_AGO, None, {FRAUD: frozenset({"1"})})
    assert len(frauds) == 50
    assert all(decision.fraud for decision in frauds)


def test_a_decision_counts_once_however_often_it_comes(traffic: Any) -> None:
    window = Window()
    assert window.add(traffic.decisions) == len(traffic.live)
    assert window.add(traffic.decisions[:100]) == 0
    assert window.view().slice(LONG_AGO).total.transactions == len(traffic.live)


def test_it_keeps_the_newest_and_says_what_it_still_covers(traffic: Any) -> None:
    window = Window(most_rows=1_000)
    window.complete_since(LONG_AGO)
    assert window.view().covers(traffic.now - timedelta(hours=1))
    for begin in range(0, 3_000, 100):
        window.add(traffic.decisions[begin : begin + 100])
    view = window.view()
    assert len(view) == 1_000
    assert view.slice(LONG_AGO).total == tally(pd.DataFrame(traffic.live[-1_000:]))
    oldest = traffic.live[-1_000]["enqueued_at"]
    assert not view.covers(oldest - timedelta(seconds=1))
    assert view.covers(oldest + timedelta(seconds=2))


def test_more_than_fits_at_once_keeps_the_newest(traffic: Any) -> None:
    window = Window(most_rows=500)
    window.complete_since(LONG_AGO)
    window.add(traffic.decisions)
    assert window.view().slice(LONG_AGO).total == tally(pd.DataFrame(traffic.live[-500:]))
    assert not window.view().covers(traffic.live[0]["enqueued_at"])


def test_a_view_stands_still_while_more_arrives(traffic: Any) -> None:
    window = Window()
    window.add(traffic.decisions[:1_000])
    view = window.view()
    window.add(traffic.decisions[1_000:])
    assert view.slice(LONG_AGO).total.transactions == 1_000
    assert window.view().slice(LONG_AGO).total.transactions == len(traffic.live)


def test_a_new_view_is_made_only_after_a_change(traffic: Any) -> None:
    window = Window()
    window.add(traffic.decisions[:10])
    assert window.view() is window.view()
    window.add(traffic.decisions[10:11])
    assert len(window.view()) == 11


def test_a_value_that_nobody_foresaw_is_counted(traffic: Any) -> None:
    window = Window()
    decision = traffic.decisions[0]
    window.add([replace(decision, features={**decision.features, "transaction_type": "kiosk"})])
    assert window.view().slice(LONG_AGO).dimensions["transaction_type"].keys() == {"kiosk"}


def test_an_amount_on_an_edge_belongs_to_the_bin_above_it(traffic: Any) -> None:
    window = Window()
    for number, amount in enumerate((0, 24.99, 25, 400, 10_000)):
        decision = decision_from(traffic.live[number])
        window.add([replace(decision, features={**decision.features, "amount": amount})])
    counted = window.view().slice(LONG_AGO).dimensions[AMOUNT_BIN]
    assert {value: tally.transactions for value, tally in counted.items()} == {"0-25": 2, "25-50": 1, "400+": 2}
    assert len(window.view().newest(9, LONG_AGO, None, {AMOUNT_BIN: frozenset({"400+"})})) == 2


def test_an_empty_window_adds_up_to_nothing() -> None:
    assert EMPTY.slice(LONG_AGO).total == Tally()
    assert EMPTY.newest(5, LONG_AGO) == []
    assert not EMPTY.covers(datetime.now(UTC))

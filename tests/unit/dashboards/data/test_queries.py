from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fraudstream.core.contract.rollups import ALL, DIMENSIONS, ORIGINS, rollup_id
from fraudstream.core.documents.client import RECENT, RECENT_SLOTS, ROLLUPS
from fraudstream.core.errors import StoreUnavailable
from fraudstream.dashboards.data.buckets import Buckets, Tally
from fraudstream.dashboards.data.queries import Reader, day_starts, minute_starts, month_starts, summed


def tally(transactions: list[dict[str, Any]]) -> Tally:
    """The state that these transactions add up to, counted from scratch."""
    frauds = [transaction for transaction in transactions if transaction["prediction"]]
    return Tally(
        len(transactions),
        len(frauds),
        pytest.approx(sum(transaction["amount"] for transaction in transactions)),
        pytest.approx(sum(transaction["amount"] for transaction in frauds)),
    )


def test_the_total_is_that_of_all_transactions(traffic: Any) -> None:
    assert Reader(traffic.store).live(traffic.now, ring=True).total == tally(traffic.live)
    totals = Reader(traffic.store).history(traffic.now).totals
    assert totals["live"][ALL][ALL] == tally(traffic.live)
    assert totals["history"][ALL][ALL] == tally(traffic.history)


@pytest.mark.parametrize(
    ("dimension", "value_of"),
    [
        ("day_of_week", lambda row: row["day_of_week"]),
        ("month", lambda row: str(row["month"])),
        ("category_recipient", lambda row: row["category_recipient"]),
        ("transaction_type", lambda row: row["transaction_type"]),
        ("transaction_method", lambda row: row["transaction_method"]),
        ("hour", lambda row: str(row["event_time"].hour)),
    ],
)
def test_each_value_has_its_own_transactions(
    traffic: Any, dimension: str, value_of: Callable[[dict[str, Any]], str]
) -> None:
    read = Reader(traffic.store).live(traffic.now, ring=False).totals[dimension]
    expected: dict[str, list[dict[str, Any]]] = {}
    for row in traffic.live:
        expected.setdefault(value_of(row), []).append(row)
    assert read == {value: tally(rows) for value, rows in expected.items()}


def test_every_dimension_adds_up_to_the_total(traffic: Any) -> None:
    totals = Reader(traffic.store).live(traffic.now, ring=False).totals
    for dimension in DIMENSIONS:
        assert sum(totals[dimension].values(), Tally()).transactions == len(traffic.live), dimension


def test_minutes_count_arrivals_and_end_with_the_running_one(traffic: Any) -> None:
    snapshot = Reader(traffic.store).live(traffic.now, ring=True)
    starts = minute_starts(traffic.now)
    assert len(starts) == 60
    assert starts[-1] == datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    assert starts[0] == datetime(2026, 5, 4, 11, 1, tzinfo=UTC)
    for start, read in snapshot.minutes.items():
        arrived = [row for row in traffic.live if start <= row["enqueued_at"] < start + timedelta(minutes=1)]
        assert read[ALL][ALL] == tally(arrived)
        assert sum(read["month"].values(), Tally()).transactions == len(arrived)
    shown = sum(read[ALL][ALL].transactions for read in snapshot.minutes.values())
    assert shown == len([row for row in traffic.live if row["enqueued_at"] >= starts[0]])


def test_minutes_by_dimension_and_the_ring_are_read_only_when_asked_for(traffic: Any) -> None:
    snapshot = Reader(traffic.store).live(traffic.now, ring=False)
    assert snapshot.recent == ()
    assert {tuple(tallies) for tallies in snapshot.minutes.values()} == {(ALL,)}


def test_recent_is_the_ring_newest_first(traffic: Any) -> None:
    recent = Reader(traffic.store).live(traffic.now, ring=True).recent
    newest = sorted(traffic.live, key=lambda row: row["enqueued_at"], reverse=True)[: 2 * RECENT_SLOTS]
    assert [decision.id for decision in recent] == [row["id"] for row in newest]
    assert recent[0].features["amount"] == newest[0]["amount"]
    assert recent[0].latency_ms == newest[0]["latency_ms"]


def test_months_and_days_are_of_the_transactions_own_date(traffic: Any) -> None:
    snapshot = Reader(traffic.store).history(traffic.now)
    for month, tallies in snapshot.months["history"].items():
        rows = [row for row in traffic.history if row["event_time"].strftime("%Y-%m") == f"{month:%Y-%m}"]
        assert tallies[ALL][ALL] == tally(rows)
        assert sum(tallies["hour"].values(), Tally()).transactions == len(rows)
    for day, counted in snapshot.days["history"].items():
        assert counted == tally([row for row in traffic.history if row["event_time"].date() == day.date()])
    assert sum(counted.transactions for counted in snapshot.days["history"].values()) == len(traffic.history)


def test_what_did_not_change_is_not_read_again(traffic: Any) -> None:
    reader = Reader(traffic.store)
    first = reader.history(traffic.now)
    before = traffic.store.ids_asked_for
    assert reader.history(traffic.now) == first
    heads = len(ORIGINS) * (1 + len(month_starts(traffic.now)))
    assert traffic.store.ids_asked_for - before == heads


def test_a_change_reads_the_one_bucket_that_changed(traffic: Any) -> None:
    reader = Reader(traffic.store)
    reader.history(traffic.now)
    newer = dict(traffic.history[0], event_time=datetime(2026, 4, 1, 3, tzinfo=UTC))
    traffic.store.add_rollups("history", [newer])
    again = reader.history(traffic.now)
    assert again.totals["history"][ALL][ALL].transactions == len(traffic.history) + 1
    april = [row for row in [*traffic.history, newer] if row["event_time"].strftime("%Y-%m") == "2026-04"]
    assert again.months["history"][datetime(2026, 4, 1, tzinfo=UTC)][ALL][ALL] == tally(april)
    assert again.days["history"][datetime(2026, 4, 1, tzinfo=UTC)].transactions == len(
        [row for row in april if row["event_time"].day == 1]
    )


def test_a_bucket_read_in_the_middle_of_a_write_is_read_again(traffic: Any) -> None:
    rollups = traffic.store[ROLLUPS].documents
    late = rollup_id("total", None, "live", "month", "3")
    state = dict(rollups[late])
    rollups[late] = {**state, "transactions": state["transactions"] - 1}
    buckets = Buckets(traffic.store, "total")
    buckets.read([("live", None)], DIMENSIONS)
    rollups[late] = state
    read = buckets.read([("live", None)], DIMENSIONS)
    assert read["live", None]["month"]["3"].transactions == state["transactions"]


def test_a_snapshot_asks_for_a_bounded_number_of_documents(traffic: Any) -> None:
    Reader(traffic.store).live(traffic.now, ring=False)
    assert traffic.store.ids_asked_for <= 1 + 66 + 60
    assert traffic.store.finds <= 3


def test_a_store_that_does_not_answer_is_named(traffic: Any) -> None:
    traffic.store.away = True
    reader = Reader(traffic.store)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        reader.live(traffic.now, ring=False)
    with pytest.raises(StoreUnavailable, match="does not answer"):
        reader.history(traffic.now)


def test_an_empty_store_gives_nothing(traffic: Any) -> None:
    for name in (ROLLUPS, RECENT):
        traffic.store[name].documents.clear()
    snapshot = Reader(traffic.store).live(traffic.now, ring=True)
    assert snapshot.total == Tally()
    assert snapshot.recent == ()
    assert Reader(traffic.store).history(traffic.now).months == {"live": {}, "history": {}}


def test_months_reach_from_three_years_ago_to_tomorrow() -> None:
    months = month_starts(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert months[-1] == datetime(2026, 2, 1, tzinfo=UTC)
    assert months[0] == datetime(2023, 2, 1, tzinfo=UTC)
    assert len(day_starts(datetime(2028, 2, 1, tzinfo=UTC))) == 29


def test_buckets_add_up_by_value() -> None:
    part = {"month": {"1": Tally(1, 1, 2.0, 2.0)}}
    assert summed([part, part], ("month",)) == {"month": {"1": Tally(2, 2, 4.0, 4.0)}}

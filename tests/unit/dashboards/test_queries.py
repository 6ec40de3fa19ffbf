from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fraudstream.core.documents import RECENT, RECENT_SLOTS, ROLLUPS
from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.rollups import ALL, DIMENSIONS, ORIGINS
from fraudstream.dashboards.queries import Tally, minute_starts, read_snapshot


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
    snapshot = read_snapshot(traffic.store, traffic.now)
    assert snapshot.total(("live",)) == tally(traffic.live)
    assert snapshot.total(("history",)) == tally(traffic.history)
    assert snapshot.total(ORIGINS) == tally(traffic.live + traffic.history)


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
    read = read_snapshot(traffic.store, traffic.now).tallies(dimension, ("live",))
    expected: dict[str, list[dict[str, Any]]] = {}
    for row in traffic.live:
        expected.setdefault(value_of(row), []).append(row)
    assert read == {value: tally(rows) for value, rows in expected.items()}


def test_every_dimension_adds_up_to_the_total(traffic: Any) -> None:
    snapshot = read_snapshot(traffic.store, traffic.now)
    for dimension in DIMENSIONS:
        summed = sum(snapshot.tallies(dimension, ("live",)).values(), Tally())
        assert summed.transactions == len(traffic.live), dimension


def test_minutes_count_arrivals_and_end_with_the_running_one(traffic: Any) -> None:
    snapshot = read_snapshot(traffic.store, traffic.now)
    starts = minute_starts(traffic.now)
    assert len(starts) == 60
    assert starts[-1] == datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
    assert starts[0] == datetime(2026, 5, 4, 11, 1, tzinfo=UTC)
    for start, read in snapshot.minutes.items():
        arrived = [row for row in traffic.live if start <= row["enqueued_at"] < start + timedelta(minutes=1)]
        assert read == tally(arrived)
    assert sum(read.transactions for read in snapshot.minutes.values()) == len(
        [row for row in traffic.live if row["enqueued_at"] >= starts[0]]
    )


def test_older_minutes_are_not_read(traffic: Any) -> None:
    later = traffic.now + timedelta(minutes=30)
    assert min(read_snapshot(traffic.store, later).minutes) >= minute_starts(later)[0]


def test_recent_is_the_ring_newest_first(traffic: Any) -> None:
    recent = read_snapshot(traffic.store, traffic.now).recent
    newest = sorted(traffic.live, key=lambda row: row["enqueued_at"], reverse=True)[: 2 * RECENT_SLOTS]
    assert [decision.id for decision in recent] == [row["id"] for row in newest]
    assert recent[0].features["amount"] == newest[0]["amount"]
    assert recent[0].latency_ms == newest[0]["latency_ms"]


def test_a_snapshot_takes_three_finds_whatever_is_stored(traffic: Any) -> None:
    read_snapshot(traffic.store, traffic.now)
    assert traffic.store.finds == 3


def test_a_store_that_does_not_answer_is_named(traffic: Any) -> None:
    traffic.store.away = True
    with pytest.raises(StoreUnavailable, match="does not answer"):
        read_snapshot(traffic.store, traffic.now)


def test_an_empty_store_gives_zeros(traffic: Any) -> None:
    for name in (ROLLUPS, RECENT):
        traffic.store[name].documents.clear()
    snapshot = read_snapshot(traffic.store, traffic.now)
    assert snapshot.total(ORIGINS) == Tally()
    assert snapshot.tallies(ALL, ORIGINS) == {}
    assert snapshot.recent == ()

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fraudstream.dashboards.measures import events_per_second, latency_p95, share, wilson_band
from fraudstream.dashboards.queries import Decision

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def decision(seconds_ago: float, partition: int = 0, latency_ms: float | None = 100.0) -> Decision:
    arrived = NOW - timedelta(seconds=seconds_ago)
    return Decision(1, arrived, arrived, partition, False, 0.1, 0.5, "1", latency_ms, (), {})


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Reference values: scipy.stats.binomtest(k, n).proportion_ci(method="wilson").
    [(10, 100, 0.0552291, 0.1743657), (1, 10, 0.0178762, 0.4041500), (50, 100, 0.4038315, 0.5961685)],
)
def test_wilson_band(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_band(successes, trials) == pytest.approx((low, high), abs=1e-6)


def test_wilson_band_at_the_ends() -> None:
    assert wilson_band(0, 0) is None
    none, all_of_them = wilson_band(0, 10), wilson_band(10, 10)
    assert none == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert all_of_them == (pytest.approx(0.7225, abs=1e-4), 1.0)


def test_share_of_nothing_is_unknown() -> None:
    assert share(1, 4) == 0.25
    assert share(0, 0) is None


def test_rate_counts_the_newest_thirty_seconds() -> None:
    every_third_second = [decision(3.0 * step) for step in range(100)]
    assert events_per_second(every_third_second, NOW) == pytest.approx(1 / 3)


def test_rate_of_a_ring_that_covers_less_than_thirty_seconds() -> None:
    hundred_a_second = [decision(0.01 * step) for step in range(250)]
    assert events_per_second(hundred_a_second, NOW) == pytest.approx(100)


def test_rates_of_unequal_partitions_add_up() -> None:
    busy = [decision(0.01 * step, 0) for step in range(250)]
    quiet = [decision(1.0 * step, 1) for step in range(250)]
    assert events_per_second(busy + quiet, NOW) == pytest.approx(101)


def test_rate_is_zero_once_the_traffic_has_stopped() -> None:
    assert events_per_second([decision(31 + step) for step in range(10)], NOW) == 0
    assert events_per_second([], NOW) == 0


def test_latency_p95_is_the_nearest_rank() -> None:
    assert latency_p95(decision(0, latency_ms=float(value)) for value in range(1, 101)) == 95
    assert latency_p95([decision(0, latency_ms=7.0), decision(0, latency_ms=None)]) == 7
    assert latency_p95([decision(0, latency_ms=None)]) is None

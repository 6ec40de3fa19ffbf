from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from fraudstream.dashboards.data.measures import quantile, quantiles, share, wilson_band
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.data.window import Window
from fraudstream.dashboards.data.window_view import EMPTY, WindowView

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FEATURES = {
    "amount": 1.0,
    "month": 1,
    "day_of_week": "monday",
    "category_recipient": "restaurant",
    "transaction_type": "online",
    "transaction_method": "phone",
}


def window_of(seconds_ago: list[float], covers_seconds: float = 3600.0) -> WindowView:
    window = Window()
    window.complete_since(NOW - timedelta(seconds=covers_seconds))
    for number, seconds in enumerate(seconds_ago):
        arrived = NOW - timedelta(seconds=seconds)
        window.add([Decision(number, arrived, arrived, 0, False, 0.1, 0.5, "1", 1.0, (), FEATURES)])
    return window.view()


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
    assert window_of([3.0 * step for step in range(100)]).events_per_second(NOW) == pytest.approx(11 / 30)


def test_rate_of_a_window_that_covers_less_than_thirty_seconds() -> None:
    assert window_of([0.1 * step for step in range(50)], covers_seconds=5.0).events_per_second(NOW) == pytest.approx(10)


def test_rate_is_zero_once_the_traffic_has_stopped_and_unknown_before_anything_is_covered() -> None:
    assert window_of([31.0 + step for step in range(10)]).events_per_second(NOW) == 0
    assert EMPTY.events_per_second(NOW) is None


def test_a_quantile_is_the_nearest_rank() -> None:
    assert quantile(np.arange(1, 101, dtype="f4"), 0.95) == 95
    assert quantile(np.array([7.0], dtype="f4"), 0.95) == 7
    assert quantile(np.empty(0, "f4"), 0.95) is None


def test_a_rounding_error_raises_no_rank() -> None:
    # Each product is a whole number and, in doubles, a little more.
    assert quantiles(np.arange(1.0, 101.0), (0.07, 0.14, 0.28)) == (7.0, 14.0, 28.0)

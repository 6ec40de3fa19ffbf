"""Percentiles, steady rates, spreads, and the order of contenders."""

from __future__ import annotations

import numpy as np
import pytest

from fraudstream.bench.harness import figures


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 50.0), (95, 95.0), (99, 99.0), (99.9, 100.0), (100, 100.0), (0, 1.0)]
)
def test_percentiles_are_nearest_ranks(percent: float, expected: float) -> None:
    assert figures.percentile([float(n) for n in range(1, 101)], percent) == expected


def test_percentiles_agree_with_numpy() -> None:
    values = sorted(np.random.default_rng(3).lognormal(size=1_237).tolist())
    for percent in (1, 50, 95, 99, 99.9):
        expected = float(np.percentile(values, percent, method="inverted_cdf"))
        assert figures.percentile(values, percent) == expected


def test_a_rounding_error_does_not_raise_the_rank() -> None:
    assert figures.percentile(range(1, 1_001), 99.9) == 999


def test_of_no_values_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        figures.percentile([], 50)


def test_a_latency_summary_is_in_milliseconds_and_sorts_by_itself() -> None:
    summary = figures.latency_summary([3_000, 1_000, 2_000, 40_000])
    assert summary == {
        "p50_ms": 2.0,
        "p95_ms": 40.0,
        "p99_ms": 40.0,
        "p99_9_ms": 40.0,
        "max_ms": 40.0,
        "measured": 4,
    }


def test_a_slow_start_does_not_count_for_the_steady_rate() -> None:
    start = [1_000 * n for n in range(25)]
    steady = [25_000 + 10 * n for n in range(75)]
    assert figures.steady_rate([*reversed(steady), *start]) == pytest.approx(100.0)
    assert figures.steady_rate([*start, *steady], 0.0) < 5


@pytest.mark.parametrize("stamps", [[], [5], [5, 5, 5, 5]])
def test_a_rate_needs_time(stamps: list[int]) -> None:
    with pytest.raises(ValueError, match="span no time"):
        figures.steady_rate(stamps)


def test_the_ends_of_a_run_are_compared() -> None:
    compared = figures.ends_compared([1_000] * 100 + [500_000] * 50 + [3_000] * 100, 100)
    assert compared == {"first_p99_ms": 1.0, "last_p99_ms": 3.0, "last_by_first": 3.0}


def test_growth_leaves_the_start_out() -> None:
    assert figures.growth([1.0] * 10 + [100.0] * 10 + [110.0] * 10) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="too few"):
        figures.growth([1.0, 2.0])


def test_spreads_are_of_the_figures_that_all_repeats_have() -> None:
    by_figure = figures.spreads([{"a": 3, "b": 1}, {"a": 1}, {"a": 2, "b": 2}])
    assert by_figure == {"a": {"median": 2, "min": 1, "max": 3}}
    assert figures.spreads([]) == {}


def test_each_turn_starts_with_another_contender() -> None:
    turns = [figures.rotated(["a", "b", "c"], turn) for turn in range(4)]
    assert turns == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]

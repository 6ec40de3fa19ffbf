"""Intervals hold what they promise, also where rows depend on each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fraudstream.ml.evaluation.resampling import intervals


def mean_of(values: np.ndarray):  # type: ignore[no-untyped-def]
    def statistic(weights: np.ndarray | None) -> dict[str, float]:
        return {"mean": float(np.average(values, weights=weights))}

    return statistic


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for seed in range(60):
        interval = intervals(mean_of(rng.exponential(size=300)), 300, seed)["mean"]
        held += interval.low <= 1.0 <= interval.high
    assert 50 <= held <= 60


def test_rows_of_one_card_are_drawn_as_a_whole() -> None:
    rng = np.random.default_rng(4)
    cards = np.repeat(np.arange(50), 40)
    values = np.repeat(rng.normal(size=50), 40)
    alone = intervals(mean_of(values), len(values), 1)["mean"]
    together = intervals(mean_of(values), len(values), 1, cards)["mean"]
    # Of 50 cards, and not of 2,000 rows: wider by the root of 40.
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(math.sqrt(40), rel=0.25)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(5).normal(size=200)
    assert intervals(mean_of(values), 200, 9) == intervals(mean_of(values), 200, 9)
    assert intervals(mean_of(values), 200, 9) != intervals(mean_of(values), 200, 10)


def test_a_figure_that_no_resample_has_has_no_interval() -> None:
    interval = intervals(lambda _: {"nothing": math.nan}, 10, 1)["nothing"]
    assert interval.to_json() == {"value": None, "low": None, "high": None}

"""Two versions on the same rows: what is better, and what chance may have decided."""

from __future__ import annotations

import numpy as np

from fraudstream.ml.evaluation.comparison import paired
from fraudstream.ml.evaluation.held_out import COST, Decided, Rows

RNG = np.random.default_rng(6)
COUNT = 4_000
LABELS = (RNG.random(COUNT) < 0.1).astype(int)
ROWS = Rows(LABELS, np.arange(COUNT), np.full(COUNT, 50.0))
GOOD = np.clip(LABELS * 0.5 + RNG.random(COUNT) * 0.6, 0, 1)


def test_the_better_version_is_named_by_every_figure_in_its_own_direction() -> None:
    worse = np.clip(GOOD + RNG.normal(0, 0.3, COUNT), 0, 1)
    for first, second, better in ((worse, GOOD, "2"), (GOOD, worse, "1")):
        report = paired(ROWS, ("1", "2"), [Decided(first, 0.5), Decided(second, 0.5)], 7).to_json()
        for name in ("average_precision", "roc_auc", "brier", COST):
            assert report["figures"][name]["better"] == better


def test_a_difference_of_chance_names_nobody() -> None:
    other = np.clip(GOOD + RNG.normal(0, 0.001, COUNT), 0, 1)
    comparison = paired(ROWS, ("1", "2"), [Decided(GOOD, 0.5), Decided(other, 0.5)], 7)
    assert comparison.to_json()["figures"]["average_precision"]["better"] is None


def test_pairs_tell_what_two_separate_intervals_do_not() -> None:
    slightly = np.clip(GOOD + RNG.normal(0, 0.1, COUNT), 0, 1)
    comparison = paired(ROWS, ("1", "2"), [Decided(GOOD, 0.5), Decided(slightly, 0.5)], 7)
    precision = next(figure for figure in comparison.figures if figure.name == "average_precision")
    assert precision.better == 1
    assert abs(precision.difference.value) < 0.1
